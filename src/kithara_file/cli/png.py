"""A picture of a few colours as PNG (ISO/IEC 15948): the least that every reader understands.

Pure. Must not know: what is in the picture.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Sequence

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_INDEXED = 3
_NO_FILTER = b"\0"

Colour = tuple[int, int, int]


def png(width: int, rows: Iterable[bytes], palette: Sequence[Colour]) -> bytes:
    """Return a picture whose `rows` have for each of `width` pixels its number in the palette."""
    lines = [_NO_FILTER + row for row in rows]
    head = struct.pack(">IIBBBBB", width, len(lines), 8, _INDEXED, 0, 0, 0)
    colours = bytes(part for colour in palette for part in colour)
    parts = ((b"IHDR", head), (b"PLTE", colours), (b"IDAT", zlib.compress(b"".join(lines), 9)), (b"IEND", b""))
    return _SIGNATURE + b"".join(_chunk(kind, data) for kind, data in parts)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
