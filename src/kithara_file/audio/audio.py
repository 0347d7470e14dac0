"""Any binary file object as sound: decoded ahead of its listener, from any frame on.

Must not know: where the file's bytes come from; that a network exists.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from math import isfinite
from sys import maxsize
from typing import Self

from kithara_file.audio.converter import Converter, Quality, check_quality
from kithara_file.audio.decoder import Decoder
from kithara_file.audio.door import BinaryFile, Door
from kithara_file.audio.events import DecodeError, FormatDetected
from kithara_file.audio.gathering import Gathering
from kithara_file.audio.media import MediaInfo, Samples, Spec
from kithara_file.audio.opening import open_media
from kithara_file.audio.ring import Ring
from kithara_file.audio.stalls import Stalls
from kithara_file.audio.worker import Worker
from kithara_file.clock import Deadline
from kithara_file.errors import ConfigError
from kithara_file.events import EndOfStream, EventBus

STALL_SECONDS = 0.1
"""A listener that has waited this long for a file is stalled."""
GRACE_SECONDS = 0.02
"""How long `close` lets a call of the file end by itself, before it closes the file."""
JOIN_SECONDS = 0.1


class Audio:
    """Sound from a file object, as blocks of float32 of shape (frames, channels).

    A thread decodes up to `ahead_seconds` ahead. The file is the caller's, who must not move it meanwhile. `close`
    leaves it open, unless the decoder waits in one of its reads at that moment: only closing the file ends such a read.
    (A foreign file whose reads outlive its `close` keeps the thread, a daemon, until they return.) With `close_file`
    the file is closed in any case.

    Raises `UnsupportedMedia` when the file holds no sound that is understood, and the file's own errors as they are.
    """

    def __init__(
        self,
        file: BinaryFile,
        sample_rate: int | None = None,
        channels: int | None = None,
        quality: Quality = "high",
        ahead_seconds: float = 1.0,
        *,
        events: EventBus | None = None,
        close_file: bool = False,
    ) -> None:
        _check_knobs(sample_rate, channels, quality, ahead_seconds)
        self.events = events or EventBus()
        """Tells of the events of `kithara_file.audio.events`, and of `EndOfStream`; a bus that was handed in hears of
        `FormatDetected` too."""
        self._door = Door(file)
        opened = open_media(self._door)
        self.media_info: MediaInfo = opened.info
        """What the file says of itself."""
        source = opened.info.spec
        self.spec = Spec(sample_rate or source.sample_rate, channels or source.channels)
        """The rate and channels of what is read."""
        self._converter = Converter(source, self.spec, quality)
        self._ring = Ring(self.spec, self.spec.frames(ahead_seconds))
        self._decoder = Decoder(opened.source, source, _teller(self.events, source))
        self._door.on_wait = self._decoder.hurry
        self._stalls = Stalls(self.events)
        self._close_file = close_file
        self._ended_epoch: int | None = None
        self._worker = Worker(self._ring, self._decoder, self._converter, self._door, self.events)
        self.events.publish(FormatDetected(self.media_info))
        self._worker.start()
        self._finalizer = weakref.finalize(self, _drop, self._ring, self._door)

    # -- reading -----------------------------------------------------------------------------------------------------

    def read(self, frames: int | None = -1, timeout: float | None = None) -> Samples:
        """Return `frames` frames, fewer only at the end; all that are left if negative or None. Waits for them.

        Raises `TimeoutError` after `timeout` seconds (None: the file's own limits hold), `DecodeFailed`, `StreamClosed`
        after `close`, and what the file raised; frames that were there are kept for the next read. After an error
        `retry` and `seek` try again.
        """
        frames = maxsize if frames is None or frames < 0 else frames
        samples = self._ring.take_all(frames)  # nearly always
        if samples is not None:
            self._sounding()
            return samples
        deadline, gathering = Deadline.after(timeout), self._gathering(frames)
        while gathering.left > 0:
            try:
                self._await(gathering.left, deadline)
            except BaseException:
                self._ring.give_back(gathering.epoch, gathering.pieces)
                raise
            count = self._ring.fill_of(gathering.epoch, gathering.space)
            if count is None:  # another thread moved: what was gathered before is stale
                gathering = self._gathering(frames)
                continue
            gathering.add(count)
            if self._ring.finished:
                self._tell_end()
                break
        return gathering.samples

    def _gathering(self, frames: int) -> Gathering:
        total = self._total
        expected = self._ring.capacity if total is None else total - self._ring.position
        return Gathering(self.spec, self._ring.epoch, frames, expected)

    def _await(self, frames: int, deadline: Deadline) -> None:
        ring = self._ring
        first = Deadline.after(min(STALL_SECONDS, deadline.remaining() or STALL_SECONDS))
        if not ring.await_frames(frames, first):
            if self._door.busy:
                self._stalls.stalled(self.position)
            if not ring.await_frames(frames, deadline):
                msg = f"No sound came in time at {self.position:.3f} s"
                raise TimeoutError(msg)
        if ring.lacks(frames):
            ring.raise_error()
        self._sounding()

    def _sounding(self) -> None:
        if self._stalls.silent:
            self._stalls.sounding(self.position)

    def read_now(self, frames: int) -> Samples:
        """Return up to `frames` frames of what is there, negative: all; never waits, none in a stall and at the end."""
        frames = frames if frames >= 0 else self._ring.frames
        samples = self._ring.take(frames)
        self._missed(frames - len(samples))
        return samples

    def fill(self, out: Samples) -> int:
        """Copy what is there into `out`, and return how many frames that were: `read_now` for a device's callback."""
        count = self._ring.fill(out)
        self._missed(len(out) - count)
        return count

    def _missed(self, frames: int) -> None:
        if not frames:
            self._sounding()
        elif self._ring.finished:
            self._tell_end()
        elif not self._ring.failed:
            self._stalls.underrun(self.position, frames)
            if self._door.busy:
                self._stalls.stalled(self.position)

    def _tell_end(self) -> None:
        if self._ended_epoch != self._ring.epoch:
            self._ended_epoch = self._ring.epoch
            self.events.publish(EndOfStream(self._ring.position))

    def __iter__(self) -> Iterator[Samples]:
        """Yield what is left, in blocks as they were decoded."""
        while True:
            block = self._ring.take_block()
            if block is not None:
                self._sounding()
                yield block
            elif self._ring.finished:
                self._tell_end()
                return
            else:
                self._await(1, Deadline.never())

    # -- moving ------------------------------------------------------------------------------------------------------

    def seek(self, seconds: float) -> int:
        """Let the next frame be the one at `seconds`; return the epoch, which `SeekComplete` tells when it is there.

        Returns at once; behind the end, the next read returns nothing. Forgets an error, so that reading tries again.
        """
        if not (isfinite(seconds) and seconds >= 0):
            msg = f"There is no sound at {seconds} s"
            raise ValueError(msg)
        return self._move(self.spec.frames(seconds))

    def retry(self) -> int:
        """Try again from where an error has ended the sound, or from here; return the epoch."""
        return self._move(self._ring.position)

    def _move(self, frame: int) -> int:
        epoch = self._ring.seek(frame)
        self._door.wake(epoch)  # the decoder may be waiting for bytes that nobody wants any more
        return epoch

    @property
    def position(self) -> float:
        """Where the next frame to be read stands, in seconds."""
        return self.spec.seconds(self._ring.position)

    @property
    def duration(self) -> float | None:
        """How long the sound is, in seconds: as the file says, then as it turned out; None while nobody knows."""
        total = self._total
        return None if total is None else self.spec.seconds(total)

    @property
    def _total(self) -> int | None:
        total = self._decoder.total
        return None if total is None else self._converter.length(total)

    # -- state -------------------------------------------------------------------------------------------------------

    @property
    def buffered(self) -> float:
        """Seconds that are decoded and wait to be read."""
        return self.spec.seconds(self._ring.frames)

    @property
    def finished(self) -> bool:
        """True when everything was read to the end."""
        return self._ring.finished

    def raise_error(self) -> None:
        """Raise what ended the decoding, if something did: for listeners that use `read_now`."""
        self._ring.raise_error()

    @property
    def failed(self) -> bool:
        """True while nothing more comes because of an error."""
        return self._ring.failed

    @property
    def closed(self) -> bool:
        """True after `close`."""
        return self._ring.closed

    def close(self) -> None:
        """Stop decoding, from any thread: a blocked `read` raises `StreamClosed`. Idempotent."""
        if not self._finalizer.detach():
            return
        self._ring.close()
        self._door.shut()
        thread = self._worker.thread
        thread.join(GRACE_SECONDS)
        if thread.is_alive() and self._door.busy:
            self._door.close_file(JOIN_SECONDS / 2)
            thread.join(JOIN_SECONDS / 2)
        elif thread.is_alive():
            thread.join(JOIN_SECONDS)
        if self._close_file:
            self._door.close_file(JOIN_SECONDS)
        self.events.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        state = "closed" if self.closed else f"{self.position:.3f} of {self.duration or 0:.3f} s"
        return f"<Audio {self.media_info.codec} {state}>"


def _check_knobs(sample_rate: int | None, channels: int | None, quality: str, ahead_seconds: float) -> None:
    """Refuse what cannot be before the file is touched."""
    Spec(1 if sample_rate is None else sample_rate, 1 if channels is None else channels)
    check_quality(quality)
    if not ahead_seconds > 0:
        msg = "ahead_seconds must be positive"
        raise ConfigError(msg)


def _teller(events: EventBus, spec: Spec) -> Callable[[int, str], None]:
    return lambda frame, reason: events.publish(DecodeError(spec.seconds(frame), reason))


def _drop(ring: Ring, door: Door) -> None:
    door.drop()
    ring.close()
