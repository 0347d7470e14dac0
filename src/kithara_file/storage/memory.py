"""A resource that lives in memory: for readers whose store cannot be used, and for tests.

Must not know: files. Nothing bounds it but the length of the resource.
"""

from __future__ import annotations

from kithara_file.errors import CorruptResource, StreamClosed
from kithara_file.ranges import ByteRange
from kithara_file.storage.waiting import Waitable

PAGE = 256 * 1024


class MemoryResource(Waitable):
    """The `Resource` without files: pages of memory, made as bytes land on them.

    Pages never change their size, so a reader in another thread copies out of them without a lock.
    """

    def __init__(self, length: int | None = None) -> None:
        super().__init__(length)
        self._pages: dict[int, bytearray] = {}

    def write_at(self, start: int, *pieces: bytes) -> None:
        """Put `pieces` one after another from `start` on, then let the coverage grow, then wake whom they serve."""
        if self._closed:
            raise StreamClosed
        end = start + sum(map(len, pieces))
        if self._length is not None and end > self._length:
            raise ValueError(f"bytes up to {end} cannot belong to a resource of {self._length}")
        at = start
        for piece in pieces:
            self._put(at, memoryview(piece))
            at += len(piece)
        self._land(start, end)

    def _put(self, at: int, source: memoryview) -> None:
        while source:
            number, offset = divmod(at, PAGE)
            size = min(PAGE - offset, len(source))
            page = self._pages.get(number) or self._pages.setdefault(number, bytearray(PAGE))
            page[offset : offset + size] = source[:size]
            source, at = source[size:], at + size

    def read_at(self, start: int, buffer: memoryview) -> int:
        """Fill `buffer` with the bytes present from `start` on; return how many, 0 when the first is missing."""
        with self._lock:
            if self._closed:
                raise StreamClosed
            end = min(start + len(buffer), self._coverage.end_of_run(start))
            pages = self._pages
        at = start
        while at < end:
            number, offset = divmod(at, PAGE)
            size = min(PAGE - offset, end - at)
            buffer[at - start : at - start + size] = memoryview(pages[number])[offset : offset + size]
            at += size
        return at - start

    def take_back(self, *ranges: ByteRange) -> None:
        """Make bytes absent."""
        with self._lock:
            coverage = self._coverage.copy()
            for each in ranges:
                coverage.remove(each.start, each.end)
            self._coverage, self._committed = coverage, False

    def flush(self) -> None:
        """Do nothing: memory makes no claim that could outlive the process."""

    def commit(self) -> None:
        """Mark the complete resource as never changing again."""
        if not self.complete:
            raise CorruptResource("A resource with bytes missing cannot be committed")
        self._committed = True

    def close(self) -> None:
        """Let the bytes go. Idempotent; reads after it raise `StreamClosed`."""
        if self._shut():
            self._pages = {}

    def __repr__(self) -> str:
        return f"<MemoryResource {self.progress} · {len(self._demands)} waiting>"
