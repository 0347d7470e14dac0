"""The session as a whole, in virtual time: what readers get, what the far end is asked for, and what is left of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from kithara_file.config import MIB
from kithara_file.errors import Cancelled, DiskFull, StorageError
from kithara_file.events import (
    CacheBypassed,
    DownloadComplete,
    DownloadProgress,
    FetchStarted,
    Landed,
    Phase,
    PhaseChanged,
)
from kithara_file.net.client import WHOLE
from kithara_file.ranges import ByteRange, OpenRange
from kithara_file.session.session import FLUSH_SECONDS
from tests.unit.session.hall import Hall, body_of
from tests.world.clock import run_virtual
from tests.world.entry import MemoryEntry
from tests.world.remote import KIB, BreakAt, IgnoreRange, Raise, ScriptedRemote, StallAt, Version, timeout

BODY = body_of(4 * MIB)
FAST, SLOW = 50e6, 1e6


def tell(far: ScriptedRemote, story: Callable[[Hall], Any], entry: MemoryEntry | None = None, **options: Any) -> None:
    async def main() -> None:
        async with Hall(far, entry, **options) as hall:
            await story(hall)

    run_virtual(main())


# -- reading -----------------------------------------------------------------------------------------------------------


def test_what_is_present_while_the_download_rests_has_been_told() -> None:
    async def story(hall: Hall) -> None:
        await hall.opened()
        stream = hall.stream()
        assert await hall.read(0, 100 * KIB, stream) == BODY[: 100 * KIB]
        await asyncio.sleep(2)
        present = hall.session.judge.coverage.total
        assert 100 * KIB < present < len(BODY)
        assert hall.events(DownloadProgress)[-1] == DownloadProgress(present, len(BODY))

    tell(ScriptedRemote(BODY, rate=FAST, latency=0.05), story, look_ahead_bytes=MIB)


def test_the_first_request_is_a_plain_get_and_the_download_of_all() -> None:
    async def story(hall: Hall) -> None:
        await hall.opened()
        stream = hall.stream()
        assert await hall.within(stream.read()) == BODY
        assert [(each.want, each.same_as) for each in far.log] == [(WHOLE, None)]
        assert far.delivered == len(BODY)
        await stream.close()

    far = ScriptedRemote(BODY, rate=FAST, latency=0.05)
    tell(far, story)


def test_opening_takes_one_round_trip_and_the_first_byte_no_more_than_the_first_piece() -> None:
    async def story(hall: Hall) -> None:
        began = hall.clock.monotonic()
        await hall.opened()
        assert hall.clock.monotonic() - began == pytest.approx(0.05)
        assert await hall.read(0, 10) == BODY[:10]
        assert hall.clock.monotonic() - began == pytest.approx(0.05 + far.piece / SLOW)

    far = ScriptedRemote(BODY, rate=SLOW, latency=0.05)
    tell(far, story)


def test_a_tail_probe_gets_its_own_bounded_range_and_the_sequential_fetch_survives_it() -> None:
    async def story(hall: Hall) -> None:
        await hall.opened()
        stream = hall.stream()
        assert await hall.read(0, 100, stream) == BODY[:100]
        assert await hall.read(len(BODY) - 128, 200, stream) == BODY[-128:]
        assert await hall.read(100, MIB, stream) == BODY[100:][:MIB]
        assert [each.want for each in far.log] == [WHOLE, ByteRange(len(BODY) - 128, len(BODY))]
        await stream.close()

    far = ScriptedRemote(BODY, rate=SLOW, latency=0.05)
    tell(far, story)


def test_what_has_landed_is_never_fetched_again() -> None:
    async def story(hall: Hall) -> None:
        await hall.opened()
        stream = hall.stream()
        for at in (0, 3 * MIB, MIB, 0, 3 * MIB, 2 * MIB, 0):
            assert await hall.read(at, MIB, stream) == BODY[at:][:MIB]
        assert hall.front.statistics().present_bytes == len(BODY)
        assert far.delivered <= len(BODY) + 2 * far.step
        await stream.close()

    far = ScriptedRemote(BODY, rate=FAST, latency=0.01)
    tell(far, story)


@pytest.mark.parametrize("ahead", [256 * KIB, MIB])
def test_the_far_end_is_not_read_beyond_the_look_ahead(ahead: int) -> None:
    async def story(hall: Hall) -> None:
        await hall.opened()
        stream = hall.stream()
        for position in range(0, 2 * MIB, 256 * KIB):
            assert await hall.read(position, 256 * KIB, stream) == BODY[position:][: 256 * KIB]
            await asyncio.sleep(2)
            assert far.delivered <= position + 256 * KIB + ahead + far.step
        await stream.close()

    far = ScriptedRemote(BODY, rate=FAST)
    tell(far, story, look_ahead_bytes=ahead)


def test_a_resting_fetch_is_dropped_after_a_while_and_comes_back_with_a_range() -> None:
    async def story(hall: Hall) -> None:
        await hall.opened()
        stream = hall.stream()
        assert await hall.read(0, 100, stream) == BODY[:100]
        await asyncio.sleep(hall.config.policy.idle_seconds + 2)
        assert (far.flying, hall.session.flights.views) == (0, ())
        landed = far.delivered
        assert await hall.within(stream.read()) == BODY[100:]
        assert far.log[1].want.start == landed  # type: ignore[union-attr]
        assert far.delivered == len(BODY)
        await stream.close()

    far = ScriptedRemote(BODY, rate=FAST)
    tell(far, story, look_ahead_bytes=256 * KIB)


def test_readers_share_what_one_of_them_fetched() -> None:
    async def story(hall: Hall) -> None:
        await hall.opened()
        streams = [hall.stream() for _ in range(5)]
        assert await asyncio.gather(*(hall.within(each.read()) for each in streams)) == [BODY] * 5
        assert far.delivered == len(BODY)
        for each in streams:
            await each.close()

    far = ScriptedRemote(BODY, rate=FAST)
    tell(far, story)


def test_without_ranges_a_far_seek_waits_for_the_download() -> None:
    async def story(hall: Hall) -> None:
        await hall.opened()
        assert await hall.read(3 * MIB, 100) == BODY[3 * MIB :][:100]
        assert await hall.read(0, 100) == BODY[:100]
        assert far.delivered <= len(BODY)

    far = ScriptedRemote(Version(BODY, ranges=False), rate=FAST).always(IgnoreRange())
    tell(far, story)


# -- phases and events -------------------------------------------------------------------------------------------------


def test_the_three_phases_follow_one_another() -> None:
    async def story(hall: Hall) -> None:
        await hall.opened()
        assert hall.front.phase is Phase.SEQUENTIAL
        assert await hall.read(3 * MIB, 100) == BODY[3 * MIB :][:100]
        await hall.complete()
        phases = [each.phase for each in hall.events(PhaseChanged)]
        assert phases in ([Phase.SEQUENTIAL, Phase.COMPLETE], [Phase.SEQUENTIAL, Phase.GAP_FILLING, Phase.COMPLETE])

    tell(ScriptedRemote(BODY, rate=FAST), story)


def test_gaps_are_filled_once_the_sequential_download_has_reached_the_end() -> None:
    async def story(hall: Hall) -> None:
        await hall.complete()
        assert Phase.GAP_FILLING in [each.phase for each in hall.events(PhaseChanged)]
        assert all(isinstance(each.want, ByteRange) for each in far.log[1:])
        assert far.delivered == len(BODY) - 3 * KIB

    async def seek_first(hall: Hall) -> None:
        await hall.opened()
        stream = hall.stream()
        await hall.read(3 * MIB + MIB // 2, 1 << 30, stream)
        await stream.close()
        await story(hall)

    far = ScriptedRemote(BODY, rate=FAST)
    held = [(MIB, MIB + KIB), (2 * MIB, 2 * MIB + KIB), (3 * MIB, 3 * MIB + KIB)]
    tell(
        far,
        seek_first,
        MemoryEntry.storing(Version(BODY).remote(), BODY, held),
        revalidate="never",
        look_ahead_bytes=MIB,
    )


def test_what_happened_is_told_in_order() -> None:
    async def story(hall: Hall) -> None:
        await hall.complete()
        told = hall.events(object)  # type: ignore[type-var]
        assert told[0] == PhaseChanged(Phase.SEQUENTIAL)
        assert hall.events(FetchStarted) == [FetchStarted(0, None), FetchStarted(MIB, None)]
        assert hall.events(Landed) == [Landed(ByteRange(0, MIB)), Landed(ByteRange(MIB, len(BODY)))]
        progress = [each.present for each in hall.events(DownloadProgress)]
        assert progress == sorted(progress)
        assert told[-1] in (DownloadComplete(len(BODY)), Landed(ByteRange(MIB, len(BODY))))

    tell(ScriptedRemote(BODY, rate=SLOW).then(BreakAt(MIB)), story)


def test_a_landed_range_is_told_where_it_landed_though_its_prefix_was_skipped() -> None:
    async def story(hall: Hall) -> None:
        await hall.complete()
        assert hall.events(Landed) == [Landed(ByteRange(MIB, len(BODY)))]

    entry = MemoryEntry.storing(Version(BODY).remote(), BODY, [(0, MIB)])
    tell(ScriptedRemote(BODY).always(IgnoreRange()), story, entry)


def test_a_snapshot_says_what_is_going_on() -> None:
    async def story(hall: Hall) -> None:
        await hall.opened()
        stream = hall.stream()
        reading = asyncio.ensure_future(hall.within(stream.read()))
        await asyncio.sleep(1)
        facts = hall.front.statistics()
        assert (facts.phase, facts.length, facts.readers_waiting) == (Phase.SEQUENTIAL, len(BODY), 1)
        assert (facts.fetches_started, facts.fetches_flying, facts.fetches_resting, facts.failures) == (1, 1, 0, 0)
        assert facts.present_bytes == facts.network_bytes > 0
        assert facts.round_trip_seconds == pytest.approx(0.05)
        assert facts.bytes_per_second == pytest.approx(SLOW, rel=0.2)
        share = 100 * facts.present_bytes // len(BODY)
        assert repr(hall.session) == f"<Session http://origin.test/song {share} % · <Flights 1 flying of 1>>"
        await reading
        await stream.close()

    tell(ScriptedRemote(BODY, rate=SLOW, latency=0.05), story)


def test_bytes_from_the_store_are_no_network_bytes() -> None:
    async def story(hall: Hall) -> None:
        assert await hall.read(0, MIB) == BODY[:MIB]
        assert hall.front.statistics().network_bytes == 0

    far = ScriptedRemote(BODY)
    entry = MemoryEntry.storing(Version(BODY).remote(), BODY, committed=True)
    tell(far, story, entry, revalidate="never")
    assert far.log == []


# -- the disk ----------------------------------------------------------------------------------------------------------


def test_the_journal_lags_behind_by_a_moment_only() -> None:
    async def story(hall: Hall) -> None:
        await hall.opened()
        await asyncio.sleep(0.5)
        assert 5 <= hall.entry.held.flushed <= 0.5 / FLUSH_SECONDS + 1

    tell(ScriptedRemote(BODY, rate=SLOW), story)


def test_past_a_lost_disk_reading_goes_on_and_one_event_says_so() -> None:
    async def story(hall: Hall) -> None:
        await hall.opened()
        hall.entry.held.lost = DiskFull("full")
        stream = hall.stream()
        assert await hall.within(stream.read()) == BODY
        assert len([each for each in hall.events(CacheBypassed) if isinstance(each.error, DiskFull)]) == 1
        await stream.close()

    tell(ScriptedRemote(BODY, rate=FAST), story)


# -- the end -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", [(), (StallAt(None),), (StallAt(1000),), (Raise(timeout("headers"), delay=99),)])
def test_shutting_ends_whatever_is_going_on_at_once(fault: Any) -> None:
    async def main() -> None:
        far = ScriptedRemote(BODY, rate=SLOW).always(*fault)
        async with Hall(far) as hall:
            if not fault or fault == (StallAt(1000),):
                await hall.opened()
                reading = asyncio.ensure_future(hall.stream().read())
            else:
                reading = asyncio.ensure_future(asyncio.wrap_future(hall.front.opened))  # type: ignore[arg-type]
            await asyncio.sleep(0.5)
            began = hall.clock.monotonic()
            await hall.session.shut()
            with pytest.raises(Cancelled):
                await reading
            assert hall.clock.monotonic() - began < 0.05
            await hall.session.shut()
            assert (hall.entry.log.count("close"), hall.let_go, far.flying) == (1, 1, 0)
            hall.session.step()
            hall.session.poke()
            await asyncio.sleep(100)
            assert len(far.log) == 1

    run_virtual(main())


def test_what_landed_is_kept_by_a_shut_and_the_next_session_asks_for_the_rest() -> None:
    async def main() -> None:
        far = ScriptedRemote(BODY, rate=SLOW)
        async with Hall(far) as first:
            await first.opened()
            await asyncio.sleep(1)
        landed = first.entry.reopened().held.snapshot().total
        assert landed > 0
        async with Hall(far, first.entry.reopened()) as second:
            await second.complete()
            assert second.entry.held.content() == [(0, BODY)]
        assert [each.want for each in far.log[1:]] == [OpenRange(landed)] or far.log[1].want.start == landed  # type: ignore[union-attr]

    run_virtual(main())


def test_a_disk_that_fails_at_the_end_is_noted_and_everything_let_go(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        async with Hall(ScriptedRemote(BODY), MemoryEntry().fail("close", StorageError("EIO"))) as hall:
            await hall.opened()
        assert hall.let_go == 1
        assert hall.heard.take(0) is not None  # what was told can still be read, and then it ends
        assert list(hall.heard)[-1] is not None

    run_virtual(main())
    assert "EIO" in caplog.text


def test_a_step_for_nothing_changes_nothing() -> None:
    async def story(hall: Hall) -> None:
        await hall.opened()
        await asyncio.sleep(0.2)
        before = hall.session.flights.views
        for _ in range(10):
            hall.session.step()
            hall.session.poke()
        assert hall.session.flights.views == before
        assert len(far.log) == 1

    far = ScriptedRemote(BODY, rate=SLOW)
    tell(far, story)
