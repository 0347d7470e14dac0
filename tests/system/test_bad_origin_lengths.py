"""Announced lengths that are not those of the body: right bytes, or a typed error; never an end that is none."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from kithara_file import AsyncStream, BodyBroken, File, InvalidResponse, RangeNotSatisfiable, ResourceChanged
from tests.system.bad_origin import BREAK, DATA, changes, config, heals, heals_or_tells, opened, outcome, tells, within
from tests.world import Chunked, CloseDelimited, Header, Item, Origin, Raw, SayLength, StallAt, plain, ranged, when

pytestmark = pytest.mark.system

NO_LENGTHS = {
    "negative": "-1",
    "words": "many",
    "hexadecimal": "0x100",
    "fraction": "1.5",
    "beyond 64 bits": "9" * 30,
    "2^63": str(2**63),
}
WRONG = (BodyBroken, InvalidResponse, ResourceChanged, RangeNotSatisfiable)


@pytest.mark.parametrize("ranges", [True, False], ids=["with ranges", "without ranges"])
@pytest.mark.parametrize("by", [1, 10, 1_000_000])
def test_a_length_longer_than_the_body_is_told_after_the_right_bytes(
    origin: Origin, store_dir: Path, by: int, *, ranges: bool
) -> None:
    lie: Item = when(plain, SayLength(by=by)) if ranges else SayLength(by=by)
    url = origin.serve("/a", DATA, always=[lie], ranges=ranges)
    found = tells(WRONG, url, store_dir)
    assert found.data == DATA


@pytest.mark.parametrize("ranges", [True, False], ids=["with ranges", "without ranges"])
def test_a_length_longer_than_the_body_just_once_is_told_or_heals(
    origin: Origin, store_dir: Path, *, ranges: bool
) -> None:
    heals_or_tells(WRONG, origin.serve("/a", DATA, faults=[SayLength(by=10)], ranges=ranges), store_dir)


def test_a_length_shorter_than_the_body_is_where_http_says_that_it_ends(origin: Origin, store_dir: Path) -> None:
    """RFC 9112, 6.3: what follows the announced length on the connection is no part of the body."""
    url = origin.serve("/a", DATA, always=[when(plain, SayLength(by=-10))])
    found = outcome(url, store_dir)
    assert found.data == DATA[:-10]


def test_a_length_shorter_than_the_body_that_a_part_denies_is_told(origin: Origin, store_dir: Path) -> None:
    url = origin.serve("/a", DATA, always=[when(plain, SayLength(by=-10), StallAt(BREAK))])
    changes((ResourceChanged, InvalidResponse), origin, url, store_dir)


@pytest.mark.parametrize("text", NO_LENGTHS.values(), ids=NO_LENGTHS)
def test_a_length_that_is_none_is_refused(origin: Origin, store_dir: Path, text: str) -> None:
    found = outcome(origin.serve("/a", DATA, always=[Header("Content-Length", text)]), store_dir)
    assert isinstance(found.error, InvalidResponse)
    assert found.data == b""


def test_two_different_lengths_are_refused(origin: Origin, store_dir: Path) -> None:
    found = outcome(origin.serve("/a", DATA, always=[SayLength(len(DATA), 5)]), store_dir)
    assert isinstance(found.error, InvalidResponse)


def test_one_length_said_twice_is_one(origin: Origin, store_dir: Path) -> None:
    heals(origin.serve("/a", DATA, always=[SayLength(len(DATA), len(DATA))]), store_dir)


@pytest.mark.parametrize("fault", [None, Chunked(), CloseDelimited()], ids=["length 0", "chunked", "close-delimited"])
def test_an_empty_body_is_at_its_end_at_once(origin: Origin, store_dir: Path, fault: Item) -> None:
    url = origin.serve("/a", b"", always=[fault])
    heals(url, store_dir, b"")
    with opened(url, store_dir) as stream:
        assert within(lambda: stream.seek(0, 2)) == 0
        assert within(lambda: stream.read(10)) == b""


def test_a_length_of_0_before_a_body_is_where_http_says_that_it_ends(origin: Origin, store_dir: Path) -> None:
    heals(origin.serve("/a", DATA, always=[SayLength(0)]), store_dir, b"")


@pytest.mark.parametrize("fault", [Chunked(), CloseDelimited(), CloseDelimited("HTTP/1.1")], ids=repr)
def test_a_body_without_a_length_ends_where_it_ends(origin: Origin, store_dir: Path, fault: Item) -> None:
    url = origin.serve("/a", DATA, always=[fault])
    heals(url, store_dir)
    heals(url, store_dir)


def test_the_end_of_a_body_without_a_length_can_be_sought(origin: Origin, store_dir: Path) -> None:
    with opened(origin.serve("/a", DATA, always=[Chunked()], ranges=False), store_dir) as stream:

        def work() -> None:
            assert stream.seek(-1000, 2) == len(DATA) - 1000
            assert stream.read() == DATA[-1000:]
            stream.seek(10**9)
            assert stream.read(1) == b""
            stream.seek(0)
            assert stream.read() == DATA

        within(work)


def test_a_far_seek_in_a_body_without_a_length_is_right(origin: Origin, store_dir: Path) -> None:
    with opened(origin.serve("/a", DATA, always=[when(plain, Chunked())]), store_dir) as stream:

        def work() -> None:
            stream.seek(10**9)
            assert stream.read(1) == b""
            stream.seek(200_000)
            assert stream.read(1000) == DATA[200_000:201_000]

        within(work)


@pytest.mark.parametrize("length", [2**53 + 1, 2**60, 2**63 - 1])
def test_a_length_beyond_2_to_the_53_gives_right_bytes_then_the_error(
    origin: Origin, store_dir: Path, length: int
) -> None:
    url = origin.serve("/a", DATA, always=[when(plain, SayLength(length))])
    found = tells(WRONG, url, store_dir)
    assert found.data == DATA


@pytest.mark.parametrize("length", [2**53 + 1, 2**60, 2**63 - 1])
def test_a_seek_within_a_length_that_nobody_can_have_is_told(origin: Origin, store_dir: Path, length: int) -> None:
    url = origin.serve("/a", DATA, always=[when(plain, SayLength(length))])
    with opened(url, store_dir) as stream:

        def work() -> None:
            assert stream.seek(-10, 2) == length - 10
            with pytest.raises(WRONG):
                stream.read(10)

        within(work)


@pytest.mark.parametrize("length", [2**53 + 1, 2**60, 2**63 - 1])
def test_whoever_wants_all_of_a_length_that_nobody_can_have_is_told(
    origin: Origin, store_dir: Path, length: int
) -> None:
    url = origin.serve("/a", DATA, always=[when(plain, SayLength(length))])

    async def read_all() -> None:
        async with await AsyncStream.open(File, config(url, store_dir)) as stream:
            with pytest.raises(WRONG):
                await stream.read()

    with opened(url, store_dir) as stream, pytest.raises(WRONG):
        within(stream.read)
    within(lambda: asyncio.run(read_all()))


def test_a_chunked_whole_shorter_than_the_length_told_before_is_told(origin: Origin, store_dir: Path) -> None:
    short = (Header("Content-Length"), Raw(chunked(DATA[: BREAK + 500])))
    url = origin.serve("/a", DATA, faults=[StallAt(BREAK)], always=[when(ranged, short)], ranges=False)
    changes((ResourceChanged, InvalidResponse, BodyBroken), origin, url, store_dir)


def test_a_chunked_whole_longer_than_the_length_told_before_is_told(origin: Origin, store_dir: Path) -> None:
    url = origin.serve("/a", DATA, faults=[StallAt(BREAK)], always=[when(ranged, Raw(chunked(DATA + b"more")))])
    changes((ResourceChanged, InvalidResponse, BodyBroken), origin, url, store_dir)


def chunked(data: bytes) -> bytes:
    """Return a whole answer that says no length."""
    head = (
        b'HTTP/1.1 200 OK\r\nETag: "v1"\r\nContent-Type: application/octet-stream\r\nTransfer-Encoding: chunked\r\n\r\n'
    )
    return head + b"%x\r\n%s\r\n0\r\n\r\n" % (len(data), data)
