"""How a blocked reader sleeps and is woken: a thread at a gate, a task on its loop.

Both can be woken from any thread, from a signal handler and while the garbage collector runs, whatever lock is held:
`wake` takes none. Must not know: what is waited for, or when the wait is over.
"""

from __future__ import annotations

import asyncio
import threading
from contextlib import suppress

from kithara_file.ranges import ByteRange
from kithara_file.storage.resource import Demand


class ThreadDemand(Demand):
    """The demand of a thread, which sleeps at a gate."""

    __slots__ = ("_gate",)

    def __init__(self, wanted: ByteRange | None) -> None:
        super().__init__(wanted)
        self._gate = threading.Lock()
        self._gate.acquire()

    def wake(self) -> None:
        """End the present sleep, or the next one."""
        with suppress(RuntimeError):  # open already: that wake-up serves for this one too
            self._gate.release()

    def sleep(self, seconds: float | None) -> None:
        """Return when woken, or after `seconds`."""
        self._gate.acquire(timeout=-1 if seconds is None else min(seconds, threading.TIMEOUT_MAX))


class TaskDemand(Demand):
    """The demand of an asyncio task, which sleeps on its own loop."""

    __slots__ = ("_loop", "_woken")

    def __init__(self, wanted: ByteRange | None) -> None:
        super().__init__(wanted)
        self._loop = asyncio.get_running_loop()
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """End the present sleep, or the next one, from any thread."""
        with suppress(RuntimeError):  # the loop is closed, so nobody sleeps on it
            self._loop.call_soon_threadsafe(self._woken.set)

    async def sleep(self, seconds: float | None) -> None:
        """Return when woken, or after `seconds`."""
        timer = None if seconds is None else self._loop.call_later(seconds, self._woken.set)
        try:
            await self._woken.wait()
        finally:
            if timer is not None:
                timer.cancel()
        self._woken.clear()


Waiter = ThreadDemand | TaskDemand
