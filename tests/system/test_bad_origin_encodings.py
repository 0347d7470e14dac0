"""Bodies that are encoded though identity was asked for: decoded whole, right, and never cut short."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path

import pytest

from kithara_file import BodyBroken, InvalidResponse, NetError
from tests.system.bad_origin import BREAK, DATA, heals, heals_or_tells, opened, outcome, tells, within
from tests.world import Chunked, CloseAt, Encoded, Gzip, Header, Item, Origin, ranged, when

pytestmark = pytest.mark.system

HELLO = b"hello"
ZSTD_HELLO = b"\x28\xb5\x2f\xfd" + b"\x20\x05" + (1 | 5 << 3).to_bytes(3, "little") + HELLO
"""One frame of one raw block (RFC 8878, 3.1.1)."""
BROTLI_HELLO = bytes.fromhex("0b028068656c6c6f03")

CODED = {
    "gzip": Gzip(),
    "x-gzip": Encoded("x-gzip", gzip.compress(DATA)),
    "gzip in capitals": Encoded("GZIP", gzip.compress(DATA)),
    "deflate": Encoded("deflate", zlib.compress(DATA)),
    "raw deflate": Encoded("deflate", zlib.compress(DATA, wbits=-15)),
    "deflate in gzip": Encoded("deflate, gzip", gzip.compress(zlib.compress(DATA))),
    "two members": Encoded("gzip", gzip.compress(DATA[:BREAK]) + gzip.compress(DATA[BREAK:])),
    "identity": Encoded("identity", DATA),
    "chunked gzip": (Gzip(), Chunked()),
}


@pytest.mark.parametrize("fault", CODED.values(), ids=CODED)
def test_an_encoded_body_is_decoded_whole(origin: Origin, store_dir: Path, fault: Item) -> None:
    heals(origin.serve("/a", DATA, always=[fault]), store_dir)


@pytest.mark.parametrize("coding,data", [("br", BROTLI_HELLO), ("zstd", ZSTD_HELLO)])
def test_a_body_encoded_as_brotli_or_zstd_is_decoded_or_refused(
    origin: Origin, store_dir: Path, coding: str, data: bytes
) -> None:
    url = origin.serve("/a", HELLO, always=[Encoded(coding, data)])
    heals_or_tells(InvalidResponse, url, store_dir, HELLO)


@pytest.mark.parametrize("coding,data", [("br", BROTLI_HELLO), ("zstd", ZSTD_HELLO)])
def test_a_brotli_or_zstd_body_that_is_cut_short_is_told(
    origin: Origin, store_dir: Path, coding: str, data: bytes
) -> None:
    url = origin.serve("/a", HELLO, always=[(Encoded(coding, data), CloseAt(len(data) - 3))])
    tells((BodyBroken, InvalidResponse), url, store_dir, HELLO)


def test_an_encoded_body_can_be_sought_in(origin: Origin, store_dir: Path) -> None:
    with opened(origin.serve("/a", DATA, always=[Gzip()]), store_dir) as stream:

        def work() -> None:
            stream.seek(250_000)
            assert stream.read(1000) == DATA[250_000:251_000]
            assert stream.seek(-5, 2) == len(DATA) - 5
            assert stream.read() == DATA[-5:]
            stream.seek(0)
            assert stream.read() == DATA

        within(work)
    assert all(each.range is None for each in origin.requests("/a"))


@pytest.mark.parametrize("at", [0, 10, 1000, -1])
def test_an_encoded_body_broken_off_once_heals(origin: Origin, store_dir: Path, at: int) -> None:
    stop = at if at >= 0 else len(gzip.compress(DATA, 1, mtime=0)) - 1
    heals(origin.serve("/a", DATA, always=[Gzip()], faults=[CloseAt(stop)]), store_dir)


def test_an_encoded_body_broken_off_each_time_is_told(origin: Origin, store_dir: Path) -> None:
    found = tells(BodyBroken, origin.serve("/a", DATA, always=[(Gzip(), CloseAt(BREAK))]), store_dir)
    assert found.data


@pytest.mark.parametrize("part", [0.3, 0.999])
def test_an_encoded_stream_that_stops_within_a_complete_body_is_told(
    origin: Origin, store_dir: Path, part: float
) -> None:
    coded = gzip.compress(DATA)
    url = origin.serve("/a", DATA, always=[Encoded("gzip", coded[: int(len(coded) * part)])])
    tells((BodyBroken, InvalidResponse), url, store_dir)


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd"])
def test_a_body_that_is_not_what_its_encoding_says_is_refused(origin: Origin, store_dir: Path, coding: str) -> None:
    found = outcome(origin.serve("/a", DATA, always=[Encoded(coding, b"<html>" * 100)]), store_dir)
    assert isinstance(found.error, NetError)
    assert found.data == b""


@pytest.mark.parametrize("coding", ["compress", "x-secret", "gzip, x-secret"])
def test_an_encoding_that_nobody_knows_is_refused(origin: Origin, store_dir: Path, coding: str) -> None:
    found = outcome(origin.serve("/a", DATA, always=[Encoded(coding, DATA)]), store_dir)
    assert isinstance(found.error, InvalidResponse)


@pytest.mark.parametrize("etag", ['"v1"', None])
def test_a_resume_that_comes_encoded_is_compared_and_used(origin: Origin, store_dir: Path, etag: str | None) -> None:
    url = origin.serve("/a", DATA, etag=etag, faults=[CloseAt(BREAK)], always=[when(ranged, Gzip())])
    heals(url, store_dir)


def test_a_body_that_is_encoded_at_first_and_not_later_heals(origin: Origin, store_dir: Path) -> None:
    heals(origin.serve("/a", DATA, faults=[(Gzip(), CloseAt(BREAK))]), store_dir)


def test_a_part_that_says_to_be_encoded_is_not_used(origin: Origin, store_dir: Path) -> None:
    lie = when(ranged, Header("Content-Encoding", "gzip"))
    heals(origin.serve("/a", DATA, faults=[CloseAt(BREAK)], always=[lie]), store_dir)
