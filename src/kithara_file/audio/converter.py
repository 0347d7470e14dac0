"""From the source's rate and channels to the listener's, in a stream that may begin anywhere.

soxr's output after a jump is what it would have been without one, to the last bits of a float: both rates have a
common grid, and the resampler begins on it, far enough ahead to know its neighbours. Must not know: decoders, files.
"""

from __future__ import annotations

from math import gcd
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
import soxr  # type: ignore[import-untyped]

from kithara_file.audio.media import Samples, Spec
from kithara_file.audio.mixing import Mixer
from kithara_file.errors import ConfigError

Quality: TypeAlias = Literal["fast", "normal", "good", "high", "maximum"]

_SOXR = {"fast": "QQ", "normal": "LQ", "good": "MQ", "high": "HQ", "maximum": "VHQ"}
WARM_UP = 2048
"""Frames of the source: longer than the filter of the highest quality."""


def check_quality(quality: str) -> None:
    """Raise `ConfigError` when there is no such quality."""
    if quality not in get_args(Quality):
        msg = f"quality cannot be {quality!r}, only one of {', '.join(get_args(Quality))}"
        raise ConfigError(msg)


class Converter:
    """Converts blocks of one track in order; costs nothing when both specs are the same."""

    def __init__(self, source: Spec, target: Spec, quality: Quality = "high") -> None:
        check_quality(quality)
        self.source = source
        self.target = target
        common = gcd(source.sample_rate, target.sample_rate)
        self._steps = source.sample_rate // common, target.sample_rate // common
        self._mixer = Mixer(source.channels, target.channels)
        # The fewer channels are resampled.
        self._mix_first = target.channels <= source.channels
        self._quality = quality
        self._resampler = self._new_resampler()
        self._skip = 0

    @property
    def _same_rate(self) -> bool:
        return self.source.sample_rate == self.target.sample_rate

    def _new_resampler(self) -> Any:
        if self._same_rate:
            return None
        channels = min(self.source.channels, self.target.channels)
        rates = self.source.sample_rate, self.target.sample_rate
        return soxr.ResampleStream(*rates, channels, dtype="float32", quality=_SOXR[self._quality])

    def length(self, frames: int) -> int:
        """Return how many frames `frames` of the source become."""
        down, up = self._steps
        return (2 * frames * up + down) // (2 * down)

    def source_length(self, frames: int) -> int:
        """Return how many frames of the source become about `frames`."""
        down, up = self._steps
        return frames * down // up

    def start(self, frame: int) -> int:
        """Let the next output be frame number `frame`; return the frame of the source from which to feed."""
        if self._same_rate:
            return frame
        down, up = self._steps
        grid = max(0, (frame * down // up - WARM_UP) // down)
        self._resampler.clear()
        self._skip = frame - grid * up
        return grid * down

    def feed(self, samples: Samples) -> Samples:
        """Return what comes out for `samples`: it may lag behind, and be empty."""
        if self._mix_first:
            samples = self._mixer(samples)
        if self._resampler is not None:
            samples = self._cut(self._resampler.resample_chunk(np.ascontiguousarray(samples)))
        return samples if self._mix_first else self._mixer(samples)

    def finish(self) -> Samples:
        """Return what is left at the end of the track."""
        if self._resampler is None:
            return self.target.silence(0)
        channels = min(self.source.channels, self.target.channels)
        samples = self._cut(self._resampler.resample_chunk(np.empty((0, channels), np.float32), last=True))
        return samples if self._mix_first else self._mixer(samples)

    def _cut(self, samples: Samples) -> Samples:
        skip = min(self._skip, len(samples))
        self._skip -= skip
        return samples[skip:] if skip else samples

    def __repr__(self) -> str:
        return f"<Converter {self.source} to {self.target} · {self._quality}>"
