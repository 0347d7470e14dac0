"""What happened: values in the past tense, and the bus which tells them.

Must not know: who does the things told of, or who listens. A sender is never blocked and never fails: a listener that
is slow loses the oldest events, and can read how many.
"""

from __future__ import annotations

import asyncio
import logging
import os
import threading
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from functools import partial
from typing import Any, Self
from weakref import WeakSet

from kithara_file.ranges import ByteRange

_log = logging.getLogger(__name__)


class Phase(Enum):
    """Where the download of one resource stands."""

    SEQUENTIAL = "sequential"
    GAP_FILLING = "gap filling"
    COMPLETE = "complete"


@dataclass(frozen=True, slots=True)
class FileEvent:
    """The common kind of all events of one resource."""


@dataclass(frozen=True, slots=True)
class DownloadProgress(FileEvent):
    """Bytes landed: `present` of `length` are there now (at most ten of these a second)."""

    present: int
    length: int | None


@dataclass(frozen=True, slots=True)
class DownloadComplete(FileEvent):
    """Every byte is there and committed."""

    length: int


@dataclass(frozen=True, slots=True)
class DownloadError(FileEvent):
    """The download gave up; it starts again when somebody wants more of it."""

    error: Exception


@dataclass(frozen=True, slots=True)
class ByteProgress(FileEvent):
    """A reader has come to `position` (at most ten of these a second)."""

    position: int
    length: int | None


@dataclass(frozen=True, slots=True)
class Error(FileEvent):
    """Something went wrong; `recoverable`: it is being tried again."""

    error: Exception
    recoverable: bool


@dataclass(frozen=True, slots=True)
class EndOfStream(FileEvent):
    """A reader has read to the proven end."""

    position: int


@dataclass(frozen=True, slots=True)
class PhaseChanged(FileEvent):
    """The download entered `phase`."""

    phase: Phase


@dataclass(frozen=True, slots=True)
class FetchStarted(FileEvent):
    """A request went out for bytes from `start` to `end` (None: to wherever they end)."""

    start: int
    end: int | None


@dataclass(frozen=True, slots=True)
class Landed(FileEvent):
    """A range arrived as part of a fetch that has ended."""

    range: ByteRange


@dataclass(frozen=True, slots=True)
class ServedStale(FileEvent):
    """The origin could not be asked; what is stored is served although it has expired."""

    error: Exception


@dataclass(frozen=True, slots=True)
class RemoteChanged(FileEvent):
    """The remote is a new version; `restarted`: nothing had been read, so that the new one is served."""

    expected: str
    found: str
    restarted: bool


@dataclass(frozen=True, slots=True)
class CacheBypassed(FileEvent):
    """The disk takes no more; reading goes on past the cache."""

    error: Exception


_renewed: WeakSet[Any] = WeakSet()
"""Locks that a child of a fork must not find held by a thread which it does not have: it closes what it inherited."""


def _renew_in_child() -> None:
    for each in list(_renewed):
        if not each._is_owned():  # noqa: SLF001 - a signal handler may fork where one is held
            each._at_fork_reinit()  # noqa: SLF001 - as `threading` does with its own


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_in_child)


class Subscription:
    """One listener's bounded queue: iterate over it, blocking or with ``async for``; ends when either side closes."""

    def __init__(self, bus: EventBus, capacity: int) -> None:
        self._bus = bus
        self._events: deque[FileEvent] = deque(maxlen=capacity)
        self._arrived = threading.Condition()
        _renewed.add(self._arrived)
        self._wakers: set[Callable[[], None]] = set()
        self._closed = False
        self.dropped = 0
        """How many events were lost because this listener was slow."""

    def offer(self, event: FileEvent) -> None:
        """Append `event`, dropping the oldest when full."""
        with self._arrived:
            if self._closed:
                return
            self.dropped += len(self._events) == self._events.maxlen
            self._events.append(event)
            self._wake()

    def close(self) -> None:
        """End the iteration once what has arrived is read. Idempotent."""
        with self._arrived:
            self._closed = True
            self._wake()
        self._bus.forget(self)

    def _wake(self) -> None:
        self._arrived.notify_all()
        for wake in tuple(self._wakers):
            wake()

    def take(self, timeout: float | None = None) -> FileEvent | None:
        """Return the next event; None at the end, or when none came within `timeout` seconds."""
        with self._arrived:
            self._arrived.wait_for(lambda: self._events or self._closed, timeout)
            return self._events.popleft() if self._events else None

    def __iter__(self) -> Iterator[FileEvent]:
        while (event := self.take()) is not None:
            yield event

    async def __aiter__(self) -> AsyncIterator[FileEvent]:
        arrived = asyncio.Event()
        wake = partial(_tell, asyncio.get_running_loop(), arrived)
        with self._arrived:
            self._wakers.add(wake)
        try:
            while True:
                arrived.clear()  # before the look, so that what comes after it ends the wait
                with self._arrived:
                    event = self._events.popleft() if self._events else None
                    closed = self._closed
                if event is not None:
                    yield event
                elif closed:
                    return
                else:
                    await arrived.wait()
        finally:
            with self._arrived:
                self._wakers.discard(wake)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Subscription {len(self._events)} waiting · {self.dropped} dropped>"


def _tell(loop: asyncio.AbstractEventLoop, arrived: asyncio.Event) -> None:
    with suppress(RuntimeError):  # the loop is closed, so nobody listens on it
        loop.call_soon_threadsafe(arrived.set)


EARLY = 64
"""How many events are kept for the first subscriber."""


class EventBus:
    """Tells every subscriber what happened, in order, without ever waiting for one."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        _renewed.add(self._lock)
        self._subscriptions: tuple[Subscription, ...] = ()
        self._early: deque[FileEvent] | None = deque(maxlen=EARLY)
        self._closed = False

    def subscribe(self, callback: Callable[[FileEvent], object] | None = None, *, capacity: int = 1024) -> Subscription:
        """Return a new subscription that hears everything from now on.

        The first one also hears what was told before there was anybody to hear it, at most the last `EARLY` events: so
        who subscribes right after an open learns how the open went.
        With a `callback` a thread of the subscription's own calls it for each event, and logs what it raises; without
        one the subscription is iterated by the caller.
        """
        subscription = Subscription(self, capacity)
        with self._lock:
            while self._early:
                subscription.offer(self._early.popleft())
            self._subscriptions = (*self._subscriptions, subscription)
            self._early = None  # last: a publisher that sees it does not wait for us, and must find the subscription
            closed = self._closed
        if closed:
            subscription.close()
        if callback is not None:
            threading.Thread(
                target=_deliver, args=(subscription, callback), name="kithara-file-events", daemon=True
            ).start()
        return subscription

    def publish(self, event: FileEvent) -> None:
        """Tell everybody. Never blocks, never raises."""
        if self._early is not None:
            with self._lock:
                if self._early is not None:
                    self._early.append(event)
                    return
        for subscription in self._subscriptions:
            subscription.offer(event)

    @property
    def heard(self) -> bool:
        """True when anybody listens, so that a sender may skip making events nobody gets."""
        return bool(self._subscriptions)

    def forget(self, subscription: Subscription) -> None:
        """Stop telling `subscription`."""
        with self._lock:
            self._subscriptions = tuple(each for each in self._subscriptions if each is not subscription)

    def close(self) -> None:
        """End every subscription, present and future ones."""
        with self._lock:
            self._closed = True
            subscriptions = self._subscriptions
        for subscription in subscriptions:
            subscription.close()


def _deliver(subscription: Subscription, callback: Callable[[FileEvent], object]) -> None:
    for event in subscription:
        try:
            callback(event)
        except Exception:  # noqa: BLE001 - it is the caller's code, whose bugs shall not end the telling
            _log.exception("! a listener failed on %r", event)
