"""Packets of which so many bytes are always so many frames, as telephony and ADPCM have them in WAV.

FFmpeg searches such a file by the bytes per second that its head tells, which FFmpeg's own muxer does not know, and
stamps what it finds by them too. Where a packet stands tells its place to the frame. Pure. Must not know: files,
codecs.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import ceil


@dataclass(frozen=True, slots=True)
class Blocks:
    """Blocks of `size` bytes and `frames` frames, the first of them at byte `first` of the file."""

    first: int
    size: int
    frames: int
    bytes_per_frame: Fraction
    """What the head of the file suggests, and is searched by: not the truth."""

    def place(self, offset: int) -> int:
        """Return the frame that begins at byte `offset`."""
        return (offset - self.first) * self.frames // self.size

    def begins(self, offset: int) -> bool:
        """Return whether a block begins at byte `offset`."""
        return (offset - self.first) % self.size == 0

    def asked(self, frame: int) -> int:
        """Return the frame to ask FFmpeg for in order to be led to the begin of the block that holds `frame`."""
        return ceil(frame // self.frames * self.size / self.bytes_per_frame)
