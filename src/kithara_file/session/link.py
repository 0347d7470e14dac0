"""How fast the link is and how far the origin: what the planner needs to weigh a wait against a new request.

Pure arithmetic over what it is told. Must not know: clocks, requests, the cache (whose hits never count here).
"""

from __future__ import annotations

from kithara_file.config import KIB, MIB

SAMPLE_SECONDS = 0.02
"""Landings are summed up at least this long before they make one sample of the rate."""


UNMEASURED_BYTES = 64 * KIB


class Link:
    """Running estimates of the round trip in seconds and of the rate in bytes per second; 0.0 until known."""

    def __init__(self) -> None:
        self.round_trip = 0.0
        self.rate = 0.0
        self.brought = 0
        """Bytes in all."""
        self._bytes = 0
        self._seconds = 0.0

    def answered(self, seconds: float) -> None:
        """Take in that an answer's headers came this long after the request.

        The least of the recent is kept, since what is added to a round trip (a handshake, a busy origin) is never less.
        """
        drifted = 0.8 * self.round_trip + 0.2 * seconds
        self.round_trip = min(seconds, drifted) if self.round_trip else seconds

    def landed(self, size: int, seconds: float) -> None:
        """Take in that `size` bytes came within `seconds` in which somebody was reading the socket."""
        self.brought += size
        self._bytes += size
        self._seconds += seconds
        if self._seconds >= SAMPLE_SECONDS:
            sample = self._bytes / self._seconds
            self.rate = max(sample, 0.7 * self.rate + 0.3 * sample)
            self._bytes, self._seconds = 0, 0.0

    @property
    def per_round_trip(self) -> int:
        """Return the bytes that the link brings in one round trip; 0 until known."""
        return int(self.rate * self.round_trip)

    def ride(self, least: int) -> int:
        """Return how far ahead of a fetch a demand may lie so that waiting for it beats a request of its own."""
        return max(least, self.per_round_trip)

    @property
    def little(self) -> int:
        """Return how much of a body may be left so that draining it beats a new connection.

        While all that came was too quick to tell a rate, that is not a slow link.
        """
        return min(max(self.per_round_trip, 16 * KIB), MIB) if self.rate else UNMEASURED_BYTES

    def __repr__(self) -> str:
        return f"<Link {self.round_trip * 1000:.0f} ms · {self.rate / 1e6:.1f} MB/s>"
