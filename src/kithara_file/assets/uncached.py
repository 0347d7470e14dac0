"""What a full disk has room for: an entry of which nothing is stored.

Must not know: why there is no room, what is fetched and when.
"""

from __future__ import annotations

from dataclasses import replace

from kithara_file.assets.entry import Entry
from kithara_file.assets.keys import ResourceKey
from kithara_file.errors import StorageError
from kithara_file.net.remote import Remote
from kithara_file.storage.unstored import UnstoredResource


class UncachedEntry(Entry):
    """A resource that is read past the cache; `commit` raises the fault. Nothing is on disk, nothing is locked."""

    def __init__(self, key: ResourceKey, fault: StorageError) -> None:
        super().__init__(key)
        self._fault = fault
        self._held: list[UnstoredResource] = []

    def begin(self, remote: Remote) -> UnstoredResource:
        resource = UnstoredResource(self._fault.again(), length=remote.length)
        self._held.append(resource)
        self.remote, self.resource = remote, resource
        return resource

    def refresh(self, remote: Remote) -> None:
        if self.remote is not None:
            self.remote = replace(self.remote, freshness=remote.freshness)

    def commit(self) -> None:
        raise self._fault.again()

    def remove(self) -> None:
        """Do nothing: nothing is stored."""

    def close(self) -> None:
        for each in self._held:
            each.close()
