"""When is it, and how long may this wait still last.

The only room that imports `time`. Must not know: who waits, or for what.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from typing import Protocol

from kithara_file.errors import Cancelled, KitharaError


class Clock(Protocol):
    """Two readings in seconds: one that never jumps, one that people and HTTP dates use."""

    def monotonic(self) -> float:
        """Return seconds since some fixed moment; never goes back."""

    def wall(self) -> float:
        """Return seconds since 1970-01-01 UTC; may jump either way."""


class SystemClock:
    """The clock of the operating system."""

    def monotonic(self) -> float:
        """Return `time.monotonic()`, which asyncio's loops use too."""
        return time.monotonic()

    def wall(self) -> float:
        """Return `time.time()`."""
        return time.time()


@dataclass(frozen=True, slots=True)
class Deadline:
    """A moment of the monotonic clock after which a wait is over; `Deadline.never()` has none of its own."""

    at: float
    clock: Clock

    @classmethod
    def after(cls, seconds: float | None, clock: Clock | None = None) -> Deadline:
        """Return the moment `seconds` from now; None is never."""
        clock = clock or SystemClock()
        return cls(inf if seconds is None else clock.monotonic() + seconds, clock)

    @classmethod
    def never(cls) -> Deadline:
        """Return the deadline of waits which something else is known to end."""
        return cls(inf, SystemClock())

    def remaining(self) -> float | None:
        """Return the seconds left, at least 0.0; None when there is no limit."""
        return None if self.at == inf else max(0.0, self.at - self.clock.monotonic())

    @property
    def passed(self) -> bool:
        """True once the moment has come."""
        return self.clock.monotonic() >= self.at


class CancelToken:
    """Gives up every wait it was handed to, from any thread, once and for good.

    Safe to cancel from a signal handler, while the garbage collector runs and in the child of a fork: there is no lock
    that could be held. Each step is one operation of a dictionary, which no other thread sees half done.
    """

    reason: KitharaError | None = None
    """Why, once cancelled; None until then."""

    def __init__(self) -> None:
        self._callbacks: dict[object, Callable[[], object]] = {}

    def cancel(self, reason: KitharaError | None = None) -> None:
        """Wake everybody who waits under this token with `reason` (or a `Cancelled`); later calls do nothing."""
        vars(self).setdefault("reason", reason or Cancelled())  # the first one stays
        for key in list(self._callbacks):
            self._call(key)

    @property
    def cancelled(self) -> bool:
        """True after `cancel`."""
        return self.reason is not None

    def check(self) -> None:
        """Raise the reason when cancelled."""
        if self.reason is not None:
            raise self.reason.again()

    def on_cancel(self, callback: Callable[[], object]) -> Callable[[], None]:
        """Call `callback` upon `cancel`, at once if that has been; return a function which takes it back."""
        key = object()
        self._callbacks[key] = callback
        if self.reason is not None:  # told after the callback was seen, or before: whoever takes it out calls it
            self._call(key)
        return lambda: self._forget(key)

    def _call(self, key: object) -> None:
        callback = self._callbacks.pop(key, None)
        if callback is not None:
            callback()

    def _forget(self, key: object) -> None:
        self._callbacks.pop(key, None)

    def __repr__(self) -> str:
        return f"<CancelToken {'cancelled' if self.cancelled else 'armed'}>"
