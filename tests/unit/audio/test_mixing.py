"""Channels to channels."""

from __future__ import annotations

import numpy as np
import pytest

from kithara_file.audio.mixing import Mixer, gains


def mixed(values: list[float], target: int) -> list[float]:
    samples = np.array([values], np.float32)
    return [round(float(value), 4) for value in Mixer(len(values), target)(samples)[0]]


def test_the_same_number_of_channels_costs_nothing() -> None:
    samples = np.zeros((4, 2), np.float32)
    assert Mixer(2, 2)(samples) is samples


def test_mono_is_as_loud_from_both_sides() -> None:
    assert mixed([0.5], 2) == [0.5, 0.5]
    assert mixed([0.5], 6) == [0.5, 0.5, 0.0, 0.0, 0.0, 0.0]


def test_stereo_becomes_its_mean() -> None:
    assert mixed([0.5, 0.25], 1) == [0.375]


def test_surround_is_folded_and_the_bass_left_out() -> None:
    left, right = mixed([0.0, 0.0, 1.0, 0.0, 0.0, 0.0], 2)
    assert left == right == pytest.approx(0.7071 / 2.4142, abs=1e-3)
    assert mixed([0.0, 0.0, 0.0, 1.0, 0.0, 0.0], 2) == [0.0, 0.0]


def test_channels_that_exist_on_both_sides_stay_where_they_are() -> None:
    assert mixed([0.1, 0.2], 6) == [0.1, 0.2, 0.0, 0.0, 0.0, 0.0]
    assert mixed([0.1, 0.2, 0.3, 0.4, 0.5, 0.6], 8)[:6] == [0.1, 0.2, 0.3, 0.4, 0.5, 0.6]


@pytest.mark.parametrize("source", range(1, 12))
@pytest.mark.parametrize("target", range(1, 12))
def test_no_mix_can_clip(source: int, target: int) -> None:
    assert gains(source, target).sum(axis=0).max() <= 1.0001
