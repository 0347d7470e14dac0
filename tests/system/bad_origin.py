"""How the tests of bad origins read: one file to its end within a deadline, and what came of it.

A bad origin may end a reading in three ways only: with all the right bytes, with a typed error after right bytes (which
then can be read again), or not at all within the deadline, which fails the test. Must not know: which fault it is.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from kithara_file import File, FileConfig, KitharaError, Retry, Stream, Timeouts
from tests.system.kit import SOON, started
from tests.world import Origin, PatternBody

T = TypeVar("T")

KIB = 1024
BODY = PatternBody(300_000, seed=3)
DATA = BODY[:]
OTHER = PatternBody(300_000, seed=4)[:]
"""Another version: as long, and different everywhere."""
BREAK = 100_000
"""Where the first answer ends in most of the tests."""

PATIENT = Timeouts(connect=25.0, headers=25.0, idle=25.0)
"""Where no test waits for it, silence is a busy machine. The tests of silence say themselves how long they bear it."""
RETRY = Retry(retries=3, first_delay=0.01, max_delay=0.02, jitter=0.0)


@dataclass(frozen=True)
class Outcome:
    """What one reading came to: the bytes before the end or the error, and what could be read again afterwards."""

    data: bytes
    error: KitharaError | None
    kept: bytes


def config(url: str, store: Path, **options: Any) -> FileConfig:
    """Return a configuration that tries again quickly."""
    return FileConfig(url, store=store, **{"timeouts": PATIENT, "retry": RETRY, **options})


def within(work: Callable[[], T], seconds: float = SOON) -> T:
    """Do `work` in a thread of its own and return its result; TimeoutError when it takes longer."""
    return started(work).result(seconds)


def outcome(url: str, store: Path, read: Callable[[Stream, bytearray], None] | None = None, **options: Any) -> Outcome:
    """Open and read to the end or to an error, then read what had come once more; all of it within a deadline."""

    def work() -> Outcome:
        came, error, kept = bytearray(), None, b""
        try:
            with File.open(config(url, store, **options)) as session, session.stream() as stream:
                try:
                    (read or read_on)(stream, came)
                except KitharaError as failure:
                    error = failure
                    stream.seek(0)
                    kept = stream.read(len(came)) if came else b""
        except KitharaError as failure:
            error = failure
        return Outcome(bytes(came), error, kept)

    return within(work)


def read_on(stream: Stream, came: bytearray) -> None:
    """Read from the position to the end, in steps that fit no border."""
    buffer = bytearray(30_011)
    while count := stream.readinto(buffer):
        came += buffer[:count]


def tail_first(stream: Stream, came: bytearray) -> None:
    """Probe the tail as players do, then read from the beginning."""
    stream.seek(-1000, 2)
    tail = stream.read()
    stream.seek(0)
    read_on(stream, came)
    assert came.endswith(tail)


def changes(
    kind: type[KitharaError] | tuple[type[KitharaError], ...], origin: Origin, url: str, store: Path, **options: Any
) -> Outcome:
    """Check what `tells` does, for a first answer that stalls and is cut only after a byte of it was read."""

    def taste_and_cut(stream: Stream, came: bytearray) -> None:
        came += stream.read(1000)
        origin.drop_connections()
        read_on(stream, came)

    found = tells(kind, url, store, read=taste_and_cut, **options)
    assert len(found.data) >= 1000
    return found


def heals(url: str, store: Path, right: bytes = DATA, **options: Any) -> None:
    """Check that a reader notices nothing: all the right bytes, and the end."""
    found = outcome(url, store, **options)
    assert found.error is None, repr(found.error)
    assert found.data == right


def tells(
    kind: type[KitharaError] | tuple[type[KitharaError], ...],
    url: str,
    store: Path,
    right: bytes = DATA,
    **options: Any,
) -> Outcome:
    """Check that a reader gets right bytes only, then the typed error, and can read again what it got."""
    found = outcome(url, store, **options)
    assert isinstance(found.error, kind), repr(found.error)
    assert right.startswith(found.data)
    assert found.kept == found.data
    return found


def heals_or_tells(
    kind: type[KitharaError] | tuple[type[KitharaError], ...],
    url: str,
    store: Path,
    right: bytes = DATA,
    **options: Any,
) -> None:
    """Check that a reader gets all the right bytes, or right bytes and then the typed error."""
    found = outcome(url, store, **options)
    if found.error is None:
        assert found.data == right
    else:
        assert isinstance(found.error, kind), repr(found.error)
        assert right.startswith(found.data)
        assert found.kept == found.data


@contextlib.contextmanager
def opened(url: str, store: Path, **options: Any) -> Iterator[Stream]:
    """Open a stream for a test that acts between its reads."""
    stream = within(lambda: Stream.open(File, config(url, store, **options)))
    with stream:
        yield stream
