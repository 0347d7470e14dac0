"""The store: one directory of resources, which any number of threads and processes use at once.

Must not know: what is fetched, what is in a resource.
"""

from __future__ import annotations

import os
from functools import cached_property, partial
from pathlib import Path
from typing import Self

from kithara_file.assets.disk import told
from kithara_file.assets.entry import PATIENCE_SECONDS, Entry, StoredEntry, local_entry
from kithara_file.assets.eviction import Limits
from kithara_file.assets.keys import ResourceKey
from kithara_file.assets.layout import Layout
from kithara_file.assets.leases import Lease
from kithara_file.assets.ledger import Freed, Ledger
from kithara_file.assets.uncached import UncachedEntry
from kithara_file.clock import Clock, Deadline, SystemClock
from kithara_file.errors import DiskFull, LeaseHeld, StreamClosed


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

    @cached_property
    def root(self) -> Path:
        """The directory everything is kept in."""
        if self._given_root is not None:
            return Path(self._given_root).absolute()
        from platformdirs import user_cache_path  # noqa: PLC0415 - not needed by those who name a directory

        return user_cache_path("kithara-file", appauthor=False)

    @cached_property
    def _layout(self) -> Layout:
        return Layout(self.root)

    @cached_property
    def _ledger(self) -> Ledger:
        return Ledger(self._layout, self.limits, self._clock)

    def open(self, key: ResourceKey, *, checksums: bool = True) -> Entry:
        """Hold what is stored under `key`, which may be nothing; as long as it is held, nobody evicts it.

        Blocks on the disk. What is stored but makes no sense counts as nothing. A disk without room for another asset
        gives an entry that is read past the cache. Raises `StorageError` when the directory cannot be used, and
        `LeaseHeld` when other processes do not let the asset go in time.
        """
        if self._closed:
            raise StreamClosed("The store is closed")
        if key.path is not None:
            return local_entry(key, key.path)
        try:
            with told("use the cache directory", self.root):
                lease = Lease(partial(self._layout.folder, key), Deadline.after(PATIENCE_SECONDS))
                return StoredEntry(key, lease, self._ledger, self._clock, checksums=checksums)
        except DiskFull as fault:
            return UncachedEntry(key, fault.again())

    def remove(self, key: ResourceKey) -> None:
        """Remove the asset of `key`, all of its resources, if it is there. Raises `LeaseHeld` when somebody uses it."""
        with told("remove", self._layout.asset(key.asset_id).path):
            if not self._ledger.remove(key.asset_id):
                raise LeaseHeld(f"{key.url} is in use, so that it cannot be removed")

    def gc(self) -> Freed:
        """Remove what must go under the limits, least recently used first; never what is in use or pinned.

        Blocks on the disk. Done by itself when an entry is committed or closed.
        """
        return self._ledger.evict()

    def close(self) -> None:
        """Let the index go. Entries that are still open stay good. Idempotent."""
        self._closed = True
        if "_ledger" in self.__dict__:
            self._ledger.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<AssetStore {self.root}{' closed' if self._closed else ''}>"
