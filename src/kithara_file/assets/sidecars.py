"""Small objects beside the bytes of an asset, such as cover art: kept, counted and evicted with it.

Must not know: what is in them.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from kithara_file.assets.keys import ResourceKey, sidecar_name
from kithara_file.assets.layout import AssetFolder, Layout
from kithara_file.assets.leases import Lease
from kithara_file.storage.atomic import AtomicResource


class Sidecar(AtomicResource):
    """The `AtomicResource` of one name in an asset: read and written whole, by any number of processes.

    Each operation stands for itself, so that holding this object keeps nothing from being evicted.
    """

    def __init__(
        self, key: ResourceKey, name: str, layout: Layout, lease: Callable[[], Lease], changed: Callable[..., object]
    ) -> None:
        """Name it; nothing on disk is touched. `changed` is told the key and folder after each change."""
        self._key = key
        self._lease = lease
        self._changed = changed
        super().__init__(_place(layout.asset(key.asset_id), name))

    def write(self, data: bytes) -> None:
        """Replace the bytes, durably. When it fails with `StorageError` (`DiskFull`), the old ones are still there."""
        lease = self._lease()
        try:
            super().write(data)
        finally:
            lease.release()
            self._changed(self._key, lease.folder)

    def remove(self) -> None:
        """Remove the bytes if there are any; an asset of which nothing is left goes too."""
        if not self.path.exists():
            return
        lease = self._lease()
        try:
            super().remove()
        finally:
            lease.release()
            self._changed(self._key, lease.folder)


def _place(folder: AssetFolder, name: str) -> Path:
    return folder.path / f"{sidecar_name(name)}.side"
