"""What heads say of the length of their files, and what they do not say."""

from __future__ import annotations

import io
import struct

import pytest

from kithara_file.audio.door import Door
from kithara_file.audio.whole import Announced, cut_short

FORM = struct.pack("<HHIIHH", 1, 2, 44_100, 176_400, 4, 16)
LONG = (1 << 64) - 1


def chunk(name: bytes, body: bytes, size: int | None = None, order: str = "<") -> bytes:
    return name + struct.pack(f"{order}I", len(body) if size is None else size) + body + bytes(len(body) % 2)


def wav(size: int, form: bytes = FORM, kind: bytes = b"RIFF", before: bytes = b"") -> bytes:
    return kind + bytes(4) + b"WAVE" + before + chunk(b"fmt ", form) + chunk(b"data", bytes(400), size)


def ds64(size: int) -> bytes:
    return chunk(b"ds64", struct.pack("<QQQI", 0, size, 0, 0))


def w64(size: int) -> bytes:
    def long(name: bytes, body: bytes, size: int | None = None) -> bytes:
        return name + bytes(12) + struct.pack("<Q", (len(body) if size is None else size) + 24 & LONG) + body

    return b"riff" + bytes(36) + long(b"fact", bytes(8)) + long(b"fmt ", FORM) + long(b"data", bytes(400), size)


def aiff(size: int) -> bytes:
    return b"FORM" + bytes(4) + b"AIFF" + chunk(b"COMM", bytes(18), None, ">") + chunk(b"SSND", bytes(8), size, ">")


def matroska(size: bytes) -> bytes:
    return b"\x1aE\xdf\xa3\x83abc" + b"\x18S\x80g" + size + bytes(100)


def cut(data: bytes) -> Announced | None:
    door = Door(io.BytesIO(data))
    door.seek(7)
    told = cut_short(door)
    assert door.tell() == 7
    return told


@pytest.mark.parametrize(
    "data, end, frames",
    [
        (wav(1000), 1044, 250),
        (wav(1000, struct.pack("<HHIIHH", 0x11, 2, 44_100, 44_100, 2048, 4)), 1044, None),
        (wav(1000, before=chunk(b"LIST", bytes(33))), 1086, 250),
        (wav(0xFFFF_FFFF, kind=b"RF64", before=ds64(5 << 32)), 80 + (5 << 32), 5 << 30),
        (w64(1000), 40 + 32 + 40 + 24 + 1000, 250),
        (aiff(1000), 1046, None),
        (matroska(b"\x44\x00"), 1038, None),
        (matroska(b"\x01" + (1 << 40).to_bytes(7, "big")), 20 + (1 << 40), None),
    ],
)
def test_a_file_that_ends_before_it_says_so_is_cut(data: bytes, end: int, frames: int | None) -> None:
    assert cut(data) == Announced(end, frames)


@pytest.mark.parametrize(
    "data",
    [
        *(wav(size) for size in (400, 440, 0, 0x7FFF_F000, 0x8000_0000, 0xFFFF_FFFF)),
        *(wav(0xFFFF_FFFF, kind=b"RF64", before=ds64(size)) for size in (400, 0, LONG)),
        *(w64(size) for size in (400, 0, (1 << 63) - 1, -24)),
        *(aiff(size) for size in (8, 0, 0x7F00_0008, 0xFFFF_FFFF)),
        *(matroska(size) for size in (b"\xe4", b"\xff", b"\x01" + b"\xff" * 7, b"\x00")),
        *(wav(1000)[:20], w64(1000)[:50], aiff(1000)[:20], matroska(b"\x44\x00")[:14]),
        *(b"", b"RI", b"ID3\x03" * 100, w64(1000)[:40] + bytes(100)),
    ],
)
def test_what_is_whole_or_says_nothing_is_not_cut(data: bytes) -> None:
    assert cut(data) is None
