"""The heads of MP3: frame headers, and the Xing, LAME and VBRI tables which some encoders put into the first frame.

Sources: ISO 11172-3 2.4.1.3; the LAME project's "Mp3 Info Tag rev 1"; Fraunhofer's VBRI. Pure. Must not know: files.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

ID3_HEAD = 10
DECODER_DELAY = 529
"""Frames by which every decoder of MP3 lags behind what the encoder counted."""

_RATES = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}
_KBITS = {
    3: (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    2: (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}


@dataclass(frozen=True, slots=True)
class FrameHead:
    """The header of one frame of layer III."""

    sample_rate: int
    channels: int
    bit_rate: int
    size: int
    """Bytes of the frame, its header included."""
    samples: int
    side: int
    """Bytes of side information after the header."""

    @property
    def mean_size(self) -> float:
        """Bytes of a frame at this bit rate, on average over its padding."""
        return self.samples / 8 * self.bit_rate / self.sample_rate

    def alike(self, other: FrameHead) -> bool:
        """True when both can belong to one stream."""
        return self.sample_rate == other.sample_rate and self.samples == other.samples


def parse_head(data: bytes, at: int = 0) -> FrameHead | None:
    """Return the header of layer III at `at`; None when there is none. Free format is not one of ours."""
    head = data[at : at + 4]
    return _parse_four(head) if len(head) == 4 and head[0] == 0xFF else None


@lru_cache(maxsize=256)  # a file has a handful of different ones, and thousands of frames
def _parse_four(head: bytes) -> FrameHead | None:
    version, code, rate_code = (head[1] >> 3) & 3, head[2] >> 4, (head[2] >> 2) & 3
    if head[1] & 0xE6 != 0xE2 or version == 1 or code in (0, 15) or rate_code == 3:
        return None
    first = version == 3
    sample_rate, kbits = _RATES[version][rate_code], _KBITS[3 if first else 2][code - 1]
    samples, mono = 1152 if first else 576, head[3] >> 6 == 3
    size = samples // 8 * kbits * 1000 // sample_rate + ((head[2] >> 1) & 1)
    side = (17 if mono else 32) if first else (9 if mono else 17)
    return FrameHead(sample_rate, 1 if mono else 2, kbits * 1000, size, samples, side)


def find_frame(data: bytes, start: int = 0, like: FrameHead | None = None) -> int | None:
    """Return where the first frame begins that another one follows, so that two bytes alike do not make a frame.

    A frame whose successor lies outside of `data` is not believed.
    """
    while (at := data.find(b"\xff", start)) >= 0:
        head = parse_head(data, at)
        if head is not None and (like is None or head.alike(like)):
            following = parse_head(data, at + head.size)
            if following is not None and following.alike(head):
                return at
        start = at + 1
    return None


def id3_size(data: bytes) -> int:
    """Return the bytes of the ID3v2 tag at the beginning of `data`, of which ten are enough; 0: there is none."""
    if len(data) < ID3_HEAD or data[:3] != b"ID3":
        return 0
    size = sum((byte & 0x7F) << shift for byte, shift in zip(data[6:10], (21, 14, 7, 0), strict=True))
    return ID3_HEAD + size + (ID3_HEAD if data[5] & 0x10 else 0)


@dataclass(frozen=True, slots=True)
class Table:
    """What the first frame says instead of sound."""

    frames: int | None
    length: int | None
    """Bytes of the stream, this frame included."""
    entries: tuple[int, ...]
    """Bytes from the beginning of this frame, after equal parts of the time; the last is the end."""
    delay: int | None
    padding: int | None
    constant: bool


def parse_table(frame: bytes, head: FrameHead) -> Table | None:
    """Return the table in a whole first frame; None when it is sound."""
    at = 4 + head.side
    if frame[at : at + 4] in (b"Xing", b"Info"):
        return _parse_xing(frame, at)
    return _parse_vbri(frame) if frame[36:40] == b"VBRI" else None


def _number(data: bytes, at: int, size: int = 4) -> int:
    return int.from_bytes(data[at : at + size], "big")


def _parse_xing(frame: bytes, at: int) -> Table:
    flags, constant = _number(frame, at + 4), frame[at : at + 4] == b"Info"
    at += 8
    frames = length = None
    entries: tuple[int, ...] = ()
    if flags & 1:
        frames, at = _number(frame, at), at + 4
    if flags & 2:
        length, at = _number(frame, at), at + 4
    if flags & 4:
        shares, at = frame[at : at + 100], at + 100
        if length and len(shares) == 100 and list(shares) == sorted(shares):
            entries = (*(share * length // 256 for share in shares), length)
    at += 4 if flags & 8 else 0
    delay, padding = _parse_lame(frame[at : at + 24])
    return Table(frames or None, length or None, entries, delay, padding, constant)


def _parse_lame(tag: bytes) -> tuple[int | None, int | None]:
    # "LAME3.100" and the like; Lavf and Lavc write the same layout under their own names.
    if len(tag) < 24 or not tag[:4].isalnum():
        return None, None
    both = _number(tag, 21, 3)
    return both >> 12, both & 0xFFF


def _parse_vbri(frame: bytes) -> Table:
    length, frames = _number(frame, 46), _number(frame, 50)
    count, scale, size = (_number(frame, at, 2) for at in (54, 56, 58))
    steps = [_number(frame, 62 + index * size, size) * scale for index in range(count)]
    entries = [0]
    for step in steps:
        entries.append(entries[-1] + step)
    usable = len(frame) >= 62 + count * size and count > 0
    return Table(frames or None, length or None, tuple(entries) if usable else (), None, None, constant=False)
