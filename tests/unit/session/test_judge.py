"""What an answer means for the version we hold: every kind of answer, and the bytes that readers get after it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from kithara_file.errors import InvalidResponse, KitharaError, ResourceChanged
from kithara_file.events import RemoteChanged, ServedStale
from kithara_file.net.client import WHOLE
from kithara_file.net.remote import Freshness, Remote, Validator
from kithara_file.ranges import ByteRange, Coverage, OpenRange
from kithara_file.session.judge import RESTARTS
from kithara_file.session.landing import OVERLAP
from kithara_file.session.view import Start
from kithara_file.storage.resource import Demand
from tests.unit.session.hall import Hall, body_of
from tests.world.clock import START_WALL, run_virtual
from tests.world.entry import MemoryEntry
from tests.world.remote import KIB, BreakAt, IgnoreIfRange, IgnoreRange, ScriptedRemote, Untold, Version

OLD, NEW = body_of(600 * KIB, 1), body_of(500 * KIB, 2)
HALF = 300 * KIB
STRONG, WEAK, BARE = Validator('"1"'), Validator('W/"1"'), Validator()
FRESH = Freshness.of({"cache-control": "max-age=60"}, START_WALL)
STALE = replace(FRESH, received=START_WALL - 100)


def version(body: bytes = OLD, validator: Validator = STRONG, **facts: Any) -> Version:
    return Version(body, validator, **facts)


def half(of: Version) -> MemoryEntry:
    return MemoryEntry.storing(of.remote(), of.body, [(0, HALF)])


# -- what is asked -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "stored, options, must",
    [
        (None, {}, True),
        (None, {"revalidate": "never"}, True),  # there is nothing to be content with
        (None, {"offline_mode": True}, False),
        (FRESH, {}, False),
        (STALE, {}, True),
        (STALE, {"revalidate": "never"}, False),
        (STALE, {"offline_mode": True}, False),
        (FRESH, {"revalidate": "always"}, True),
    ],
)
def test_when_the_origin_has_to_be_asked_before_the_first_read(
    stored: Freshness | None, options: dict[str, Any], must: bool
) -> None:
    async def main() -> None:
        remote = version(freshness=stored or FRESH).remote()
        entry = MemoryEntry.storing(remote, OLD) if stored else MemoryEntry()
        hall = Hall(ScriptedRemote(version()), entry, **options)
        assert hall.session.judge.must_ask() is must

    run_virtual(main())


@pytest.mark.parametrize(
    "validator, start, want",
    [
        (STRONG, Start(HALF, None, sequential=True), OpenRange(HALF)),
        (STRONG, Start(HALF, HALF + 99), ByteRange(HALF, HALF + 99)),
        (WEAK, Start(HALF, HALF + 99), ByteRange(HALF - OVERLAP, HALF + 99)),
        (BARE, Start(HALF, None), OpenRange(HALF - OVERLAP)),
        (BARE, Start(HALF + 99, None), OpenRange(HALF + 99)),  # nothing before it to compare
        (BARE, Start(HALF, len(OLD) - 10), ByteRange(HALF - OVERLAP, len(OLD))),  # and what is held behind it
    ],
)
def test_a_resume_asks_with_its_validator_or_for_bytes_to_compare(
    validator: Validator, start: Start, want: object
) -> None:
    async def main() -> None:
        of = version(validator=validator)
        tail = len(OLD) - 10
        entry = MemoryEntry.storing(of.remote(), OLD, [(0, HALF), (tail, len(OLD))])
        fetcher = Hall(ScriptedRemote(of), entry).session.judge.fetcher(3, start)
        assert (fetcher.id, fetcher.want, fetcher.same_as, fetcher.start.start) == (3, want, validator, start.start)

    run_virtual(main())


def test_without_ranges_and_from_nothing_all_is_asked_for() -> None:
    async def main() -> None:
        nothing = Hall(ScriptedRemote(version()))
        assert nothing.session.judge.fetcher(1, Start(0, None, sequential=True)).want is WHOLE
        without = Remote(None, ranges=False, validator=STRONG)
        judge = Hall(ScriptedRemote(version()), MemoryEntry.storing(without, OLD, [(0, HALF)])).session.judge
        assert (judge.seekable, judge.fetcher(1, Start(HALF, None)).want) == (False, WHOLE)

    run_virtual(main())


# -- what is known -----------------------------------------------------------------------------------------------------


def test_a_demand_wants_its_first_missing_byte() -> None:
    async def main() -> None:
        hall = Hall(ScriptedRemote(version()), half(version()))
        judge = hall.session.judge
        demands = [
            None,
            ByteRange(0, 10),
            ByteRange(10, HALF + 1),
            ByteRange(HALF + 5, HALF + 9),
            ByteRange(1 << 30, 1 << 31),
        ]
        assert judge.missing(tuple(map(Demand, demands))) == (HALF, HALF, HALF + 5)
        assert (judge.frontier, judge.coverage) == (HALF, Coverage([ByteRange(0, HALF)]))
        empty = Hall(ScriptedRemote(version())).session.judge
        assert (empty.frontier, empty.coverage, empty.seekable) == (0, Coverage(), True)

    run_virtual(main())


# -- what is answered --------------------------------------------------------------------------------------------------


def resumes(of: Version, far: ScriptedRemote, story: Callable[[Hall], Any], **options: Any) -> None:
    """Run `story` in a session which holds the first half of `of`, over `far`."""

    async def main() -> None:
        async with Hall(far, half(of), **options) as hall:
            await story(hall)

    run_virtual(main())


async def reads(hall: Hall, body: bytes) -> None:
    await hall.opened()
    stream = hall.stream()
    assert await hall.within(stream.read()) == body
    await hall.complete()
    assert hall.entry.reopened().held.content() == [(0, body)]


def test_the_same_version_goes_on_where_it_was_left() -> None:
    async def story(hall: Hall) -> None:
        await reads(hall, OLD)
        assert far.delivered == len(OLD) - HALF

    far = ScriptedRemote(version())
    resumes(version(), far, story)


@pytest.mark.parametrize("fault", [(), (IgnoreIfRange(),)])
def test_of_another_version_nothing_is_mixed_in_and_unread_it_begins_anew(fault: Any) -> None:
    async def story(hall: Hall) -> None:
        await reads(hall, NEW)
        (told,) = hall.events(RemoteChanged)
        assert (told.restarted, told.expected, told.found) == (
            True,
            f'ETag "1", {len(OLD)} bytes',
            f'ETag "2", {len(NEW)} bytes',
        )
        assert hall.entry.log.count("begin") == 1

    far = ScriptedRemote(version(NEW, Validator('"2"'))).then(*fault)
    resumes(version(), far, story)


@pytest.mark.parametrize("fault", [(), (IgnoreIfRange(),), (Untold(),)])
def test_of_another_version_readers_who_have_read_are_told_and_keep_what_they_held(fault: Any) -> None:
    async def story(hall: Hall) -> None:
        await hall.opened()
        stream = hall.stream()
        assert await stream.read(100) == OLD[:100]
        with pytest.raises(ResourceChanged) as caught:
            await hall.within(stream.read())
        assert caught.value.expected == f'ETag "1", {len(OLD)} bytes'
        assert await hall.read(0, HALF, stream) == OLD[:HALF]
        assert (hall.session.dead, hall.front.lost) == (True, True)
        assert [each.restarted for each in hall.events(RemoteChanged)] == [False]
        asked = len(far.log)
        with pytest.raises(ResourceChanged):
            await hall.read(HALF, 1, stream)
        assert len(far.log) == asked

    far = ScriptedRemote(version(NEW, Validator('"2"')), latency=1.0).then(*fault)
    resumes(version(), far, story, revalidate="never")


@pytest.mark.parametrize("validator", [WEAK, BARE])
def test_without_a_strong_validator_the_overlap_tells_the_same_version(validator: Validator) -> None:
    async def story(hall: Hall) -> None:
        await reads(hall, OLD)
        assert far.delivered == len(OLD) - HALF + OVERLAP

    far = ScriptedRemote(version(validator=validator))
    resumes(version(validator=validator), far, story)


@pytest.mark.parametrize("read_first", [False, True])
@pytest.mark.parametrize("faults", [(), (IgnoreRange(),)])
def test_without_a_strong_validator_the_overlap_tells_another_version(read_first: bool, faults: Any) -> None:
    other = body_of(len(OLD), 2)

    async def story(hall: Hall) -> None:
        if not read_first:
            await reads(hall, other)
            return
        await hall.opened()
        stream = hall.stream()
        await stream.read(1)
        with pytest.raises(ResourceChanged, match="other bytes"):
            await hall.within(stream.read())
        assert await hall.read(0, HALF, stream) == OLD[:HALF]

    far = ScriptedRemote(version(other, BARE)).always(*faults)
    resumes(version(validator=BARE), far, story, revalidate="never" if read_first else "auto")


def test_an_ignored_range_is_the_sequential_body_whose_prefix_is_compared() -> None:
    async def story(hall: Hall) -> None:
        await reads(hall, OLD)
        assert (len(far.log), hall.session.judge.seekable) == (1, False)

    far = ScriptedRemote(version()).always(IgnoreRange())
    resumes(version(), far, story)


def test_a_page_in_the_place_of_the_media_is_refused_and_what_is_stored_served() -> None:
    async def story(hall: Hall) -> None:
        await hall.opened()
        assert len(hall.events(ServedStale)) == 1
        stream = hall.stream()
        assert await stream.read(HALF) == OLD[:HALF]
        with pytest.raises(InvalidResponse, match="text/html where audio/wav was expected"):
            await hall.within(stream.read())
        assert hall.entry.held.content() == [(0, OLD[:HALF])]

    page = version(b"<html>", BARE, media_type="text/html")
    resumes(version(validator=BARE), ScriptedRemote(page), story)


def test_a_page_is_refused_at_the_first_open_too_where_media_is_meant() -> None:
    async def main() -> None:
        far = ScriptedRemote(version(b"<html>", BARE, media_type="text/html"))
        async with Hall(far, headers={"Accept": "audio/*"}) as hall:
            with pytest.raises(InvalidResponse, match="where audio or video was expected"):
                await hall.opened()

    run_virtual(main())


def test_a_shorter_answer_of_the_same_name_is_another_version() -> None:
    async def story(hall: Hall) -> None:
        await reads(hall, OLD[: HALF // 2])

    told = version()
    far = ScriptedRemote(version(OLD[: HALF // 2]))
    resumes(told, far, story)


def test_a_part_that_does_not_name_its_version_is_used_where_it_can_be_compared() -> None:
    async def story(hall: Hall) -> None:
        await reads(hall, OLD)
        assert far.delivered <= len(OLD) - HALF + 2 * OVERLAP

    far = ScriptedRemote(version(validator=BARE)).always(IgnoreIfRange())
    resumes(version(), far, story)


def test_a_304_keeps_what_is_complete_and_freshens_it() -> None:
    async def main() -> None:
        entry = MemoryEntry.storing(version(freshness=STALE).remote(), OLD, committed=True)
        far = ScriptedRemote(version(freshness=FRESH))
        async with Hall(far, entry) as hall:
            await reads(hall, OLD)
            assert [each.answer for each in far.log] == ["304"]
            assert hall.front.remote == version(freshness=FRESH).remote()
        assert entry.log == ["refresh", "close"]

    run_virtual(main())


def test_a_complete_resource_that_has_changed_is_replaced() -> None:
    async def main() -> None:
        entry = MemoryEntry.storing(version(freshness=STALE).remote(), OLD, committed=True)
        far = ScriptedRemote(version(NEW, Validator('"2"')))
        async with Hall(far, entry) as hall:
            await reads(hall, NEW)
            assert [each.answer for each in far.log] == ["200"]  # the answer that tells is the download

    run_virtual(main())


def test_mirrors_that_disagree_each_time_end_in_one_whole_body_or_an_error() -> None:
    class Mirrors(ScriptedRemote):
        async def open(self, url: Any, want: Any, same_as: Any) -> Any:
            number = len(self.log)
            self.become(version(body_of(600 * KIB, number), Validator(f'"{number}"')))
            self.then(*([BreakAt(50 * KIB)] if number < 2 * RESTARTS else []))
            return await super().open(url, want, same_as)

    async def main() -> None:
        far = Mirrors(version())
        async with Hall(far) as hall:
            await hall.opened()
            try:
                await hall.complete()
            except KitharaError:
                assert hall.session.judge.settled
            assert hall.session.judge.restarts <= 2 * RESTARTS
            assert len(far.log) < 30

    run_virtual(main())


def test_what_the_store_cannot_begin_leaves_the_old_version_whole() -> None:
    async def story(hall: Hall) -> None:
        hall.entry.fail("begin", *[KitharaError("no room")] * 9)
        with pytest.raises(KitharaError):
            await hall.opened()
        assert hall.entry.remote == version().remote()
        assert hall.entry.held.content() == [(0, OLD[:HALF])]

    resumes(version(), ScriptedRemote(version(NEW, Validator('"2"'))), story)


def test_the_words_of_a_change_without_a_description() -> None:
    async def main() -> None:
        judge = Hall(ScriptedRemote(version()), half(version())).session.judge
        assert judge.changed(None).found == "other bytes"
        nothing = Hall(ScriptedRemote(version())).session.judge
        assert nothing.changed(replace(version().remote())).expected == "nothing"

    run_virtual(main())
