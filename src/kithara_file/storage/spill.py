"""The bytes that the disk would not take, kept in memory as far as a bound allows; the oldest go first.

Must not know: why the disk would not, what else is present. Not thread-safe: its owner holds a lock.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections import deque
from collections.abc import Iterator

from kithara_file.ranges import ByteRange

OVERHEAD = 256
"""What keeping one piece costs beside its bytes, so that a million tiny ones stay within the bound too."""


class Window:
    """A bounded set of disjoint pieces, found by offset and dropped by age."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._pieces: dict[int, bytes] = {}
        self._starts: list[int] = []
        self._by_age: deque[int] = deque()
        self._held = 0

    def put(self, start: int, data: bytes) -> list[ByteRange]:
        """Keep `data`, which must overlap nothing kept; return what had to be dropped for it."""
        self._pieces[start] = data
        insort(self._starts, start)
        self._by_age.append(start)
        self._held += len(data) + OVERHEAD
        dropped = []
        while self._held > self._capacity and len(self._by_age) > 1:
            dropped.append(self._drop(self._by_age.popleft()))
        return dropped

    def _drop(self, start: int) -> ByteRange:
        data = self._pieces.pop(start)
        del self._starts[bisect_left(self._starts, start)]
        self._held -= len(data) + OVERHEAD
        return ByteRange(start, start + len(data))

    def find(self, offset: int) -> memoryview | None:
        """Return the kept bytes from `offset` on, as far as one piece goes; None when it is not kept."""
        index = bisect_right(self._starts, offset) - 1
        if index < 0:
            return None
        start = self._starts[index]
        return memoryview(self._pieces[start])[offset - start :] or None

    def next_start(self, offset: int, end: int) -> int:
        """Return where the first piece after `offset` begins, `end` when that is farther."""
        index = bisect_right(self._starts, offset)
        return min(end, self._starts[index]) if index < len(self._starts) else end

    def __iter__(self) -> Iterator[ByteRange]:
        return (ByteRange(start, start + len(data)) for start, data in self._pieces.items())

    def __repr__(self) -> str:
        return f"<Window {len(self._pieces)} pieces · {self._held} of {self._capacity} bytes>"
