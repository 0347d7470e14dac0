"""Where do decoded pieces belong, when the stamps on their packets are not always right.

FFmpeg stamps a Vorbis packet at a change of window size by up to 2032 frames too early or too late, and is right again
at the next; the clock of Matroska ticks in milliseconds. What a decoder gives can be counted, though: the count is
right, and stamps only say where it begins. Pure. Must not know: packets, decoders.
"""

from __future__ import annotations

from collections import Counter
from itertools import accumulate
from typing import NamedTuple, Protocol

from kithara_file.audio.media import Samples

PERSISTS = 3
"""So many stamps in a row which say the same of the count are right, and the count is wrong: something was lost."""
PATIENCE = 24
"""Pieces by which the beginning of a count is settled, if the target is not reached before."""


class Piece(NamedTuple):
    """What one packet gave: its stamp, and where its sound ends if that was told."""

    stamp: int | None
    samples: Samples
    end: int | None = None


class Places(Protocol):
    """Puts pieces into their places."""

    def put(self, piece: Piece, expected: int | None) -> list[Piece]:
        """Take a piece, which would stand at `expected` if nothing was lost; return those whose places are certain."""

    def rest(self) -> list[Piece]:
        """Return what is left, at the end."""


class Stamped:
    """Believes every stamp."""

    def put(self, piece: Piece, expected: int | None) -> list[Piece]:  # noqa: ARG002
        """Return it as it is."""
        return [piece]

    def rest(self) -> list[Piece]:
        """Nothing is held."""
        return []


class Counted:
    """Counts, from the place on which most of the first stamps agree."""

    def __init__(self, target: int, vague: int = 0) -> None:
        self._target = target
        self._vague = vague
        self._held: list[Piece] = []
        self._settled = False
        self._doubt: tuple[int, int] | None = None  # how far off the last stamp was, and which place is next to it
        self._doubts = 0

    def put(self, piece: Piece, expected: int | None) -> list[Piece]:
        """Hold pieces until the target, or enough of them, have come; count from then on."""
        if self._settled and expected is not None:
            return [self._counted(piece, expected)]
        self._held.append(piece)
        reached = piece.stamp is not None and piece.stamp + len(piece.samples) > self._target
        if len(self._held) < PATIENCE and not (reached and len(self._held) > PERSISTS):
            return []
        return self.rest()

    def rest(self) -> list[Piece]:
        """Settle where the count begins, and return what was held."""
        held, self._held = self._held, []
        counts = list(accumulate((len(piece.samples) for piece in held), initial=0))
        pairs = list(zip(counts, held, strict=False))
        votes = Counter(piece.stamp - count for count, piece in pairs if piece.stamp is not None)
        base = votes.most_common(1)[0][0] if votes else self._target
        if self._vague and held and (first := held[0].stamp) is not None and first <= 0:
            base = first  # the very first one is where it should be, and those behind it agree on nothing better
        self._settled = self._settled or bool(held)
        return [Piece(base + count, piece.samples, piece.end) for count, piece in pairs]

    def _counted(self, piece: Piece, expected: int) -> Piece:
        stamp = expected if piece.stamp is None else piece.stamp
        off = 0 if abs(stamp - expected) <= self._vague else stamp - expected
        believed = self._believes(off, expected, len(piece.samples))
        return Piece(expected + off if believed else expected, piece.samples, piece.end)

    def _believes(self, off: int, expected: int, frames: int) -> bool:
        """Return True for the last of enough stamps in a row which are off by the same."""
        self._doubts = self._doubts + 1 if self._doubt == (off, expected) else 1
        self._doubt = off, expected + frames
        return self._doubts >= PERSISTS
