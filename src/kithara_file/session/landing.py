"""Put arrived bytes where they belong: what is missing is written, what is held already is compared.

Must not know: where the chunk came from, what a difference means to the session.
"""

from __future__ import annotations

from kithara_file.net.client import Chunk
from kithara_file.ranges import ByteRange, Coverage
from kithara_file.storage.resource import Resource

OVERLAP = 4096
"""Without a validator to send, a resume asks for this many bytes before and after its gap, to compare them."""


class Mismatch(Exception):
    """The chunk is of another version, and not written."""

    def __init__(self, *, differs: bool = False) -> None:
        super().__init__()
        self.differs = differs
        """True when bytes that are held are others; False when it goes beyond the end."""


def land(resource: Resource, chunk: Chunk, *, compare: bool) -> list[ByteRange]:
    """Write what of `chunk` is missing and return which bytes that was.

    With `compare`, bytes that are present already must be equal to the chunk's, else `Mismatch`. A chunk that goes
    beyond the length is none of this version either.
    """
    if resource.length is not None and chunk.end > resource.length:
        raise Mismatch
    coverage = resource.coverage
    gap = coverage.gap(chunk.start, chunk.end)
    if gap is not None and gap.end - gap.start == chunk.size:
        resource.write_at(chunk.start, *chunk.pieces)
        return [gap]
    data = memoryview(b"".join(chunk.pieces))
    gaps = list(coverage.gaps(chunk.start, chunk.end))
    if compare:
        _compare(resource, chunk.start, data, gaps)
    for each in gaps:
        resource.write_at(each.start, bytes(data[each.start - chunk.start : each.end - chunk.start]))
    return gaps


def _compare(resource: Resource, start: int, data: memoryview, gaps: list[ByteRange]) -> None:
    at = start
    for stop, after in [*((each.start, each.end) for each in gaps), (start + len(data), start + len(data))]:
        if at < stop:
            held = bytearray(stop - at)
            count = resource.read_at(at, memoryview(held))
            if held[:count] != data[at - start : at - start + count]:
                raise Mismatch(differs=True)
        at = after


def unproven(coverage: Coverage, chunk: Chunk, end: int | None) -> bool:
    """Tell whether `chunk` closes a gap before enough of what is held behind that has come to be compared with it.

    It may be joined to that once it brings `OVERLAP` bytes of it, or all there are before the body's `end`.
    """
    gaps = list(coverage.gaps(chunk.start, chunk.end))
    if not gaps:
        return False
    border = gaps[-1].end
    enough = min(coverage.end_of_run(border), border + OVERLAP)
    return chunk.end < (enough if end is None else min(enough, end))


def joined(first: Chunk | None, second: Chunk) -> Chunk:
    """Return what two chunks are together, of which the second begins where the first ends."""
    if first is None:
        return second
    return Chunk(first.start, first.pieces + second.pieces, first.size + second.size)


def cut(chunk: Chunk, end: int) -> Chunk:
    """Return `chunk` without what lies at or after `end`."""
    if chunk.end <= end:
        return chunk
    data = b"".join(chunk.pieces)[: end - chunk.start]
    return Chunk(chunk.start, (data,), len(data))
