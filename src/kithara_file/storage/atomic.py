"""A small object that is replaced as a whole: a reader sees the old bytes or the new ones, also after a power cut.

Must not know: what the bytes mean.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from uuid import uuid4

from kithara_file.errors import CorruptResource
from kithara_file.storage.faults import named
from kithara_file.storage.system import read_whole, sync_folder, write_new

TEMPORARY = ".tmp"
"""How the names of unfinished writes end, which a crash may leave behind for anybody to remove."""

LARGEST = 64 * 1024 * 1024
"""A larger file is nothing that was written here, and is not read into memory whole."""


class AtomicResource:
    """The bytes at `path`, read and written whole. Blocks on the disk; several processes may use one path."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> bytes | None:
        """Return the bytes, None when there are none; `StorageError` when they cannot be read."""
        try:
            data = read_whole(self.path, LARGEST + 1)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise named(error, "read", self.path) from error
        if len(data) > LARGEST:
            raise CorruptResource(f"{self.path} is far too long", path=str(self.path))
        return data

    def write(self, data: bytes) -> None:
        """Replace the bytes, durably. When it fails with `StorageError` (`DiskFull`), the old ones are still there."""
        unfinished = self.path.with_name(f"{self.path.name}.{uuid4().hex}{TEMPORARY}")
        try:
            write_new(unfinished, data)
            unfinished.replace(self.path)
            sync_folder(self.path.parent)
        except OSError as error:
            with suppress(OSError):
                unfinished.unlink(missing_ok=True)
            raise named(error, "write", self.path) from error

    def remove(self) -> None:
        """Remove the bytes if there are any."""
        try:
            self.path.unlink(missing_ok=True)
        except OSError as error:
            raise named(error, "remove", self.path) from error

    def __repr__(self) -> str:
        return f"<AtomicResource {self.path.name}>"
