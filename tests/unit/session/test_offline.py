"""Offline means offline: what is present is served, what is missing is told at once, and nothing is ever asked."""

from __future__ import annotations

import asyncio

import pytest

from kithara_file.errors import Cancelled, KitharaError, OfflineMiss
from kithara_file.net.remote import Freshness
from tests.unit.session.hall import Hall, body_of
from tests.world.clock import run_virtual
from tests.world.entry import MemoryEntry
from tests.world.remote import KIB, ScriptedRemote, Version

BODY = body_of(300 * KIB)
STORED = Version(BODY, freshness=Freshness(lifetime=0.0))


def stored(*spans: tuple[int, int], told: bool = True, committed: bool = False) -> MemoryEntry:
    return MemoryEntry.storing(STORED.remote(told=told), BODY, spans, committed=committed)


def test_what_is_present_is_served_and_what_is_missing_is_told_with_its_place() -> None:
    async def main() -> None:
        far = ScriptedRemote(STORED)
        async with Hall(far, stored((0, 100 * KIB), (200 * KIB, 300 * KIB)), offline_mode=True) as hall:
            await hall.opened()
            stream = hall.stream()
            assert await hall.read(0, 100 * KIB, stream) == BODY[: 100 * KIB]
            assert await hall.read(200 * KIB, 1 << 30, stream) == BODY[200 * KIB :]
            began = hall.clock.monotonic()
            with pytest.raises(OfflineMiss) as caught:
                await hall.read(90 * KIB, 50 * KIB, stream)
            assert (caught.value.start, caught.value.end) == (100 * KIB, 140 * KIB)
            assert hall.clock.monotonic() == began
            assert await hall.read(0, 10, stream) == BODY[:10]
        assert far.log == []

    run_virtual(main())


def test_a_miss_has_no_bytes_behind_the_end() -> None:
    async def main() -> None:
        async with Hall(ScriptedRemote(STORED), stored((0, 100 * KIB)), offline_mode=True) as hall:
            with pytest.raises(OfflineMiss) as caught:
                await hall.read(290 * KIB, 50 * KIB)
            assert (caught.value.start, caught.value.end) == (290 * KIB, 300 * KIB)

    run_virtual(main())


def test_a_length_that_nobody_told_is_a_miss_too() -> None:
    async def main() -> None:
        async with Hall(ScriptedRemote(STORED), stored((0, 9), told=False), offline_mode=True) as hall:
            stream = hall.stream()
            with pytest.raises(OfflineMiss, match="bytes 9 to the end"):
                await hall.within(stream.seek(0, 2))

    run_virtual(main())


@pytest.mark.parametrize("committed", [False, True])
def test_what_is_complete_is_committed_when_everything_is_wanted(committed: bool) -> None:
    async def main() -> None:
        async with Hall(ScriptedRemote(STORED), stored((0, len(BODY)), committed=committed), offline_mode=True) as hall:
            await hall.complete()
            assert hall.entry.held.committed

    run_virtual(main())


@pytest.mark.parametrize("begin", [True, False])
def test_where_its_thread_is_gone_every_wait_ends(begin: bool) -> None:
    async def main() -> None:
        entry = stored((0, 9)) if begin else MemoryEntry()
        hall = Hall(ScriptedRemote(STORED), entry)
        hall.background.fork()
        wanted = hall.front.want_everything(hall)
        with pytest.raises(Cancelled, match="fork"):
            await asyncio.wrap_future(wanted)
        if begin:
            stream = hall.stream()
            assert await stream.read(9) == BODY[:9]
            with pytest.raises(KitharaError):
                await hall.within(stream.read(1))
        assert hall.front.lost

    run_virtual(main())
