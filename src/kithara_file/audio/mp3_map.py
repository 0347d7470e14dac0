"""Where in an MP3 does frame number n begin: what is known for certain, and what a table or the bit rate suggests.

Pure. Must not know: files, decoders.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass

from kithara_file.audio.mp3 import FrameHead, Table

ANCHOR_EVERY = 16


@dataclass(frozen=True, slots=True)
class Anchor:
    """Frame number `frame` begins at byte `offset`."""

    frame: int
    offset: int


class Mp3Map:
    """Frames and bytes of one MP3. Frame 0 is the first that holds sound."""

    def __init__(self, first: int, head: FrameHead, table: Table | None, table_at: int, length: int | None) -> None:
        self.head = head
        self.table = table
        self.constant = table is None or table.constant
        """True until a frame of another bit rate was seen."""
        self._table_at = table_at
        self._length = length
        self._anchors = [Anchor(0, first)]

    @property
    def first(self) -> int:
        """Where frame 0 begins."""
        return self._anchors[0].offset

    @property
    def frames(self) -> int | None:
        """How many frames there are, as far as can be told; exact only with a table."""
        if self.table is not None and self.table.frames is not None:
            return self.table.frames
        end = self.end
        return None if end is None else max(1, int((end - self.first) / self.head.mean_size))

    @property
    def end(self) -> int | None:
        """Where the sound ends, in bytes."""
        if self.table is not None and self.table.length is not None:
            return self._table_at + self.table.length
        return self._length

    def learn(self, frame: int, offset: int) -> None:
        """Remember for certain where a frame begins; only every so often, so that it stays small."""
        last = self._anchors[-1]
        if frame >= last.frame + ANCHOR_EVERY and offset > last.offset:
            self._anchors.append(Anchor(frame, offset))

    def known(self, frame: int) -> Anchor:
        """Return the nearest known place at or before `frame`."""
        return self._anchors[bisect_right(self._anchors, frame, key=lambda anchor: anchor.frame) - 1]

    def guess(self, frame: int) -> int:
        """Return about where `frame` begins: to a byte or so when the bit rate is constant."""
        if self.constant:
            return self.first + round(frame * self.head.mean_size)
        share, offsets = self._share(frame), self._offsets()
        step = share * (len(offsets) - 1)
        index = min(int(step), len(offsets) - 2)
        return round(offsets[index] + (offsets[index + 1] - offsets[index]) * (step - index))

    def frame_at(self, offset: int) -> int:
        """Return about which frame begins at `offset`."""
        if self.constant:
            return round((offset - self.first) / self.head.mean_size)
        offsets, frames = self._offsets(), self.frames or 1
        index = min(max(bisect_right(offsets, offset) - 1, 0), len(offsets) - 2)
        width = max(1, offsets[index + 1] - offsets[index])
        return round(frames * (index + min(1.0, (offset - offsets[index]) / width)) / (len(offsets) - 1))

    def _share(self, frame: int) -> float:
        return min(1.0, max(0.0, frame / max(1, self.frames or 1)))

    def _offsets(self) -> list[int]:
        if self.table is not None and self.table.entries:
            return [max(self.first, self._table_at + entry) for entry in self.table.entries]
        return [self.first, self.end or self.first + 1]

    def __repr__(self) -> str:
        kind = "constant" if self.constant else "varying"
        return f"<Mp3Map {self.frames} frames · {kind} · {len(self._anchors)} known>"
