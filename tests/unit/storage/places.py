"""Places to keep resources in, and short ways to use them in the tests of storage."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import pytest

from kithara_file.clock import CancelToken, Deadline
from kithara_file.ranges import ByteRange
from kithara_file.storage import Resource, StreamingResource

TODAY = UUID(int=1)
AFTER_A_POWER_CUT = UUID(int=2)

_PERIOD = bytes((at * 31 + at // 251) % 256 for at in range(251 * 256))


@dataclass(frozen=True)
class Place:
    """Where one resource lies."""

    folder: Path
    generation: str = "v1"

    @property
    def data(self) -> Path:
        """Its bytes."""
        return self.folder / "data"

    @property
    def journal(self) -> Path:
        """Its claims."""
        return self.folder / "journal"

    def create(
        self, *, length: int | None = None, checksums: bool = True, memory_bytes: int = 1 << 20
    ) -> StreamingResource:
        """Begin a resource here, today."""
        return StreamingResource.create(
            self.data,
            self.journal,
            self.generation,
            length=length,
            checksums=checksums,
            memory_bytes=memory_bytes,
            this_boot=lambda: TODAY,
        )

    def reopen(
        self,
        *,
        length: int | None = None,
        committed: bool = False,
        boot: UUID = TODAY,
        generation: str | None = None,
        checksums: bool = True,
    ) -> StreamingResource:
        """Go on with what is here."""
        return StreamingResource.reopen(
            self.data,
            self.journal,
            generation or self.generation,
            length=length,
            committed=committed,
            checksums=checksums,
            this_boot=lambda: boot,
        )

    def flip(self, offset: int) -> None:
        """Change one bit of one stored byte."""
        with self.data.open("r+b") as file:
            file.seek(offset)
            old = file.read(1)[0]
            file.seek(offset)
            file.write(bytes([old ^ 4]))


def pattern(start: int, end: int) -> bytes:
    """Return the one right content of these bytes."""
    first = start % len(_PERIOD)
    return (_PERIOD * (1 + (first + end - start) // len(_PERIOD)))[first : first + end - start]


def full(place: Place, size: int = 100) -> None:
    """Leave a complete, committed resource behind."""
    resource = place.create(length=size)
    resource.write_at(0, pattern(0, size))
    resource.commit()
    resource.close()


def read(resource: Resource, start: int, size: int) -> bytes:
    """Return what one `read_at` gives."""
    buffer = bytearray(size)
    return bytes(buffer[: resource.read_at(start, memoryview(buffer))])


def spans(resource: Resource) -> list[tuple[int, int]]:
    """Return the coverage as plain numbers."""
    return [(each.start, each.end) for each in resource.snapshot()]


def wait(resource: Resource, start: int, end: int, seconds: float = 0) -> ByteRange | None:
    """Wait for bytes, not at all unless told."""
    return resource.wait_range(ByteRange(start, end), Deadline.after(seconds), CancelToken())


@contextmanager
def small_disk(folder: Path, size: str = "512k") -> Iterator[Path]:
    """Mount a disk that is soon full; skips the test where that is not allowed."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("mounting a small tmpfs is not allowed here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def remount(folder: Path, *options: str) -> None:
    """Change the options of a mounted disk."""
    subprocess.run(["mount", "-o", ",".join(("remount", *options)), folder], check=True)
