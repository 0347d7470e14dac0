"""The packets of any container that FFmpeg can open, with their places in frames.

What encoders put before and behind the sound is told by skip counts (MP3, AAC, Opus), by places below zero, by a last
packet that is shorter than others (AAC, Vorbis), by the edit list or by iTunSMPB; each becomes a place here. Must not
know: conversions, threads.
"""

from __future__ import annotations

import struct
from collections import deque
from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import cached_property
from math import ceil
from sys import maxsize
from typing import Any

import av
from av.codec.context import Flags2

from kithara_file.audio.blocks import Blocks
from kithara_file.audio.door import Door, reason
from kithara_file.audio.flac import STREAM_INFO, parse_flac_head, parse_stream_info
from kithara_file.audio.ogg import is_chain
from kithara_file.audio.packets import Unit
from kithara_file.audio.whole import cut_short
from kithara_file.errors import DecodeFailed

WARM_UP = {"aac": 4096, "mp3": 23040, "mp3float": 23040, "opus": 19200, "libopus": 19200, "vorbis": 16384}
"""Frames to decode before those that are wanted, until the decoder has forgotten that it began there."""
OTHER_WARM_UP = 8192
NO_WARM_UP = ("flac", "alac", "pcm_", "wavpack", "ape", "tta", "adpcm_ima_wav", "adpcm_ms", "adpcm_swf")
"""Codecs whose packets stand alone."""
NEVER_WARM = "adpcm_"
"""All other codecs of this kind: each sample is a step from the one before, and packets tell nothing of where the steps
have led (Yamaha), or not all of it (Apple's IMA). They are decoded from the beginning, however far that is, and so are
those whose packets stand alone where a coarse clock does not tell their places."""

BY_BYTES = ("adpcm_", "g722", "g726")
"""Codecs of which so many bytes are always so many frames, so that in WAV, whose packets FFmpeg stamps wrong behind a
seek, a packet's place in the file is that in the sound."""

PADDING_SECONDS = 0.05
"""So much less than the head of a file tells may be all that there is to be heard."""

ENDS_WITHIN = 8192
"""No packet is longer than this."""

GRID = {"opus": 120, "libopus": 120, "aac": 1024, "mp3": 1152, "mp3float": 1152, "mp2": 1152, "mp2float": 1152}
GRID |= {"ac3": 1536, "eac3": 256, "adpcm_swf": 4096}
"""Packets begin at multiples of so many frames after the first one: where to, when the clock does not tick in frames.

That of Matroska and of FLV ticks in milliseconds; that of MPEG-TS is fine, but its stamps are off by a frame or two all
the same.
"""


class Timeline:
    """Turns the container's clock into frames: frame 0 is the first that shall be heard."""

    def __init__(self, time_base: Fraction, sample_rate: int, first: int, skip: int, grid: int) -> None:
        tick = time_base * sample_rate
        self.exact = tick <= 2
        """Fine enough to tell frames; two to a tick is how AAC with SBR is stamped."""
        self.vague = 0 if self.exact or grid > 1 else ceil(tick)
        """By how many frames a place may be wrong."""
        self.skip = skip
        # Whole numbers, because fractions would cost more than to decode a packet.
        self._up, self._down = tick.numerator, tick.denominator
        self._tells_frames = tick == 1
        self._zero = self.length(first) + skip
        self._grid = 1 if self._tells_frames else grid

    def frame(self, pts: int) -> int:
        """Return the place of a moment."""
        if self._tells_frames:
            return pts - self._zero
        place = self.length(pts) - self._zero
        return place if self._grid == 1 else round((place + self.skip) / self._grid) * self._grid - self.skip

    def length(self, ticks: int) -> int:
        """Return how many frames a span of time holds."""
        return ticks if self._tells_frames else (2 * ticks * self._up + self._down) // (2 * self._down)

    def pts(self, frame: int) -> int:
        """Return the last tick at or before a place."""
        return (frame + self._zero) * self._down // self._up


class ContainerPackets:
    """A `PacketSource` over one audio stream of an open container."""

    def __init__(self, door: Door, container: Any, open_again: Callable[[], Any]) -> None:
        self._door = door
        self._open_again = open_again
        self._broken = False
        self._adopt(container)
        self._chain = container.format.name == "ogg" and is_chain(door)
        self._rate = int(self.codec.sample_rate)
        self._ready: deque[Any] = deque()
        self._look_ahead()
        self._time = self._timeline()
        self._heads = self._flac_heads()
        self._blocks = self._same_blocks()
        # The stamps of Vorbis are wrong wherever the window size changes, those of a coarse clock everywhere.
        self.vague = 0 if self._heads else self._time.vague
        self.counted = "vorbis" in self.codec.name or self.vague > 0
        self.exact = True
        self._cap = self._cap_frames()

    def _adopt(self, container: Any) -> None:
        self._container = container
        self._stream = container.streams.audio[0]
        self.codec: Any = self._stream.codec_context
        if not self.codec.is_open:
            self.codec.flags2 |= int(Flags2.skip_manual)
            self.codec.thread_count = 1  # several would hold back frames after a seek
        self._packets: Iterator[Any] = container.demux(self._stream)

    def _timeline(self) -> Timeline:
        packet = self._ready[0] if self._ready else None
        base = self._stream.time_base or Fraction(1, self._rate)
        grid = GRID.get(self.codec.name, 1)
        if packet is None or packet.pts is None:
            return Timeline(base, self._rate, 0, 0, grid)
        skip = _skip_counts(packet)[0]
        # The first packet of Vorbis only primes its decoder, wherever it is stamped (below zero; at zero in a file of
        # one page). Otherwise, without a count, what is stamped below zero is before the sound.
        before = packet.duration or 0 if "vorbis" in self.codec.name else max(0, -packet.pts)
        lead = round(before * base * self._rate)
        return Timeline(base, self._rate, packet.pts, skip or lead, grid)

    def _flac_heads(self) -> Callable[[Any], int] | None:
        """Return what tells a packet's place by its own head, which is right in any container; None if it is no FLAC.

        Matroska's clock is too coarse, and Ogg's stamps are wrong behind a seek.
        """
        extradata = bytes(self.codec.extradata or b"")
        if self.codec.name != "flac" or len(extradata) < STREAM_INFO:
            return None
        info = parse_stream_info(extradata[-STREAM_INFO:])
        heads = [parse_flac_head(bytes(packet), 0, info) for packet in self._ready]
        if not heads or heads[0] is None:
            return None
        zero = heads[0].start

        def place(packet: Any) -> int:
            head = parse_flac_head(bytes(packet), 0, info)
            return self._time.frame(packet.pts) if head is None else head.start - zero

        return place

    def _same_blocks(self) -> Blocks | None:
        """Return what tells a packet's place by the byte at which it begins; None where that tells nothing."""
        if self._container.format.name not in ("wav", "w64") or not self.codec.name.startswith(BY_BYTES):
            return None
        packet = self._ready[0] if self._ready else None
        if packet is None or packet.pos is None or not packet.duration or not self.codec.bit_rate:
            return None
        frames, suggested = self._time.length(packet.duration), Fraction(self.codec.bit_rate // 8, self._rate)
        return Blocks(packet.pos, packet.size, frames, suggested) if suggested else None

    def _cap_frames(self) -> int | None:
        """Return where the sound ends by the container's own account, which may be beyond what packets tell."""
        if self._chain:  # FFmpeg takes the frames of its last part for those of all
            return None
        words = str(self._container.metadata.get("iTunSMPB", "")).split()
        if len(words) >= 4:
            return int(words[3], 16)
        duration, primed = self._stream.duration, self._time.skip if "opus" in self.codec.name else 0
        if duration is not None and self._time.exact:
            return self._time.length(duration) - primed
        whole = self._container.duration
        return None if whole is None else max(0, round(whole * self._rate / av.time_base) - primed)

    @property
    def total(self) -> int | None:
        """Frames from the first to the last that shall be heard."""
        return self._cap

    @property
    def promised(self) -> int | None:
        """Frames of the track, or so, when bytes that the head of the file announces are absent."""
        told = cut_short(self._door)
        if told is None:
            return None
        if told.frames is not None or self._cap is None:
            return told.frames
        return self._cap - round(self._rate * PADDING_SECONDS)

    @cached_property
    def _vagueness(self) -> int:
        """By how many frames the container's length may be short of the truth: too many, when it is an estimate."""
        names = self._container.format.name.split(",")
        if "ogg" in names or "iTunSMPB" in self._container.metadata:
            return 0
        # An edit list is mostly written in milliseconds, rounded down, while the packets tell it to the frame.
        return self._rate // 1000 + 1 if "mp4" in names else ENDS_WITHIN

    # -- in order ----------------------------------------------------------------------------------------------------

    def next(self) -> Unit | None:
        """Return the next packet."""
        packet = self._ready.popleft() if self._ready else self._pull()
        return None if packet is None else self._unit(packet)

    def _pull(self) -> Any | None:
        """Return the next packet that holds anything; None at the end."""
        try:
            packet = next(self._packets, None)
        except EOFError:
            packet = None
        except (av.FFmpegError, OSError, ValueError) as error:
            self._check_file()
            self._packets = self._container.demux(self._stream)
            raise DecodeFailed(f"A packet could not be read: {reason(error)}") from error
        self._check_file()
        return packet if packet is not None and packet.size else None

    def _check_file(self) -> None:
        """Raise what the file raised: also when a packet came, which may have been cut short by it."""
        if self._door.troubled:
            self._broken = True
            self._door.raise_error()

    def _unit(self, packet: Any) -> Unit:
        time = self._time
        if self._blocks is not None:
            packet.pts = start = self._blocks.place(packet.pos)
        elif packet.pts is None:
            return Unit(packet)
        else:
            packet.pts = start = self._heads(packet) if self._heads else time.frame(packet.pts)
        length = time.length(packet.duration or 0) if time.exact else 0
        discard = 0 if length else _skip_counts(packet)[1]
        end = start + length if length and not self.counted else None
        cap = self._cap
        # What lies behind the end from its beginning on belongs to something that was appended, and is not cut.
        if cap is not None and cap - ENDS_WITHIN <= start < cap < (end or start + ENDS_WITHIN) - self._vagueness:
            end = cap if end is None else min(end, cap)
        return Unit(packet, end, discard)

    def _look_ahead(self) -> Any | None:
        """Pull one packet and keep it; None at the end."""
        packet = self._pull()
        if packet is not None:
            self._ready.append(packet)
        return packet

    # -- anywhere ----------------------------------------------------------------------------------------------------

    def seek(self, frame: int, reserve: int) -> None:
        """Move to the packet which the container's table, or its pages, give for a place before `frame`."""
        self._door.forget()
        lowest = -self._time.skip
        # A decoder that is flushed keeps a little of what it heard: AC-3 its dither, AAC the shape of a window and how
        # far it is with the noise that it makes up. Where the very first frame is heard, that can be told. A chain has
        # to be gone through, because each of its parts counts from zero.
        told = not lowest or self.codec.name == "aac"
        from_the_begin = self._chain or (told and frame - reserve <= self._warm_up() != 0)
        if self._broken or from_the_begin:
            self._rewind()
            if from_the_begin:
                self.exact = True
                return
        self._ready.clear()
        self.exact = frame <= 0 or not self.vague
        goal = max(frame - self._warm_up() - reserve, lowest)
        self._move(goal)
        if self._blocks is not None:
            if not self._on_block(self._blocks):
                self._rewind()
            return
        step = self._rate
        while self._on_last_page():
            if goal == lowest:  # there is only one page
                self._rewind()
                return
            goal, step = max(goal - step, lowest), 4 * step
            self._move(goal)

    def _rewind(self) -> None:
        """Open the file anew, because its container has stumbled, or stamps the only page right in this way alone."""
        self._container.close()
        self._ready.clear()
        self._adopt(self._open_again())
        self._broken = False

    def _move(self, goal: int) -> None:
        self._ready.clear()
        try:
            at = self._time.pts(goal) if self._blocks is None else self._blocks.asked(goal)
            self._container.seek(at, stream=self._stream, backward=True)
        except (av.FFmpegError, OSError, ValueError) as error:
            self._broken = True
            self._check_file()
            raise DecodeFailed(f"This file cannot be searched: {reason(error)}") from error
        self._packets = self._container.demux(self._stream)

    def _on_last_page(self) -> bool:
        """Return whether an Ogg was entered on its last page, whose packets are then stamped as if none were padded."""
        if self._container.format.name != "ogg" or (first := self._look_ahead()) is None:
            return False
        while (packet := self._look_ahead()) is not None:
            if packet.pos != first.pos:
                return False
        return True

    def _on_block(self, blocks: Blocks) -> bool:
        """Return whether a seek has led to where a block begins, or behind the last one."""
        packet = self._look_ahead()
        return packet is None or blocks.begins(packet.pos)

    def _warm_up(self) -> int:
        name = self.codec.name
        alone = name.startswith(NO_WARM_UP)
        if name.startswith(NEVER_WARM) and (self.vague or not alone):
            return maxsize
        return 0 if alone else WARM_UP.get(name, OTHER_WARM_UP)

    def close(self) -> None:
        """Close the container."""
        self._container.close()

    def __repr__(self) -> str:
        return f"<ContainerPackets {self._container.format.name} {self.codec.name}>"


def _skip_counts(packet: Any) -> tuple[int, int]:
    """Return how many frames of a packet to skip at its begin and to discard at its end."""
    if not packet.has_sidedata("skip_samples"):
        return 0, 0
    begin, end = struct.unpack_from("<II", bytes(packet.get_sidedata("skip_samples")))
    return begin, end
