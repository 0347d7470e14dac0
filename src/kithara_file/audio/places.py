"""Where do decoded pieces belong, when the stamps on their packets are not always right.

FFmpeg stamps a Vorbis packet at a change of window size by up to 2032 frames too early or too late, and is right again
at the next. What a decoder gives can be counted, though: the count is right, and stamps only say where it begins. Pure.
Must not know: packets, decoders.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Protocol

from kithara_file.audio.media import Samples

PERSISTS = 3
"""So many stamps in a row which say the same of the count are right, and the count is wrong: something was lost."""
PATIENCE = 24
"""Pieces by which the beginning of a count is settled, if the target is not reached before."""


@dataclass(frozen=True, slots=True)
class Piece:
    """What one packet gave: its stamp, and where its sound ends if that was told."""

    stamp: int | None
    samples: Samples
    end: int | None = None


class Places(Protocol):
    """Puts pieces into their places."""

    def put(self, piece: Piece) -> list[Piece]:
        """Take a piece; return those whose places are certain now, with them."""

    def rest(self) -> list[Piece]:
        """Return what is left, at the end."""


class Stamped:
    """Believes every stamp."""

    def put(self, piece: Piece) -> list[Piece]:
        """Return it as it is."""
        return [piece]

    def rest(self) -> list[Piece]:
        """Nothing is held."""
        return []


class Counted:
    """Counts, from the place on which most of the first stamps agree."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._held: list[Piece] = []
        self._base: int | None = None
        self._count = 0
        self._doubts: list[int] = []

    def put(self, piece: Piece) -> list[Piece]:
        """Hold pieces until the target, or enough of them, have come; count from then on."""
        if self._base is not None:
            return [self._counted(piece)]
        self._held.append(piece)
        reached = piece.stamp is not None and piece.stamp + len(piece.samples) > self._target
        if len(self._held) < PATIENCE and not (reached and len(self._held) > PERSISTS):
            return []
        return self.rest()

    def rest(self) -> list[Piece]:
        """Settle where the count begins, and return what was held."""
        held, self._held = self._held, []
        count, votes = 0, Counter[int]()
        for piece in held:
            if piece.stamp is not None:
                votes[piece.stamp - count] += 1
            count += len(piece.samples)
        self._base = votes.most_common(1)[0][0] if votes else self._target
        return [self._counted(piece) for piece in held]

    def _counted(self, piece: Piece) -> Piece:
        assert self._base is not None
        place = self._base + self._count
        if piece.stamp is not None and self._believes(piece.stamp - place):
            self._base += piece.stamp - place
            place = piece.stamp
        self._count += len(piece.samples)
        return Piece(place, piece.samples, piece.end)

    def _believes(self, off: int) -> bool:
        if not off or (self._doubts and self._doubts[-1] != off):
            self._doubts.clear()
        if off:
            self._doubts.append(off)
        return len(self._doubts) >= PERSISTS
