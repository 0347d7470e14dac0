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

LANE = 1 << 61
"""Where the second lane begins: for claims inside of somebody else's, such as a far seek in a running download."""
LANES = (0, LANE)
WISHES = 1 << 62
"""Where the lane of the wishes begins."""
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

    def take(self, start: int, end: int) -> Claim | None:
        """Claim `start`..`end` for us; None when others claim some of it in both lanes, or nobody can claim here."""
        if not _TAKE or start >= LANE:
            return None
        for lane in LANES:
            if self._lock(fcntl.F_WRLCK, lane + start, min(end, LANE) - start):
                return Claim(ByteRange(start, end), lane)
        return None

    def release(self, claim: Claim) -> None:
        """Let go of a claim."""
        start, end = claim.range.start, min(claim.range.end, LANE)
        self._lock(fcntl.F_UNLCK, claim.lane + start, end - start)

    def others(self, start: int, end: int) -> list[ByteRange]:
        """Return what others claim of `start`..`end`, in order, whole claims."""
        if not _ASK:
            return []
        found = [each for lane in LANES for each in self._ask(lane, start, min(end, LANE))]
        return sorted(set(found))

    def wish(self, *ranges: ByteRange) -> None:
        """Wish for `ranges`, and for nothing else any more."""
        if not _TAKE:
            return
        self._lock(fcntl.F_UNLCK, WISHES, LANE)
        for each in ranges:
            self._lock(fcntl.F_RDLCK, WISHES + each.start, min(each.end, LANE) - each.start)

    def wished(self, start: int, end: int) -> list[ByteRange]:
        """Return what others wish for of `start`..`end`, in order, as far as their wishes go."""
        return self._ask(WISHES, start, min(end, LANE)) if _ASK else []

    def _ask(self, lane: int, start: int, end: int) -> list[ByteRange]:
        if start >= end:
            return []
        asked = struct.pack(_FLOCK, fcntl.F_WRLCK, 0, lane + start, end - start, 0)
        try:
            kind, _, first, size, _ = struct.unpack(_FLOCK, fcntl.fcntl(self._descriptor, _ASK, asked))
        except OSError:
            return []
        if kind == fcntl.F_UNLCK:
            return []
        claim = ByteRange(first - lane, first - lane + size if size else LANE)
        return [*self._ask(lane, start, claim.start), claim, *self._ask(lane, claim.end, end)]

    def _lock(self, kind: int, start: int, size: int) -> bool:
        try:
            fcntl.fcntl(self._descriptor, _TAKE, struct.pack(_FLOCK, kind, 0, start, size, 0))
        except OSError as error:
            if error.errno in _TAKEN:
                return False
            return kind == fcntl.F_UNLCK
        return True
