"""The values that describe sound."""

from __future__ import annotations

import pytest

from kithara_file.audio.media import Block, Cover, Spec
from kithara_file.errors import ConfigError


@pytest.mark.parametrize("rate, channels", [(0, 2), (44_100, 0), (-1, 1)])
def test_a_spec_that_cannot_be_heard_cannot_be_made(rate: int, channels: int) -> None:
    with pytest.raises(ConfigError, match="cannot be heard"):
        Spec(rate, channels)


def test_seconds_and_frames_are_each_others_inverse() -> None:
    spec = Spec(44_100, 2)
    assert [spec.frames(spec.seconds(frame)) for frame in (0, 1, 12_345_678)] == [0, 1, 12_345_678]


def test_silence_has_the_shape_of_the_spec() -> None:
    assert Spec(8000, 3).silence(5).shape == (5, 3)
    assert not Spec(8000, 3).silence(5).any()


def test_a_block_ends_after_its_last_frame() -> None:
    block = Block(100, Spec(8000, 1).silence(28))
    assert block.end == 128
    assert repr(block) == "<Block 100 to 128>"


def test_a_cover_does_not_print_its_picture() -> None:
    assert "x" * 9 not in repr(Cover("image/png", b"x" * 9))
