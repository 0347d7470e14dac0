"""One resource, held open: what is stored of it, and the right that it stays while it is held.

Must not know: what is fetched and when, how an asset is chosen to go.
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Self

from kithara_file.assets.keys import ResourceKey
from kithara_file.errors import AssetError, StorageError
from kithara_file.net.remote import Remote
from kithara_file.ranges import Coverage
from kithara_file.storage.local import local_resource
from kithara_file.storage.streaming import StreamingResource
from kithara_file.storage.verify import Progress


class Entry:
    """A resource that is held open; this plain kind is a local file, complete as it is. One thread at a time."""

    def __init__(self, key: ResourceKey, resource: StreamingResource | None = None) -> None:
        self.key = key
        self.remote: Remote | None = None
        """The version that the stored bytes are of; None when nothing is stored."""
        self.resource = resource
        """The bytes; None until `begin` when nothing is stored."""
        self.generation: str | None = None
        """Which making of the bytes was found here, though it may not fit together; None when nothing was."""
        self.fault: StorageError | None = None
        """Why what is stored counts as nothing here: it has not the digest that was promised. Others may use it."""

    @property
    def committed(self) -> bool:
        """True when all bytes are there, and durable."""
        return self.resource is not None and self.resource.committed

    def take_turn(self) -> bool:
        """Be the one who asks for a resource of which nothing is stored; False while another process is."""
        return True

    def end_turn(self) -> None:
        """Let the processes that wait for our answer go on. Idempotent."""

    def join(self) -> bool:
        """Take over what another process has begun to store meanwhile; return whether there is something now."""
        return self.resource is not None

    def begin(self, remote: Remote) -> StreamingResource:
        """Start to store the version `remote`, or join another process that did; return where its bytes go.

        Bytes of another version lose their names: who reads them goes on reading them. A resource that was held here
        before stays open as well until `close`. Does not wait for the disk. Where the disk refuses, nothing is stored:
        what is returned is read past the cache, and its `fault` says why. Raises `LeaseHeld` when another process does
        not let go of the files within a second.
        """
        raise self._local("begun", remote)

    def replacing(
        self, remote: Remote, digest: str | None = None
    ) -> contextlib.AbstractContextManager[StreamingResource]:
        """Give a resource for the version `remote`, made beside what is stored, whose place it takes by `commit`.

        That raises `CorruptResource` when the bytes have another `digest`. What was not committed is gone with the
        context, and what was stored is stored still. Raises `StorageError`.
        """
        raise self._local("replaced", remote, digest)

    def refresh(self, remote: Remote) -> None:
        """Store how long the bytes stay fresh, as a 304 told. Blocks on the disk."""
        raise self._local("refreshed", remote)

    def commit(self) -> None:
        """Make the complete resource durable, then evict what must go. Blocks on the disk.

        When another process has begun a newer version, nothing of that is touched. Raises `StorageError` when bytes
        are missing or the disk fails, and `LeaseHeld`; then nothing is committed and it may be tried again.
        """
        raise self._local("committed")

    def verify(self, progress: Progress | None = None) -> Coverage:
        """Read again all that is stored; make what is bad absent, so that it is fetched when it is next used.

        Returns what was bad, or was missing though the resource was said to be complete. Blocks on the disk.
        """
        raise self._local("verified", progress)

    def make_room(self) -> int | None:
        """Evict what must go so that more may land; return after how many landed bytes to ask again, None: never.

        Blocks on the disk; raises nothing. To be asked when the first byte of a download has landed.
        """
        return None

    def remove(self) -> None:
        """Take away the names of what is stored of this resource; who reads it goes on reading it."""
        raise self._local("removed")

    def close(self) -> None:
        """Let everything go. Blocks on the disk. Idempotent; never raises an error of the disk."""
        if self.resource is not None:
            self.resource.close()

    def _local(self, done: str, *_: object) -> AssetError:
        return AssetError(f"A local file cannot be {done}: {self.key.path}")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.key} {self.resource or 'absent'}>"


def local_entry(key: ResourceKey, path: Path, digest: str | None = None) -> Entry:
    """Return the entry of a local file. Raises `StorageError` when it cannot be read, or has another `digest`."""
    return Entry(key, local_resource(path, digest))
