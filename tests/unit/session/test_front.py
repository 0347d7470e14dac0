"""A session as other threads see it: it sleeps while all is there, and ends with its last holder."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from kithara_file.clock import CancelToken
from kithara_file.config import MIB, FileConfig
from kithara_file.errors import Cancelled
from kithara_file.events import ByteProgress, EndOfStream, Phase
from kithara_file.ranges import ByteRange
from tests.unit.session.hall import URL, Hall, body_of
from tests.world.clock import run_virtual
from tests.world.entry import MemoryEntry
from tests.world.remote import KIB, BreakAt, ScriptedRemote, StallAt, Version

BODY = body_of(2 * MIB)


def complete() -> MemoryEntry:
    return MemoryEntry.storing(Version(BODY).remote(), BODY, committed=True)


def test_before_the_first_answer_there_is_no_resource() -> None:
    async def main() -> None:
        hall = Hall(ScriptedRemote(BODY))
        with pytest.raises(Cancelled):
            _ = hall.front.resource
        facts = hall.front.statistics()
        assert (facts.length, facts.present_bytes, facts.readers_waiting, hall.front.remote) == (None, 0, 0, None)
        assert hall.front.shown_url == URL
        assert repr(hall.front) == f"<Front of {hall.session!r}>"

    run_virtual(main())


# -- what is complete sleeps -------------------------------------------------------------------------------------------


def test_what_is_complete_and_current_opens_reads_and_closes_without_a_step() -> None:
    async def main() -> None:
        far = ScriptedRemote(BODY)
        hall = Hall(far, complete(), revalidate="never")
        hall.background.fork()  # nothing that is called on the loop will run
        hall.front.begin()
        assert hall.front.opened.done()
        stream = hall.stream()
        assert await stream.read() == BODY
        await stream.close()
        hall.house.leave(hall.front, hall, wait=True)
        assert (hall.front.closed.done(), hall.entry.held.closed, hall.let_go, far.log) == (True, True, 1, [])

    run_virtual(main())


def test_a_missing_byte_wakes_the_session() -> None:
    """As when damage is found in what was complete."""

    async def main() -> None:
        far = ScriptedRemote(BODY)
        hall = Hall(far, complete(), revalidate="never")
        hall.front.begin()
        assert hall.front.quiet
        resource = hall.entry.held
        resource._coverage.remove(MIB, MIB + 10)
        resource._committed = False
        stream = hall.stream()
        assert await hall.within(stream.read()) == BODY
        assert [each.want for each in far.log] == [ByteRange(MIB, MIB + 10)]
        await stream.close()
        await hall.session.shut()

    run_virtual(main())


def test_reading_what_is_complete_wakes_nobody_after_the_origin_was_asked_either() -> None:
    """Each step would take the interpreter from the reader, who would be half as quick; to tell of it sets timers."""

    async def main() -> None:
        hall = Hall(ScriptedRemote(BODY), complete(), revalidate="always")
        hall.front.begin()
        stream = hall.stream()
        assert await hall.within(stream.read(1000)) == BODY[:1000]
        await asyncio.sleep(1)
        hall.heard.close()
        called = hall.background.called
        assert await hall.within(stream.read()) == BODY[1000:]
        assert hall.background.called == called
        await stream.close()
        await hall.session.shut()

    run_virtual(main())


def test_whoever_wants_everything_wakes_it_too() -> None:
    async def main() -> None:
        hall = Hall(ScriptedRemote(BODY), complete(), revalidate="never")
        hall.front.begin()
        await hall.complete()
        assert hall.front.quiet is False
        await hall.session.shut()

    run_virtual(main())


@pytest.mark.parametrize("options, entry", [({}, complete), ({"revalidate": "never"}, MemoryEntry)])
def test_what_has_to_ask_begins_to(options: dict[str, Any], entry: Any) -> None:
    async def main() -> None:
        far = ScriptedRemote(BODY)
        hall = Hall(far, entry(), **options)
        hall.front.begin()
        assert hall.front.quiet is False
        await hall.opened()
        assert len(far.log) == 1
        await hall.session.shut()

    run_virtual(main())


# -- readers -----------------------------------------------------------------------------------------------------------


def test_where_readers_are_is_told() -> None:
    async def main() -> None:
        async with Hall(ScriptedRemote(BODY)) as hall:
            await hall.opened()
            stream = hall.stream()
            for _ in range(len(BODY) // (100 * KIB) + 2):
                await hall.within(stream.read(100 * KIB))
                await asyncio.sleep(1)
            assert set(hall.events(EndOfStream)) == {EndOfStream(len(BODY))}
            positions = [each.position for each in hall.events(ByteProgress)]
            assert positions == sorted(positions)
            assert len(positions) >= 5
            assert hall.front.phase is Phase.COMPLETE
            await stream.close()

    run_virtual(main())


def test_the_last_to_leave_ends_it() -> None:
    async def main() -> None:
        far = ScriptedRemote(BODY).always(StallAt(1000))
        async with Hall(far) as hall:
            await hall.opened()
            one, two = hall.stream(), hall.stream()
            hall.house.leave(hall.front, hall, wait=False)
            await one.close()
            await asyncio.sleep(1)
            assert (hall.session.over, far.flying) == (False, 1)
            await two.close()
            await asyncio.sleep(0.05)
            assert [hall.session.over, hall.front.closed.done(), far.flying] == [True, True, 0]

    run_virtual(main())


def test_a_token_that_is_cancelled_already_gives_a_reader_that_is_closed() -> None:
    async def main() -> None:
        token = CancelToken()
        async with Hall(ScriptedRemote(BODY), cancel=token) as hall:
            await hall.opened()
            token.cancel(Cancelled("enough"))
            inner = CancelToken()
            hall.front.reader(hall.config, inner)
            assert inner.reason is token.reason
            assert hall.session.audience.playheads == ()

    run_virtual(main())


# -- going on alone ----------------------------------------------------------------------------------------------------


def detached(far: ScriptedRemote, **options: Any) -> Hall:
    return Hall(far, detach=True, **options)


async def leave(hall: Hall) -> None:
    await hall.opened()
    hall.house.leave(hall.front, hall, wait=False)
    await asyncio.sleep(0.01)


def test_a_detached_download_goes_on_alone_and_ends_by_itself() -> None:
    async def main() -> None:
        async with detached(ScriptedRemote(BODY, rate=MIB), look_ahead_bytes=64 * KIB) as hall:
            await leave(hall)
            assert not hall.session.over
            await hall.within(asyncio.wrap_future(hall.front.closed))
            assert hall.entry.reopened().held.content() == [(0, BODY)]
            assert hall.entry.log == ["begin", "commit", "close"]

    run_virtual(main())


def test_a_detached_download_that_fails_ends_too() -> None:
    async def main() -> None:
        async with detached(ScriptedRemote(BODY).always(BreakAt(1000))) as hall:
            await leave(hall)
            await hall.within(asyncio.wrap_future(hall.front.closed))
            assert hall.entry.log == ["begin", "close"]

    run_virtual(main())


@pytest.mark.parametrize("before", [False, True])
def test_a_detached_download_can_be_cancelled(before: bool) -> None:
    async def main() -> None:
        token = CancelToken()
        async with detached(ScriptedRemote(BODY).always(StallAt(1000)), cancel=token) as hall:
            await hall.opened()
            if before:
                token.cancel()
            await leave(hall)
            if not before:
                assert hall.session.over is False
                token.cancel()
            await asyncio.sleep(0.05)
            assert [hall.session.over] == [True]

    run_virtual(main())


@pytest.mark.parametrize("first", [False, True])
def test_a_detached_download_goes_on_as_long_as_one_of_those_who_want_that_has_not_cancelled(first: bool) -> None:
    async def main() -> None:
        one, other = CancelToken(), CancelToken()
        async with Hall(ScriptedRemote(BODY).always(StallAt(1000)), detach=first, cancel=one) as hall:
            await hall.opened()
            hall.front.joined(FileConfig(URL, detach=True, cancel=other))
            hall.front.joined(FileConfig(URL, cancel=CancelToken()))
            await leave(hall)
            one.cancel()
            await asyncio.sleep(0.05)
            assert [hall.session.over] == [False]
            other.cancel()
            await asyncio.sleep(0.05)
            assert [hall.session.over] == [True]

    run_virtual(main())
