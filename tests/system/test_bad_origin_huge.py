"""Files larger than 4 GiB, and than any disk: offsets are right wherever they are."""

from __future__ import annotations

from pathlib import Path

import pytest

from kithara_file import ResourceChanged
from tests.system.bad_origin import KIB, heals, opened, within
from tests.world import CloseAt, IgnoreRange, Origin, PatternBody, SayRange, StallAt, plain, ranged, when

pytestmark = pytest.mark.system

GIB = 1 << 30
SIZES = {"4 GiB and a byte": 4 * GIB + 1, "10 GiB": 10 * GIB, "5 TiB": 5 << 40}
huge = pytest.mark.parametrize("size", SIZES.values(), ids=SIZES)


def places(size: int) -> list[int]:
    """Return offsets around which arithmetic in 31, 32 or 33 bits goes wrong."""
    edges = [2**31, 2**32, 2**33, size // 2, size]
    return [each - 1000 for each in edges if each <= size] + [0]


@huge
def test_bytes_at_far_offsets_are_right(origin: Origin, store_dir: Path, size: int) -> None:
    body = PatternBody(size, seed=11)
    url = origin.serve("/a", body, always=[when(plain, StallAt(64 * KIB))])
    with opened(url, store_dir, look_ahead_bytes=64 * KIB) as stream:

        def work() -> None:
            assert stream.seek(0, 2) == size
            for start in places(size):
                stream.seek(start)
                assert stream.read(3000) == body[start : start + 3000]

        within(work)


@huge
def test_bytes_at_far_offsets_are_there_after_a_restart(origin: Origin, store_dir: Path, size: int) -> None:
    body = PatternBody(size, seed=11)
    url = origin.serve("/a", body, always=[when(plain, StallAt(64 * KIB))])
    for offline in (False, True):
        with opened(url, store_dir, look_ahead_bytes=64 * KIB, offline_mode=offline) as stream:
            for start in places(size):
                stream.seek(start)
                assert within(lambda: stream.read(1000)) == body[start : start + 1000]


@huge
def test_a_break_at_a_far_offset_heals(origin: Origin, store_dir: Path, size: int) -> None:
    body = PatternBody(size, seed=11)
    url = origin.serve(
        "/a", body, always=[when(plain, StallAt(64 * KIB))], faults=[None, *[when(ranged, CloseAt(100_000))] * 3]
    )
    start = size - 400_000
    with opened(url, store_dir, look_ahead_bytes=1 << 20) as stream:
        stream.seek(start)
        assert within(lambda: stream.read(400_000)) == body[start:]
        assert within(lambda: stream.read(1)) == b""


def test_a_total_cut_to_32_bits_is_not_mixed_in(origin: Origin, store_dir: Path) -> None:
    body = PatternBody(5 * GIB, seed=11)
    wrapped = when(ranged, SayRange(total=5 * GIB - 4 * GIB))
    url = origin.serve("/a", body, always=[when(plain, StallAt(64 * KIB)), wrapped])
    with opened(url, store_dir) as stream:
        assert within(lambda: stream.read(1000)) == body[:1000]
        stream.seek(10_000_000)
        with pytest.raises(ResourceChanged):
            within(lambda: stream.read(1000))


def test_a_huge_origin_that_ignores_ranges_still_gives_its_beginning(origin: Origin, store_dir: Path) -> None:
    body = PatternBody(10 * GIB, seed=11)
    url = origin.serve("/a", body, always=[IgnoreRange()], faults=[CloseAt(100_000)])
    with opened(url, store_dir, look_ahead_bytes=64 * KIB) as stream:
        assert within(lambda: stream.read(1_000_000)) == body[:1_000_000]


def test_a_sparse_file_on_a_disk_is_read_like_any_other(origin: Origin, store_dir: Path, tmp_path: Path) -> None:
    path = tmp_path / "sparse"
    with path.open("wb") as file:
        file.truncate(10 * GIB)
        file.seek(9 * GIB)
        file.write(b"here")
    url = origin.serve("/a", path, always=[when(plain, StallAt(64 * KIB))])
    with opened(url, store_dir) as stream:
        stream.seek(9 * GIB - 4)
        assert within(lambda: stream.read(12)) == b"\0\0\0\0here\0\0\0\0"
    disk = sum(each.stat().st_blocks * 512 for each in store_dir.rglob("*") if each.is_file())
    assert disk < 64 << 20


def test_a_file_of_one_byte_is_as_good(origin: Origin, store_dir: Path) -> None:
    heals(origin.serve("/a", b"x"), store_dir, b"x")
