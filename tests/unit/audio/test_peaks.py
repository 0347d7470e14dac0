"""The shape is that of the sound, however long it is and in whatever pieces it comes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kithara_file.audio.media import Samples
from kithara_file.audio.peaks import FINENESS, Column, Peaks
from kithara_file.errors import ConfigError
from tests.world.music import music

SOUND = music(3.0, 8000)


def fed(sound: Samples, width: int, step: int = 1000) -> Peaks:
    peaks = Peaks(width)
    for start in range(0, len(sound), step):
        peaks.feed(sound[start : start + step])
    return peaks


@given(frames=st.integers(1, 640), width=st.integers(1, 20), step=st.integers(1, 700))
def test_each_column_is_exact_while_every_frame_has_a_bin(frames: int, width: int, step: int) -> None:
    frames = min(frames, width * FINENESS - 1)
    sound = SOUND[:frames]
    edges = [number * frames // width for number in range(width + 1)]
    for column, start, end in zip(fed(sound, width, step).columns(), edges[:-1], edges[1:], strict=True):
        part = sound[start : max(end, start + 1)]
        assert column.low == part.min()
        assert column.high == part.max()
        assert column.rms == pytest.approx(np.sqrt(np.mean(np.square(part))), rel=1e-3, abs=1e-6)


def test_nothing_is_lost_of_a_long_sound() -> None:
    peaks = fed(SOUND, 10, step=777)
    columns = peaks.columns()
    assert peaks.frames == len(SOUND)
    assert min(each.low for each in columns) == SOUND.min()
    assert max(each.high for each in columns) == SOUND.max()
    assert repr(peaks).startswith("<Peaks of 24000 frames in ")


def test_loud_and_silent_parts_stand_where_they_are() -> None:
    sound = np.zeros((90_000, 2), np.float32)
    sound[30_000:60_000, 1] = 0.5
    columns = fed(sound, 30).columns()
    assert [each.high for each in columns[11:19]] == [0.5] * 8
    assert [each.rms for each in columns[11:19]] == pytest.approx([0.5 / 2**0.5] * 8)
    assert columns[:9] == columns[21:] == [Column(0.0, 0.0, 0.0)] * 9


def test_memory_does_not_grow_with_the_sound() -> None:
    peaks = Peaks(4)
    for _ in range(200):
        peaks.feed(SOUND[:5000])
    assert peaks._bins.nbytes + peaks._rest.nbytes < 300_000
    assert len(peaks.columns()) == 4


def test_no_sound_is_flat() -> None:
    assert Peaks(3).columns() == [Column(0.0, 0.0, 0.0)] * 3


def test_a_shape_without_columns_is_refused() -> None:
    with pytest.raises(ConfigError):
        Peaks(0)
