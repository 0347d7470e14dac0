"""Where the files of a store lie; this, with the format of the files, is what other versions of us rely on.

::

    <root>/index.sqlite3                          a summary of the folders, which can be made again from them
    <root>/index.lost                             that it is to be, because a change could not be taken down in it
    <root>/index.lock                             held by who opens or replaces the index
    <root>/lock                                   held by who evicts
    <root>/evict.due                              that this one is to look again, for who did not wait for it
    <root>/assets/CACHEDIR.TAG                    tells backup programs to pass by
    <root>/assets/<asset_id>/lease                shared by all who use the asset
    <root>/assets/<asset_id>/lock                 held by who changes which files there are
    <root>/assets/<asset_id>/asset.pins           who wants it to stay: see `pins`
    <root>/assets/<asset_id>/<name>.side          a small object: see `sidecars`
    <root>/assets/<asset_id>/<resource_hash>.json     what the resource is: see `meta`
    <root>/assets/<asset_id>/<resource_hash>.journal  which of its bytes are present
    <root>/assets/<asset_id>/<resource_hash>.data     the bytes

Directories are 0700, files 0600. Everything in an asset's folder counts as the asset's and goes with it.

Must not know: locks, sqlite, what is in the files.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from kithara_file.assets.disk import private_folder, replace_file, stored_bytes, unlink
from kithara_file.assets.keys import ResourceKey
from kithara_file.storage.atomic import TEMPORARY
from kithara_file.storage.platform import free_bytes

_ASSET = re.compile(r"[0-9a-f]{32}")
_WORTHLESS_ALONE = {"", ".data", ".journal", TEMPORARY}
_TAG = b"Signature: 8a477f597d28d172789f06886806bc55\n# Audio that was fetched and can be fetched again.\n"


@dataclass(frozen=True, slots=True)
class ResourceFiles:
    """The files of one resource."""

    data: Path
    journal: Path
    meta: Path

    def aside(self) -> ResourceFiles:
        """Return names for a version that is made beside this one; what a crash leaves there, nobody vouches for."""
        own = f"{secrets.token_hex(4)}.tmp"
        return ResourceFiles(
            *(each.with_suffix(f"{each.suffix}.{own}") for each in (self.data, self.journal, self.meta))
        )

    def replaced_by(self, newer: ResourceFiles) -> None:
        """Let the data and the journal of `newer` take these names, to which the meta file is still to come."""
        self.remove()
        newer.data.replace(self.data)
        newer.journal.replace(self.journal)

    def remove(self) -> None:
        """Take the names away; who holds the files open goes on reading them.

        The meta file first, so that a crash in between leaves bytes that nobody vouches for, and not the reverse. One
        that cannot be removed is told after the others are gone.
        """
        with contextlib.ExitStack() as last_first:
            for each in (self.data, self.journal, self.meta):
                last_first.callback(unlink, each)


class AssetFolder:
    """The folder of one asset."""

    __slots__ = ("lease", "path")

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lease = path / "lease"

    @property
    def lock(self) -> Path:
        """Held by who changes which files there are."""
        return self.path / "lock"

    @property
    def pins(self) -> Path:
        """Who wants it to stay."""
        return self.path / "asset.pins"

    @property
    def asset_id(self) -> str:
        """The asset's, which is the name of the folder."""
        return self.path.name

    def resource(self, resource_hash: str) -> ResourceFiles:
        """Return where the files of one resource are."""
        stem = f"{self.path}/{resource_hash}"
        return ResourceFiles(Path(f"{stem}.data"), Path(f"{stem}.journal"), Path(f"{stem}.json"))

    def files(self) -> list[os.DirEntry[str]]:
        """Return what lies in the folder, nothing when it is gone."""
        try:
            with os.scandir(self.path) as found:
                return list(found)
        except (FileNotFoundError, NotADirectoryError):
            return []

    def swept(self) -> list[os.DirEntry[str]]:
        """Remove what a crash left unfinished, and return what lies in the folder; for who holds the lease alone."""
        return [each for each in self.files() if not (each.name.endswith(TEMPORARY) and _removed(each))]

    def metas(self) -> list[Path]:
        """Return the meta files of its resources."""
        return [Path(each.path) for each in self.files() if each.name.endswith(".json")]

    def stored_bytes(self) -> int:
        """Return what the files take on the disk."""
        return weight(self.files())

    def last_changed(self) -> float:
        """Return when a file was last written, in seconds since 1970; 0.0 when there is none."""
        return max((status.st_mtime for status in _statuses(self.files())), default=0.0)

    def clear(self) -> None:
        """Remove every file but the lease, which the caller holds alone; meta files first, as in `ResourceFiles`."""
        for each in sorted(self.files(), key=lambda each: not each.name.endswith(".json")):
            if each.name != self.lease.name and not each.is_dir(follow_symlinks=False):
                unlink(Path(each.path))

    def vanish(self) -> None:
        """Remove the lease and the folder, which was cleared.

        A newcomer who finds the folder in between makes a new lease: then the folder stays, and is his.
        """
        unlink(self.lease)
        with contextlib.suppress(OSError):
            self.path.rmdir()

    @property
    def present(self) -> bool:
        """True when it is there, and no link leads through it to somewhere else."""
        return _is_folder(self.path) and _is_folder(self.path.parent)

    def __repr__(self) -> str:
        return f"<AssetFolder {self.asset_id[:8]}>"


def worthless(files: list[os.DirEntry[str]]) -> bool:
    """Tell whether none of the `files` of a folder is worth keeping: bytes for which no meta file speaks are not."""
    return all(Path(each.name).suffix in _WORTHLESS_ALONE for each in files)


def weight(files: list[os.DirEntry[str]]) -> int:
    """Return what `files` take on the disk."""
    return sum(stored_bytes(status) for status in _statuses(files))


def _removed(entry: os.DirEntry[str]) -> bool:
    try:
        unlink(Path(entry.path))
    except OSError:
        return False
    return True


def _statuses(files: list[os.DirEntry[str]]) -> Iterator[os.stat_result]:
    for each in files:
        with contextlib.suppress(FileNotFoundError):  # others may be writing there
            yield each.stat(follow_symlinks=False)


def _is_folder(path: Path) -> bool:
    try:
        return stat.S_ISDIR(path.lstat().st_mode)
    except OSError:
        return False


class Layout:
    """The directory tree of one store. Nothing is made before `make`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.assets = root / "assets"
        self.index = root / "index.sqlite3"
        self.index_lock = root / "index.lock"
        self.lock = root / "lock"
        self.eviction_due = root / "evict.due"

    def make(self) -> None:
        """Make the directories that are missing. Raises `OSError` where that is impossible."""
        if not self.root.is_dir():  # the root itself may be a link: it is where the user said
            private_folder(self.root, parents=True)
        if private_folder(self.assets):
            replace_file(self.assets / "CACHEDIR.TAG", _TAG)

    def folder(self, key: ResourceKey) -> AssetFolder:
        """Return the folder of the asset of `key`, made if it is missing. Raises `OSError` where that is impossible."""
        folder = AssetFolder(self.assets / key.asset_id)
        if not _is_folder(self.assets):
            self.make()
        private_folder(folder.path)
        return folder

    def asset(self, asset_id: str) -> AssetFolder:
        """Return where the folder of an asset is, or would be."""
        return AssetFolder(self.assets / asset_id)

    def every_asset(self) -> Iterator[AssetFolder]:
        """Yield the folder of every asset, in no order."""
        if not _is_folder(self.assets):
            return
        with os.scandir(self.assets) as found:
            for each in found:
                if _ASSET.fullmatch(each.name) and each.is_dir(follow_symlinks=False):
                    yield self.asset(each.name)

    def free_bytes(self) -> int:
        """Return what the file system of the store still takes from this user."""
        return free_bytes(self.assets)
