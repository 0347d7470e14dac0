"""Who reads a session, and what they want of it together.

Must not know: how wants are met. Readers come and go from any thread; the loop looks.
"""

from __future__ import annotations

from dataclasses import replace
from math import inf

from kithara_file.config import MIB, Policy
from kithara_file.session.reader import Reader
from kithara_file.session.view import Playhead
from kithara_file.storage import platform

CAUTIOUS_BYTES = 8 * MIB
"""The look-ahead of all readers together past a full disk: a quarter of the window of memory that bytes land in."""


class Audience:
    """The readers of one session."""

    def __init__(self, policy: Policy | None = None) -> None:
        self._limited = policy or Policy()
        self._unlimited = replace(self._limited, look_ahead_bytes=None)
        self._lock = platform.lock_of_forks()  # re-entrant: the garbage collector may drop a reader meanwhile
        self._readers: dict[object, Reader] = {}
        self._expected = True
        self._wanting: set[object] = set()
        self.cautious = False
        """True once the disk takes no more: what lands is kept in a window of memory, and must not push itself out."""

    def add(self, reader: Reader) -> None:
        """Take a reader in."""
        with self._lock:
            self._readers[reader] = reader
            self._expected = False

    def want_everything(self, holder: object) -> None:
        """Let `holder` have the whole resource, whatever the readers' look-ahead is, until it is removed."""
        with self._lock:
            self._wanting.add(holder)

    def remove(self, holder: object) -> None:
        """Take leave of a reader, or of who wanted everything; anything else is neither."""
        with self._lock:
            self._readers.pop(holder, None)
            self._wanting.discard(holder)

    @property
    def everything(self) -> bool:
        """True while somebody wants the whole resource."""
        return bool(self._wanting)

    def _present(self) -> list[Reader]:
        """Return the readers of now, to be looked at while others come and go."""
        with self._lock:
            return list(self._readers.values())

    @property
    def playheads(self) -> tuple[Playhead, ...]:
        """Where each reader is, and how far ahead of it to fetch; the first is expected at the beginning."""
        heads = tuple(each.playhead for each in self._present())
        if self._expected and not self.everything and self._limited.look_ahead_bytes is not None:
            heads = (Playhead(0, self._limited.initial_window),)
        if not self.cautious:
            return heads
        share = CAUTIOUS_BYTES // max(1, len(heads))
        return tuple(Playhead(each.position, min(each.window, share)) for each in heads)

    @property
    def policy(self) -> Policy:
        """What may be fetched for them: what the one who looks farthest ahead may have."""
        if self.everything and not self.cautious:
            return self._unlimited
        return max((each.policy for each in self._present()), key=_reach, default=self._limited)

    @property
    def has_read(self) -> bool:
        """True when a byte was handed to one of them."""
        return any(each.has_consumed for each in self._present())

    def __len__(self) -> int:
        return len(self._readers)


def _reach(policy: Policy) -> float:
    return inf if policy.look_ahead_bytes is None else policy.look_ahead_bytes
