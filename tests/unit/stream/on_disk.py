"""A source whose bytes are all in one file."""

from __future__ import annotations

import os
from pathlib import Path

from kithara_file.storage import MemoryResource
from kithara_file.storage.resource import Descriptor
from tests.contract.files import MemorySource

DATA = bytes(range(256)) * 8000


class OnDisk(MemorySource):
    """A source whose bytes are all in a file, and once more in memory."""

    def __init__(self, path: Path) -> None:
        path.write_bytes(DATA)
        resource = MemoryResource(len(DATA))
        resource.write_at(0, DATA)
        super().__init__(resource)
        self.path = path

    def descriptor(self) -> Descriptor | None:
        self.file = Descriptor(os.open(self.path, os.O_RDONLY))
        return self.file
