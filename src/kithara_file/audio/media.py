"""What kind of sound is this: the values which describe it, and a block of it.

Must not know: where the bytes came from, how they were decoded, who listens.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from kithara_file.errors import ConfigError

Samples: TypeAlias = NDArray[np.float32]
"""PCM as float32 of shape (frames, channels), full scale ±1."""


@dataclass(frozen=True, slots=True)
class Spec:
    """The shape of PCM: frames per second, and channels per frame."""

    sample_rate: int
    channels: int

    def __post_init__(self) -> None:
        if self.sample_rate < 1 or self.channels < 1:
            msg = f"{self.sample_rate} Hz with {self.channels} channels cannot be heard"
            raise ConfigError(msg)

    def seconds(self, frames: int) -> float:
        """Return how long `frames` last."""
        return frames / self.sample_rate

    def frames(self, seconds: float) -> int:
        """Return the frame nearest to a moment."""
        return round(seconds * self.sample_rate)

    def silence(self, frames: int) -> Samples:
        """Return `frames` of it."""
        return np.zeros((frames, self.channels), np.float32)

    def empty(self, frames: int) -> Samples:
        """Return memory for `frames`, to be written to."""
        return np.empty((frames, self.channels), np.float32)


@dataclass(frozen=True, slots=True)
class Block:
    """Frames which follow each other, and the position of the first on the timeline of its track."""

    start: int
    samples: Samples

    @property
    def end(self) -> int:
        """The position after its last frame."""
        return self.start + len(self.samples)

    def __repr__(self) -> str:
        return f"<Block {self.start} to {self.end}>"


@dataclass(frozen=True, slots=True)
class Cover:
    """A picture that came with the sound, as it is in the file."""

    media_type: str
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class MediaInfo:
    """What the file says of itself; `spec` is that of the source, before any conversion."""

    codec: str
    container: str
    spec: Spec
    bit_rate: int | None
    """Bits per second, over all."""
    duration: float | None
    """Seconds; None when nobody can tell before the end."""
    tags: Mapping[str, str]
    """As written in the file, with the keys in lower case."""
    cover: Cover | None = None
