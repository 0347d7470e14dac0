"""The rate and the channels change, and nothing else does."""

from __future__ import annotations

from typing import get_args

import numpy as np
import pytest

from kithara_file.audio.converter import Converter, Quality, check_quality
from kithara_file.audio.media import Samples, Spec
from kithara_file.errors import ConfigError
from tests.world.music import music, sine

RATES = [(44_100, 48_000), (48_000, 44_100), (44_100, 22_050), (8000, 48_000), (96_000, 44_100), (11_025, 16_000)]


def run(converter: Converter, samples: Samples, step: int = 1000) -> Samples:
    parts = [converter.feed(samples[at : at + step]) for at in range(0, len(samples), step)]
    return np.concatenate([*parts, converter.finish()])


def test_the_same_spec_hands_over_what_it_was_given() -> None:
    converter = Converter(Spec(44_100, 2), Spec(44_100, 2))
    samples = music(0.1)
    assert converter.feed(samples) is samples
    assert converter.start(12_345) == 12_345
    assert len(converter.finish()) == 0


@pytest.mark.parametrize("source, target", RATES)
def test_the_length_is_that_of_the_ratio(source: int, target: int) -> None:
    converter = Converter(Spec(source, 1), Spec(target, 1))
    samples = music(0.517, source, 1)
    assert len(run(converter, samples)) == converter.length(len(samples))


@pytest.mark.parametrize("quality", get_args(Quality))
@pytest.mark.parametrize("source, target", RATES)
def test_a_start_anywhere_gives_what_a_whole_run_gives_there(source: int, target: int, quality: Quality) -> None:
    samples = music(1.3, source, 2)
    converter = Converter(Spec(source, 2), Spec(target, 2), quality)
    whole = run(converter, samples)
    for frame in (0, 1, 777, len(whole) // 2, len(whole) - 3):
        rest = run(converter, samples[converter.start(frame) :])
        assert len(rest) == len(whole) - frame
        assert np.abs(rest - whole[frame:]).max() < 1e-4


@pytest.mark.parametrize("quality", ["good", "high", "maximum"])
def test_a_tone_stays_the_tone_that_it_was(quality: Quality) -> None:
    converter = Converter(Spec(44_100, 2), Spec(48_000, 2), quality)
    got = run(converter, sine(44_100))
    assert np.abs(got - sine(48_000, sample_rate=48_000))[500:-500].max() < 1e-3


def test_channels_change_with_the_rate_on_either_side_of_it() -> None:
    samples = music(0.3, 44_100, 1)
    up = run(Converter(Spec(44_100, 1), Spec(48_000, 2)), samples)
    assert np.array_equal(up[:, 0], up[:, 1])
    down = run(Converter(Spec(44_100, 2), Spec(48_000, 1)), np.repeat(samples, 2, 1))
    assert np.abs(down[:, 0] - up[:, 0]).max() < 1e-5


def test_lengths_are_told_in_both_directions() -> None:
    converter = Converter(Spec(44_100, 2), Spec(48_000, 2))
    assert converter.length(44_100) == 48_000
    assert converter.source_length(48_000) == 44_100


def test_a_quality_that_is_none_is_refused() -> None:
    with pytest.raises(ConfigError, match="fast, normal, good, high, maximum"):
        check_quality("best")
