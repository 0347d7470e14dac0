"""Who uses an asset: a lease keeps it from being evicted, by any process, until it is let go or its holder dies.

Must not know: files of resources, sqlite, who must go.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

from kithara_file.assets.layout import AssetFolder
from kithara_file.assets.locks import FileLock
from kithara_file.clock import Deadline
from kithara_file.errors import LeaseHeld, StreamClosed

_RENEWALS = 16
"""So often may the folder vanish between our finding it and our holding its lease; it takes an evictor each time."""


class Lease:
    """The right that an asset stays, shared with every other user of it."""

    def __init__(self, make: Callable[[], AssetFolder], deadline: Deadline) -> None:
        """Take the lease of the folder which `make` returns, and makes if it is missing.

        Raises `LeaseHeld` when somebody is removing the asset for longer than the deadline allows, and `OSError`.
        """
        self._make = make
        self.folder, self._lock = self._take(deadline)

    def _take(self, deadline: Deadline) -> tuple[AssetFolder, FileLock]:
        for _ in range(_RENEWALS):
            folder = self._make()
            with contextlib.suppress(FileNotFoundError), contextlib.ExitStack() as undo:  # not found: evicted just now
                lock = FileLock(folder.lease)
                undo.callback(lock.close)
                lock.share(deadline)
                if lock.named:  # else we hold the lease of a folder that was removed while we waited
                    undo.pop_all()
                    return folder, lock
        raise LeaseHeld("The asset is being removed again and again")

    @property
    def held(self) -> bool:
        """False once released, and in the child of a fork: the lease is its parent's."""
        return self._lock.open

    def renew(self, deadline: Deadline) -> None:
        """Make sure that the lease is one of the folder as it lies there now: somebody may have deleted the store."""
        if not self.held:
            raise StreamClosed("The lease was released, or is the parent process's")
        if not self._lock.named:
            self._lock.close()
            self.folder, self._lock = self._take(deadline)

    @contextlib.contextmanager
    def change(self, deadline: Deadline) -> Iterator[None]:
        """Be the only one who changes which files the asset has, for a short moment.

        Raises `LeaseHeld` when another does so until the deadline.
        """
        self.renew(deadline)
        lock = FileLock(self.folder.lock)
        try:
            lock.alone(deadline)
            yield
        finally:
            lock.close()

    def release(self) -> None:
        """Let the asset go. Idempotent."""
        self._lock.close()

    def __repr__(self) -> str:
        return f"<Lease {self.folder.asset_id[:8]}{'' if self.held else ' released'}>"


@contextlib.contextmanager
def sole(folder: AssetFolder) -> Iterator[bool]:
    """Hold the lease of `folder` alone, without waiting: True when nobody uses the asset, and nobody can begin to.

    False when somebody does, when there is no such folder, and when that cannot be told because its lease is unusable.
    """
    if not folder.present:
        yield False
        return
    try:
        lock = FileLock(folder.lease)
    except OSError:
        yield False
        return
    try:
        yield lock.try_alone() and lock.named
    finally:
        lock.close()
