"""A time that tests own: a clock moved by hand, and an event loop whose time jumps to the next timer.

Must not know: what is timed.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from collections.abc import Set as AbstractSet
from concurrent.futures import Executor
from typing import Any, TypeVar, TypeVarTuple, Unpack

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

START_WALL = 1_700_000_000.0
"""What a fake clock shows as the time of day when it begins."""


class FakeClock:
    """A `Clock` that stands still until it is told to move."""

    def __init__(self, monotonic: float = 1000.0, wall: float = START_WALL) -> None:
        self._monotonic = monotonic
        self._wall = wall

    def monotonic(self) -> float:
        """Return seconds since some moment."""
        return self._monotonic

    def wall(self) -> float:
        """Return seconds since 1970."""
        return self._wall

    def advance(self, seconds: float) -> None:
        """Let time pass on both hands."""
        if seconds < 0:
            raise ValueError("time does not go back; `set_wall` can")
        self._monotonic += seconds
        self._wall += seconds

    def set_wall(self, wall: float) -> None:
        """Set the time of day, in either direction, as an administrator or NTP does."""
        self._wall = wall

    def __repr__(self) -> str:
        return f"<FakeClock {self._monotonic:.3f}>"


class Deadlock(Exception):
    """Nothing is ready, no timer is set and nothing outside can come: the awaited thing will never happen."""


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """An event loop in which waiting costs nothing: when nothing is ready, its `clock` moves to the next timer.

    Time stands still while a job of `run_in_executor` or `to_thread` runs, so that a timeout never beats a thread by
    chance. Sockets work, but time does not wait for them. When there is no timer either, the loop waits `patience` real
    seconds for a call from another thread, then raises Deadlock.
    """

    def __init__(self, clock: FakeClock | None = None, *, patience: float = 2.0) -> None:
        self.clock = clock or FakeClock()
        self._jobs: set[asyncio.Future[Any]] = set()
        super().__init__(_TimelessSelector(self.clock, self._jobs, patience))
        # A timer is due when it lies less than this ahead. asyncio's nanosecond is lost in rounding once the clock
        # shows more than some weeks, and the loop would then spin at that moment for ever.
        self._clock_resolution = 1e-6

    def time(self) -> float:
        """Return the time of the clock."""
        return self.clock.monotonic()

    def run_in_executor(
        self, executor: Executor | None, func: Callable[[Unpack[Ts]], T], *args: *Ts
    ) -> asyncio.Future[T]:
        """Run it in a thread, and hold the time until it has ended."""
        job = super().run_in_executor(executor, func, *args)
        self._jobs.add(job)
        job.add_done_callback(self._jobs.discard)
        return job


def run_virtual(main: Coroutine[Any, Any, T], clock: FakeClock | None = None) -> T:
    """Run a coroutine to its end in virtual time and return what it returns, as `asyncio.run` does in real time."""
    with asyncio.Runner(loop_factory=lambda: VirtualTimeLoop(clock)) as runner:
        return runner.run(main)


class _TimelessSelector(selectors.DefaultSelector):
    def __init__(self, clock: FakeClock, jobs: AbstractSet[object], patience: float) -> None:
        super().__init__()
        self._clock = clock
        self._jobs = jobs
        self._patience = patience

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Return what is ready now; if nothing is, let the time pass that the caller would have slept."""
        ready = super().select(0)
        if ready or timeout == 0:
            return ready
        if timeout is not None and not self._jobs:
            self._clock.advance(timeout)
            return ready
        ready = super().select(self._patience)
        if not ready:
            raise Deadlock(f"nothing is ready, no timer is set, {len(self._jobs)} jobs run")
        return ready
