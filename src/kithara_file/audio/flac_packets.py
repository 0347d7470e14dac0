"""The packets of a native FLAC, found by the frames' own headers, each of which says where it belongs.

FFmpeg's search reads a quarter of a megabyte for each seek, and holds ten frames back after it. Here a seek is two or
three looks of 16 KiB, each where the bytes before it suggest. Must not know: what the frames sound like.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import av

from kithara_file.audio.door import Door
from kithara_file.audio.flac import (
    LONGEST_HEAD,
    SMALLEST_FRAME,
    STREAM_INFO,
    FlacHead,
    StreamInfo,
    find_flac_frame,
    parse_seek_table,
    parse_stream_info,
)
from kithara_file.audio.mp3 import ID3_HEAD, id3_size
from kithara_file.audio.packets import Unit
from kithara_file.audio.window import CHUNK, Window

LONGEST_FRAME = 1024 * 1024
LOOKS = 16
"""A search that has not ended after so many looks is ended by reading on."""
NEAR_BYTES = 2 * CHUNK

Point: TypeAlias = tuple[int, int]
"""The number of a frame of PCM, and the byte at which the FLAC frame begins that it is the first of."""


@dataclass(frozen=True, slots=True)
class FlacHeads:
    """What stands before the first frame."""

    info: StreamInfo
    first: int
    """Where the first frame begins."""
    points: tuple[Point, ...]


def read_flac(door: Door) -> FlacHeads | None:
    """Read the heads of a native FLAC; None when it does not begin like one."""
    at = id3_size(door.read_at(0, ID3_HEAD))
    if door.read_at(at, 4) != b"fLaC":
        return None
    at, info, last = at + 4, None, False
    points: tuple[Point, ...] = ()
    while not last:
        head = door.read_at(at, 4)
        if len(head) < 4:
            return None
        last, kind, size = bool(head[0] & 0x80), head[0] & 0x7F, int.from_bytes(head[1:], "big")
        if kind == 0:
            info = parse_stream_info(door.read_at(at + 4, STREAM_INFO))
        elif kind == 3:
            points = parse_seek_table(door.read_at(at + 4, size))
        at += 4 + size
    if info is None or not info.sample_rate or not info.largest_block:
        return None
    return FlacHeads(info, at, points)


class FlacPackets:
    """A `PacketSource` over the frames of a native FLAC."""

    counted = False
    vague = 0
    exact = True

    def __init__(self, door: Door, heads: FlacHeads) -> None:
        self._door = door
        self._heads = heads
        self._info = heads.info
        self.codec: Any = av.CodecContext.create("flac", "r")
        self.codec.extradata = heads.info.raw
        # Every frame carries a check of its sound: what fails it is silence and an event, and not a bang.
        self.codec.options = {"err_detect": "crccheck+explode"}
        self._length: int | None = None
        self._following: FlacHead | None = None  # the head that was seen behind the last frame
        self._follows_at = -1
        self._window = Window(door, heads.first)

    @property
    def total(self) -> int | None:
        """Frames, as STREAMINFO says."""
        return self._info.total

    promised = total

    # -- in order ----------------------------------------------------------------------------------------------------

    def next(self) -> Unit | None:
        """Return the next frame as a packet."""
        step = self._step()
        if step is None:
            self._door.raise_error()
            return None
        head, begin, end = step
        packet: Any = av.Packet(self._window.data[begin:end])
        packet.pts = head.start
        return Unit(packet)

    def _step(self) -> tuple[FlacHead, int, int] | None:
        """Move past the next frame; return its head and where in the data it begins and ends; None at the end."""
        window = self._window
        head = self._following if self._follows_at == window.offset else None
        if head is None:
            found = self._find(0)
            if found is None:
                return None
            window.at, head = found
        following = self._find_after(head)
        begin = window.at
        if following is None:
            window.at = len(window.data)
        else:
            window.at, self._following = following
            self._follows_at = window.offset
        return head, begin, window.at

    def _find_after(self, head: FlacHead) -> tuple[int, FlacHead] | None:
        """Find the header behind the frame at hand, which has `head`: the first that counts on from it.

        Where none does something is lost, and the first that another one counts on from is it, or at the end the first.
        """
        doubtful: dict[int, tuple[int, FlacHead]] = {}  # by their ends: how far on they begin
        skip = max(SMALLEST_FRAME, self._info.smallest_frame)
        while skip <= LONGEST_FRAME and (found := self._find(skip)) is not None:
            at, other = found
            if other.start == head.end:
                return found
            skip = at - self._window.at
            if other.start in doubtful:
                doubtful = {other.start: doubtful[other.start]}
                break
            doubtful.setdefault(other.end, (skip, other))
            skip += 1
        for after, other in doubtful.values():
            return self._window.at + after, other
        return None

    def _find(self, skip: int) -> tuple[int, FlacHead] | None:
        """Find a header `skip` bytes or more behind the next frame's begin, reading on for it."""
        while True:
            found = find_flac_frame(self._window.data, self._window.at + skip, self._info)
            have = self._window.left
            if found is not None or have > LONGEST_FRAME:
                return found
            skip = max(skip, have - LONGEST_HEAD)
            if not self._window.fill(have + 1):
                return None

    # -- anywhere ----------------------------------------------------------------------------------------------------

    def seek(self, frame: int, reserve: int) -> None:
        """Move to the frame that holds `frame`, looking where the bytes so far suggest it."""
        self._door.forget()
        goal = max(0, frame - reserve)
        low, high = self._bracket(goal)
        for _ in range(LOOKS):
            if high[1] - low[1] <= NEAR_BYTES:
                break
            at = self._guess(goal, low, high)
            found = self._look(at, high[1])
            if found is None:
                high = (high[0], at)
            elif found[0] > goal:
                high = found
            else:
                near = found[1] - low[1] < NEAR_BYTES
                low = found
                if near or goal - found[0] < 4 * self._info.largest_block:
                    break
        self._walk(low[1], goal)

    def _bracket(self, goal: int) -> tuple[Point, Point]:
        first = self._heads.first
        points = [(0, first), *((start, first + at) for start, at in self._heads.points)]
        if self._length is None:
            self._length = self._door.length()
        if self._length is None:  # nowhere to look but onward
            return points[0], points[0]
        total = self._info.total or max(goal + 1, self._length)
        points.append((total, self._length))
        low = max((point for point in points if point[0] <= goal), default=(0, first))
        high = min((point for point in points if point[0] > goal and point[1] > low[1]), default=(total, self._length))
        return low, (max(high[0], low[0] + 1), high[1])

    def _guess(self, goal: int, low: Point, high: Point) -> int:
        """Return where to look: a frame and a half before the place in proportion, so that one begins before `goal`."""
        share = min(1.0, (goal - low[0]) / (high[0] - low[0]))
        frame = self._info.largest_block * (high[1] - low[1]) / (high[0] - low[0])
        at = low[1] + share * (high[1] - low[1]) - 1.5 * frame - CHUNK / 8
        return int(min(max(at, low[1] + 1), high[1] - SMALLEST_FRAME))

    def _look(self, at: int, before: int) -> Point | None:
        """Return the first frame that begins at byte `at` or behind it, and before byte `before`."""
        self._window.go(at)
        found = self._find(0)
        if found is None:
            return None
        place = self._window.offset - self._window.at + found[0]
        return (found[1].start, place) if place < before else None

    def _walk(self, at: int, goal: int) -> None:
        self._window.go(at)
        while True:
            offset = self._window.offset
            step = self._step()
            if step is None or step[0].end > goal:
                break
        if step is not None:
            self._window.at -= step[2] - step[1]
        elif offset != at:
            self._window.go(offset)

    def close(self) -> None:
        """Nothing is held but the file."""

    def __repr__(self) -> str:
        return f"<FlacPackets at byte {self._window.offset}>"
