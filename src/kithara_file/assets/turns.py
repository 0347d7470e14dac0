"""Whose turn it is to ask for a resource of which nothing is stored: one process asks, the others wait for its answer.

Must not know: what is asked. The turn is a claim on one byte of the asset's lease file, so that it ends with its
process. What a forked child inherits of it is treated as in `locks`, and for the same reasons.
"""

from __future__ import annotations

import os
import weakref
from pathlib import Path

from kithara_file.assets.disk import open_lock_file
from kithara_file.storage import platform
from kithara_file.storage.claims import Claim, Claims

_DIGITS = 15


class Turn:
    """The turn for one resource of an asset."""

    def __init__(self, lease_file: Path, resource_hash: str) -> None:
        self._path = lease_file
        self._byte = int(resource_hash[:_DIGITS], 16)
        self._fd: int | None = None
        self._claim: Claim | None = None

    def take(self) -> bool:
        """Take the turn unless another holds it; return whether it is ours, as it is where nobody can hold one."""
        if self._claim is not None:
            return True
        try:
            self._fd = open_lock_file(self._path) if self._fd is None else self._fd
            _open_turns.add(self)
        except OSError:
            return True
        claims = Claims(self._fd)
        if claims.others(self._byte, self._byte + 1):
            return False
        self._claim = claims.take(self._byte, self._byte + 1)
        if self._claim is not None and self._claim.lane:  # another was quicker, and has the first lane
            claims.release(self._claim)
            self._claim = None
        return self._claim is not None or not claims.others(self._byte, self._byte + 1)

    def release(self) -> None:
        """Let the others go on. Idempotent."""
        if self._fd is not None and self._claim is not None:
            Claims(self._fd).release(self._claim)
        self._forget()

    def _forget(self) -> None:
        _open_turns.discard(self)
        fd, self._fd, self._claim = self._fd, None, None
        if fd is not None:
            os.close(fd)

    def __repr__(self) -> str:
        return f"<Turn {'ours' if self._claim else 'not ours'}>"


_open_turns: weakref.WeakSet[Turn] = weakref.WeakSet()


def _let_go_in_child() -> None:
    for each in list(_open_turns):
        each._forget()  # noqa: SLF001 - this function is part of the class, only it must be a plain one


platform.after_fork_in_child(_let_go_in_child)
