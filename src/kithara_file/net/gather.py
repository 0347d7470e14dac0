"""When bytes that trickle in are worth waking somebody: gathered while nobody is in need, handed on when one is.

Pure arithmetic with `now` given. Must not know: sockets, tasks, timers. libcurl delivers small pieces, and each
wake-up, write and journal record costs the same for one byte and for a mebibyte.
"""

from __future__ import annotations

KIB = 1024
STEP = 512 * KIB
"""A buffer this full is handed over whatever else; one of a long body may hold up to half of `MOST`."""
MOST = 4096 * KIB
"""What comes in one go before whoever waits has had a turn: to stop libcurl amid it and start it again costs more than
all the rest."""
GROWTH = 4
"""One part in so many of what a body has brought may come in one go, so that who stops early gets little too much."""
PORTION = 16
"""One part in so many of it is handed over at a time. What comes fast comes in fewer steps, and what comes slowly does
not wait for them: see below."""
LINGER = 0.02
"""Seconds that the first byte in the buffer waits for company while nobody is in need."""
HURRIED_LINGER = 0.004
QUIET = 0.02
"""A pause this long makes the next byte news again."""
STEADY = 1024 * KIB
"""After this many bytes of one body a hurried reader is better served by fewer, larger chunks."""


class Gather:
    """The buffer between the callback which brings bytes and the task which takes them."""

    __slots__ = ("_emptied", "_most", "_pieces", "_step", "_taken", "hurried", "size")

    def __init__(self, now: float) -> None:
        self._pieces: list[bytes] = []
        self._taken = 0
        self._emptied = now - QUIET
        self._most, self._step = 1, STEP
        self.size = 0
        """Bytes held."""
        self.hurried = False
        """True while somebody waits for the next bytes, however few."""

    def expect(self, share: int) -> None:
        """Let more come in one go, until it is taken: somebody waits for it, for no more than `share` bytes.

        While nobody does, the first piece fills the buffer, so that a body which rests leaves the link to others.
        """
        self._step = min(share, max(STEP, min(MOST // 2, self._taken // PORTION)))
        self._most = max(self._step, min(MOST, self._taken // GROWTH))

    def put(self, piece: bytes) -> None:
        """Add what came."""
        self._pieces.append(piece)
        self.size += len(piece)

    @property
    def room(self) -> int:
        """How many more bytes should come before some are taken; none when it is not positive."""
        return self._most - self.size

    @property
    def brought(self) -> int:
        """How many bytes there have been."""
        return self._taken + self.size

    @property
    def ripe(self) -> bool:
        """True when there is enough to hand over whoever asks."""
        return self.size >= self._step

    def patience(self, now: float) -> float:
        """Return for how many seconds the first byte in the buffer, come `now`, waits for more."""
        if not self.hurried:
            return LINGER
        steady = self._taken >= STEADY and now - self._emptied < QUIET
        return HURRIED_LINGER if steady else 0.0

    def take(self, now: float) -> tuple[tuple[bytes, ...], int]:
        """Return the pieces held and their size together, and hold none."""
        pieces, size = tuple(self._pieces), self.size
        self._pieces.clear()
        self.size = 0
        self._most = 1
        self._taken += size
        self._emptied = now
        return pieces, size
