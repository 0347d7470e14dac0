"""What follows from the end of a fetch: another try, another way, another URL, or an error told to whoever waits."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from kithara_file.errors import (
    AccessDenied,
    BodyBroken,
    ConnectFailed,
    DiskFull,
    InvalidResponse,
    KitharaError,
    NetTimeout,
    NotFound,
    ResourceChanged,
    StorageError,
    Unavailable,
)
from kithara_file.events import DownloadError, Error, ServedStale
from kithara_file.net.client import WHOLE, NotModified, Response, Want
from kithara_file.net.remote import Validator
from tests.unit.session.faulty import BODY, RETRY, Make, all_of, beyond, broken_at, denied, down, stored, tell
from tests.unit.session.hall import URL, Hall, body_of
from tests.world.clock import run_virtual
from tests.world.remote import (
    KIB,
    BreakAfter,
    BreakAt,
    Fault,
    IgnoreRange,
    Raise,
    ScriptedRemote,
    ShortTo,
    StallAt,
    Untold,
    Version,
    refuse,
    timeout,
)

BARE = Validator()


# -- again -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", [BreakAt(300 * KIB), BreakAt(300 * KIB, timeout("body")), BreakAt(300 * KIB, down)])
def test_a_body_that_breaks_goes_on_where_it_broke(fault: Fault) -> None:
    async def story(hall: Hall) -> None:
        assert await all_of(hall) == BODY
        assert far.delivered == len(BODY)
        assert [each.recoverable for each in hall.events(Error)] == [True]

    far = ScriptedRemote(BODY).then(fault)
    tell(far, story)


def test_waits_double_while_nothing_lands_and_the_last_error_is_told() -> None:
    async def story(hall: Hall) -> None:
        await hall.opened()
        with pytest.raises(BodyBroken):
            await hall.within(hall.stream().read())
        waits = [round(b.at - a.at, 3) for a, b in zip(far.log, far.log[1:], strict=False)]
        assert waits == [0.1, 0.2, 0.4, 0.8, 1.6]
        assert [each.recoverable for each in hall.events(Error)] == [True] * 5 + [False]
        assert len(hall.events(DownloadError)) == 1

    far = ScriptedRemote(BODY).always(BreakAfter(0))
    tell(far, story)


def test_any_landed_byte_resets_the_count() -> None:
    async def story(hall: Hall) -> None:
        assert await all_of(hall) == BODY
        assert len(far.log) > 3 * RETRY.max_failures

    far = ScriptedRemote(BODY).always(BreakAfter(20 * KIB))
    tell(far, story)


def test_who_waits_for_what_never_comes_is_told_though_another_reader_gets_on() -> None:
    far_end = len(BODY) - 1000

    class NoTail(ScriptedRemote):
        async def open(self, url: str, want: Want, same_as: Validator | None) -> Response | NotModified:
            if want is not WHOLE and want.start >= far_end:
                self.then(BreakAt(want.start))
            return await super().open(url, want, same_as)

    async def main() -> None:
        far = NoTail(BODY, rate=5 * KIB, piece=KIB)
        async with Hall(far, look_ahead_bytes=64 * KIB) as hall:
            await hall.opened()
            first, last = hall.stream(), hall.stream()
            getting_on = asyncio.ensure_future(first.read())
            with pytest.raises(BodyBroken):
                await hall.read(far_end, 10, last)
            assert len(far.log) <= 1 + RETRY.max_failures
            assert not getting_on.done()
            getting_on.cancel()

    run_virtual(main())


def test_what_the_client_has_tried_often_enough_is_not_tried_as_often_again() -> None:
    async def story(hall: Hall) -> None:
        await hall.opened()
        with pytest.raises(Unavailable):
            await hall.within(hall.stream().read())
        assert len(far.log) == 1 + 2  # 1 + 3 tries of the client each

    far = ScriptedRemote(BODY).then(BreakAt(1000)).always(Raise(down))
    tell(far, story)


def test_an_origin_that_asks_for_time_is_given_it_up_to_the_cap() -> None:
    async def story(hall: Hall) -> None:
        assert await all_of(hall) == BODY
        assert far.log[2].at - far.log[1].at == pytest.approx(3.0)

    def soon(url: str) -> KitharaError:
        return Unavailable(503, url=url, retry_after=3.0)

    far = broken_at(1000, (Raise(soon),))
    tell(far, story)


def test_an_origin_that_asks_for_more_time_than_that_has_failed() -> None:
    async def story(hall: Hall) -> None:
        await hall.opened()
        with pytest.raises(Unavailable):
            await hall.within(hall.stream().read(), 1.0)

    def later(url: str) -> KitharaError:
        return Unavailable(503, url=url, retry_after=60.0)

    tell(broken_at(1000, (Raise(later),)), story)


@pytest.mark.parametrize(
    "make", [denied, lambda url: NotFound(404, url=url), lambda url: ConnectFailed("no", url=url, recoverable=False)]
)
def test_what_will_not_change_is_told_at_once_and_a_later_demand_is_worth_another_try(make: Make) -> None:
    async def story(hall: Hall) -> None:
        await hall.opened()
        stream = hall.stream()
        with pytest.raises(KitharaError) as caught:
            await hall.within(stream.read(), 1.0)
        assert type(caught.value) is type(make(URL))
        await asyncio.sleep(100)
        assert len(far.log) == 2  # nobody waits: nothing is asked for
        stream.retry()
        assert await hall.within(stream.read()) == BODY

    far = broken_at(1000, (Raise(make),))
    tell(far, story, look_ahead_bytes=20 * KIB)


def test_who_is_served_by_another_fetch_is_told_nothing() -> None:
    async def story(hall: Hall) -> None:
        await hall.opened()
        near, far_off = hall.stream(), hall.stream()
        await far_off.seek(400 * KIB)
        reads = await asyncio.gather(
            hall.within(near.read(100 * KIB)), hall.within(far_off.read(10)), return_exceptions=True
        )
        assert reads[0] == BODY[: 100 * KIB]
        assert isinstance(reads[1], AccessDenied)

    far = ScriptedRemote(BODY, rate=50 * KIB).then().then(Raise(denied))
    tell(far, story, look_ahead_bytes=20 * KIB)


# -- opening -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [denied, down, timeout("headers"), refuse("nonsense")])
def test_an_open_that_fails_is_told_why_after_what_the_client_has_tried(make: Make) -> None:
    async def story(hall: Hall) -> None:
        with pytest.raises(KitharaError) as caught:
            await hall.opened()
        assert type(caught.value) is type(make(URL))
        assert len(far.log) == 1

    far = ScriptedRemote(BODY).always(Raise(make))
    tell(far, story)


@pytest.mark.parametrize("make, stale", [(down, True), (timeout("headers"), True), (denied, False)])
def test_what_is_stored_is_served_when_the_origin_cannot_be_asked_and_not_when_it_says_no(
    make: Make, stale: bool
) -> None:
    async def story(hall: Hall) -> None:
        if stale:
            await hall.opened()
            assert await hall.read(0, 100) == BODY[:100]
        else:
            with pytest.raises(AccessDenied):
                await hall.opened()
        assert len(hall.events(ServedStale)) == stale

    tell(ScriptedRemote(BODY).always(Raise(make)), story, stored(300 * KIB))
    tell(ScriptedRemote(BODY).always(Raise(make)), story, stored(len(BODY)))


# -- another way -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("nonsense", [Raise(refuse("two lengths")), Raise(beyond(None)), Raise(beyond(9))])
def test_nonsense_for_a_range_is_answered_by_asking_for_all(nonsense: Fault) -> None:
    async def story(hall: Hall) -> None:
        assert await all_of(hall) == BODY
        assert [each.want for each in far.log[2:]] == [WHOLE]

    far = broken_at(300 * KIB, (nonsense,))
    tell(far, story)


def test_ranges_without_a_byte_are_nonsense() -> None:
    async def story(hall: Hall) -> None:
        assert await all_of(hall) == BODY
        assert far.log[-1].want is WHOLE
        assert len(far.log) <= 5

    far = broken_at(300 * KIB).always(ShortTo(0))
    tell(far, story)


def test_nonsense_for_all_is_told() -> None:
    async def story(hall: Hall) -> None:
        await hall.opened()
        with pytest.raises(InvalidResponse):
            await hall.within(hall.stream().read())
        assert len(far.log) == 3

    far = broken_at(300 * KIB).always(Raise(refuse("nonsense")))
    tell(far, story)


def test_a_short_answer_is_continued() -> None:
    async def story(hall: Hall) -> None:
        assert await all_of(hall) == BODY
        assert far.delivered == len(BODY)

    far = broken_at(300 * KIB).always(ShortTo(50 * KIB))
    tell(far, story)


# -- the end -----------------------------------------------------------------------------------------------------------


def test_the_clean_end_of_a_whole_body_is_the_proven_end() -> None:
    async def story(hall: Hall) -> None:
        assert await all_of(hall) == BODY
        assert hall.session.holding.length == len(BODY)

    tell(ScriptedRemote(BODY).always(Untold()), story)


def test_a_broken_body_of_unknown_length_is_continued_until_a_416_tells_its_end() -> None:
    async def story(hall: Hall) -> None:
        assert await all_of(hall) == BODY
        assert far.log[-1].answer == "416"

    far = broken_at(300 * KIB).always(Untold())
    far._queue[0] = (*far._queue[0], Untold())
    tell(far, story)


@pytest.mark.parametrize("length", [None, 100])
def test_a_416_that_cannot_be_the_end_is_not_taken_for_it(length: int | None) -> None:
    async def story(hall: Hall) -> None:
        assert await all_of(hall) == BODY

    far = ScriptedRemote(BODY).then(Untold(), BreakAt(300 * KIB)).then(Raise(beyond(length))).always(Untold())
    tell(far, story)


def test_a_416_that_puts_the_end_before_a_far_place_is_no_end_for_who_has_read() -> None:
    async def story(hall: Hall) -> None:
        await hall.opened()
        stream = hall.stream()
        assert await hall.read(0, 10, stream) == BODY[:10]
        reading = asyncio.ensure_future(hall.read(len(BODY) - 5, 10, stream))
        await asyncio.sleep(1)
        far.release()
        assert await reading == BODY[-5:]
        assert [each.answer for each in far.log] == ["200", "416"]

    far = ScriptedRemote(BODY).then(Untold(), StallAt(200 * KIB)).then(Raise(beyond(300 * KIB))).always(Untold())
    tell(far, story)


@pytest.mark.parametrize("size", [200 * KIB, 900 * KIB])
@pytest.mark.parametrize("read_first", [False, True])
@pytest.mark.parametrize("untold_first", [False, True])
def test_a_whole_body_of_another_size_is_another_version(size: int, read_first: bool, untold_first: bool) -> None:
    """No validator, no length, no ranges, and the same beginning: only its end gives it away."""
    other = body_of(size)

    async def story(hall: Hall) -> None:
        await hall.opened()
        stream = hall.stream()
        if read_first:
            assert await stream.read(1) == BODY[:1]
            if not (untold_first and size > len(BODY)):  # then it is a longer one of the same beginning
                with pytest.raises(ResourceChanged):
                    await hall.within(stream.read())
        else:
            await hall.complete()
            assert await hall.within(stream.read()) == other

    first = (BreakAt(300 * KIB), Untold()) if untold_first else (BreakAt(300 * KIB),)
    far = ScriptedRemote(Version(BODY, BARE), rate=300 * KIB).then(*first).always(IgnoreRange(), Untold())

    class Changing(ScriptedRemote):
        async def open(self, *asked: Any) -> Any:
            if self.log:
                self.become(Version(other, BARE))
            return await super().open(*asked)

    far.__class__ = Changing
    tell(far, story)


# -- the disk ----------------------------------------------------------------------------------------------------------


def test_a_store_that_cannot_begin_another_version_is_told_at_the_end_of_a_fetch_too() -> None:
    async def story(hall: Hall) -> None:
        hall.entry.fail("begin", *[DiskFull("full")] * 9)
        with pytest.raises(DiskFull):
            await hall.opened()
        assert hall.entry.held.content() == [(0, BODY[: 300 * KIB])]

    other = Version(body_of(len(BODY), 2), BARE)
    tell(ScriptedRemote(other), story, stored(300 * KIB, Version(BODY, BARE)))


def test_a_write_that_fails_is_told_to_whoever_waits() -> None:
    async def main() -> None:
        async with Hall(ScriptedRemote(BODY), stored(0), retry=RETRY, revalidate="never") as hall:
            hall.entry.held.refusals.append(StorageError("EIO"))
            with pytest.raises(StorageError, match="EIO"):
                await hall.within(hall.stream().read())

    run_virtual(main())


def test_silence_is_told_as_a_timeout_of_the_body() -> None:
    async def story(hall: Hall) -> None:
        await hall.opened()
        with pytest.raises(NetTimeout):
            await hall.within(hall.stream().read())

    tell(ScriptedRemote(BODY).always(BreakAt(1000, timeout("body"))), story)


def test_nothing_stalls_the_end_of_a_session() -> None:
    async def story(hall: Hall) -> None:
        await asyncio.sleep(5)

    tell(ScriptedRemote(BODY).always(StallAt(None)), story)
