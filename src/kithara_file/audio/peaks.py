"""The shape of sound: for each of so many columns how low, how high, and how loud (root mean square).

Takes sound of any length, also of one that nobody knows before its end, in memory that does not grow with it: frames
are gathered in bins, and each time there are too many, two become one. Pure. Must not know: where sound comes from,
how it is drawn.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kithara_file.audio.media import Samples
from kithara_file.errors import ConfigError

FINENESS = 32
"""A column has at least half so many bins, so that its edge is off by no more than a sixteenth of it."""

_Rows = NDArray[np.float32]
"""Lowest, highest, and mean square, in three rows."""


@dataclass(frozen=True, slots=True)
class Column:
    """The lowest and highest sample in it, of any channel, and the root mean square of all."""

    low: float
    high: float
    rms: float


class Peaks:
    """Gathers the shape of sound, to be told in `width` columns."""

    def __init__(self, width: int) -> None:
        if width < 1:
            msg = f"There is no shape of {width} columns"
            raise ConfigError(msg)
        self.width = width
        self.frames = 0
        """How many frames were fed."""
        self._size = 1
        self._bins: _Rows = np.empty((3, FINENESS * width), np.float32)
        self._count = 0
        self._rest: _Rows = np.empty((3, 0), np.float32)

    def feed(self, samples: Samples) -> None:
        """Take what comes next."""
        self.frames += len(samples)
        self._rest = np.hstack((self._rest, _rows(samples)))
        while count := min(self._rest.shape[1] // self._size, self._bins.shape[1] - self._count):
            self._gather(count)
            if self._count == self._bins.shape[1]:
                self._halve()

    def _gather(self, count: int) -> None:
        used = count * self._size
        self._bins[:, self._count : self._count + count] = _merged(self._rest[:, :used], self._size)
        self._count += count
        self._rest = self._rest[:, used:]

    def _halve(self) -> None:
        self._count //= 2
        self._size *= 2
        self._bins[:, : self._count] = _merged(self._bins, 2)

    def columns(self) -> list[Column]:
        """Return the shape of what came so far; where there was nothing it is flat."""
        bins = self._bins[:, : self._count]
        if self._rest.shape[1]:
            bins = np.hstack((bins, _merged(self._rest, self._rest.shape[1])))
        count = bins.shape[1]
        if not count:
            return [Column(0.0, 0.0, 0.0)] * self.width
        starts = np.arange(self.width) * count // self.width
        low = np.minimum.reduceat(bins[0], starts)
        high = np.maximum.reduceat(bins[1], starts)
        sizes = np.maximum(1, np.diff(starts, append=count))
        rms = np.sqrt(np.add.reduceat(bins[2], starts) / sizes)
        return [Column(*map(float, each)) for each in zip(low, high, rms, strict=True)]

    def __repr__(self) -> str:
        return f"<Peaks of {self.frames} frames in {self._count} bins of {self._size}>"


def _rows(samples: Samples) -> _Rows:
    return np.stack((samples.min(axis=1), samples.max(axis=1), np.square(samples).mean(axis=1)))


def _merged(rows: _Rows, size: int) -> _Rows:
    """Return one bin for every `size` of `rows`."""
    groups = rows.reshape(3, -1, size)
    return np.stack((groups[0].min(axis=1), groups[1].max(axis=1), groups[2].mean(axis=1)))
