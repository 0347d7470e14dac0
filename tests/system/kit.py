"""What the tests of the whole have in common: configurations that fail fast, work in threads, events waited for.

Must not know: what any test is about.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import TypeVar

from kithara_file import FileEvent, FileSession, Retry
from tests.world import Body, Exchange, Item, Request, StallAt

T = TypeVar("T")
E = TypeVar("E", bound=FileEvent)

SOON = 30.0
"""Seconds after which what shall happen counts as hanging, however busy the machine; no test waits for it to pass."""

AT_ONCE = Retry(retries=0, first_delay=0.0, jitter=0.0, max_failures=1)
"""Tell of the first failure."""

TWICE = Retry(retries=1, first_delay=0.01, max_delay=0.02, jitter=0.0, max_failures=3)
"""Try again, but not for long."""


def started(work: Callable[[], T]) -> Future[T]:
    """Do `work` in a thread of its own; what it returns or raises comes through the future."""
    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as error:  # noqa: BLE001 - the future carries every kind of failure to the test
            future.set_exception(error)

    threading.Thread(target=run, name="test worker", daemon=True).start()
    return future


def first(session: FileSession, kind: type[E], act: Callable[[], object] = lambda: None) -> E:
    """Do `act` and return the first event of `kind` that follows."""
    with session.events.subscribe() as events:
        act()
        while True:
            event = events.take(SOON)
            assert event is not None, f"no {kind.__name__} within {SOON} s"
            if isinstance(event, kind):
                return event


@contextmanager
def heard(session: FileSession) -> Iterator[list[FileEvent]]:
    """Give a list which, after the block, holds all events that were told within it."""
    told: list[FileEvent] = []
    with session.events.subscribe() as events:
        yield told
        events.close()
        told.extend(events)


def ranges(exchanges: tuple[Exchange, ...]) -> list[str | None]:
    """Return what was asked for, request by request."""
    return [each.range for each in exchanges]


def only(*spans: tuple[int, int]) -> Item:
    """Return the item (for `always`) that lets out nothing but the bytes start..stop of these spans.

    Who arrives needed no more, and whoever is slow to leave gets no more: how many bytes are sent tells neither, since
    the kernels take megabytes that nobody reads.
    """

    def hold(request: Request) -> Item:
        at = int((request.range or "bytes=0-").removeprefix("bytes=").partition("-")[0])
        return StallAt(max((stop - at for start, stop in spans if start <= at < stop), default=0))

    return hold


def asked_bytes(exchange: Exchange, body: Body) -> range:
    """Return the bytes which a request asked for."""
    if exchange.range is None:
        return range(body.length)
    start, _, last = exchange.range.removeprefix("bytes=").partition("-")
    return range(int(start), int(last) + 1 if last else body.length)
