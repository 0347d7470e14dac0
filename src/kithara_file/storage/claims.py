"""Who fetches which bytes: advisory byte-range locks on the data file, which every process that shares it can see.

A claim keeps nobody from writing; it says "these are on their way", so that others wait for them instead of fetching
them too. The kernel lets go of it when its process dies. The locks belong to the open file and not to the process
(Linux's open file description locks), so that two sessions of one process see each other as well. Where there are none,
every claim is granted and nobody sees any: all is right then, only fetched more than once.

A wish is the other way round: whoever waits for what another brings says so, lest that one rests meanwhile. Several may
wish for the same.

Must not know: fetches, sessions, what the bytes are.
"""

from __future__ import annotations

import errno
import struct
from dataclasses import dataclass

from kithara_file.ranges import ByteRange

try:
    import fcntl
except ImportError:  # Windows
    _TAKE = _ASK = 0
else:
    _TAKE, _ASK = getattr(fcntl, "F_OFD_SETLK", 0), getattr(fcntl, "F_OFD_GETLK", 0)

LANE = 1 << 60
"""Beyond every offset: how far a claim without an end reaches."""
LANES = (0, 1)
"""The second is for claims inside of somebody else's, such as a far seek in a running download."""
WISHES = 2
"""The lane of the wishes."""
WIDTH = 2 * LANE
"""A byte has two places in a lane. The kernel makes one lock of two that touch: a claim leaves its last place free."""
_FLOCK = "hhqqi4x"
_TAKEN = {errno.EAGAIN, errno.EACCES}


@dataclass(frozen=True, slots=True)
class Claim:
    """A range that we have claimed, and in which lane."""

    range: ByteRange
    lane: int


class Claims:
    """The claims on one file, seen and made through a descriptor of it that is open for writing."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def take(self, start: int, end: int, lanes: tuple[int, ...] = LANES) -> Claim | None:
        """Claim `start`..`end` for us; None when others claim some of it in all `lanes`, or nobody can claim here."""
        if not _TAKE or start >= LANE:
            return None
        for lane in lanes:
            if self._claim(fcntl.F_WRLCK, lane, start, end):
                return Claim(ByteRange(start, end), lane)
        return None

    def release(self, claim: Claim) -> None:
        """Let go of a claim, or of a part of one."""
        start, end = claim.range.start, min(claim.range.end, LANE)
        self._lock(fcntl.F_UNLCK, claim.lane * WIDTH + 2 * start, 2 * (end - start))

    def others(self, start: int, end: int) -> list[ByteRange]:
        """Return what others claim of `start`..`end`, in order, whole claims."""
        return sorted({each for lane in LANES for each in self._ask(lane, start, end)})

    def wish(self, *ranges: ByteRange) -> None:
        """Wish for `ranges`, and for nothing else any more."""
        if not _TAKE:
            return
        self._lock(fcntl.F_UNLCK, WISHES * WIDTH, WIDTH)
        for each in ranges:
            self._claim(fcntl.F_RDLCK, WISHES, each.start, each.end)

    def wished(self, start: int, end: int) -> list[ByteRange]:
        """Return what others wish for of `start`..`end`, in order, as far as their wishes go."""
        return self._ask(WISHES, start, end)

    def _claim(self, kind: int, lane: int, start: int, end: int) -> bool:
        return self._lock(kind, lane * WIDTH + 2 * start, 2 * (min(end, LANE) - start) - 1)

    def _ask(self, lane: int, start: int, end: int) -> list[ByteRange]:
        first = lane * WIDTH
        locked = self._locks(first + 2 * start, first + 2 * min(end, LANE) - 1) if _ASK else []
        return [ByteRange((max(a, first) - first) // 2, (b - first + 1) // 2) for a, b in locked]

    def _locks(self, start: int, end: int) -> list[tuple[int, int]]:
        found, spans = [], [(start, end)]
        while spans:
            start, end = spans.pop()
            lock = self._lock_in(start, end)
            if lock is not None:
                found.append(lock)
                spans += [(start, lock[0]), (lock[1], end)]
        return sorted(found)

    def _lock_in(self, start: int, end: int) -> tuple[int, int] | None:
        """Return the first lock of others that the kernel comes upon in there."""
        if start >= end:
            return None
        asked = struct.pack(_FLOCK, fcntl.F_WRLCK, 0, start, end - start, 0)
        try:
            kind, _, first, size, _ = struct.unpack(_FLOCK, fcntl.fcntl(self._descriptor, _ASK, asked))
        except OSError:
            return None
        if kind == fcntl.F_UNLCK:
            return None
        return first, first + size if size else end  # 0 is to the end, as strangers may lock

    def _lock(self, kind: int, start: int, size: int) -> bool:
        try:
            fcntl.fcntl(self._descriptor, _TAKE, struct.pack(_FLOCK, kind, 0, start, size, 0))
        except OSError as error:
            if error.errno in _TAKEN:
                return False
            return kind == fcntl.F_UNLCK
        return True
