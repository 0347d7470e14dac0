"""Futures that are settled once, whoever comes first.

Must not know: what is promised.
"""

from __future__ import annotations

import threading
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress

_Lock = type(threading.RLock())


class _Condition(_Lock):  # type: ignore[misc, valid-type]
    """A condition that is its own lock, so that ``with`` takes it in C, and no signal handler can raise in between.

    `threading.Condition` takes its lock in a method of Python: an exception on the way out of that leaves it taken, and
    the loop, which settles the promise, would wait for it for ever.
    """

    __slots__ = ("_waited",)

    def __init__(self) -> None:
        self._waited: threading.Condition | None = None

    def wait(self, timeout: float | None = None) -> bool:
        """Sleep until notified, for so many seconds; called with the lock held, as is `notify_all`."""
        self._waited = self._waited or threading.Condition(self)
        return self._waited.wait(timeout)

    def notify_all(self) -> None:
        """Wake all who wait."""
        if self._waited is not None:
            self._waited.notify_all()


class Promise(Future[None]):
    """A future between a thread of the caller's, in which Ctrl-C may be heard at any moment, and the loop."""

    def __init__(self) -> None:
        super().__init__()
        self._condition = _Condition()


def finish(promise: Future[None], error: BaseException | None) -> None:
    """Settle `promise` with success or `error`, unless it is settled."""
    if promise.done():
        return
    with suppress(InvalidStateError):  # somebody else was quicker, just now
        if error is None:
            promise.set_result(None)
        else:
            promise.set_exception(error)
