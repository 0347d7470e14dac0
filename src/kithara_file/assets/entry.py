"""One resource, held open: what is stored of it, and the right that it stays while it is held.

Must not know: what is fetched and when, how an asset is chosen to go.
"""

from __future__ import annotations

import contextlib
import logging
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

from kithara_file.assets.disk import told
from kithara_file.assets.keys import ResourceKey
from kithara_file.assets.leases import Lease
from kithara_file.assets.ledger import Ledger
from kithara_file.assets.meta import ResourceMeta, read_meta, write_meta, write_meta_soon
from kithara_file.assets.turns import Turn
from kithara_file.clock import Clock, Deadline
from kithara_file.errors import AssetError, CorruptResource, LeaseHeld, StorageError
from kithara_file.net.remote import Remote
from kithara_file.ranges import Coverage
from kithara_file.storage.digest import WrongDigest
from kithara_file.storage.streaming import StreamingResource
from kithara_file.storage.system import sync_folder
from kithara_file.storage.unstored import UnstoredResource
from kithara_file.storage.verify import Progress

_log = logging.getLogger(__name__)

PATIENCE_SECONDS = 5.0
"""How long to wait for another process that changes the same files; it takes as long as the disk takes to sync one."""
_HASTE_SECONDS = 1.0
"""The same where a loop may be waiting."""


class Entry:
    """A resource that is held open; this plain kind is a local file, complete as it is. One thread at a time."""

    def __init__(self, key: ResourceKey, resource: StreamingResource | None = None) -> None:
        self.key = key
        self.remote: Remote | None = None
        """The version that the stored bytes are of; None when nothing is stored."""
        self.resource = resource
        """The bytes; None until `begin` when nothing is stored."""

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


class StoredEntry(Entry):
    """A resource of the store, with a shared lease on its asset."""

    def __init__(
        self,
        key: ResourceKey,
        lease: Lease,
        ledger: Ledger,
        clock: Clock,
        *,
        checksums: bool = True,
        digest: str | None = None,
        in_passing: bool = False,
    ) -> None:
        """Hold what is stored under `key`; takes the lease over, also when it raises. `in_passing`: that is no use."""
        super().__init__(key)
        self._in_passing = in_passing
        self._lease = lease
        self._ledger = ledger
        self._clock = clock
        self._checksums = checksums
        self._digest = digest
        self._files = lease.folder.resource(key.resource_hash)
        self._meta: ResourceMeta | None = None
        self._turn = Turn(lease.folder.lease, key.resource_hash)
        self._held: list[StreamingResource] = []
        with contextlib.ExitStack() as undo:
            undo.callback(lease.release)
            self._recover()
            self._keep_promise()
            self._changed = not self.committed
            self._growing = self._changed and not in_passing
            if self._growing:
                ledger.growing(key)
            undo.pop_all()

    # -- turns -------------------------------------------------------------------------------------------------------

    def take_turn(self) -> bool:
        return self._turn.take()

    def end_turn(self) -> None:
        self._turn.release()

    def join(self) -> bool:
        if self.resource is None and self._files.meta.exists():
            self._recover()
        return self.resource is not None

    # -- beginnings --------------------------------------------------------------------------------------------------

    def _recover(self) -> None:
        stored = read_meta(self._files.meta)
        if stored is None:
            return
        if stored.committed and self._reopen(stored):
            return
        # Of what may be growing, replaced or in need of repair, only one process opens the files at a time.
        with self._changing(PATIENCE_SECONDS):
            stored = read_meta(self._files.meta)
            if stored is not None and not self._reopen(stored):
                _log.warning("! %s: what is stored does not fit together, and is not used", self.key)

    def _keep_promise(self) -> None:
        """Look whether what is complete has the digest that is asked for now; if not, nothing is stored."""
        if self._digest is None or self._meta is None or not self.committed or self._meta.digest == self._digest:
            return
        assert self.resource is not None
        try:
            self.resource.check((self._digest,))
        except WrongDigest as error:
            _log.warning("! %s: %s", self.key, error)
            self.remove()
            self.resource = self.remote = self._meta = None
            return
        self._revise(digest=self._digest)

    def _revise(self, **facts: Any) -> None:
        """Store better facts of the bytes held here, if they are still those of the name, and the disk takes them."""
        with contextlib.suppress(StorageError, LeaseHeld), self._changing(_HASTE_SECONDS):
            stored = read_meta(self._files.meta)
            if stored is not None and self._names_ours(stored):
                write_meta(self._files.meta, replace(stored, **facts))

    def _reopen(self, meta: ResourceMeta) -> bool:
        try:
            resource = StreamingResource.reopen(
                self._files.data,
                self._files.journal,
                meta.generation,
                length=meta.length,
                committed=meta.committed,
                sealed=meta.sealed,
                checksums=self._checksums,
            )
        except CorruptResource:
            return False
        self._hold(resource, meta)
        return True

    def begin(self, remote: Remote) -> StreamingResource:
        self._changed = True
        try:
            with told("begin", self._files.data), self._changing(_HASTE_SECONDS):
                return self._joined(remote) or self._started(remote)
        except StorageError as fault:
            return self._hold(UnstoredResource(fault.again(), length=remote.length), self._facts(remote))

    def _joined(self, remote: Remote) -> StreamingResource | None:
        stored = read_meta(self._files.meta)
        if stored is None or remote.freshness.no_store or not _same_version(stored.remote, remote):
            return None
        if self.resource is not None and self._names_ours(stored):
            return self.resource
        return self.resource if self._reopen(stored) else None

    def _facts(self, remote: Remote) -> ResourceMeta:
        key = self.key
        return ResourceMeta(remote=remote, url=key.url, name=key.name, length=remote.length, created=self._clock.wall())

    def _started(self, remote: Remote) -> StreamingResource:
        meta = self._facts(remote)
        resource = StreamingResource.create(
            self._files.data, self._files.journal, meta.generation, length=remote.length, checksums=self._checksums
        )
        try:
            if remote.freshness.no_store:
                self._files.remove()  # RFC 9111, 5.2.2.5: bytes without a name live no longer than we hold them
            else:
                write_meta_soon(self._files.meta, meta)
        except OSError:
            resource.close()
            with contextlib.suppress(OSError):
                self._files.remove()
            raise
        return self._hold(resource, meta)

    def _hold(self, resource: StreamingResource, meta: ResourceMeta) -> StreamingResource:
        self._held.append(resource)
        self.resource, self.remote, self._meta = resource, meta.remote, meta
        return resource

    # -- ends --------------------------------------------------------------------------------------------------------

    def refresh(self, remote: Remote) -> None:
        if self.remote is None:
            return
        self.remote = replace(
            self.remote,
            freshness=remote.freshness,
            digest=remote.digest or self.remote.digest,
            selected_by=remote.selected_by,
        )
        with told("refresh", self._files.meta), self._changing(PATIENCE_SECONDS):
            stored = read_meta(self._files.meta)
            if stored is None or not self._names_ours(stored):
                return
            if remote.freshness.no_store:
                self._changed = True
                self._files.remove()
            else:
                write_meta(self._files.meta, replace(stored, remote=self.remote))

    def commit(self) -> None:
        if self.resource is None:
            raise AssetError(f"Nothing of {self.key.url} has been begun, so that nothing can be committed")
        self.resource.commit(self._seal)
        self._ledger.evict()

    def make_room(self) -> int | None:
        if not self._growing:  # opened whole, and now replaced
            self._growing = True
            self._ledger.growing(self.key)
        resource = self.resource
        if resource is None or resource.length is None:
            return self._ledger.make_room(None)
        return self._ledger.make_room(resource.length - resource.snapshot().total)

    def verify(self, progress: Progress | None = None) -> Coverage:
        resource, meta = self.resource, self._meta
        if resource is None or meta is None:
            return Coverage()
        bad = resource.verify(progress)
        if meta.committed and meta.length is not None:
            for gap in resource.snapshot().gaps(0, meta.length):
                bad.add(gap.start, gap.end)
            if bad:
                self._changed = True
                self._revise(committed=False, sealed=None, digest=None)
        return bad

    def _seal(self) -> None:
        assert self.resource is not None
        told_to_be = (self._digest, self.remote.digest if self.remote is not None else None)
        promised = [each for each in told_to_be if each is not None]
        with told("commit", self._files.meta):
            self.resource.check(promised)
            sync_folder(self._lease.folder.path.parent)  # or else a power cut takes the folder, with all that is in it
            with self._changing(PATIENCE_SECONDS):
                stored = read_meta(self._files.meta)
                if stored is not None and self._names_ours(stored):
                    length, sealed = self.resource.length, self.resource.vouched()
                    digest = next(iter(promised), None)
                    facts = replace(stored, committed=True, length=length, sealed=sealed, digest=digest)
                    write_meta(self._files.meta, facts)

    def _names_ours(self, stored: ResourceMeta) -> bool:
        ours = self._meta is not None and self._meta.generation == stored.generation
        return ours and self.resource is not None and self.resource.owns_name

    def remove(self) -> None:
        self._changed = True
        with told("remove", self._files.data), self._changing(PATIENCE_SECONDS):
            self._files.remove()

    def _changing(self, patience: float) -> contextlib.AbstractContextManager[None]:
        return self._lease.change(Deadline.after(patience))

    def _seal_again(self) -> None:
        """Spare the next to open this the reading of a journal that grew after the commit, by somebody's last word."""
        if not self.committed or self._meta is None or self.resource is None or self.resource.closed:
            return
        if not self._meta.committed or self.resource.journal_bytes == self._meta.sealed:
            return
        sealed = self.resource.vouched()
        if sealed is not None:
            self._revise(sealed=sealed)

    def close(self) -> None:
        self._turn.release()
        if self._lease.held:
            self._seal_again()
        for each in self._held:
            each.close()
        if not self._lease.held:
            return
        self._lease.release()
        try:
            with told("close", self._lease.folder.path):
                self._settle()
        except OSError as error:
            _log.warning("! %s", error)
        self._ledger.evict()

    def _settle(self) -> None:
        if self._in_passing:
            self._ledger.changed(self.key.asset_id)
        else:
            (self._ledger.settled if self._changed else self._ledger.used)(self.key, self._lease.folder)


def _same_version(stored: Remote, told_now: Remote) -> bool:
    return stored.length == told_now.length and stored.validator.agrees(told_now.validator) is True


def local_entry(key: ResourceKey, path: Path) -> Entry:
    """Return the entry of a local file. Raises `StorageError` when it cannot be read."""
    return Entry(key, StreamingResource.local(path))
