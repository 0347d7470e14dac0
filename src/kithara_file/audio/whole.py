"""How far a file goes by its own account: WAV with its kin, AIFF and Matroska say it in their heads.

Only that tells a file that was cut short from a whole one, and FFmpeg believes what is there. What was written into a
pipe tells nothing, or a length that nobody has: then nothing is announced. Sources: Microsoft's "Multimedia Programming
Interface", EBU Tech 3306 (RF64), Sony's Wave64, Apple's AIFF, RFC 8794 and RFC 9559. Must not know: codecs, who plays
it.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from kithara_file.audio.door import Door

_NOBODYS = 0x7F00_0000
"""Programs that write into a pipe tell a length about so large, or larger, in 32 bits."""
_NOBODYS_LONG = 1 << 62
_MOST_CHUNKS = 256
_SLACK = 64
"""Bytes by which a head may be wrong: some count themselves too, or what was to make a length even."""
_EVEN = frozenset({1, 3, 6, 7, 0xFFFE})
"""Formats of WAV whose blocks are frames: PCM, floats, A-law, µ-law, and those that are told at length."""
_EBML, _SEGMENT = b"\x1aE\xdf\xa3", b"\x18S\x80g"


@dataclass(frozen=True, slots=True)
class Announced:
    """What the head says."""

    end: int
    """The byte at which the sound, or all of the file, ends."""
    frames: int | None = None
    """Frames of the sound, where they can be told from bytes."""


def cut_short(door: Door) -> Announced | None:
    """Return what the head of a file announces if the file, which was read to its end, ends before that; else None.

    Leaves the file in place.
    """
    place = door.tell()
    try:
        length = door.length()
        if length is None:
            length = place
        reader = _READERS.get(door.read_at(0, 4))
        told = None if reader is None else reader(door)
        return None if told is None or told.end <= length + _SLACK else told
    finally:
        door.seek(place)


def _wav(door: Door) -> Announced | None:
    block, long = 0, None
    for name, at, size in _chunks(door, 12, "<"):
        if name == b"fmt ":
            block = _block(door, at)
        elif name == b"ds64":
            long = struct.unpack("<Q", door.read_at(at + 8, 8).ljust(8, b"\0"))[0]
        elif name == b"data":
            if long is not None and size == 0xFFFF_FFFF:
                return _sound(at, long, block, _NOBODYS_LONG)
            return _sound(at, size, block, _NOBODYS)
    return None


def _w64(door: Door) -> Announced | None:
    at, block = 40, 0
    for _ in range(_MOST_CHUNKS):
        head = door.read_at(at, 24)
        size = int.from_bytes(head[16:], "little") - 24  # it counts its own head
        if size < 0:
            break
        if head[:4] == b"fmt ":
            block = _block(door, at + 24)
        elif head[:4] == b"data":
            return _sound(at + 24, size, block, _NOBODYS_LONG)
        at += 24 + size + -size % 8
    return None


def _aiff(door: Door) -> Announced | None:
    for name, at, size in _chunks(door, 12, ">"):
        if name == b"SSND":
            return _sound(at, size, 0, _NOBODYS)
    return None


def _matroska(door: Door) -> Announced | None:
    at = 0
    for name in (_EBML, _SEGMENT):
        head = door.read_at(at, 12)
        length = 9 - head[4].bit_length() if len(head) == 12 else 0
        if head[:4] != name or not 1 <= length <= 8:
            return None
        mask = (1 << 7 * length) - 1
        size = int.from_bytes(head[4 : 4 + length], "big") & mask
        if size == mask:  # as a live stream has it
            return None
        at += 4 + length + size
    return Announced(at)


_READERS: dict[bytes, Callable[[Door], Announced | None]] = {
    b"RIFF": _wav,
    b"RF64": _wav,
    b"BW64": _wav,
    b"riff": _w64,
    b"FORM": _aiff,
    _EBML: _matroska,
}


def _chunks(door: Door, at: int, order: str) -> Iterator[tuple[bytes, int, int]]:
    """Yield name, place and size of each."""
    for _ in range(_MOST_CHUNKS):
        head = door.read_at(at, 8)
        if len(head) < 8:
            return
        name, size = struct.unpack(f"{order}4sI", head)
        yield name, at + 8, size
        at += 8 + size + size % 2


def _block(door: Door, at: int) -> int:
    """Return the bytes of a frame, 0 where they tell nothing."""
    form, _, _, _, block = struct.unpack("<HHIIH", door.read_at(at, 14).ljust(14, b"\0"))
    return block if form in _EVEN else 0


def _sound(at: int, size: int, block: int, nobodys: int) -> Announced | None:
    return None if not 0 < size < nobodys else Announced(at + size, size // block if block else None)
