"""Lay decoded pieces onto the timeline: cut what lies before the target or behind the end, put silence into gaps.

Pure. Must not know: who decodes, who listens.
"""

from __future__ import annotations

import numpy as np

from kithara_file.audio.media import Samples, Spec

MAX_GAP_SECONDS = 10.0
"""A longer leap of the places is a new count, as in chained Ogg, and not lost sound: it is played on without a gap."""
MAX_OVERLAP_SECONDS = 0.5
"""So is a longer leap back: what is shorter is sound that came twice."""


class Splice:
    """The timeline from one seek to the next; `at` is the place of the frame that has to be given next.

    `expected` is the place that a piece would have which simply follows the one before; None before the first.
    """

    def __init__(self, spec: Spec, at: int) -> None:
        self.at = at
        self.expected: int | None = None
        self._spec = spec
        self._shift = 0
        self._max_gap, self._max_overlap = spec.frames(MAX_GAP_SECONDS), spec.frames(MAX_OVERLAP_SECONDS)

    def lay(self, place: int | None, samples: Samples, end: int | None = None) -> list[Samples]:
        """Return what of `samples`, which begin at `place`, is to be heard next, after silence if something is missing.

        Without a place they follow what came before.
        """
        place = self._settle(place)
        self.expected = place + len(samples) - self._shift
        if end is not None:
            samples = samples[: max(0, end + self._shift - place)]
        samples = samples[max(0, self.at - place) :]
        if not len(samples):
            return []
        start = max(place, self.at)
        pieces = [self._spec.silence(start - self.at)] if 0 < start - self.at <= self._max_gap else []
        self.at = start + len(samples)
        return [*pieces, samples]

    def follows(self, place: int | None, frames: int, end: int | None) -> bool:
        """Return True, and count them, when so many frames at `place` are the next to be heard, uncut."""
        if place is None or place != self.expected or place + self._shift != self.at:
            return False
        if end is not None and place + frames > end:
            return False
        self.expected = place + frames
        self.at += frames
        return True

    def _settle(self, place: int | None) -> int:
        if self.expected is None:
            return self.at if place is None else place
        if place is None:
            return self.expected + self._shift
        if not -self._max_overlap <= place - self.expected <= self._max_gap:
            self._shift += self.expected - place
        return place + self._shift

    def __repr__(self) -> str:
        return f"<Splice at {self.at}>"


def joined(pieces: list[Samples]) -> Samples:
    """Return pieces as one array, without a copy when there is only one."""
    return pieces[0] if len(pieces) == 1 else np.concatenate(pieces)
