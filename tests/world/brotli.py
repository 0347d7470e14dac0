"""Bodies in Brotli (RFC 7932), written by hand: there is no encoder among what the tests need.

Must not know: who decodes them.
"""

from __future__ import annotations

MOST = 1 << 24
"""What one meta-block may hold."""
_LEAST_COPY = 2118
_WINDOW = 22


class _Bits:
    """Bits, the lowest first."""

    def __init__(self) -> None:
        self._value = self._size = 0

    def add(self, value: int, size: int) -> None:
        self._value |= value << self._size
        self._size += size

    def align(self) -> None:
        self._size = (self._size + 7) // 8 * 8

    def add_bytes(self, data: bytes) -> None:
        self.align()
        self.add(int.from_bytes(data, "little"), 8 * len(data))

    def __bytes__(self) -> bytes:
        return self._value.to_bytes((self._size + 7) // 8, "little")


def brotli(data: bytes) -> bytes:
    """Return `data` in a stream of Brotli which packs nothing."""
    bits = _begun()
    for at in range(0, len(data), 1 << 16):
        part = data[at : at + (1 << 16)]
        bits.add(0, 1)  # not the last
        bits.add(0, 2)  # four nibbles of length
        bits.add(len(part) - 1, 16)
        bits.add(1, 1)  # as it is
        bits.add_bytes(part)
    return _ended(bits)


def brotli_zeros(size: int) -> bytes:
    """Return so many zeros in Brotli, some 15 bytes for each 16 MiB; `size` is a multiple of 4096."""
    bits = _begun()
    while size:
        part = min(size, MOST)
        _add_zeros(bits, part)
        size -= part
    return _ended(bits)


def _begun() -> _Bits:
    bits = _Bits()
    bits.add(1, 1)
    bits.add(_WINDOW - 17, 3)
    return bits


def _ended(bits: _Bits) -> bytes:
    bits.add(0b11, 2)  # the last, and empty
    return bytes(bits)


def _add_zeros(bits: _Bits, size: int) -> None:
    """Add a meta-block of one literal and a copy of it, each by a code of a single symbol, which takes no bits."""
    bits.add(0, 1)  # not the last
    nibbles = max(4, ((size - 1).bit_length() + 3) // 4)
    bits.add(nibbles - 4, 2)
    bits.add(size - 1, 4 * nibbles)
    bits.add(0, 1)  # packed
    bits.add(0, 3)  # one type of literals, of commands, of distances
    bits.add(0, 2 + 4)  # NPOSTFIX, NDIRECT
    bits.add(0, 2)  # the context of the literals
    bits.add(0, 2)  # one tree of literals, one of distances
    for symbol, width in ((0, 8), (399, 10), (16, 6)):  # zero; insert 1 and copy 2118 or more; a distance of 1 or 2
        bits.add(1, 2)  # a simple code
        bits.add(0, 2)  # of one symbol
        bits.add(symbol, width)
    bits.add(size - 1 - _LEAST_COPY, 24)
    bits.add(0, 1)  # a distance of 1
