"""The seam between a player and what makes its sound heard or keeps it.

Must not know: tracks, decoders, devices.
"""

from __future__ import annotations

from typing import Protocol

from kithara_file.audio.media import Samples, Spec


class Feed(Protocol):
    """What a sink takes sound from; each sink uses one of the two ways."""

    def fill(self, out: Samples) -> int:
        """Write all of `out` without waiting, silence where there is no sound; return the frames of sound in it."""

    def read(self, frames: int) -> Samples:
        """Return `frames` frames, fewer before the end or a failure, none only at the end of everything; waits."""

    def broke(self, error: Exception) -> None:
        """Hear that the sink cannot go on."""


class Sink(Protocol):
    """Where sound goes."""

    def start(self, spec: Spec, feed: Feed) -> None:
        """Begin to take sound from `feed`."""

    def stop(self) -> None:
        """Take no more, and let go of everything; returns when nothing of the sink runs. Idempotent."""
