"""The connections that libcurl keeps for the next request, and which of them must not have it.

What comes while nothing was asked is no answer to the next question (RFC 9112, 9.2), and libcurl, which looks whether a
connection still lives only when it has rested for about a second, would take it for one. Must not know: transfers,
libcurl. HTTP/2 numbers its answers, so that none of its connections belongs in here.
"""

from __future__ import annotations

import os
from collections.abc import Hashable

from kithara_file.net.kernel import readable


class Idle:
    """The sockets at rest, by their descriptors: libcurl's, which does not tell when it closes one."""

    def __init__(self) -> None:
        self._sockets: dict[int, tuple[Hashable, int]] = {}

    def keep(self, fd: int, place: Hashable) -> None:
        """Take in that a connection to `place` rests."""
        inode = _inode(fd)
        if inode is not None:
            self._sockets[fd] = place, inode

    def use(self, fd: int) -> None:
        """Take in that a connection does not rest any more."""
        self._sockets.pop(fd, None)

    def spoke(self, place: Hashable) -> bool:
        """Tell whether something has come on a connection to `place` that rests: its end, or an answer to nobody."""
        for fd, (where, inode) in list(self._sockets.items()):
            if _inode(fd) != inode:  # closed since, and the number may be another file's
                del self._sockets[fd]
            elif where == place and readable(fd):
                return True
        return False

    def clear(self) -> None:
        """Forget them all."""
        self._sockets.clear()

    def __repr__(self) -> str:
        return f"<Idle {len(self._sockets)} at rest>"


def _inode(fd: int) -> int | None:
    try:
        return os.fstat(fd).st_ino
    except OSError:
        return None
