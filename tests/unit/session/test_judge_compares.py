"""Without a strong validator what is held is compared with what comes, all of it, before the two are joined."""

from __future__ import annotations

import asyncio

import pytest

from kithara_file.errors import ResourceChanged
from kithara_file.events import Landed
from kithara_file.net.remote import Validator
from kithara_file.ranges import ByteRange
from kithara_file.session.landing import OVERLAP
from tests.unit.session.hall import Hall, body_of
from tests.unit.session.test_judge import BARE, FRESH, HALF, OLD, STALE, WEAK, reads, version
from tests.world.clock import START_WALL, run_virtual
from tests.world.entry import MemoryEntry
from tests.world.remote import KIB, BreakAt, ScriptedRemote, StallAt

QUARTER = HALF // 2


def second_half() -> MemoryEntry:
    return MemoryEntry.storing(version(validator=BARE).remote(), OLD, [(HALF, len(OLD))])


@pytest.mark.parametrize("more", [0, 1, OVERLAP - 1])
@pytest.mark.parametrize("read_first", [False, True])
def test_what_is_held_behind_a_gap_is_compared_though_the_body_pauses_there(more: int, *, read_first: bool) -> None:
    other = body_of(HALF + more, 2) + OLD[HALF + more :]
    other = other[: HALF + OVERLAP - 1] + bytes([other[HALF + OVERLAP - 1] ^ 1]) + other[HALF + OVERLAP :]

    async def main() -> None:
        far = ScriptedRemote(version(other, BARE), piece=KIB).then(StallAt(HALF + more))
        async with Hall(far, second_half(), revalidate="never") as hall:
            await hall.opened()
            stream = hall.stream()
            if not read_first:
                whole = asyncio.ensure_future(hall.complete())
                await asyncio.sleep(1)
                far.release()
                await whole
                assert await hall.read(0, len(OLD), stream) == other
                return
            assert await hall.read(HALF, 10, stream) == OLD[HALF : HALF + 10]
            reading = asyncio.ensure_future(hall.read(0, len(OLD), stream))
            await asyncio.sleep(1)
            far.release()
            with pytest.raises(ResourceChanged):
                await reading
            assert hall.entry.held.content() == [(HALF, OLD[HALF:])]

    run_virtual(main())


def test_what_filled_a_gap_is_taken_back_when_the_body_differs_far_behind_it() -> None:
    end = len(OLD) - KIB
    other = OLD[:QUARTER] + body_of(QUARTER, 2) + OLD[HALF : end - 10] + bytes(10) + OLD[end:]

    async def main() -> None:
        entry = MemoryEntry.storing(version(validator=BARE).remote(), OLD, [(0, QUARTER), (HALF, end)])
        far = ScriptedRemote(version(other, BARE, ranges=False), piece=KIB)
        async with Hall(far, entry, revalidate="never") as hall:
            stream, events = hall.stream(), hall.session.events.subscribe()
            assert await hall.read(0, 10, stream) == OLD[:10]
            with pytest.raises(ResourceChanged):
                await hall.read(0, len(OLD), stream)
            assert hall.entry.held.content() == [(0, OLD[:QUARTER]), (HALF, OLD[HALF:end])]
            told = iter(lambda: events.take(0), None)
            assert [each.range for each in told if isinstance(each, Landed)] == [ByteRange(QUARTER, HALF)]

    run_virtual(main())


def test_a_far_part_that_leaves_its_weak_name_out_is_not_believed() -> None:
    other = body_of(len(OLD), 2)

    async def main() -> None:
        entry = MemoryEntry.storing(version(validator=WEAK).remote(), OLD, [(0, QUARTER)])
        async with Hall(ScriptedRemote(version(other, BARE)), entry, revalidate="never") as hall:
            stream = hall.stream()
            assert await hall.read(0, 10, stream) == OLD[:10]
            with pytest.raises(ResourceChanged):
                await hall.read(len(OLD) - 10, 10, stream)

    run_virtual(main())


def test_a_gap_whose_body_breaks_where_it_would_be_compared_is_asked_for_again() -> None:
    async def main() -> None:
        far = ScriptedRemote(version(validator=BARE)).then(BreakAt(HALF))
        async with Hall(far, second_half(), revalidate="never") as hall:
            await reads(hall, OLD)
            assert len(far.log) == 2

    run_virtual(main())


@pytest.mark.parametrize("validator", [WEAK, BARE])
def test_all_that_is_complete_is_compared_before_it_counts_as_current(validator: Validator) -> None:
    other = OLD[:-10] + bytes(10)

    async def main() -> None:
        entry = MemoryEntry.storing(version(validator=validator, freshness=STALE).remote(), OLD, committed=True)
        far = ScriptedRemote(version(other, BARE, freshness=FRESH), step=64 * KIB)
        async with Hall(far, entry) as hall:
            await reads(hall, other)
            assert [each.answer for each in far.log] == ["200", "200"]

    run_virtual(main())


def test_who_leaves_before_all_is_compared_leaves_it_stale() -> None:
    async def main() -> None:
        entry = MemoryEntry.storing(version(validator=BARE, freshness=STALE).remote(), OLD, committed=True)
        far = ScriptedRemote(version(OLD[:-1] + b"x", BARE, freshness=FRESH)).then(StallAt(HALF))
        async with Hall(far, entry) as hall:
            await asyncio.sleep(1)
            assert not hall.session.opened.done()
        remote = entry.reopened().remote
        assert remote is not None
        assert not remote.freshness.fresh(START_WALL)

    run_virtual(main())
