"""The line between client and origin: how fast, how far.

Must not know: HTTP, sockets, whose bytes they are.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

_STEP_SECONDS = 0.005
_SMALLEST_STEP = 64
_LATENESS = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A line in user space.

    `rate` is in bytes/s, shared by all connections unless `per_connection`. The first byte of each reply comes one
    `rtt` (seconds) after its request; the first request of a connection waits one more, for the handshake of TCP.
    `send_buffer` (bytes, doubled by the kernel) keeps what has left the origin close to what the client has read.
    """

    rate: float | None = None
    rtt: float = 0.0
    handshake: bool = True
    per_connection: bool = False
    send_buffer: int | None = None

    def answers_at(self, asked: float, accepted: float, nth: int) -> float:
        """Return when a request's first reply byte may leave: `nth` is 0 for the first one of a connection."""
        greeted = accepted + self.rtt if self.handshake and nth == 0 else asked
        return max(asked, greeted) + self.rtt


class Pacer:
    """Gives out moments at which the next bytes may go, so that the rate holds over all who ask this pacer."""

    def __init__(self, link: Callable[[], Link]) -> None:
        self._link = link
        self._free = 0.0

    def step(self, most: int) -> int:
        """Return how many bytes to send at once: 5 ms worth."""
        rate = self._link().rate
        return most if rate is None else min(most, max(_SMALLEST_STEP, int(rate * _STEP_SECONDS)))

    def reserve(self, count: int) -> float:
        """Return the seconds to wait before these bytes may go; a timer that was late is made up for."""
        rate = self._link().rate
        if rate is None:
            return 0.0
        now = asyncio.get_running_loop().time()
        self._free = max(self._free, now - _LATENESS) + count / rate
        return max(0.0, self._free - now)
