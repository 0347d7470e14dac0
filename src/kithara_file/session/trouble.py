"""How many failures in a row a download bears at one place, and how long it waits between them.

Pure: it is told the time. Must not know: what failed.
"""

from __future__ import annotations

from collections.abc import Callable

from kithara_file.config import KIB, Retry
from kithara_file.ranges import ByteRange

FAIR_PROGRESS = 64 * KIB
"""A fetch that landed this much before it broke is followed by the next one without delay."""


class Trouble:
    """The count of failures without progress, and the back-off that follows from it."""

    def __init__(self, retry: Retry, random: Callable[[], float]) -> None:
        self._retry = retry
        self._random = random
        self._failures: dict[int, int] = {}
        self.not_before = 0.0
        """No fetch starts before this moment of the monotonic clock."""
        self.paused = False
        """Given up: only a demand is worth another try."""
        self._given_up_at = 0

    @property
    def failures(self) -> int:
        """Failures since a byte last landed, where there have been most."""
        return max(self._failures.values(), default=0)

    def landed(self, number: int, landed: ByteRange) -> None:
        """Take in that the fetch of this number has landed these bytes: what failed there is forgiven.

        What lands elsewhere proves nothing for a place that fails each time, whose reader has to be told. A surrender
        is forgiven once a fetch begun after it brings something. One from before may run on for long beside a range
        that is refused, and would have it asked for again with every chunk.
        """
        if self._failures:
            self._failures = {at: times for at, times in self._failures.items() if at not in landed}
        self.paused = self.paused and number <= self._given_up_at

    def failed(self, now: float, at: int, *, landed: int, tries: int, told: float = 0.0) -> bool:
        """Take in a fetch that broke before byte `at`, after `tries` requests and `landed` bytes; True to give up.

        `told` is for how many seconds the origin has asked to be left alone.
        """
        failures = self._failures[at] = self._failures.get(at, 0) + (tries if landed == 0 else 1)
        if failures >= self._retry.max_failures:
            return True
        wait = 0.0 if landed >= FAIR_PROGRESS else self._retry.delay(failures)
        self.not_before = now + max(told, wait * (1 + self._retry.jitter * self._random()))
        return False

    def renew(self) -> None:
        """Forget the places: they are those of a version that is no more."""
        self._failures.clear()

    def give_up(self, number: int) -> None:
        """Start afresh after the fetch of this number, but only for demands: whoever waited has been told."""
        self._given_up_at = number
        self._failures.clear()
        self.not_before = 0.0
        self.paused = True

    def forgive(self) -> None:
        """Try again as if nothing had happened."""
        self._failures.clear()
        self.not_before = 0.0
        self.paused = False
