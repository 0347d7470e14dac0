"""Answers to a Range that are not what was asked for: used as far as they are provably right, refused else."""

from __future__ import annotations

from pathlib import Path

import pytest

from kithara_file import InvalidResponse, RangeNotSatisfiable, ResourceChanged
from tests.system.bad_origin import (
    BODY,
    BREAK,
    DATA,
    OTHER,
    changes,
    heals,
    heals_or_tells,
    opened,
    outcome,
    tail_first,
    tells,
    within,
)
from tests.system.kit import asked_bytes
from tests.world import (
    Chunked,
    CloseAt,
    Fault,
    Header,
    IgnoreRange,
    Item,
    Multipart,
    Origin,
    OtherRange,
    PatternBody,
    Raw,
    RefuseRange,
    SayRange,
    StallAt,
    Status,
    Version,
    ranged,
    when,
)
from tests.world.faults import Serve

pytestmark = pytest.mark.system

MIB = 1 << 20

HEALED: dict[str, Fault] = {
    "shifted ahead": OtherRange(7, 7),
    "shifted back": OtherRange(-7, -7),
    "said to be shifted": SayRange(7, 7),
    "said to be shifted back": SayRange(-7, -7),
    "shorter": OtherRange(stop=-100),
    "much shorter": OtherRange(stop=-190_000),
    "longer": OtherRange(stop=100),
    "said to be longer": SayRange(stop=100),
    "said to be shorter": SayRange(stop=-100),
    "total *": SayRange(total="*"),
    "without Content-Range": Header("Content-Range"),
    "garbage in Content-Range": Header("Content-Range", "garbage"),
    "two Content-Ranges": Header("Content-Range", "bytes 5-9/300000", "bytes 7-9/300000"),
    "other unit": Header("Content-Range", "items 100000-299999/300000"),
    "backwards": Header("Content-Range", "bytes 9-5/300000"),
    "multipart": Multipart(),
    "ignored": IgnoreRange(),
    "416 with the right total": RefuseRange(),
    "416 without a total": Status(416),
    "416 with a smaller total": RefuseRange(50),
    "416 with a larger total": RefuseRange(10**9),
    "416 with garbage": RefuseRange("many"),
}
"""What an origin says to a Range, and we take as it is right or go round."""

CONTRADICTED: dict[str, Fault] = {
    "smaller total": SayRange(total=299_999),
    "total below the range": SayRange(total=20),
    "larger total": SayRange(total=300_001),
    "huge total": SayRange(total=2**60),
    "impossible total": SayRange(total=2**70),
}
"""Totals that contradict the length announced before, under the same strong ETag."""


@pytest.mark.parametrize("times", ["once", "always"])
@pytest.mark.parametrize("fault", HEALED.values(), ids=HEALED)
def test_a_resume_answered_wrongly_heals(origin: Origin, store_dir: Path, fault: Fault, times: str) -> None:
    once, always = ([fault], []) if times == "once" else ([], [when(ranged, fault)])
    heals(origin.serve("/a", DATA, faults=[CloseAt(BREAK), *once], always=always), store_dir)


@pytest.mark.parametrize("fault", HEALED.values(), ids=HEALED)
def test_a_probe_of_the_tail_answered_wrongly_heals(origin: Origin, store_dir: Path, fault: Fault) -> None:
    big = PatternBody(2 * MIB, seed=6)
    url = origin.serve("/a", big, always=[when(ranged, fault)])
    heals(url, store_dir, big[:], read=tail_first, look_ahead_bytes=256 * 1024)


@pytest.mark.parametrize("times", ["once", "always"])
@pytest.mark.parametrize("fault", CONTRADICTED.values(), ids=CONTRADICTED)
def test_a_resume_with_another_total_is_not_mixed_in(origin: Origin, store_dir: Path, fault: Fault, times: str) -> None:
    once, always = ([fault], []) if times == "once" else ([], [when(ranged, fault)])
    url = origin.serve("/a", DATA, faults=[CloseAt(BREAK), *once], always=always)
    heals_or_tells((ResourceChanged, InvalidResponse), url, store_dir)


@pytest.mark.parametrize("fault", CONTRADICTED.values(), ids=CONTRADICTED)
def test_a_probe_of_the_tail_with_another_total_is_told_or_heals(origin: Origin, store_dir: Path, fault: Fault) -> None:
    big = PatternBody(2 * MIB, seed=6)
    url = origin.serve("/a", big, always=[when(ranged, fault)])
    kinds = (ResourceChanged, InvalidResponse, RangeNotSatisfiable)
    with opened(url, store_dir, look_ahead_bytes=256 * 1024) as stream:

        def work() -> None:
            try:
                stream.seek(2 * MIB - 1000)
                assert stream.read(1000) == big[2 * MIB - 1000 :]
                stream.seek(0)
                assert stream.read(2 * MIB) == big[:]
            except kinds:
                pass

        within(work)


def test_a_short_part_is_continued_and_nothing_of_it_is_asked_for_again(origin: Origin, store_dir: Path) -> None:
    url = origin.serve("/a", DATA, faults=[CloseAt(BREAK), OtherRange(stop=-150_000), OtherRange(stop=-50_000)])
    heals(url, store_dir)
    assert origin.bytes_sent("/a") == len(DATA)
    starts = [asked_bytes(each, BODY).start for each in origin.requests("/a")]
    assert starts == [0, BREAK, 150_000, 250_000]


def test_an_origin_that_ignores_ranges_serves_one_sequential_body(origin: Origin, store_dir: Path) -> None:
    big = PatternBody(3 * MIB, seed=6)
    url = origin.serve("/a", big, ranges=False)
    with opened(url, store_dir) as stream:

        def work() -> None:
            stream.seek(2 * MIB)
            assert stream.read(1000) == big[2 * MIB : 2 * MIB + 1000]
            stream.seek(0)
            assert stream.read() == big[:]

        within(work)
    assert len(origin.requests("/a")) <= 2


@pytest.mark.parametrize("consumed", [True, False], ids=["consumed", "nothing consumed"])
@pytest.mark.parametrize("etag", [None, 'W/"weak"'])
def test_a_whole_body_in_the_place_of_a_range_is_compared_with_what_is_held(
    origin: Origin, store_dir: Path, etag: str | None, *, consumed: bool
) -> None:
    other: Item = Serve(Version(body=PatternBody(300_000, seed=4), etag=etag, ranges=False))
    if consumed:
        url = origin.serve("/a", DATA, etag=etag, faults=[StallAt(BREAK)], always=[when(ranged, other)])
        changes(ResourceChanged, origin, url, store_dir)
    else:
        url = origin.serve("/a", DATA, etag=etag, faults=[CloseAt(BREAK)], always=[when(ranged, other)])
        found = outcome(url, store_dir, read=tail_first)
        assert found.error is None or isinstance(found.error, ResourceChanged)
        assert DATA.startswith(found.data) or OTHER.startswith(found.data)
        assert found.error or found.data in {DATA, OTHER}


@pytest.mark.parametrize("etag", ['"v1"', None])
def test_a_416_within_the_known_length_finds_a_shorter_version(
    origin: Origin, store_dir: Path, etag: str | None
) -> None:
    first = Serve(Version(body=BODY, etag=etag))
    url = origin.serve("/a", OTHER[:5000], etag=etag and '"v2"', faults=[(first, StallAt(BREAK))])
    changes(ResourceChanged, origin, url, store_dir)


def test_a_416_within_the_known_length_before_anything_was_read_is_the_new_version(
    origin: Origin, store_dir: Path
) -> None:
    big = PatternBody(2 * MIB, seed=6)
    url = origin.serve("/a", big, faults=[CloseAt(BREAK)], always=[])
    with opened(url, store_dir, look_ahead_bytes=128 * 1024) as stream:
        origin.replace("/a", OTHER, etag='"v2"')

        def work() -> bytes:
            stream.seek(1_500_000)
            assert stream.read(10) == b""
            stream.seek(0)
            return stream.read()

        assert within(work) == OTHER


@pytest.mark.parametrize("fault", [RefuseRange(), Status(416)], ids=["with a total", "without a total"])
def test_a_416_exactly_at_the_end_is_the_end(origin: Origin, store_dir: Path, fault: Fault) -> None:
    cut = (Chunked(), CloseAt(len(DATA)))
    url = origin.serve("/a", DATA, faults=[cut, fault])
    heals(url, store_dir)


@pytest.mark.parametrize("fault", [Status(416), RefuseRange("garbage")], ids=["without a total", "with garbage"])
def test_a_416_that_says_nothing_of_the_length_is_not_taken_for_the_end(
    origin: Origin, store_dir: Path, fault: Fault
) -> None:
    url = origin.serve("/a", DATA, faults=[(Chunked(), CloseAt(BREAK))], always=[when(ranged, fault)])
    heals(url, store_dir)


def test_a_416_to_everything_is_told(origin: Origin, store_dir: Path) -> None:
    url = origin.serve("/a", DATA, faults=[CloseAt(BREAK), *[Status(416)] * 99])
    assert tells(RangeNotSatisfiable, url, store_dir).data == DATA[:BREAK]


def test_an_unasked_part_of_an_unknown_whole_is_no_end(origin: Origin, store_dir: Path) -> None:
    part = b"HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 0-99999/*\r\nContent-Length: 100000\r\n"
    raw = Raw(part + b'ETag: "v1"\r\n\r\n' + DATA[:BREAK])
    heals(origin.serve("/a", DATA, faults=[raw]), store_dir)


def test_parts_of_a_whole_that_nobody_ever_tells_the_length_of_are_told_and_not_asked_for_for_ever(
    origin: Origin, store_dir: Path
) -> None:
    """The first is a part, all are of an unknown total, and a refusal without a length proves no end."""
    part = b"HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 0-99999/*\r\nContent-Length: 100000\r\n\r\n"
    refusal = Raw(b"HTTP/1.1 416 Range Not Satisfiable\r\nContent-Length: 0\r\n\r\n")
    beyond = f"bytes={len(DATA)}-"
    always: list[Item] = [
        when(lambda request: request.range is None, Raw(part + DATA[:100_000])),
        when(lambda request: (request.range or "").startswith(beyond), refusal),
        when(ranged, SayRange(total="*")),
    ]
    found = tells((InvalidResponse, RangeNotSatisfiable), origin.serve("/a", DATA, etag=None, always=always), store_dir)
    assert found.data == DATA
    assert len(origin.requests("/a")) < 30
