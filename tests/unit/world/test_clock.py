"""Time that is made by hand, and a loop that jumps through it."""

from __future__ import annotations

import asyncio
import time

import pytest

from tests.world.clock import Deadlock, FakeClock, VirtualTimeLoop, run_virtual


def test_clock_stands_still_until_it_is_moved(clock: FakeClock) -> None:
    before = clock.monotonic(), clock.wall()
    clock.advance(2.5)
    assert (clock.monotonic(), clock.wall()) == (before[0] + 2.5, before[1] + 2.5)
    clock.set_wall(5.0)
    assert (clock.monotonic(), clock.wall()) == (before[0] + 2.5, 5.0)


def test_sleeps_cost_nothing_and_end_in_the_order_of_their_times(clock: FakeClock) -> None:
    woken: list[tuple[float, str]] = []

    async def sleeper(name: str, seconds: float) -> None:
        began = clock.monotonic()
        await asyncio.sleep(seconds)
        woken.append((clock.monotonic() - began, name))

    async def main() -> None:
        await asyncio.gather(sleeper("late", 3600.0), sleeper("soon", 0.5), sleeper("never", 1e9))

    began = time.monotonic()
    run_virtual(main(), clock)
    assert [name for _, name in woken] == ["soon", "late", "never"]
    assert [seconds for seconds, _ in woken] == pytest.approx([0.5, 3600.0, 1e9])
    assert time.monotonic() - began < 100


def test_timeout_strikes_at_its_moment(clock: FakeClock) -> None:
    async def main() -> float:
        began = clock.monotonic()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(10):
                await asyncio.Event().wait()
        return clock.monotonic() - began

    assert run_virtual(main(), clock) == pytest.approx(10)


def test_timeout_does_not_beat_a_working_thread(clock: FakeClock) -> None:
    async def main() -> float:
        began = clock.monotonic()
        await asyncio.wait_for(asyncio.to_thread(time.sleep, 0.02), 0.001)
        return clock.monotonic() - began

    assert run_virtual(main(), clock) == 0.0


def test_wait_that_nothing_can_end_is_told() -> None:
    async def main() -> None:
        await asyncio.Event().wait()

    with asyncio.Runner(loop_factory=lambda: VirtualTimeLoop(patience=0.01)) as runner, pytest.raises(Deadlock):
        runner.run(main())
