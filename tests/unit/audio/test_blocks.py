"""Where a block stands in the file is where it stands in the sound."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kithara_file.audio.blocks import Blocks

BLOCKS = Blocks(94, 4096, 4068, Fraction(16_000, 44_100))


def test_a_place_is_told_by_the_byte() -> None:
    assert [BLOCKS.place(94 + number * 4096) for number in range(3)] == [0, 4068, 8136]
    assert BLOCKS.place(94 + 1024) == 1017
    assert [BLOCKS.begins(94 + by) for by in (0, 1, 4096)] == [True, False, True]


@pytest.mark.parametrize("align, rate", [(1024, 16_000), (1, 4000), (1, 3000), (4096, 44_362)])
@given(frame=st.integers(0, 10**8))
def test_what_is_asked_leads_to_the_block_that_holds_the_frame(align: int, rate: int, frame: int) -> None:
    blocks = Blocks(94, 4096 if align > 1 else 192, 4068, Fraction(rate, 44_100))
    # As FFmpeg's `ff_pcm_read_seek` has it.
    found = blocks.first + blocks.asked(frame) * rate // (44_100 * align) * align
    assert blocks.begins(found)
    assert blocks.place(found) <= frame < blocks.place(found) + blocks.frames
