"""Bodies: their bytes, and that a misplaced one is noticed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.world import BytesBody, FileBody, PatternBody, digest
from tests.world.body import MIB, Body, pieces

SIZE = 3 * MIB + 12_345


@pytest.fixture(params=["bytes", "file", "pattern"])
def body(request: pytest.FixtureRequest, tmp_path: Path) -> Body:
    pattern = PatternBody(SIZE)
    (tmp_path / "body").write_bytes(pattern[:])
    kinds: dict[str, Body] = {
        "bytes": BytesBody(pattern[:]),
        "file": FileBody(tmp_path / "body"),
        "pattern": pattern,
    }
    return kinds[request.param]


def test_pieces_of_every_kind_of_body_join_to_the_same_bytes(body: Body) -> None:
    whole = PatternBody(SIZE)[:]
    assert body.length == SIZE
    for start, stop in [(0, SIZE), (MIB - 5, MIB + 5), (SIZE - 1, SIZE), (7, 7), (0, 1)]:
        assert b"".join(pieces(body, start, stop)) == whole[start:stop]


def test_pattern_is_the_same_each_time_and_differs_by_seed() -> None:
    assert digest(PatternBody(SIZE, 1)) == digest(PatternBody(SIZE, 1))
    assert digest(PatternBody(SIZE, 1)) != digest(PatternBody(SIZE, 2))


@pytest.mark.parametrize("shift", [1, 4, 255, 256, 4096, 65_536, MIB, 2 * MIB, 1 << 32])
def test_no_span_of_a_pattern_equals_a_shifted_one(shift: int) -> None:
    body = PatternBody(1 << 34)
    for start in range(0, 16 * MIB, 977 * 1024):
        assert body[start : start + 260] != body[start + shift : start + shift + 260]


def test_pattern_of_any_size_is_read_at_its_far_end() -> None:
    body = PatternBody(1 << 40)
    assert len(body[(1 << 40) - 100 :]) == 100
