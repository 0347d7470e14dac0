"""Which bytes: spans of offsets, and sets of them.

Pure arithmetic. Must not know: files, sockets, time. All spans are half-open, all offsets count from 0.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class ByteRange:
    """Bytes `start` to `end`, exclusive; never empty, never negative."""

    start: int
    end: int

    def __post_init__(self) -> None:
        if not 0 <= self.start < self.end:
            msg = f"not a range of bytes: {self.start}..{self.end}"
            raise ValueError(msg)

    def __len__(self) -> int:
        return self.end - self.start

    def __contains__(self, offset: int) -> bool:
        return self.start <= offset < self.end

    def __str__(self) -> str:
        return f"{self.start}-{self.end - 1}"

    def overlaps(self, other: ByteRange) -> bool:
        """Tell whether the two share at least one byte."""
        return self.start < other.end and other.start < self.end


@dataclass(frozen=True, slots=True)
class OpenRange:
    """Bytes from `start` to an end that nobody has told yet."""

    start: int

    def __post_init__(self) -> None:
        if self.start < 0:
            msg = f"not an offset: {self.start}"
            raise ValueError(msg)

    def __str__(self) -> str:
        return f"{self.start}-"


class Coverage:
    """The set of bytes present, kept as sorted, disjoint, never touching spans.

    `add` costs O(log n) to find its place and one `memmove` to make it; every question is O(log n). Not thread-safe:
    whoever shares one holds a lock.
    """

    # One list of edges, rising: what lies before an edge of odd index is present, before one of even index it is not.

    __slots__ = ("_edges", "total")

    def __init__(self, ranges: Iterable[ByteRange] = ()) -> None:
        self._edges: list[int] = []
        self.total = 0
        """How many bytes are present."""
        for each in ranges:
            self.add(each.start, each.end)

    @classmethod
    def of(cls, spans: Iterable[tuple[int, int]]) -> Coverage:
        """Return the coverage of many spans, in one pass however they are ordered; empty ones add nothing."""
        made = cls()
        edges = made._edges
        for start, end in sorted(spans):
            if edges and start <= edges[-1]:
                edges[-1] = max(end, edges[-1])
            elif start < end:
                edges += (start, end)
        made.total = sum(edges[1::2]) - sum(edges[::2])
        return made

    def add(self, start: int, end: int) -> None:
        """Make `start`..`end` present, joining what it touches; an empty span adds nothing."""
        if start >= end:
            return
        edges = self._edges
        low = bisect_left(edges, start)
        high = bisect_right(edges, end, low)
        if low == high:
            if low % 2 == 0:
                edges[low:low] = (start, end)
                self.total += end - start
            return
        if high - low == low % 2:  # it goes on where one span ends
            self.total += end - edges[low]
            edges[low] = end
            return
        self.total += end - start - self._within(start, end, low, high)
        edges[low:high] = ([] if low % 2 else [start]) + ([] if high % 2 else [end])

    def remove(self, start: int, end: int) -> None:
        """Make `start`..`end` absent, splitting what it cuts."""
        if start >= end:
            return
        edges = self._edges
        low = bisect_left(edges, start)
        high = bisect_right(edges, end, low)
        if low == high and low % 2 == 0:
            return
        self.total -= self._within(start, end, low, high)
        edges[low:high] = ([start] if low % 2 else []) + ([end] if high % 2 else [])

    def _within(self, start: int, end: int, low: int, high: int) -> int:
        """Return how many bytes of `start`..`end` are present, between which lie the edges of index `low`..`high`."""
        edges = self._edges
        whole = sum(edges[low | 1 : high : 2]) - sum(edges[low + low % 2 : high : 2])
        return whole - (start if low % 2 else 0) + (end if high % 2 else 0)

    @property
    def end(self) -> int:
        """Where the last present byte ends; 0 when there is none."""
        return self._edges[-1] if self._edges else 0

    def end_of_run(self, offset: int) -> int:
        """Return where the present bytes from `offset` on end; `offset` itself when it is absent."""
        index = bisect_right(self._edges, offset)
        return self._edges[index] if index % 2 else offset

    def start_of_run(self, offset: int) -> int:
        """Return where the present bytes that end right before `offset`, or go on over it, begin; else `offset`."""
        index = bisect_left(self._edges, offset)
        return self._edges[index - 1] if index % 2 else offset

    def gap(self, start: int, end: int) -> ByteRange | None:
        """Return the first maximal missing span within `start`..`end`, None when all of it is present."""
        edges = self._edges
        index = bisect_right(edges, start)
        if index % 2:
            start, index = edges[index], index + 1
        if start >= end:
            return None
        return ByteRange(start, min(edges[index], end) if index < len(edges) else end)

    def gaps(self, start: int, end: int) -> Iterator[ByteRange]:
        """Yield every missing span within `start`..`end`, in order."""
        found = self.gap(start, end)
        while found is not None:
            yield found
            found = self.gap(found.end, end)

    def next_present(self, offset: int) -> int | None:
        """Return the first present offset at or after `offset`, None when there is none."""
        index = bisect_right(self._edges, offset)
        if index % 2:
            return offset
        return self._edges[index] if index < len(self._edges) else None

    def covers(self, start: int, end: int) -> bool:
        """Tell whether all of `start`..`end` is present; an empty span always is."""
        return self.end_of_run(start) >= end

    def copy(self) -> Coverage:
        """Return an independent copy."""
        twin = Coverage()
        twin._edges, twin.total = self._edges.copy(), self.total
        return twin

    def clear(self) -> None:
        """Forget every span."""
        self._edges.clear()
        self.total = 0

    def __iter__(self) -> Iterator[ByteRange]:
        return map(ByteRange, self._edges[::2], self._edges[1::2])

    def __len__(self) -> int:
        return len(self._edges) // 2

    def __contains__(self, offset: int) -> bool:
        return self.end_of_run(offset) > offset

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Coverage):
            return NotImplemented
        return self._edges == other._edges

    __hash__ = None  # type: ignore[assignment]  # it changes, so it has no hash

    def __repr__(self) -> str:
        shown = ", ".join(str(each) for each in list(self)[:8])
        return f"<Coverage {self.total} bytes in {len(self)} ranges: {shown}{' …' if len(self) > 8 else ''}>"
