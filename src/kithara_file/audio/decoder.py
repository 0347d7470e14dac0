"""Blocks of PCM in the order of the track, from any frame on, trimmed to the frame.

A damaged packet leaves silence of its length, so that what follows stays where it belongs. Must not know: containers,
threads, the rate and channels that the listener wants.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import av

from kithara_file.audio.door import reason
from kithara_file.audio.media import Block, Samples, Spec
from kithara_file.audio.packets import PacketSource, Unit
from kithara_file.audio.pcm import as_samples
from kithara_file.audio.places import Counted, Piece, Places, Stamped
from kithara_file.audio.splice import Splice, joined
from kithara_file.errors import DecodeFailed, UnsupportedMedia

BATCH = 8192
"""Frames to gather for one block, if nothing else is said."""
FIRST_BATCH = 1024
"""After a seek, and after `hurry`, blocks grow from one packet over this up to what is asked for."""
SEEK_TRIES = 4
MAX_BAD_PACKETS = 200
"""So many damaged packets in a row are no longer an accident."""

Damage = Callable[[int, str], None]


class Decoder:
    """Decodes one track for one thread."""

    def __init__(
        self,
        source: PacketSource,
        spec: Spec,
        on_damage: Damage = lambda _frame, _reason: None,
    ) -> None:
        self.spec = spec
        self.total = source.total
        """Frames of the track; what the file says until the end was seen, then what is true."""
        self._source = source
        self._on_damage = on_damage
        self._heard = False
        self._told = False  # of the damage behind which the next sound comes
        self._begin(0)

    def _begin(self, frame: int) -> None:
        self._splice = Splice(self.spec, frame)
        self._places: Places = Counted(frame, self._source.vague) if self._source.counted else Stamped()
        self._pieces: list[Samples] = []
        self._run = av.AudioFifo()  # what simply follows the pieces, to be converted at once
        self._count = 0
        self._wanted = 1
        self._drained = False
        self._bad = 0
        self._failure: Exception | None = None

    @property
    def exact(self) -> bool:
        """False when the last seek landed by a coarse table."""
        return self._source.exact

    # -- anywhere ----------------------------------------------------------------------------------------------------

    def seek(self, frame: int) -> None:
        """Let the next block begin at `frame`. Raises what the file raised."""
        reserve = 0
        for _ in range(SEEK_TRIES):
            self._source.seek(frame, reserve)
            self._source.codec.flush_buffers()
            self._begin(frame)
            missed = self._decode_first(frame)
            if missed <= 0:
                return
            # The table, or the page that was found, led behind the place that was asked for.
            reserve = max(4 * reserve, 2 * missed, self.spec.sample_rate // 4)

    def _decode_first(self, frame: int) -> int:
        """Decode up to the first sound; return by how many frames it lies behind `frame`."""
        try:
            unit = self._source.next()
        except DecodeFailed as error:
            self._damage(frame, str(error))
            return 0
        if unit is None:
            return 0
        missed = 0 if unit.packet.pts is None else int(unit.packet.pts) - max(frame, 0)
        if missed <= 0:
            self._decode(unit)
        return missed

    # -- in order ----------------------------------------------------------------------------------------------------

    def next(self, most: int = BATCH) -> Block | None:
        """Return the next block, of up to `most` frames and one packet; None at the end.

        Raises what the file raised, or `DecodeFailed`. The first one after a seek is small, so that it is soon there.
        What was decoded before a failure is returned before it is raised.
        """
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure
        self._wanted = max(1, min(self._wanted, most))
        try:
            while self._count < self._wanted and not self._drained:
                self._advance()
        except Exception as error:
            if not self._count:
                raise
            self._failure = error
        self._end_run()
        pieces, self._pieces, self._count = self._pieces, [], 0
        if not pieces:
            self._finish()
            return None
        self._wanted = max(FIRST_BATCH, 2 * self._wanted)
        self._heard = True
        samples = joined(pieces)
        return Block(self._splice.at - len(samples), samples)

    def hurry(self) -> None:
        """Let `next` return soon, with what it has: there is no telling when more comes. From any thread."""
        self._wanted = 1

    def _finish(self) -> None:
        if not self._heard and not self._splice.at and (self._bad or self.total):
            raise DecodeFailed("Nothing in this file could be decoded")
        if self.exact and self._wanted > 1:
            self.total = self._splice.at

    def _advance(self) -> None:
        """Decode one packet more."""
        try:
            unit = self._source.next()
        except DecodeFailed as error:
            self._damage(self._splice.at, str(error))
            return
        self._decode(unit)
        if unit is None:
            self._drained = True
            self._lay(self._places.rest())
            self._tell_cut()

    def _tell_cut(self) -> None:
        """Tell that the end has come before the head of the file says so."""
        at, promised = self._splice.at, self._source.promised
        if promised is not None and at < promised:
            missing = max(promised, self._source.total or 0) - at
            self._damage(at, f"The last {self.spec.seconds(missing):.3f} s are missing")

    def _decode(self, unit: Unit | None) -> None:
        packet = None if unit is None else unit.packet
        try:
            frames = self._source.codec.decode(packet)
        except av.FFmpegError as error:
            place = None if packet is None else packet.pts
            # What a decoder finds wrong before it has warmed up is not damage.
            if place is None or place >= self._splice.at:
                self._damage(self._splice.at, reason(error))
            return
        if frames:
            self._bad = 0
            if len(frames) != 1 or unit is None or not self._joins(frames[0], unit):
                self._lay(self._places.put(self._piece(frames, unit), self._splice.expected))

    def _joins(self, frame: Any, unit: Unit) -> bool:
        """Return True, and take it, when what was decoded simply follows what came before: nearly always."""
        frames = frame.samples
        # A queue would read beyond a frame that has fewer channels than it.
        if unit.discard or frame.layout.nb_channels != self.spec.channels or frame.sample_rate != self.spec.sample_rate:
            return False
        if not self._splice.follows(frame.pts, frames, unit.end):
            return False
        frame.pts = None
        try:
            self._run.write(frame)
        except ValueError:  # another sample format
            self._end_run()
            self._run = av.AudioFifo()
            self._run.write(frame)
        self._count += frames
        self._told = False
        return True

    def _end_run(self) -> None:
        frame = self._run.read()
        if frame is not None:
            self._pieces.append(as_samples(frame))

    def _piece(self, frames: list[Any], unit: Unit | None) -> Piece:
        samples = joined([as_samples(frame) for frame in frames])
        self._check(frames[0], samples)
        if unit is not None and unit.discard:
            samples = samples[: -unit.discard]
        return Piece(frames[0].pts, samples, None if unit is None else unit.end)

    def _lay(self, pieces: list[Piece]) -> None:
        self._end_run()
        for piece in pieces:
            at, sound = self._splice.at, self._splice.lay(piece.stamp, piece.samples, piece.end)
            if len(sound) > 1 and not self._told:  # silence stands before it
                self._on_damage(at, f"{len(sound[0])} frames are missing")
            self._told = self._told and not sound
            self._pieces += sound
            self._count += sum(map(len, sound))

    def _check(self, frame: Any, samples: Samples) -> None:
        if frame.sample_rate != self.spec.sample_rate or samples.shape[1] != self.spec.channels:
            now = f"{frame.sample_rate} Hz with {samples.shape[1]} channels"
            raise UnsupportedMedia(f"The sound changes to {now} in the middle of the track")

    def _damage(self, frame: int, reason: str) -> None:
        self._bad += 1
        if self._bad > MAX_BAD_PACKETS:
            raise DecodeFailed(f"{self._bad} packets in a row could not be decoded: {reason}")
        self._told = True
        self._on_damage(frame, reason)

    def close(self) -> None:
        """Let go of everything but the file."""
        self._failure = None
        self._source.close()

    def __repr__(self) -> str:
        return f"<Decoder at {self._splice.at} of {self.total}>"
