"""What the tests of bad machines have in common: one file, ways to read it, and what may be said of a store after.

Must not know: what is wrong with the machine.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kithara_file import CacheBypassed, File, FileConfig, FileSession, OfflineMiss, StorageError
from tests.system.kit import SOON, TWICE, heard
from tests.world import Item, Origin, PatternBody, Request, StallAt

BODY = PatternBody((1 << 20) + 77, seed=11)
DATA = BODY[:]
ALL: dict[str, Any] = {"look_ahead_bytes": None, "retry": TWICE}


def config(url: str, store: Path | None, **options: Any) -> FileConfig:
    """Return how the file is opened: whole, and with little patience."""
    return FileConfig(url, **(ALL | {"store": store} | options))


@dataclass(frozen=True)
class Seen:
    """What a reader of the whole file saw."""

    data: bytes
    bypassed: tuple[StorageError, ...]
    completion: Exception | None
    """What `wait_complete` raised."""


def look(url: str, store: Path | None, **options: Any) -> Seen:
    """Read the file from its beginning to its end, then wait until it is committed."""
    completion: Exception | None = None
    with File.open(config(url, store, **options)) as session:
        with heard(session) as told, session.stream() as stream:
            data = stream.read()
            try:
                session.wait_complete(SOON)
            except OSError as error:
                completion = error
        faults = [each.error for each in told if isinstance(each, CacheBypassed)]
    assert all(isinstance(each, StorageError) for each in faults)
    return Seen(data, tuple(each for each in faults if isinstance(each, StorageError)), completion)


def reads_right(url: str, store: Path | None, **options: Any) -> None:
    """Read the whole file, rightly and through the cache."""
    seen = look(url, store, **options)
    assert seen.data == DATA
    assert (seen.bypassed, seen.completion) == ((), None)


def claims(url: str, store: Path) -> int:
    """Return how many bytes the store claims to have, having read and compared every one of them offline."""
    try:
        session = File.open(config(url, store, offline_mode=True))
    except OfflineMiss:
        return 0
    with session, session.stream() as stream:
        for each in session.coverage:
            stream.seek(each.start)
            assert stream.read(len(each)) == DATA[each.start : each.end]
        return session.coverage.total


def stored(store: Path, suffix: str) -> Path:
    """Return the one file of that kind in the store."""
    (found,) = store.glob(f"assets/*/*{suffix}")
    return found


def stops(request: Request) -> Item:
    """Let the client say after how many bytes its answer stalls."""
    asked = request.header("X-Stop")
    return StallAt(int(asked)) if asked else None


def serve(origin: Origin) -> str:
    """Serve the file and return its URL."""
    return origin.serve("/song", BODY, always=[stops])


def fill(url: str, store: Path, upto: int | None = None, **options: Any) -> None:
    """Bring the file into the store: all of it, committed, or exactly its first bytes, as `serve` allows."""
    if upto is None:
        with File.open(config(url, store, **options)) as session:
            session.wait_complete(SOON)
        return
    with File.open(config(url, store, headers={"X-Stop": str(upto)})) as session, session.stream() as stream:
        assert stream.read(upto) == DATA[:upto]


def refetched(origin: Origin, url: str, store: Path, path: str = "/song") -> int:
    """Read the whole file rightly, and return how many of its bytes were fetched for that."""
    before = origin.bytes_sent(path)
    reads_right(url, store)
    return origin.bytes_sent(path) - before


@contextmanager
def session_of(url: str, store: Path | None, **options: Any) -> Iterator[FileSession]:
    """Open the file and close it again."""
    with File.open(config(url, store, **options)) as session:
        yield session
