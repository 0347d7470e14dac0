"""The store: one directory of resources, which any number of threads and processes use at once.

Must not know: what is fetched, what is in a resource.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Self

from kithara_file.assets.disk import told
from kithara_file.assets.entry import Entry, local_entry
from kithara_file.assets.eviction import Candidate, Limits, Usage, doomed
from kithara_file.assets.index import Known
from kithara_file.assets.keys import ResourceKey
from kithara_file.assets.layout import AssetFolder, Layout
from kithara_file.assets.leases import Lease
from kithara_file.assets.ledger import Freed, Ledger
from kithara_file.assets.pins import checked, pins_of, read_pins, write_pins
from kithara_file.assets.stored import PATIENCE_SECONDS, StoredEntry
from kithara_file.assets.uncached import UncachedEntry
from kithara_file.clock import Clock, Deadline, SystemClock
from kithara_file.errors import AssetError, DiskFull, LeaseHeld, StreamClosed
from kithara_file.net.remote import Remote
from kithara_file.storage.atomic import AtomicResource
from kithara_file.storage.verify import Progress

if TYPE_CHECKING:
    from kithara_file.assets.catalogue import StoredAsset
    from kithara_file.assets.inspection import Finding


class AssetStore:
    """A cache directory and its limits. Nothing on disk is touched before the first `open`."""

    def __init__(
        self,
        root: str | os.PathLike[str] | None = None,
        *,
        max_bytes: int | None = None,
        max_assets: int | None = None,
        max_age: float | None = None,
        min_free_bytes: int | None = None,
        clock: Clock | None = None,
    ) -> None:
        """Name the directory; None is the user's cache directory. Raises `ConfigError` for a limit below 0."""
        self.limits = Limits(max_bytes=max_bytes, max_assets=max_assets, max_age=max_age, min_free_bytes=min_free_bytes)
        self._given_root = root
        self._clock = clock or SystemClock()
        self._closed = False
        self._laid_out: Layout | None = None
        self._ledgers: dict[int, Ledger] = {}

    @property
    def root(self) -> Path:
        """The directory everything is kept in."""
        return self._layout.root

    # No `cached_property`: before Python 3.12 it has a lock for all stores, which a child would find held for ever.
    @property
    def _layout(self) -> Layout:
        if self._laid_out is None:
            self._laid_out = Layout(_directory(self._given_root))
        return self._laid_out

    @property
    def _ledger(self) -> Ledger:
        if not self._ledgers:
            self._ledgers.setdefault(0, Ledger(self._layout, self.limits, self._clock))  # the same for every thread
        return self._ledgers[0]

    def open(self, key: ResourceKey, *, checksums: bool = True, digest: str | None = None) -> Entry:
        """Hold what is stored under `key`, which may be nothing; as long as it is held, nobody evicts it.

        With `digest`, as in ``sha256:9f86d0…``, complete bytes that do not have it count as nothing, and no others are
        committed. Blocks on the disk. What is stored but makes no sense counts as nothing. A disk without room for
        another asset gives an entry that is read past the cache. Raises `StorageError` when the directory cannot be
        used, and `LeaseHeld` when other processes do not let the asset go in time.
        """
        self._check()
        if key.path is not None:
            return local_entry(key, key.path, digest)
        try:
            with told("use the cache directory", self.root):
                return StoredEntry(key, self._lease(key), self._ledger, self._clock, checksums=checksums, digest=digest)
        except DiskFull as fault:
            return UncachedEntry(key, fault.again())

    def _open_in_passing(self, key: ResourceKey) -> Entry:
        with told("use the cache directory", self.root):
            return StoredEntry(key, self._lease(key), self._ledger, self._clock, in_passing=True)

    def _key(self, target: str | ResourceKey) -> ResourceKey:
        return target if isinstance(target, ResourceKey) else ResourceKey.of(target)

    def _lease(self, key: ResourceKey) -> Lease:
        if key.path is not None:
            raise AssetError(f"A local file is not in the store: {key.path}")
        self._check()
        return Lease(partial(self._layout.folder, key), Deadline.after(PATIENCE_SECONDS))

    def _check(self) -> None:
        if self._closed:
            raise StreamClosed("The store is closed")

    # -- what there is -----------------------------------------------------------------------------------------------

    def assets(self) -> list[StoredAsset]:
        """Return what is stored, last used first. Looks through every folder; nothing counts as used by that."""
        from kithara_file.assets.catalogue import look  # noqa: PLC0415 - who only reads needs none of it

        known = self._ledger.known()
        with told("look through", self.root):
            found = [look(folder, known.get(folder.asset_id, Known())) for folder in self._layout.every_asset()]
        return sorted(found, key=lambda each: (-each.last_used, each.asset_id))

    def find(self, target: str | ResourceKey) -> StoredAsset | None:
        """Return what is stored of one asset, None when there is nothing."""
        from kithara_file.assets.catalogue import look  # noqa: PLC0415 - who only reads needs none of it

        folder = self._layout.asset(self._key(target).asset_id)
        if not folder.present:
            return None
        with told("look at", folder.path):
            return look(folder, self._ledger.known(folder.asset_id).get(folder.asset_id, Known()))

    def usage(self) -> Usage:
        """Return how many assets there are and what they take. Blocks on the disk."""
        return self._ledger.usage()

    def path(self, target: str | ResourceKey) -> Path:
        """Return where the bytes of `target` are, or would be."""
        key = self._key(target)
        return key.path or self._layout.asset(key.asset_id).resource(key.resource_hash).data

    def verify(self, target: str | ResourceKey | None = None, progress: Progress | None = None) -> list[Finding]:
        """Read again all that is stored, of one asset or of every; take back what is bad, so that it is fetched anew.

        Safe beside readers and downloads, of other processes too. What is kept without checksums is good while nobody
        has touched its file. `progress` is called with the bytes read so far and in all. Blocks on the disk.
        """
        from kithara_file.assets.inspection import inspect  # noqa: PLC0415 - who only reads needs none of it

        found = self.assets() if target is None else filter(None, [self.find(target)])
        return inspect((one for asset in found for one in asset.resources), self._open_in_passing, progress)

    # -- small objects, whole files ----------------------------------------------------------------------------------

    def atomic(self, target: str | ResourceKey, name: str) -> AtomicResource:
        """Return a small object beside the bytes of `target`, read and written whole, which goes with its asset."""
        key = self._key(target)
        from kithara_file.assets.sidecars import Sidecar  # noqa: PLC0415 - who only reads needs none of it

        return Sidecar(key, name, self._layout, partial(self._lease, key), self._settled)

    def _settled(self, key: ResourceKey, folder: AssetFolder) -> None:
        with told("settle", folder.path):
            self._ledger.settled(key, folder)
        self._ledger.evict()

    def export(self, target: str | ResourceKey, path: str | os.PathLike[str]) -> None:
        """Put the complete bytes of `target` at `path`, whole or not at all; blocks are shared where that is possible.

        Raises `AssetError` when they are not complete here, and `StorageError`.
        """
        from kithara_file.assets.exchange import export  # noqa: PLC0415 - who only reads needs none of it

        key = self._key(target)
        if self.find(key) is None:  # nothing is to be made by asking for nothing
            raise AssetError(f"{key.url} is not in the store")
        with self.open(key) as entry:
            export(entry, self.path(key), Path(path).absolute())

    def adopt(
        self,
        path: str | os.PathLike[str],
        target: str | ResourceKey,
        remote: Remote | None = None,
        *,
        digest: str | None = None,
    ) -> None:
        """Put a copy of the local file `path` into the store as the complete bytes of `target`.

        `remote` tells what is known of the far end, such as a validator: without one the whole is compared when the
        origin is next asked. Raises `StorageError`; then what was stored of `target` is stored still.
        """
        from kithara_file.assets.exchange import adopt  # noqa: PLC0415 - who only reads needs none of it

        with self.open(self._key(target)) as entry:
            adopt(entry, Path(path), remote or Remote(), digest)

    # -- pins --------------------------------------------------------------------------------------------------------

    def pin(self, target: str | ResourceKey, name: str = "user") -> frozenset[str]:
        """Keep the asset of `target`, which may have to be fetched yet, whatever the limits; return all its pins.

        It stays for as long as any name pins it, across restarts; the same name counts once. Blocks on the disk. Raises
        `AssetError` when it has too many, `StorageError` and `LeaseHeld`; then nothing has changed.
        """
        return self._repin(target, frozenset({checked(name)}), frozenset())

    def unpin(self, target: str | ResourceKey, name: str | None = "user") -> frozenset[str]:
        """Take the pin `name` off the asset of `target`, None: every pin; return those left. Idempotent.

        None takes off also those that cannot be read. Raises `StorageError` and `LeaseHeld`; then nothing has changed.
        """
        key = self._key(target)
        held = pins_of if name is None else read_pins
        before = held(self._layout.asset(key.asset_id))
        gone = before if name is None else frozenset({name})
        return self._repin(key, frozenset(), gone, held) if before & gone else before

    def pins(self, target: str | ResourceKey) -> frozenset[str]:
        """Return the names that pin the asset of `target`."""
        return pins_of(self._layout.asset(self._key(target).asset_id))

    def _repin(
        self,
        target: str | ResourceKey,
        more: frozenset[str],
        less: frozenset[str],
        held: Callable[[AssetFolder], frozenset[str]] = read_pins,
    ) -> frozenset[str]:
        key = self._key(target)
        with told("pin in", self.root):
            lease = self._lease(key)
            try:
                with lease.change(Deadline.after(PATIENCE_SECONDS)):
                    names = (held(lease.folder) | more) - less
                    write_pins(lease.folder, names)
                    self._ledger.pinned(key, lease.folder)
            finally:
                lease.release()
        self._settled(key, lease.folder)
        return names

    # -- what must go ------------------------------------------------------------------------------------------------

    def remove(self, target: str | ResourceKey, *, pinned: bool = False) -> None:
        """Remove the asset of `target`, all of its resources, if it is there.

        Raises `LeaseHeld` when somebody uses it, and `AssetError` when it is pinned, unless pinned ones may go too.
        """
        key = self._key(target)
        names = frozenset() if pinned else self.pins(key)
        if names:
            raise AssetError(f"{key.url} is pinned by {', '.join(sorted(names))}, so that it stays")
        with told("remove", self._layout.asset(key.asset_id).path):
            if not self._ledger.remove(key.asset_id, pinned=pinned):
                raise LeaseHeld(f"{key.url} is in use, so that it cannot be removed")

    def doomed(self) -> list[StoredAsset]:
        """Return what `gc` would remove now, the first to go first. Looks through every folder."""
        assets = {each.asset_id: each for each in reversed(self.assets())}
        free = self._layout.free_bytes() if assets and self.limits.min_free_bytes is not None else None
        usage = Usage(len(assets), sum(each.bytes for each in assets.values()), free)
        may_go = (
            Candidate(each.asset_id, each.bytes, each.last_used)
            for each in assets.values()
            if not (each.in_use or each.pins)
        )
        return [assets[each.asset_id] for each in doomed(may_go, usage, self.limits, self._clock.wall())]

    def gc(self) -> Freed:
        """Remove what must go under the limits, least recently used first; never what is in use or pinned.

        Blocks on the disk. Done by itself when an entry is committed or closed.
        """
        return self._ledger.evict_in_turn()

    def close(self) -> None:
        """Let the index go. Entries that are still open stay good. Idempotent."""
        self._closed = True
        for each in list(self._ledgers.values()):
            each.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<AssetStore {self.root}{' closed' if self._closed else ''}>"


def _directory(given: str | os.PathLike[str] | None) -> Path:
    if given is not None:
        return Path(given).absolute()
    from platformdirs import user_cache_path  # noqa: PLC0415 - not needed by those who name a directory

    return user_cache_path("kithara-file", appauthor=False)
