"""The heads of FLAC: stream information, seek table, and frame headers, which say the number of their first frame.

Source: RFC 9639. Pure. Must not know: files.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

STREAM_INFO = 34
"""Bytes of the block that every FLAC begins with."""
LONGEST_HEAD = 16
SMALLEST_FRAME = 8
NO_POINT = (1 << 64) - 1
_SYNC = re.compile(rb"\xff[\xf8\xf9]")

_BLOCKS = {1: 192, **{code: 144 << code for code in range(2, 6)}, **{code: 1 << code for code in range(8, 16)}}
_RATES = (0, 88_200, 176_400, 192_000, 8_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000, 96_000)
"""By their codes; 0: as the stream says. The codes behind them say that the rate stands in the header."""
_BITS = (0, 8, 12, None, 16, 20, 24, 32)


def _crc8_table() -> tuple[int, ...]:
    table = []
    for value in range(256):
        for _ in range(8):
            value = (value << 1 ^ 0x07 if value & 0x80 else value << 1) & 0xFF  # noqa: PLW2901  the register
        table.append(value)
    return tuple(table)


_CRC8 = _crc8_table()


def crc8(data: bytes) -> int:
    """Return the check of a frame header (section 9.1.8)."""
    value = 0
    for byte in data:
        value = _CRC8[value ^ byte]
    return value


@dataclass(frozen=True, slots=True)
class StreamInfo:
    """The block that every FLAC begins with (section 8.2)."""

    largest_block: int
    smallest_frame: int
    sample_rate: int
    channels: int
    bits: int
    total: int | None
    raw: bytes


def parse_stream_info(data: bytes) -> StreamInfo:
    """Return the 34 bytes of a STREAMINFO block as values."""
    packed = int.from_bytes(data[10:18], "big")
    return StreamInfo(
        largest_block=int.from_bytes(data[2:4], "big"),
        smallest_frame=int.from_bytes(data[4:7], "big"),
        sample_rate=packed >> 44,
        channels=(packed >> 41 & 7) + 1,
        bits=(packed >> 36 & 31) + 1,
        total=packed & (1 << 36) - 1 or None,
        raw=bytes(data[:STREAM_INFO]),
    )


def parse_seek_table(data: bytes) -> tuple[tuple[int, int], ...]:
    """Return the points of a SEEKTABLE: the number of a frame of PCM, and bytes from the first FLAC frame."""
    points = (
        (int.from_bytes(data[at : at + 8], "big"), int.from_bytes(data[at + 8 : at + 16], "big"))
        for at in range(0, len(data) - 17, 18)
    )
    return tuple(point for point in points if point[0] != NO_POINT)


@dataclass(frozen=True, slots=True)
class FlacHead:
    """A frame header: which frames of PCM are in it."""

    start: int
    count: int

    @property
    def end(self) -> int:
        """The first frame of PCM behind it."""
        return self.start + self.count


def parse_flac_head(data: bytes, at: int, info: StreamInfo) -> FlacHead | None:
    """Return the frame header at `at` (section 9.1); None when there is none of this stream, or when its check fails.

    The sound itself looks like a header with a right check once in some ten megabytes, but not like one of this stream.
    """
    if len(data) < at + 6 or data[at] != 0xFF or data[at + 1] & 0xFE != 0xF8:
        return None
    if not _fits(data[at + 2], data[at + 3], info):
        return None
    number, end = _coded_number(data, at + 4)
    code, extra = data[at + 2] >> 4, {6: 1, 7: 2}.get(data[at + 2] >> 4, 0)
    after = end + extra + {12: 1, 13: 2, 14: 2}.get(data[at + 2] & 15, 0)
    if number is None or len(data) <= after or crc8(data[at:after]) != data[after]:
        return None
    count = int.from_bytes(data[end : end + extra], "big") + 1 if extra else _BLOCKS[code]
    variable = data[at + 1] & 1
    return FlacHead(number if variable else number * info.largest_block, count)


def _fits(sizes: int, sound: int, info: StreamInfo) -> bool:
    """Return whether the third and fourth byte of a header speak of the rate, channels and bits of this stream."""
    rate, shape = sizes & 15, sound >> 4
    if sizes >> 4 == 0 or rate == 15 or shape > 10 or sound & 1:
        return False
    if rate < len(_RATES) and _RATES[rate] not in (0, info.sample_rate):
        return False
    channels = shape + 1 if shape < 8 else 2
    return channels == info.channels and _BITS[sound >> 1 & 7] in (0, info.bits)


def _coded_number(data: bytes, at: int) -> tuple[int | None, int]:
    """Return a number that is coded like UTF-8, up to 36 bits, and where it ends."""
    first = data[at]
    if first < 0x80:
        return first, at + 1
    more = 8 - (first ^ 0xFF).bit_length() - 1
    tail = data[at + 1 : at + 1 + more]
    if not 1 <= more <= 6 or len(tail) < more:
        return None, at
    value = first & (0x3F >> more)
    for byte in tail:
        if byte & 0xC0 != 0x80:
            return None, at
        value = value << 6 | byte & 0x3F
    return value, at + 1 + more


def find_flac_frame(data: bytes, start: int, info: StreamInfo) -> tuple[int, FlacHead] | None:
    """Return the first frame header at or behind `start`, and where it is."""
    for match in _SYNC.finditer(data, start):
        head = parse_flac_head(data, match.start(), info)
        if head is not None:
            return match.start(), head
    return None
