"""Locks between processes, which the kernel lets go when their holder dies.

Must not know: what is locked, and why.

A lock belongs to the open file and not to the process. A forked child gets the same open file: with it, it would keep
the lock beyond its parent's death, and by unlocking it would take the lock from the parent. So a child closes what it
inherited, at once, and never unlocks; the parent unlocks before it closes, so that a copy of the file in a child
that another language forked holds nothing.
"""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable
from pathlib import Path

from kithara_file.assets.disk import open_lock_file
from kithara_file.clock import Deadline
from kithara_file.errors import LeaseHeld
from kithara_file.storage import platform

_FIRST_PAUSE, _LONGEST_PAUSE = 0.0005, 0.02


class FileLock:
    """One open lock file: held shared, held alone, or not held."""

    def __init__(self, path: Path) -> None:
        self._fd = open_lock_file(path)
        self.path = path
        _open_locks.add(self)

    @property
    def open(self) -> bool:
        """False once closed, and in the child of a fork."""
        return self._fd >= 0

    def try_share(self) -> bool:
        """Hold the lock together with others, unless somebody holds it alone; return whether it is held."""
        return platform.try_lock(self._fd, alone=False)

    def try_alone(self) -> bool:
        """Hold the lock alone, unless somebody else holds it; return whether it is held."""
        return platform.try_lock(self._fd, alone=True)

    def share(self, deadline: Deadline) -> None:
        """Hold the lock together with others. Raises `LeaseHeld` when the deadline passes."""
        self._wait(self.try_share, deadline)

    def alone(self, deadline: Deadline) -> None:
        """Hold the lock alone. Raises `LeaseHeld` when the deadline passes."""
        self._wait(self.try_alone, deadline)

    def _wait(self, attempt: Callable[[], bool], deadline: Deadline) -> None:
        # The kernel knows no wait for such a lock that ends in time, so we ask again. No wake-up is mended by this:
        # there is none.
        pause = _FIRST_PAUSE
        while not attempt():
            if deadline.passed:
                raise LeaseHeld(f"Another process holds {self.path.parent.name}/{self.path.name}")
            threading.Event().wait(min(pause, deadline.remaining() or pause))
            pause = min(2 * pause, _LONGEST_PAUSE)

    @property
    def named(self) -> bool:
        """True while the path still names this very file: only then does the lock keep anybody out."""
        if not self.open:
            return False
        try:
            there = self.path.lstat()
        except OSError:
            return False
        here = os.fstat(self._fd)
        return (here.st_ino, here.st_dev) == (there.st_ino, there.st_dev)

    def close(self) -> None:
        """Let the lock and the file go. Idempotent."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            _open_locks.discard(self)
            try:
                platform.unlock(fd)
            finally:
                os.close(fd)

    def _forget(self) -> None:
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)

    def __del__(self) -> None:
        if getattr(self, "_fd", -1) >= 0:
            self.close()

    def __repr__(self) -> str:
        return f"<FileLock {self.path.parent.name[:8]}/{self.path.name}{'' if self.open else ' closed'}>"


_open_locks: weakref.WeakSet[FileLock] = weakref.WeakSet()


def _let_go_in_child() -> None:
    for each in list(_open_locks):
        each._forget()  # noqa: SLF001 - this function is part of the class, only it must be a plain one
    _open_locks.clear()


platform.after_fork_in_child(_let_go_in_child)
