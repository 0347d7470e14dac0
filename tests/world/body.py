"""What does an origin serve: bodies of any size, readable from any offset.

Must not know: HTTP, sockets, who reads.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Protocol

MIB = 1 << 20
_STRIDE = 256
_SPREAD = 0x9E3779B1


class Body(Protocol):
    """Immutable bytes of a known length, read from any offset."""

    @property
    def length(self) -> int:
        """How many bytes there are."""

    def read(self, start: int, stop: int) -> bytes | memoryview:
        """Return at least one and at most `stop - start` bytes from `start` on."""


class BytesBody:
    """Bytes that are already in memory."""

    def __init__(self, data: bytes) -> None:
        self._data = memoryview(data)

    @property
    def length(self) -> int:
        """How many bytes there are."""
        return len(self._data)

    def read(self, start: int, stop: int) -> memoryview:
        """Return exactly the bytes start..stop, without a copy."""
        return self._data[start:stop]

    def __repr__(self) -> str:
        return f"<BytesBody {self.length} bytes>"


class FileBody:
    """A file on disk, opened for each piece so that nothing is held between requests."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def length(self) -> int:
        """How long the file is now."""
        return self.path.stat().st_size

    def read(self, start: int, stop: int) -> bytes:
        """Return up to 1 MiB from `start` on."""
        fd = os.open(self.path, os.O_RDONLY)
        try:
            return os.pread(fd, min(stop - start, MIB), start)
        finally:
            os.close(fd)

    def __repr__(self) -> str:
        return f"<FileBody {self.path}>"


class PatternBody:
    """Pseudo-random bytes of any size, made when they are asked for.

    The same size and seed give the same bytes in every process. A misplaced range is always noticed: each 1 MiB
    block is a different window of a random tile, with its own number written into every 256 bytes, so that no two
    spans of 260 bytes or more are equal, and shorter ones only by chance.
    """

    def __init__(self, size: int, seed: int = 0) -> None:
        self._size = size
        self._seed = seed

    @property
    def length(self) -> int:
        """How many bytes there are."""
        return self._size

    def read(self, start: int, stop: int) -> memoryview:
        """Return the bytes from `start` to `stop` or to the end of their 1 MiB block, whichever comes first."""
        number, offset = divmod(start, MIB)
        end = min(offset + stop - start, MIB, self._size - number * MIB)
        return memoryview(_block(self._seed, number))[offset:end]

    def __getitem__(self, span: slice) -> bytes:
        """Return the bytes of a slice, for comparing: `body[100:200]`."""
        start, stop, _ = span.indices(self._size)
        return b"".join(pieces(self, start, stop))

    def __repr__(self) -> str:
        return f"<PatternBody {self._size} bytes, seed {self._seed}>"


def as_body(source: bytes | Path | Body) -> Body:
    """Return `source` as a body."""
    if isinstance(source, bytes):
        return BytesBody(source)
    return FileBody(source) if isinstance(source, Path) else source


def pieces(body: Body, start: int, stop: int) -> Iterator[bytes | memoryview]:
    """Yield the bytes start..stop, at most 1 MiB at a time."""
    while start < stop:
        piece = body.read(start, min(stop, start + MIB))
        yield piece
        start += len(piece)


def digest(body: Body) -> str:
    """Return the SHA-256 of the whole body, in hex, in bounded memory."""
    total = sha256()
    for piece in pieces(body, 0, body.length):
        total.update(piece)
    return total.hexdigest()


@lru_cache(maxsize=4)
def _tile(seed: int) -> memoryview:
    return memoryview(Random(seed).randbytes(2 * MIB))


@lru_cache(maxsize=16)
def _block(seed: int, number: int) -> bytes:
    """Return block `number`; strided slices write its number without a Python loop over the block."""
    shift = number * _SPREAD % MIB
    block = bytearray(_tile(seed)[shift : shift + MIB])
    for place, digit in enumerate(number.to_bytes(4, "little")):
        block[place::_STRIDE] = bytes((digit,)) * (MIB // _STRIDE)
    return bytes(block)
