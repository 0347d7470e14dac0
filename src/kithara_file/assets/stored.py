"""A resource of the store, held open.

Must not know: what is fetched and when, how an asset is chosen to go.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from kithara_file.assets.disk import told
from kithara_file.assets.entry import Entry
from kithara_file.assets.keys import ResourceKey
from kithara_file.assets.layout import ResourceFiles
from kithara_file.assets.leases import Lease
from kithara_file.assets.ledger import Ledger
from kithara_file.assets.meta import ResourceMeta, read_meta, write_meta, write_meta_soon
from kithara_file.assets.turns import Turn
from kithara_file.clock import Clock, Deadline
from kithara_file.errors import AssetError, CorruptResource, LeaseHeld, StorageError
from kithara_file.net.remote import Remote
from kithara_file.ranges import Coverage
from kithara_file.storage.digest import wrong
from kithara_file.storage.streaming import StreamingResource
from kithara_file.storage.system import OpenFile, sync_folder
from kithara_file.storage.unstored import UnstoredResource
from kithara_file.storage.verify import Progress

_log = logging.getLogger(__name__)

PATIENCE_SECONDS = 5.0
"""How long to wait for another process that changes the same files; it takes as long as the disk takes to sync one."""
_HASTE_SECONDS = 1.0
"""The same where a loop may be waiting."""
_PROVEN_PER_SECOND = 20_000_000
"""Bytes that even a slow disk gives to a process which verifies them, as it must what an earlier boot left."""


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
        self._aside: ResourceFiles | None = None
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
        if self.resource is None and self.fault is None and self._files.meta.exists():
            self._recover()
        return self.resource is not None

    # -- beginnings --------------------------------------------------------------------------------------------------

    def _recover(self) -> None:
        stored = self._found()
        if stored is None:
            return
        if stored.committed and self._reopen(stored):
            return
        # Of what may be growing, replaced or in need of repair, only one process opens the files at a time.
        proving = self._lease.folder.stored_bytes() / _PROVEN_PER_SECOND
        with self._changing(PATIENCE_SECONDS + proving):
            stored = self._found()
            if stored is not None and not self._reopen(stored):
                _log.warning("! %s: what is stored does not fit together, and is not used", self.key)

    def _found(self) -> ResourceMeta | None:
        stored = read_meta(self._files.meta)
        self.generation = None if stored is None else stored.generation
        return stored

    def _keep_promise(self) -> None:
        """Look whether what is complete has the digest that is asked for now; if not, it is nothing to us.

        It stays for all others, who asked for no such thing, until other bytes have proven to be the right ones.
        """
        if self._digest is None or self._meta is None or not self.committed or self._meta.digest == self._digest:
            return
        self.fault = wrong(OpenFile.existing(self._files.data), self._meta.length or 0, (self._digest,))
        if self.fault is None:
            self._revise(digest=self._digest)
            return
        _log.warning("! %s: %s", self.key, self.fault)
        self.resource = self.remote = self._meta = None

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
        stored = read_meta(self._files.meta) if self.fault is None else None
        if stored is None or remote.freshness.no_store or not _same_version(stored.remote, remote):
            return None
        if self.resource is not None and self._names_ours(stored):
            return self.resource
        return self.resource if self._reopen(stored) else None

    def _facts(self, remote: Remote) -> ResourceMeta:
        key = self.key
        return ResourceMeta(remote=remote, url=key.url, name=key.name, length=remote.length, created=self._clock.wall())

    def _started(self, remote: Remote) -> StreamingResource:
        meta, files = self._facts(remote), self._files
        if self.fault is not None:
            self._drop_aside()
            files = self._aside = files.aside()
        resource = StreamingResource.create(
            files.data, files.journal, meta.generation, length=remote.length, checksums=self._checksums
        )
        try:
            if remote.freshness.no_store:
                files.remove()  # RFC 9111, 5.2.2.5: bytes without a name live no longer than we hold them
                self._aside = None
            elif files is self._files:
                write_meta_soon(files.meta, meta)
        except OSError:
            resource.close()
            with contextlib.suppress(OSError):
                files.remove()
            raise
        return self._hold(resource, meta)

    def _drop_aside(self) -> None:
        aside, self._aside = self._aside, None
        if aside is not None:
            with contextlib.suppress(OSError):
                aside.remove()

    @contextlib.contextmanager
    def replacing(self, remote: Remote, digest: str | None = None) -> Iterator[StreamingResource]:
        self._changed, self._digest = True, digest
        meta, aside = self._facts(remote), self._files.aside()
        with contextlib.ExitStack() as leaving, told("begin", aside.data):
            leaving.callback(aside.remove)
            resource = StreamingResource.create(
                aside.data, aside.journal, meta.generation, length=remote.length, checksums=self._checksums
            )
            self._aside = aside
            yield self._hold(resource, meta)

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
                stored = self._in_place()
                if stored is not None:
                    length, sealed = self.resource.length, self.resource.vouched()
                    digest = next(iter(promised), None)
                    facts = replace(stored, committed=True, length=length, sealed=sealed, digest=digest)
                    write_meta(self._files.meta, facts)

    def _in_place(self) -> ResourceMeta | None:
        """Return what is stored of our bytes, which take their names now if they were made aside; None: of others'."""
        aside, self._aside = self._aside, None
        if aside is not None and self.resource is not None and self._meta is not None:
            self._files.replaced_by(aside)
            write_meta_soon(self._files.meta, self._meta)  # who dies from here on leaves what can be committed
            self.resource.note_stamp(moved=True)
            self.fault = None
        stored = read_meta(self._files.meta)
        return stored if stored is not None and self._names_ours(stored) else None

    def _names_ours(self, stored: ResourceMeta) -> bool:
        ours = self._meta is not None and self._meta.generation == stored.generation
        return ours and self.resource is not None and self.resource.lies_at(self._files.data)

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
        self._drop_aside()
        self._lease.release()
        try:
            with told("close", self._lease.folder.path):
                self._settle()
        except OSError as error:
            _log.warning("! %s", error)
        self._ledger.evict()

    def _settle(self) -> None:
        if self._in_passing and self.generation is not None:
            self._ledger.changed(self.key.asset_id)
        else:
            (self._ledger.settled if self._changed else self._ledger.used)(self.key, self._lease.folder)


def _same_version(stored: Remote, told_now: Remote) -> bool:
    return stored.length == told_now.length and stored.validator.agrees(told_now.validator) is True
