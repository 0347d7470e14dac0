"""What is in a store, for people to look at: assets, their resources, who pins and who uses them.

Nothing that is looked at counts as used by that. Must not know: sqlite, how anything is changed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from kithara_file.assets.index import Known
from kithara_file.assets.keys import ResourceKey
from kithara_file.assets.layout import AssetFolder, ResourceFiles
from kithara_file.assets.leases import sole
from kithara_file.assets.meta import ResourceMeta, read_meta
from kithara_file.assets.pins import pins_of
from kithara_file.assets.users import users_of
from kithara_file.ranges import Coverage
from kithara_file.storage.belief import claimed


@dataclass(frozen=True, slots=True)
class StoredResource:
    """One resource, as its files say."""

    key: ResourceKey
    length: int | None
    coverage: Coverage
    committed: bool
    media_type: str | None
    path: Path
    """Where the bytes are."""
    generation: str = ""
    """Another one each time that the bytes are made anew."""

    @property
    def complete(self) -> bool:
        """True when every byte is here."""
        return self.length is not None and self.coverage.covers(0, self.length)


@dataclass(frozen=True, slots=True)
class StoredAsset:
    """One asset: what is kept, pinned and evicted as one."""

    asset_id: str
    url: str
    """Without user info and query; empty when neither a meta file nor the index tells."""
    name: str | None
    bytes: int
    """What it takes on the disk, everything in its folder."""
    last_used: float
    """Seconds since 1970."""
    pins: frozenset[str]
    in_use: bool
    users: tuple[int, ...]
    """The processes that use it, as far as this one may know."""
    resources: tuple[StoredResource, ...]

    @property
    def key(self) -> ResourceKey:
        """A key that names this asset."""
        if self.resources:
            return self.resources[0].key
        return ResourceKey(self.asset_id, "0" * len(self.asset_id), self.url, self.name)


def look(folder: AssetFolder, known: Known) -> StoredAsset:
    """Return what is in the folder of an asset; what the files do not tell is as it was `known`."""
    resources = tuple(_resources(folder))
    first = resources[0].key if resources else None
    with sole(folder) as alone:
        in_use = not alone
    return StoredAsset(
        asset_id=folder.asset_id,
        url=first.url if first else known.url,
        name=first.name if first else known.name,
        bytes=folder.stored_bytes(),
        last_used=known.last_used or folder.last_changed(),
        pins=pins_of(folder),
        in_use=in_use,
        users=users_of(folder.lease) if in_use else (),
        resources=resources,
    )


def _resources(folder: AssetFolder) -> Iterator[StoredResource]:
    for path in sorted(folder.metas()):
        meta = read_meta(path)
        if meta is not None:
            yield _resource(folder, path.stem, meta)


def _resource(folder: AssetFolder, resource_hash: str, meta: ResourceMeta) -> StoredResource:
    files = folder.resource(resource_hash)
    key = ResourceKey(folder.asset_id, resource_hash, meta.url, meta.name)
    coverage = _coverage(files, meta)
    whole = meta.length is not None and coverage.covers(0, meta.length)
    committed = meta.committed and whole
    return StoredResource(key, meta.length, coverage, committed, meta.remote.media_type, files.data, meta.generation)


def _coverage(files: ResourceFiles, meta: ResourceMeta) -> Coverage:
    coverage = claimed(files.data, files.journal, meta.generation)
    if meta.length is not None:
        coverage.remove(meta.length, max(meta.length, coverage.end))
    return coverage
