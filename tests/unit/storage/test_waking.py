"""Unit tests of how a blocked reader sleeps and is woken."""

from __future__ import annotations

import asyncio
import threading

from kithara_file.storage.waking import TaskDemand, ThreadDemand


def test_a_thread_woken_before_it_sleeps_does_not_sleep() -> None:
    demand = ThreadDemand(None)
    demand.wake()
    demand.sleep(None)


def test_many_wake_ups_are_one() -> None:
    demand = ThreadDemand(None)
    for _ in range(3):
        demand.wake()
    demand.sleep(None)
    demand.sleep(0.001)  # returns by its time, or this test never ends


def test_a_sleeping_thread_is_woken() -> None:
    demand = ThreadDemand(None)
    sleeper = threading.Thread(target=demand.sleep, args=(None,))
    sleeper.start()
    demand.wake()
    sleeper.join(30)
    assert not sleeper.is_alive()


def test_a_sleep_longer_than_the_machine_can_count_is_allowed() -> None:
    demand = ThreadDemand(None)
    demand.wake()
    demand.sleep(1e30)


def test_a_task_woken_before_it_sleeps_does_not_sleep() -> None:
    async def main() -> None:
        demand = TaskDemand(None)
        demand.wake()
        await demand.sleep(None)
        await demand.sleep(0.001)

    asyncio.run(main())


def test_a_task_on_a_closed_loop_needs_no_waking() -> None:
    async def main() -> TaskDemand:
        return TaskDemand(None)

    asyncio.run(main()).wake()
