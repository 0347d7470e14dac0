"""How many failures in a row a download bears, and how long it waits between them.

Pure: it is told the time. Must not know: what failed.
"""

from __future__ import annotations

from collections.abc import Callable

from kithara_file.config import KIB, Retry

FAIR_PROGRESS = 64 * KIB
"""A fetch that landed this much before it broke is followed by the next one without delay."""


class Trouble:
    """The count of failures without progress, and the back-off that follows from it."""

    def __init__(self, retry: Retry, random: Callable[[], float]) -> None:
        self._retry = retry
        self._random = random
        self.failures = 0
        """Failures since a byte last landed."""
        self.not_before = 0.0
        """No fetch starts before this moment of the monotonic clock."""
        self.paused = False
        """Given up: only a demand is worth another try."""
        self._given_up_at = 0

    def landed(self, number: int) -> None:
        """Take in that the fetch of this number has landed bytes: failures are forgiven.

        A surrender is, once a fetch begun after it brings something. One from before may run on for long beside a range
        that is refused, and would have it asked for again with every chunk.
        """
        self.failures = 0
        self.paused = self.paused and number <= self._given_up_at

    def failed(self, now: float, *, landed: int, tries: int, told: float = 0.0) -> bool:
        """Take in a fetch that broke after `tries` requests and `landed` bytes; return True to give up.

        `told` is for how many seconds the origin has asked to be left alone.
        """
        self.failures += tries if landed == 0 else 1
        if self.failures >= self._retry.max_failures:
            return True
        wait = 0.0 if landed >= FAIR_PROGRESS else self._retry.delay(self.failures)
        self.not_before = now + max(told, wait * (1 + self._retry.jitter * self._random()))
        return False

    def give_up(self, number: int) -> None:
        """Start afresh after the fetch of this number, but only for demands: whoever waited has been told."""
        self._given_up_at = number
        self.failures = 0
        self.not_before = 0.0
        self.paused = True

    def forgive(self) -> None:
        """Try again as if nothing had happened."""
        self.failures = 0
        self.not_before = 0.0
        self.paused = False
