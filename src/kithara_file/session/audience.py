"""Who reads a session, and what they want of it together.

Must not know: how wants are met. Readers come and go from any thread; the loop looks.
"""

from __future__ import annotations

import threading

from kithara_file.session.reader import Reader
from kithara_file.session.view import Playhead


class Audience:
    """The readers of one session."""

    def __init__(self) -> None:
        self._lock = threading.RLock()  # re-entrant: the garbage collector may drop a reader while one is added
        self._readers: tuple[Reader, ...] = ()
        self.everything = False
        """True once somebody wants the whole resource, whatever the readers' look-ahead is."""

    def add(self, reader: Reader) -> None:
        """Take a reader in."""
        with self._lock:
            self._readers = (*self._readers, reader)

    def remove(self, holder: object) -> None:
        """Take leave of a reader; anything else is none."""
        with self._lock:
            self._readers = tuple(each for each in self._readers if each is not holder)

    @property
    def playheads(self) -> tuple[Playhead, ...]:
        """Where each reader is."""
        return tuple(each.playhead for each in self._readers)

    @property
    def has_read(self) -> bool:
        """True when a byte was handed to one of them."""
        return any(each.has_consumed for each in self._readers)

    def __len__(self) -> int:
        return len(self._readers)
