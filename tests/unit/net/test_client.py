"""The values of the seam."""

from __future__ import annotations

from kithara_file.net.client import WHOLE, Chunk
from kithara_file.ranges import ByteRange, OpenRange


def test_a_chunk_ends_after_its_last_byte() -> None:
    assert Chunk(5, (b"ab", b"c"), 3).end == 8


def test_a_want_names_itself() -> None:
    assert [str(want) for want in (WHOLE, OpenRange(5), ByteRange(5, 9))] == ["all", "5-", "5-8"]
