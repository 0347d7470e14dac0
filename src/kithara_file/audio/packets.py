"""The seam between containers and the decoder: packets, each with its place on the timeline of the track.

Frame 0 is the first frame that shall be heard, so that what an encoder put before it has a negative place. Must not
know: containers, codecs, files.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol


# Tens of thousands of them are made, and a frozen dataclass takes three times as long to make.
class Unit(NamedTuple):
    """A packet to decode: an `av.Packet` whose `pts` is the place, in frames, of what comes out of it."""

    packet: Any
    end: int | None = None
    """Where the sound in it ends, when the file says it: what the decoder gives beyond is padding."""
    discard: int = 0
    """How many of its frames, counted from its end, are padding; for files that tell it in this way only."""


class PacketSource(Protocol):
    """Gives the packets of one track in order, for one thread."""

    @property
    def codec(self) -> Any:
        """The `av` codec context which decodes them; may be another one after a seek."""

    @property
    def total(self) -> int | None:
        """Frames of the whole track, as the file says or suggests."""

    @property
    def promised(self) -> int | None:
        """Frames that are missing if they do not come, for whoever has come to the end; None when nobody knows."""

    @property
    def exact(self) -> bool:
        """False when the places since the last seek come from a coarse table."""

    @property
    def counted(self) -> bool:
        """True when single places are wrong, so that what is decoded has to be counted."""

    @property
    def vague(self) -> int:
        """By how many frames a place may be wrong without meaning anything, because the file's clock is coarse."""

    def next(self) -> Unit | None:
        """Return the next packet; None at the end. Raises what the file raised, `DecodeFailed` in place of damage."""

    def seek(self, frame: int, reserve: int) -> None:
        """Move to a packet far enough before `frame` for a decoder to warm up, and `reserve` frames more.

        Clears what an earlier error left, in the file too.
        """

    def close(self) -> None:
        """Let go of everything but the file."""
