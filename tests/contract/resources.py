"""Resources of every kind, for their contract suites, and how the suites read and wait."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol, TypeVar

from kithara_file.clock import CancelToken, Deadline
from kithara_file.errors import StorageError
from kithara_file.ranges import ByteRange
from kithara_file.storage import MemoryResource, Resource, StreamingResource

T = TypeVar("T")
SOON = 30.0
"""Seconds that a wake-up may take on a machine under load; no test waits for it to pass."""


class Maker(Protocol):
    """Makes resources of one kind in a folder."""

    __name__: str

    def __call__(self, folder: Path) -> Resource: ...


def in_memory(folder: Path) -> Resource:
    return MemoryResource()


def on_disk(folder: Path) -> Resource:
    return StreamingResource.create(folder / "data", folder / "journal", "v1")


def reopened(folder: Path) -> Resource:
    on_disk(folder).close()
    return StreamingResource.reopen(folder / "data", folder / "journal", "v1", length=None, committed=False)


def unhashed(folder: Path) -> Resource:
    return StreamingResource.create(folder / "data", folder / "journal", "v1", checksums=False)


def past_a_full_disk(folder: Path) -> Resource:
    resource = StreamingResource.create(folder / "data", folder / "journal", "v1", memory_bytes=1 << 30)
    resource._bypass(StorageError("full"))  # noqa: SLF001 - a disk that is really full is in test_spill
    return resource


MAKERS: list[Maker] = [in_memory, on_disk, reopened, unhashed, past_a_full_disk]


@contextmanager
def made(make: Maker) -> Iterator[Resource]:
    with tempfile.TemporaryDirectory() as folder:
        resource = make(Path(folder))
        try:
            yield resource
        finally:
            resource.close()


def read(resource: Resource, start: int, size: int) -> bytes:
    buffer = bytearray(size)
    return bytes(buffer[: resource.read_at(start, memoryview(buffer))])


def wait(resource: Resource, start: int, end: int, cancel: CancelToken | None = None) -> ByteRange | None:
    return resource.wait_range(ByteRange(start, end), Deadline.after(SOON), cancel or CancelToken())


def blocked(resource: Resource, pool: ThreadPoolExecutor, waiting: Callable[[], T], count: int = 1) -> list[Future[T]]:
    """Start `count` threads that wait, and return once each of their demands stands in the queue."""
    stand = threading.Semaphore(0)
    resource.on_demand = stand.release
    futures = [pool.submit(waiting) for _ in range(count)]
    for _ in range(count):
        assert stand.acquire(timeout=SOON)
    return futures
