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

    def intersection(self, other: ByteRange) -> ByteRange | None:
        """Return the bytes in both, None when there are none."""
        start, end = max(self.start, other.start), min(self.end, other.end)
        return ByteRange(start, end) if start < end else None


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

    __slots__ = ("_ends", "_starts", "total")

    def __init__(self, ranges: Iterable[ByteRange] = ()) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []
        self.total = 0
        """How many bytes are present."""
        for each in ranges:
            self.add(each.start, each.end)

    @classmethod
    def of(cls, spans: Iterable[tuple[int, int]]) -> Coverage:
        """Return the coverage of many spans, in one pass however they are ordered; empty ones add nothing."""
        made = cls()
        starts, ends = made._starts, made._ends
        for start, end in sorted(spans):
            if ends and start <= ends[-1]:
                ends[-1] = max(end, ends[-1])
            elif start < end:
                starts.append(start)
                ends.append(end)
        made.total = sum(ends) - sum(starts)
        return made

    def add(self, start: int, end: int) -> None:
        """Make `start`..`end` present, joining what it touches; an empty span adds nothing."""
        if start >= end:
            return
        starts, ends = self._starts, self._ends
        low = bisect_left(ends, start)  # first span that ends at or after start: it touches us
        high = bisect_right(starts, end)  # first span that begins beyond end: it does not
        if low == high:
            starts.insert(low, start)
            ends.insert(low, end)
            self.total += end - start
            return
        start, end = min(start, starts[low]), max(end, ends[high - 1])
        if high - low == 1:
            self.total += (end - start) - (ends[low] - starts[low])
            starts[low], ends[low] = start, end
            return
        self.total += (end - start) - sum(ends[low:high]) + sum(starts[low:high])
        starts[low:high] = [start]
        ends[low:high] = [end]

    def remove(self, start: int, end: int) -> None:
        """Make `start`..`end` absent, splitting what it cuts."""
        if start >= end:
            return
        starts, ends = self._starts, self._ends
        low, high = bisect_right(ends, start), bisect_left(starts, end)
        if low >= high:
            return
        kept = [(a, b) for a, b in ((starts[low], start), (end, ends[high - 1])) if a < b]
        self.total += sum(b - a for a, b in kept) - sum(ends[low:high]) + sum(starts[low:high])
        starts[low:high] = [a for a, _ in kept]
        ends[low:high] = [b for _, b in kept]

    @property
    def end(self) -> int:
        """Where the last present byte ends; 0 when there is none."""
        return self._ends[-1] if self._ends else 0

    def end_of_run(self, offset: int) -> int:
        """Return where the present bytes from `offset` on end; `offset` itself when it is absent."""
        index = bisect_right(self._starts, offset) - 1
        return max(offset, self._ends[index]) if index >= 0 else offset

    def start_of_run(self, offset: int) -> int:
        """Return where the present bytes that end right before `offset`, or go on over it, begin; else `offset`."""
        index = bisect_left(self._starts, offset) - 1
        return self._starts[index] if index >= 0 and self._ends[index] >= offset else offset

    def gap(self, start: int, end: int) -> ByteRange | None:
        """Return the first maximal missing span within `start`..`end`, None when all of it is present."""
        start = self.end_of_run(start)
        if start >= end:
            return None
        index = bisect_right(self._starts, start)
        stop = self._starts[index] if index < len(self._starts) else end
        return ByteRange(start, min(stop, end))

    def gaps(self, start: int, end: int) -> Iterator[ByteRange]:
        """Yield every missing span within `start`..`end`, in order."""
        found = self.gap(start, end)
        while found is not None:
            yield found
            found = self.gap(found.end, end)

    def next_present(self, offset: int) -> int | None:
        """Return the first present offset at or after `offset`, None when there is none."""
        if self.end_of_run(offset) > offset:
            return offset
        index = bisect_right(self._starts, offset)
        return self._starts[index] if index < len(self._starts) else None

    def covers(self, start: int, end: int) -> bool:
        """Tell whether all of `start`..`end` is present; an empty span always is."""
        return self.end_of_run(start) >= end

    def copy(self) -> Coverage:
        """Return an independent copy."""
        twin = Coverage()
        twin._starts, twin._ends, twin.total = self._starts.copy(), self._ends.copy(), self.total
        return twin

    def clear(self) -> None:
        """Forget every span."""
        self._starts.clear()
        self._ends.clear()
        self.total = 0

    def __iter__(self) -> Iterator[ByteRange]:
        return (ByteRange(start, end) for start, end in zip(self._starts, self._ends, strict=True))

    def __len__(self) -> int:
        return len(self._starts)

    def __contains__(self, offset: int) -> bool:
        return self.end_of_run(offset) > offset

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Coverage):
            return NotImplemented
        return self._starts == other._starts and self._ends == other._ends

    __hash__ = None  # type: ignore[assignment]  # it changes, so it has no hash

    def __repr__(self) -> str:
        shown = ", ".join(str(each) for each in list(self)[:8])
        return f"<Coverage {self.total} bytes in {len(self)} ranges: {shown}{' …' if len(self) > 8 else ''}>"
