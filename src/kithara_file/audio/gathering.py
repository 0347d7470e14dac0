"""What one read has got together, in memory that was asked for once.

A read of a whole track is a quarter of a gigabyte: to collect its blocks and join them would need that twice. Pure.
Must not know: rings, threads.
"""

from __future__ import annotations

from kithara_file.audio.media import Samples, Spec
from kithara_file.audio.splice import joined

MORE = 65_536
"""Frames to ask for when more come than were expected; as many as there are already, when those are more."""
MOST = 1 << 26
"""Frames to ask for at once, whatever a file says of its length."""


class Gathering:
    """Frames of one epoch on their way to one reader, who wants `frames` and may get `expected`."""

    def __init__(self, spec: Spec, epoch: int, frames: int, expected: int) -> None:
        self.epoch = epoch
        self.left = frames
        """How many are still wanted."""
        self._spec = spec
        self._done: list[Samples] = []
        self._page = self._new_page(expected)
        self._used = 0

    def _new_page(self, frames: int) -> Samples:
        return self._spec.empty(min(self.left, max(frames, 1), MOST))

    @property
    def space(self) -> Samples:
        """Where the next frames go; not empty while any are wanted."""
        if self._used == len(self._page):
            self._done, self._used = self.pieces, 0
            self._page = self._new_page(max(MORE, sum(map(len, self._done))))
        return self._page[self._used :]

    def add(self, frames: int) -> None:
        """Count frames that were written into `space`."""
        self._used += frames
        self.left -= frames

    @property
    def pieces(self) -> list[Samples]:
        """What came, in order."""
        return [*self._done, self._page[: self._used]]

    @property
    def samples(self) -> Samples:
        """What came, as one array."""
        return joined([piece for piece in self.pieces if len(piece)] or self.pieces[:1])

    def __repr__(self) -> str:
        return f"<Gathering epoch {self.epoch} · {self.left} frames left>"
