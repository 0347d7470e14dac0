"""What listeners hear of a session: everything that matters, and progress not more often than a person can follow."""

from __future__ import annotations

import asyncio

from kithara_file.events import ByteProgress, DownloadProgress, EventBus, FileEvent, Phase, PhaseChanged, Subscription
from kithara_file.session.notices import EVERY_SECONDS, Notices
from tests.world.background import InlineBackground
from tests.world.clock import FakeClock, run_virtual


def heard(subscription: Subscription) -> list[FileEvent]:
    found = []
    while (event := subscription.take(0)) is not None:
        found.append(event)
    return found


def notices_of(bus: EventBus, clock: FakeClock) -> Notices:
    return Notices(bus, InlineBackground(), clock)


def test_progress_is_told_at_most_ten_times_a_second_of_each_kind() -> None:
    clock = FakeClock()

    async def main() -> None:
        bus = EventBus()
        notices, ear = notices_of(bus, clock), bus.subscribe()
        for step in range(100):
            notices.landed(step, 1000, clock.monotonic())
            notices.read(step, 1000, clock.monotonic())
            await asyncio.sleep(0.01)
        found = heard(ear)
        assert 9 <= sum(isinstance(each, DownloadProgress) for each in found) <= 11
        assert 9 <= sum(isinstance(each, ByteProgress) for each in found) <= 11
        assert found[:2] == [DownloadProgress(0, 1000), ByteProgress(0, 1000)]

    run_virtual(main(), clock=clock)


def test_what_came_too_early_is_told_when_nothing_follows() -> None:
    clock = FakeClock()

    async def main() -> None:
        bus = EventBus()
        notices, ear = notices_of(bus, clock), bus.subscribe()
        for step in range(3):
            notices.landed(step, 1000, clock.monotonic())
            notices.read(step, 1000, clock.monotonic())
        assert heard(ear) == [DownloadProgress(0, 1000), ByteProgress(0, 1000)]
        await asyncio.sleep(2 * EVERY_SECONDS)
        assert heard(ear) == [DownloadProgress(2, 1000), ByteProgress(2, 1000)]
        await asyncio.sleep(10 * EVERY_SECONDS)
        assert heard(ear) == []

    run_virtual(main(), clock=clock)


def test_the_last_progress_is_told_at_once_and_nothing_that_came_before_it() -> None:
    clock = FakeClock()

    async def main() -> None:
        bus = EventBus()
        notices, ear = notices_of(bus, clock), bus.subscribe()
        notices.landed(1, 1000, clock.monotonic())
        notices.landed(2, 1000, clock.monotonic())
        notices.landed(1000, 1000, clock.monotonic(), last=True)
        await asyncio.sleep(10 * EVERY_SECONDS)
        assert heard(ear) == [DownloadProgress(1, 1000), DownloadProgress(1000, 1000)]

    run_virtual(main(), clock=clock)


def test_who_begins_to_listen_hears_the_next_progress_at_once() -> None:
    clock = FakeClock()

    async def main() -> None:
        bus = EventBus()
        background = InlineBackground()
        notices = Notices(bus, background, clock)
        notices.landed(1, 1000, clock.monotonic())
        notices.read(1, 1000, clock.monotonic())
        assert background.called == 0  # nor was a timer set for nobody
        ear = bus.subscribe()
        notices.landed(2, 1000, clock.monotonic())
        notices.read(2, 1000, clock.monotonic())
        assert heard(ear) == [DownloadProgress(2, 1000), ByteProgress(2, 1000)]

    run_virtual(main(), clock=clock)


def test_where_no_timer_runs_progress_is_told_all_the_same() -> None:
    clock = FakeClock()

    async def main() -> None:
        bus, background = EventBus(), InlineBackground()
        notices, ear = Notices(bus, background, clock), bus.subscribe()
        background.fork()
        for step in range(3):
            notices.read(step, 1000, clock.monotonic())
            clock.advance(EVERY_SECONDS)
        assert heard(ear) == [ByteProgress(step, 1000) for step in range(3)]

    run_virtual(main(), clock=clock)


def test_a_phase_is_told_when_it_is_a_new_one() -> None:
    async def main() -> None:
        bus = EventBus()
        notices, ear = notices_of(bus, FakeClock()), bus.subscribe()
        for phase in (Phase.SEQUENTIAL, Phase.SEQUENTIAL, Phase.GAP_FILLING, Phase.COMPLETE, Phase.COMPLETE):
            notices.phase(phase)
        assert heard(ear) == [PhaseChanged(each) for each in (Phase.SEQUENTIAL, Phase.GAP_FILLING, Phase.COMPLETE)]

    run_virtual(main())
