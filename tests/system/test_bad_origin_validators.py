"""Versions that change between fetches: never mixed, whatever the origin says of them or does not."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from kithara_file import File, RemoteChanged, ResourceChanged, Timeouts
from kithara_file.session.landing import OVERLAP
from tests.system.bad_origin import (
    BODY,
    BREAK,
    DATA,
    OTHER,
    changes,
    config,
    heals,
    opened,
    outcome,
    read_on,
    within,
)
from tests.system.kit import asked_bytes, first
from tests.world import (
    CloseAt,
    IgnoreIfRange,
    Item,
    Origin,
    PatternBody,
    StallAt,
    Version,
    flapping,
    http_date,
)
from tests.world.faults import Serve

pytestmark = pytest.mark.system

MIB = 1 << 20
LONGER = OTHER + b"more"
SHORTER = OTHER[:-1000]
STALLED = StallAt(BREAK)
MAY = http_date(800_000_000)
JUNE = http_date(803_000_000)


@dataclass(frozen=True)
class Change:
    """What the origin says of its bytes before and after they change, and to what they change."""

    before: tuple[str | None, str | None]
    after: tuple[str | None, str | None]
    bytes: bytes = OTHER
    deaf: bool = False
    """If-Range is ignored."""


CHANGES = {
    "strong tags": Change(('"v1"', None), ('"v2"', None)),
    "weak tags": Change(('W/"v1"', None), ('W/"v2"', None)),
    "strong tag to weak": Change(('"v1"', None), ('W/"v2"', None)),
    "dates": Change((None, MAY), (None, JUNE)),
    "tags under one date": Change(('"v1"', MAY), ('"v2"', MAY)),
    "tag goes away": Change(('"v1"', None), (None, None)),
    "tag appears": Change((None, None), ('"v2"', None)),
    "date goes away": Change((None, MAY), (None, None)),
    "no validator": Change((None, None), (None, None)),
    "no validator, longer": Change((None, None), (None, None), LONGER),
    "no validator, shorter": Change((None, None), (None, None), SHORTER),
    "the same weak tag": Change(('W/"v1"', None), ('W/"v1"', None)),
    "the same weak tag, longer": Change(('W/"v1"', None), ('W/"v1"', None), LONGER),
    "the same strong tag, longer": Change(('"v1"', None), ('"v1"', None), LONGER),
    "the same strong tag, shorter": Change(('"v1"', None), ('"v1"', None), SHORTER),
    "the same date, longer": Change((None, MAY), (None, MAY), LONGER),
    "If-Range ignored": Change(('"v1"', None), ('"v2"', None), deaf=True),
    "If-Range ignored, longer": Change(('"v1"', None), ('"v2"', None), LONGER, deaf=True),
    "If-Range ignored, shorter": Change(('"v1"', None), ('"v2"', None), SHORTER, deaf=True),
    "If-Range ignored, dates": Change((None, MAY), (None, JUNE), deaf=True),
    "If-Range ignored, no tag any more": Change(('"v1"', None), (None, None), deaf=True),
}

each_change = pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)


def serve(origin: Origin, change: Change) -> str:
    """Serve the first version until its body stalls, then the other."""
    first = Serve(Version(body=BODY, etag=change.before[0], last_modified=change.before[1]))
    etag, date = change.after
    ears: list[Item] = [IgnoreIfRange()] if change.deaf else []
    return origin.serve("/a", change.bytes, etag=etag, last_modified=date, always=ears, faults=[(first, STALLED)])


@each_change
def test_a_change_under_a_reader_that_has_read_is_told(origin: Origin, store_dir: Path, change: Change) -> None:
    changes(ResourceChanged, origin, serve(origin, change), store_dir)


@each_change
def test_a_change_before_anything_was_read_gives_the_new_version_whole(
    origin: Origin, store_dir: Path, change: Change
) -> None:
    url = serve(origin, change)
    with within(lambda: File.open(config(url, store_dir))) as session, session.stream() as stream:
        told = first(session, RemoteChanged, origin.drop_connections)
        assert told.restarted
        assert within(stream.read) == change.bytes


@each_change
def test_a_change_while_nobody_was_there_gives_the_new_version_whole(
    origin: Origin, store_dir: Path, change: Change
) -> None:
    url = serve(origin, change)
    with opened(url, store_dir, look_ahead_bytes=BREAK // 2) as stream:
        assert within(lambda: stream.read(1000)) == DATA[:1000]
    found = outcome(url, store_dir)
    assert found.error is None or isinstance(found.error, ResourceChanged)
    if found.error is None:
        assert found.data == change.bytes
    else:
        assert DATA.startswith(found.data)


SAMES: dict[str, tuple[str | None, str | None]] = {
    "strong tag": ('"v1"', None),
    "weak tag": ('W/"v1"', None),
    "date": (None, MAY),
    "fresh date": (None, http_date()),
    "weak tag and date": ('W/"v1"', MAY),
    "nothing": (None, None),
}


@pytest.mark.parametrize("etag,date", SAMES.values(), ids=SAMES)
@pytest.mark.parametrize("ranges", [True, False], ids=["with ranges", "without ranges"])
def test_the_same_version_heals(
    origin: Origin, store_dir: Path, etag: str | None, date: str | None, *, ranges: bool
) -> None:
    url = origin.serve("/a", DATA, etag=etag, last_modified=date, faults=[CloseAt(BREAK)], ranges=ranges)
    heals(url, store_dir)


@pytest.mark.parametrize("etag", [None, 'W/"v1"'])
def test_without_a_strong_validator_a_resume_asks_for_bytes_to_compare(
    origin: Origin, store_dir: Path, etag: str | None
) -> None:
    heals(origin.serve("/a", DATA, etag=etag, faults=[CloseAt(BREAK)]), store_dir)
    second = origin.requests("/a")[1]
    assert second.if_range is None
    assert asked_bytes(second, BODY).start == BREAK - OVERLAP


def test_a_gap_is_compared_with_what_is_held_before_it(origin: Origin, store_dir: Path) -> None:
    big, other = PatternBody(2 * MIB, seed=7), PatternBody(2 * MIB, seed=8)
    url = origin.serve("/a", big, etag=None, faults=[CloseAt(BREAK)])
    with opened(url, store_dir, look_ahead_bytes=64 * 1024) as stream:

        def head_and_tail() -> None:
            assert stream.read(1000) == big[:1000]
            stream.seek(2 * MIB - 1000)
            assert stream.read() == big[2 * MIB - 1000 :]

        within(head_and_tail)
        origin.replace("/a", other, etag=None)
        came = bytearray()
        stream.seek(0)
        with pytest.raises(ResourceChanged):
            within(lambda: read_on(stream, came))
    assert big[:].startswith(came)


TWO = (Version(body=BODY, etag='"a"'), Version(body=PatternBody(300_000, seed=4), etag='"b"'))
UNNAMED = (Version(body=BODY, etag=None), Version(body=PatternBody(300_000, seed=4), etag=None))
NAMED_TWICE = (Version(body=BODY, etag='"a"'), Version(body=BODY, etag='"b"'))


@pytest.mark.parametrize("mirrors", [TWO, UNNAMED, NAMED_TWICE], ids=["two tags", "no tags", "one body, two tags"])
@pytest.mark.parametrize("fault", [None, CloseAt(BREAK)], ids=["whole bodies", "broken bodies"])
def test_mirrors_of_two_versions_are_never_mixed(
    origin: Origin, store_dir: Path, mirrors: tuple[Version, Version], fault: Item
) -> None:
    url = origin.serve("/a", DATA, always=[flapping(*mirrors), fault])
    found = outcome(url, store_dir)
    assert found.error is None or isinstance(found.error, ResourceChanged)
    assert DATA.startswith(found.data) or OTHER.startswith(found.data)
    assert found.kept == (found.data if found.error else b"")
    if found.error is None:
        assert found.data in {DATA, OTHER}


def test_mirrors_of_two_versions_end_a_far_seek_in_bounded_time(origin: Origin, store_dir: Path) -> None:
    one, two = PatternBody(4 * MIB, seed=7), PatternBody(4 * MIB, seed=8)
    url = origin.serve("/a", one, always=[flapping(Version(body=one, etag='"a"'), Version(body=two, etag='"b"'))])
    with opened(url, store_dir, look_ahead_bytes=128 * 1024) as stream:

        def work() -> bytes | None:
            stream.seek(3 * MIB)
            try:
                return stream.read(1000)
            except ResourceChanged:
                return None

        assert within(work) in {None, one[3 * MIB : 3 * MIB + 1000], two[3 * MIB : 3 * MIB + 1000]}
    assert len(origin.requests("/a")) <= 20


def test_the_sentence_says_what_was_expected_and_what_was_found(origin: Origin, store_dir: Path) -> None:
    found = changes(ResourceChanged, origin, serve(origin, CHANGES["strong tags"]), store_dir)
    assert 'expected ETag "v1", 300000 bytes, found ETag "v2", 300000 bytes' in str(found.error)
    assert isinstance(found.error, OSError)


def test_the_sentence_speaks_of_bytes_where_nothing_else_tells_two_versions_apart(
    origin: Origin, store_dir: Path
) -> None:
    found = changes(ResourceChanged, origin, serve(origin, CHANGES["no validator"]), store_dir)
    assert "found other bytes" in str(found.error)


def test_after_a_change_a_new_open_reads_the_new_version(origin: Origin, store_dir: Path) -> None:
    url = serve(origin, CHANGES["strong tags"])
    changes(ResourceChanged, origin, url, store_dir)
    heals(url, store_dir, OTHER)


def test_an_answer_that_names_no_version_is_not_put_where_there_is_nothing_to_compare(
    origin: Origin, store_dir: Path
) -> None:
    unnamed = Serve(Version(body=PatternBody(300_000, seed=4), etag=None, ranges=False))
    url = origin.serve("/a", DATA, faults=[StallAt(0), None, unnamed])
    with opened(url, store_dir, timeouts=Timeouts(idle=2.0), look_ahead_bytes=1000) as stream:

        def work() -> None:
            for start in (299_000, 150_000, 0):
                stream.seek(start)
                assert stream.read(100) == DATA[start : start + 100]

        within(work)


def test_bytes_joined_to_those_held_behind_a_gap_are_compared_before_they_are_believed(
    origin: Origin, store_dir: Path
) -> None:
    url = origin.serve("/a", DATA, etag=None, faults=[StallAt(0)])
    with opened(url, store_dir, look_ahead_bytes=1000) as stream:

        def work() -> None:
            stream.seek(299_000)
            assert stream.read(1000) == DATA[299_000:]
            origin.replace("/a", OTHER, etag=None)
            stream.seek(298_500)
            with pytest.raises(ResourceChanged):
                stream.read(1000)

        within(work)
