"""The packets of an MP3, found by the frames' own headers: a frame is a packet, and its number is its place.

FFmpeg's demultiplexer reads everything between when it seeks exactly, or loses its place when it does not. Here a far
seek costs one jump: to the byte where the bit rate is constant; by the Xing or VBRI table where it varies.

Where it varies nothing but counting tells the number of a frame for certain, and counting means to read. So frames are
counted from the last one that was, if that promises to take no more than `SCAN_SECONDS`, as it does in a file that is
at hand and over a fast line; what was counted is remembered, so that the next seek goes on from there. Elsewhere what
lies between is left alone: the seek is as good as the table, `exact` is False, and later seeks near that place count
from it, so that five seconds on are five seconds on.

Must not know: what the frames sound like, who reads the file beside it.
"""

from __future__ import annotations

from dataclasses import replace
from math import ceil
from typing import Any

import av

from kithara_file.audio.door import Door
from kithara_file.audio.mp3 import DECODER_DELAY, ID3_HEAD, FrameHead, find_frame, id3_size, parse_head, parse_table
from kithara_file.audio.mp3_map import Anchor, Mp3Map
from kithara_file.audio.packets import Unit
from kithara_file.audio.window import CHUNK, Window
from kithara_file.clock import Clock, SystemClock
from kithara_file.errors import DecodeFailed

HEAD_SEARCH = 64 * 1024
RESYNC_SEARCH = 256 * 1024
RESERVOIR = 511
"""How far back, in bytes of earlier frames, the sound of a frame may begin."""
SCAN_SECONDS = 0.5
"""For so long frames may be counted: some hundred thousand at best, an hour of sound."""
TRIAL_SECONDS = 0.25
"""Behind so much of it how long it would take can be told."""
NEAR_BYTES = 1024 * 1024
"""So far behind a guess places are counted from it."""
CHECK_EVERY = 32
LAST_FRAMES = 8
"""So many are looked at where a seek leads, which is no nearer to the end than this."""
LOWEST_BIT_RATE = 8000


def read_mp3(door: Door) -> Mp3Map | None:
    """Read the head of an MP3; None when it does not begin like one."""
    start = 0
    while size := id3_size(door.read_at(start, ID3_HEAD)):
        start += size
    data = door.read_at(start, CHUNK)
    found = find_frame(data)
    if found is None:
        data += door.read_at(start + len(data), HEAD_SEARCH)
        found = find_frame(data)
    if found is None or (head := parse_head(data, found)) is None:
        return None
    table = parse_table(data[found : found + head.size], head)
    first = found + head.size if table else found
    sound = parse_head(data, first) or head
    length = door.length()
    if table is not None and table.length is not None and _goes_on(door, start + found + table.length, length, sound):
        table = replace(table, frames=None, length=None, entries=(), padding=None, constant=False)
    known = Mp3Map(start + first, sound, table, start + found, length)
    known.constant = known.constant and _looks_constant(data, first, sound)
    number, at = 0, first
    while (head := parse_head(data, at)) is not None:  # so that the average is not that of a first, silent frame
        known.learn(number, start + at)
        number, at = number + 1, at + head.size
    return known


def _goes_on(door: Door, end: int, length: int | None, like: FrameHead) -> bool:
    """Return whether sound stands where the table says that it ends, because the table is that of the first part only.

    So it is where files were put one behind the other, as podcasts and their advertisements are.
    """
    if length is None or length - end < CHUNK:  # what is shorter are tags
        return False
    tag = id3_size(door.read_at(end, ID3_HEAD))
    return find_frame(door.read_at(end + tag, CHUNK), 0, like) is not None


def _looks_constant(data: bytes, at: int, first: FrameHead) -> bool:
    while (head := parse_head(data, at)) is not None:
        if head.bit_rate != first.bit_rate:
            return False
        at += head.size
    return True


class Mp3Packets:
    """A `PacketSource` over the frames of an MP3."""

    counted = False
    vague = 0
    promised = None
    """What is missing is told in place of a packet: after a seek that was no exact one nobody knows it."""

    def __init__(self, door: Door, known: Mp3Map, clock: Clock | None = None) -> None:
        self.codec: Any = av.CodecContext.create("mp3float", "r")
        self.exact = True
        self._door = door
        self._map = known
        self._clock = clock or SystemClock()
        self._samples = known.head.samples
        self._frame = 0
        self._told_cut = False
        self._window = Window(door, known.first)

    @property
    def _lead(self) -> int:
        table = self._map.table
        return 0 if table is None or table.delay is None else table.delay + DECODER_DELAY

    @property
    def total(self) -> int | None:
        """Frames of PCM, without what the LAME tag calls delay and padding."""
        table, frames = self._map.table, self._map.frames
        tail = 0 if table is None or table.padding is None else max(0, table.padding - DECODER_DELAY)
        return None if frames is None else max(0, frames * self._samples - self._lead - tail)

    # -- in order ----------------------------------------------------------------------------------------------------

    def next(self) -> Unit | None:
        """Return the next frame as a packet."""
        span = self._step()
        if span is None:
            self._door.raise_error()
            self._tell_cut()
            return None
        packet: Any = av.Packet(self._window.data[span[0] : span[1]])
        packet.pts = (self._frame - 1) * self._samples - self._lead
        return Unit(packet, self.total if self._knows_end else None)

    def _tell_cut(self) -> None:
        """Raise `DecodeFailed`, once, when the end has come long before the table says so."""
        missing = (self._map.frames or 0) - self._frame if self._knows_end else 0
        if missing > 1 and not self._told_cut:  # some count the table as a frame
            self._told_cut = True
            raise DecodeFailed(f"The last {missing * self._samples / self._map.head.sample_rate:.3f} s are missing")

    @property
    def _knows_end(self) -> bool:
        return self.exact and self._told_frames is not None

    @property
    def _told_frames(self) -> int | None:
        return None if self._map.table is None else self._map.table.frames

    def _step(self) -> tuple[int, int] | None:
        """Move past the next frame, and return where in the data it is; None at the end."""
        if self._knows_end and self._frame >= (self._map.frames or 0):
            return None
        while True:
            self._window.fill(ID3_HEAD)
            head = parse_head(self._window.data, self._window.at)
            if head is None or not head.alike(self._map.head):
                if not (self._pass_tag() or self._resync()):
                    return None
                continue
            if not self._window.fill(head.size):
                return None
            return self._past(head)

    def _past(self, head: FrameHead) -> tuple[int, int]:
        if head.bit_rate != self._map.head.bit_rate:
            self._map.constant = False
        (self._map.learn if self.exact else self._map.explore)(self._frame, self._window.offset)
        begin, self._window.at = self._window.at, self._window.at + head.size
        self._frame += 1
        return begin, self._window.at

    def _pass_tag(self) -> bool:
        """Move past a tag between two parts, which takes no time; False when there is none."""
        size = id3_size(self._window.data[self._window.at :][:ID3_HEAD])
        if size:
            self._window.go(self._window.offset + size)
        return size > 0

    def _resync(self) -> bool:
        """Find the next frame behind damage, and count the frames that are lost; False when none follows."""
        begin = self._window.offset
        while (found := find_frame(self._window.data, self._window.at, self._map.head)) is None:
            kept = self._window.left
            if self._window.offset - begin > RESYNC_SEARCH or not self._window.fill(kept + 1):
                return False
            if kept > 2 * CHUNK:
                self._window.at += CHUNK
        self._window.at = found
        lost = self._window.offset - self._window.at + found - begin
        self._frame += round(lost / self._map.head.mean_size)
        return True

    # -- anywhere ----------------------------------------------------------------------------------------------------

    def seek(self, frame: int, reserve: int) -> None:
        """Move to before `frame`: at once where the map knows, by a walk where that is short, by the table else."""
        self._door.forget()
        goal = max(0, (frame + self._lead - reserve) // self._samples - self._warm_up())
        if (frames := self._map.frames if self._map.constant else self._told_frames) is not None:
            goal = max(0, min(goal, frames - LAST_FRAMES))
        if self._map.constant and self._jump_to_frame(goal, self._map.guess(goal)):
            return
        known = self._map.known(goal)
        if not self._walk(known, goal) and not self._jump_by_guess(goal):
            self._walk(known, goal, patient=True)

    def _warm_up(self) -> int:
        head = self._map.head
        rate = head.bit_rate if self._map.constant else 4 * LOWEST_BIT_RATE if head.samples == 1152 else LOWEST_BIT_RATE
        payload = head.samples / 8 * rate / head.sample_rate - head.side - 4
        return ceil(RESERVOIR / max(payload, 4.0)) + 3

    def _jump_to_frame(self, goal: int, guess: int) -> bool:
        head = self._map.head
        low = max(self._map.first, guess - head.size)
        self._go(low, goal)
        self._window.fill(LAST_FRAMES * head.size)
        found = find_frame(self._window.data, 0, head)
        if found is None or not _looks_constant(self._window.data, found, head):
            return False
        number = (low + found - self._map.first) / head.mean_size
        # Where the bit rate is constant a frame begins within two bytes of where it should (padding, and rounding); in
        # any other file only by chance.
        if abs(number - round(number)) * head.mean_size > 2:
            self._map.constant = False
            return False
        self._window.at, self._frame = found, round(number)
        return True

    def _jump_by_guess(self, goal: int) -> bool:
        """Move to where the table, or what was counted from an earlier guess, has `goal`; False: nothing is there."""
        self._map.constant = False
        anchor = self._map.near_guess(goal, NEAR_BYTES)
        if anchor is not None and self._walk(anchor, goal, exact=False):
            return True
        self._go(self._map.guess(goal), goal, exact=False)
        self._window.fill(CHUNK)
        found = find_frame(self._window.data, 0, self._map.head)
        if found is None:
            return False
        self._window.at = found
        self._map.land(goal, self._window.offset)
        return True

    def _walk(self, anchor: Anchor, goal: int, *, exact: bool = True, patient: bool = False) -> bool:
        """Count from `anchor` to frame `goal`, or to the end; False when that would take too long, unless `patient`."""
        begun = self._clock.monotonic()
        self._go(anchor.offset, anchor.frame, exact=exact)
        while self._frame < goal and self._step() is not None:
            done = self._frame - anchor.frame
            if done % CHECK_EVERY == 0 and not patient:
                took = self._clock.monotonic() - begun
                if took > TRIAL_SECONDS and took / done * (goal - anchor.frame) > SCAN_SECONDS:
                    return False
        return True

    def _go(self, offset: int, frame: int, *, exact: bool = True) -> None:
        self._window.go(offset)
        self._frame, self.exact, self._told_cut = frame, exact, False

    def close(self) -> None:
        """Nothing is held but the file."""

    def __repr__(self) -> str:
        return f"<Mp3Packets at frame {self._frame} of {self._map!r}>"
