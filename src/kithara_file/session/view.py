"""What a decision may depend on, and what it decides: plain values on both sides of `decide`.

Must not know: how any of it is observed or carried out.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from kithara_file.config import KIB, Policy
from kithara_file.ranges import Coverage


@dataclass(frozen=True, slots=True)
class Fetch:
    """One request in flight: begun at `begun`, it will land bytes from `position` up to `end` (None: open-ended)."""

    id: int
    begun: int
    position: int
    end: int | None
    sequential: bool = False
    """It runs to the end of its gap as part of the steady download, and is not bounded by a reader's window."""
    resting_since: float | None = None
    """When its socket was last left unread; None while it flows."""
    asked_since: float | None = None
    """When it was asked for; None once it has been answered."""


@dataclass(frozen=True, slots=True)
class Playhead:
    """Where a reader last read, and how many bytes past that are wanted before the download rests."""

    position: int
    window: int

    @property
    def goal(self) -> int:
        """The offset at which the look-ahead is full."""
        return self.position + self.window

    @property
    def half(self) -> int:
        """The offset from which less than half of the look-ahead is left: what is missing before it is asked for."""
        return self.position + self.window // 2 + 1


@dataclass(frozen=True, slots=True)
class View:
    """All that `decide` looks at. Offsets and lengths in bytes, times in seconds of the monotonic clock."""

    length: int | None
    coverage: Coverage
    fetches: tuple[Fetch, ...] = ()
    foreign: tuple[Fetch, ...] = ()
    """What other processes that share the bytes are fetching; it takes none of our slots."""
    demands: tuple[int, ...] = ()
    """First missing byte of each blocked reader, longest waiting first."""
    playheads: tuple[Playhead, ...] = ()
    wishes: tuple[Playhead, ...] = ()
    """What readers of other processes leave to our fetches: these flow on for them, and nothing starts."""
    seekable: bool = True
    """False once the origin is known to ignore ranges: then only a whole body can bring anything."""
    divisible: bool = False
    """Parts fetched at different places are known to be of one version: a strong validator says so."""
    sequential_done: bool = False
    """The sequential download has reached the end; what is missing are gaps behind it."""
    paused: bool = False
    """The last tries failed for good: only demands are worth another."""
    policy: Policy = field(default_factory=Policy)
    now: float = 0.0
    not_before: float = 0.0
    """Back-off: nothing starts until then."""
    ride: int = 256 * KIB
    """A demand this near ahead of a running fetch waits for it."""
    little: int = 32 * KIB
    """What the link brings in about one round trip: a body with less left is drained, not dropped."""


@dataclass(frozen=True, slots=True)
class Start:
    """Fetch from `start` up to `end`; None: to wherever the bytes end."""

    start: int
    end: int | None
    sequential: bool = False

    @property
    def position(self) -> int:
        """Where its first byte will land, as for a fetch in flight."""
        return self.start


@dataclass(frozen=True, slots=True)
class Plan:
    """What should be different from now on; an empty plan means that all is well as it is."""

    start: tuple[Start, ...] = ()
    stop: tuple[int, ...] = ()
    rest: frozenset[int] = frozenset()
    """Of the fetches that stay, those whose sockets are to be left unread."""
    wake_at: float | None = None
    """Decide again at this time even if nothing happens."""
    complete: bool = False
