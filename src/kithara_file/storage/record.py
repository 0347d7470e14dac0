"""What a journal says: its records, how they look on disk, and what a row of them adds up to. Pure.

Must not know: files, time, threads.

A record is 40 bytes, little-endian: magic, kind, start, end, digest, check. The check is xxh3_64 of the 32 bytes before
it, seeded with the generation, so that neither a torn or garbled record nor one of another version is ever believed. A
reader that meets something else looks for the next magic and goes on: records are appended by several processes, and
one that died in the middle of its record must not silence the others.

A journal is only ever appended to. That ranges were lost is a record too, and a record whose range was cut by a later
loss vouches for nothing any more: its digest is about bytes some of which are gone.

Whoever lets the file go says last how it looked. A file that looks otherwise when it is opened again was changed by
somebody who keeps no journal, and is to be verified; that costs one `fstat` to find out. Whoever is about to write to
it again says so first: should it die before what it wrote is recorded, nobody compares the file with how it was left.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from xxhash import xxh3_64_intdigest

from kithara_file.ranges import Coverage

_RECORD = struct.Struct("<4sIQQQQ")
_BODY = struct.Struct("<4sIQQQ")
SIZE = _RECORD.size
MAGIC = b"\x89kj1"
TO_THE_END = 1 << 62
"""The end of a loss that takes everything from its start on."""

HEADER, LANDED, UNHASHED, LOST, LEFT = range(5)


class Record(NamedTuple):
    """One statement about the bytes `start` to `end`; of a header the three numbers are something else."""

    kind: int
    start: int
    end: int
    digest: int = 0


TOUCHED = Record(UNHASHED, 0, 0)
"""Says that from here on the file may look otherwise than it was left. It claims no bytes, and so means nothing to who
does not know it, wherever it stands and however often."""

Stamp = tuple[int, int, int]
"""What changes with every write to a file, whoever writes: when it was written, when it was changed, its size."""


def header(boot: UUID, inode: int) -> Record:
    """Say that what follows is about the file `inode`, and was written while `boot` lasted."""
    return Record(HEADER, boot.int >> 64, boot.int & (1 << 64) - 1, inode)


def left(stamp: Stamp) -> Record:
    """Say how the file looked when its writer let it go: if it looks otherwise later, somebody else has been at it."""
    return Record(LEFT, *(each & (1 << 64) - 1 for each in stamp))


def salt(generation: str) -> int:
    """Return the seed of all checks of this generation."""
    return xxh3_64_intdigest(generation.encode())


def encode(record: Record, salted: int) -> bytes:
    """Return `record` as it is written."""
    body = _BODY.pack(MAGIC, *record)
    return body + xxh3_64_intdigest(body, salted).to_bytes(8, "little")


def decode(data: bytes, salted: int) -> tuple[list[Record], int]:
    """Return every believable record in `data`, and from where on something may still be a part of a record."""
    found: list[Record] = []
    at, size, body = 0, len(data), _BODY.size
    while at + SIZE <= size:
        magic, kind, start, end, digest, check = _RECORD.unpack_from(data, at)
        if magic == MAGIC and check == xxh3_64_intdigest(data[at : at + body], salted):
            found.append(Record(kind, start, end, digest))
            at += SIZE
        elif (at := data.find(MAGIC, at + 1)) < 0:
            return found, size - len(MAGIC) + 1
    return found, at


@dataclass(frozen=True, slots=True)
class History:
    """What a journal adds up to."""

    boot: UUID
    """While which the last writer began."""
    inode: int
    """The file that it wrote."""
    coverage: Coverage
    vouchers: tuple[Record, ...]
    """The records whose bytes are all still claimed, in order; later ones win."""
    left: Record | None = None
    """The last record if it says how the file was left, and so nobody is known to have written since."""


def replay(records: Sequence[Record]) -> History | None:
    """Return what `records` add up to, None when they do not begin with a header."""
    if not records or records[0].kind != HEADER:
        return None
    # Backwards, because a loss says something about what stands before it.
    lost, spans, vouchers, last = Coverage(), [], [], None
    for record in reversed(records):
        kind, start, end, _ = record
        if kind == HEADER:
            last = last or record
        elif kind == LEFT or record == TOUCHED:
            continue
        elif kind == LOST:
            lost.add(start, end)
        elif not lost or _clear(lost, start, end):
            spans.append((start, end))
            vouchers.append(record)
        else:
            spans += [(each.start, each.end) for each in lost.gaps(start, end)]
    begun = last or records[0]
    untouched = records[-1] if records[-1].kind == LEFT else None
    boot = UUID(int=begun.start << 64 | begun.end)
    return History(boot, begun.digest, Coverage.of(spans), tuple(reversed(vouchers)), untouched)


def changes(records: Sequence[Record]) -> tuple[Coverage, Coverage]:
    """Return what `records` take from what was present before them, and then add to it."""
    lost, landed = Coverage(), Coverage()
    for kind, start, end, _ in records:
        if kind == LOST:
            lost.add(start, end)
            landed.remove(start, end)
        elif kind in (LANDED, UNHASHED):
            landed.add(start, end)
    return lost, landed


def _clear(lost: Coverage, start: int, end: int) -> bool:
    first = lost.next_present(start)
    return first is None or first >= end
