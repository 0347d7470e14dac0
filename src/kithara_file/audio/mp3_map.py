"""Where in an MP3 does frame number n begin: what is known for certain, and what a table or the bit rate suggests.

Pure. Must not know: files, decoders.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass

from kithara_file.audio.mp3 import FrameHead, Table

ANCHOR_EVERY = 16
LAST_LOOK = 4096
"""No guess is nearer to the end than this, so that a frame is found behind it."""


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
        self._island: list[Anchor] = []

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
        return None if end is None else max(1, int((end - self.first) / self._mean_size))

    @property
    def _mean_size(self) -> float:
        """Bytes of a frame, on average over the table, or else over what was counted."""
        last = self._anchors[-1]
        if self.constant or not (self._told or last.frame):
            return self.head.mean_size
        return self._told or (last.offset - self.first) / last.frame

    @property
    def _told(self) -> float | None:
        table, end = self.table, self.end
        return None if table is None or not table.frames or end is None else (end - self.first) / table.frames

    @property
    def end(self) -> int | None:
        """Where the sound ends, in bytes."""
        if self.table is not None and self.table.length is not None:
            return self._table_at + self.table.length
        return self._length

    def learn(self, frame: int, offset: int) -> None:
        """Remember for certain where a frame begins; only every so often, so that it stays small."""
        _append(self._anchors, frame, offset)

    def land(self, frame: int, offset: int) -> None:
        """Remember where a guess has led: what is near it is told from there, so that it is as far off and not more."""
        self._island = [Anchor(frame, offset)]

    def explore(self, frame: int, offset: int) -> None:
        """Remember a frame that was counted from where a guess has led."""
        _append(self._island, frame, offset)

    def known(self, frame: int) -> Anchor:
        """Return the nearest known place at or before `frame`."""
        return self._anchors[_index(self._anchors, frame)]

    def near_guess(self, frame: int, reach: int) -> Anchor | None:
        """Return the nearest place that was counted from the last guess, at most `reach` bytes before `frame`."""
        index = _index(self._island, frame)
        anchor = self._island[index] if index >= 0 else None
        return anchor if anchor is not None and self.guess(frame) - self.guess(anchor.frame) <= reach else None

    def guess(self, frame: int) -> int:
        """Return about where `frame` begins: to a byte or so when the bit rate is constant."""
        if self.constant or self.table is None or not self.table.entries:
            at = self.first + round(frame * self._mean_size)
        else:
            at = self._by_table(frame, self.table.entries)
        return at if self.end is None or self.constant else max(self.first, min(at, self.end - LAST_LOOK))

    def _by_table(self, frame: int, entries: tuple[int, ...]) -> int:
        offsets = [max(self.first, self._table_at + entry) for entry in entries]
        step = min(1.0, frame / max(1, self.frames or 1)) * (len(offsets) - 1)
        index = min(int(step), len(offsets) - 2)
        return round(offsets[index] + (offsets[index + 1] - offsets[index]) * (step - index))

    def __repr__(self) -> str:
        kind = "constant" if self.constant else "varying"
        return f"<Mp3Map {self.frames} frames · {kind} · {len(self._anchors)} known>"


def _append(anchors: list[Anchor], frame: int, offset: int) -> None:
    last = anchors[-1]
    if frame >= last.frame + ANCHOR_EVERY and offset > last.offset:
        anchors.append(Anchor(frame, offset))


def _index(anchors: list[Anchor], frame: int) -> int:
    """Return which anchor is the last at or before `frame`; below zero when none is."""
    return bisect_right(anchors, frame, key=lambda anchor: anchor.frame) - 1
