"""The tracks of a player as one sound: the frame after the last of a track is the first of the next.

Must not know: sinks; who opens tracks.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np

from kithara_file.audio.audio import Audio
from kithara_file.audio.media import Samples, Spec
from kithara_file.audio.splice import joined
from kithara_file.errors import ConfigError, KitharaError, StreamClosed

NEAR_SECONDS = 30.0
"""So long before the end of a track the next one is wanted: sooner, both would share a line that one may need."""


class Deck:
    """What is played now and what is ready to follow; a `Feed` for one sink.

    A track that fails stays, and sinks hear silence (or wait) until it is moved or left. `on_track` is told when a
    track's first frame was taken or the last track has ended (None), `on_near` when the end of the last one is near:
    by the sink's thread and without the lock, so that they must not wait.
    """

    def __init__(
        self,
        spec: Spec,
        on_track: Callable[[Audio | None], None] = lambda _track: None,
        on_near: Callable[[], None] = lambda: None,
    ) -> None:
        self.spec = spec
        self.epoch = 0
        """Raised by `clear`: what was opened for an older one comes too late."""
        self._on_track = on_track
        self._on_near = on_near
        self._changed = threading.Condition()
        self._tracks: tuple[Audio, ...] = ()
        self._expected = False
        self._paused = True
        self._closed = False
        self._ended = False
        self._error: Exception | None = None
        self._announced: Audio | None = None
        self._nearing: Audio | None = None
        self._volume = self._last_volume = 1.0

    # -- what a player does ------------------------------------------------------------------------------------------

    def add(self, track: Audio, epoch: int = 0) -> bool:
        """Let `track` follow what is there; return False when it comes too late. `ConfigError`: of another spec."""
        if track.spec != self.spec:
            msg = f"A track of {track.spec} cannot follow one of {self.spec}"
            raise ConfigError(msg)
        with self._changed:
            if self._closed or epoch != self.epoch:
                return False
            self._tracks += (track,)
            self._ended = False
            self._changed.notify_all()
            return True

    def expect(self, *, more: bool, epoch: int = 0) -> None:
        """Hear whether tracks are still to be added: silence until then is not the end."""
        with self._changed:
            if epoch != self.epoch:
                return
            self._expected = more
            over = self._settle()
        if over:
            self._on_track(None)

    def drop(self, track: Audio) -> None:
        """Go on with what follows `track`, if it is played."""
        with self._changed:
            if self.current is track:
                self._tracks = self._tracks[1:]
            over = self._settle()
        if over:
            self._on_track(None)

    def clear(self, *, more: bool) -> None:
        """Leave all tracks; `more`: others will come."""
        with self._changed:
            self.epoch += 1
            self._tracks, self._expected = (), more
            over = self._settle()
        if over:
            self._on_track(None)

    def _settle(self) -> bool:
        """Return whether this is the end, which it was not before."""
        over = not (self._tracks or self._expected or self._ended)
        self._ended = not self._expected and (self._ended or over)
        self._changed.notify_all()
        return over

    @property
    def tracks(self) -> tuple[Audio, ...]:
        """What is played, and what is ready to follow."""
        return self._tracks

    @property
    def current(self) -> Audio | None:
        """The track that is played."""
        return self._tracks[0] if self._tracks else None

    @property
    def near(self) -> bool:
        """True when nothing is ready to follow, and soon should be."""
        tracks = self._tracks
        if len(tracks) != 1 or tracks[0].duration is None:
            return len(tracks) < 2
        return tracks[0].duration - tracks[0].position <= NEAR_SECONDS

    @property
    def paused(self) -> bool:
        """True while sinks are given silence, or wait."""
        return self._paused

    @paused.setter
    def paused(self, paused: bool) -> None:
        with self._changed:
            self._paused = paused
            self._changed.notify_all()

    @property
    def volume(self) -> float:
        """The gain of everything; a change is spread over the next block, so that it does not click."""
        return self._volume

    @volume.setter
    def volume(self, volume: float) -> None:
        self._volume = max(0.0, float(volume))

    def await_end(self, timeout: float | None) -> bool:
        """Wait until the last track has ended, one has failed, or the deck is closed; False when that took too long."""
        with self._changed:
            return self._changed.wait_for(lambda: self._ended or self._closed or self._broken, timeout)

    @property
    def _broken(self) -> bool:
        return self._error is not None or self.failed

    @property
    def failed(self) -> bool:
        """True when the current track cannot go on, and all of it that came was taken."""
        track = self.current
        return track is not None and not track.closed and track.failed and not track.buffered

    def raise_error(self) -> None:
        """Raise what the sink or the current track failed with."""
        if self._error is not None:
            raise self._error
        track = self.current
        if track is not None and self.failed:
            track.raise_error()

    def restart(self) -> None:
        """Hear that the current track was moved, and is to be played on."""
        with self._changed:
            self._ended = False
            self._changed.notify_all()

    def broke(self, error: Exception) -> None:
        """Hear that the sink cannot go on."""
        with self._changed:
            self._error = error
            self._changed.notify_all()

    def close(self) -> None:
        """Wake everybody for good."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    # -- what a sink takes -------------------------------------------------------------------------------------------

    def fill(self, out: Samples) -> int:
        """Write all of `out` without waiting; return the frames of sound in it."""
        count = 0 if self._paused or self._closed else self._gather(out)
        out[count:] = 0
        self._apply_volume(out[:count])
        return count

    def _gather(self, out: Samples) -> int:
        count = 0
        while count < len(out) and (track := self.current) is not None:
            try:
                got = track.fill(out[count:])
            except StreamClosed:
                got = 0
            count += got
            self._took(track, got)
            if count < len(out) and not self._advances(track, ending=not count):
                break
        return count

    def read(self, frames: int) -> Samples:
        """Return `frames` frames, fewer before the end or a failure, none only at the end; waits, also while paused."""
        pieces: list[Samples] = []
        while frames > 0 and (track := self._await_track()) is not None:
            piece = _read(track, frames)
            self._took(track, len(piece))
            if len(piece):
                pieces.append(piece)
                frames -= len(piece)
            elif not self._advances(track, ending=not pieces) and pieces:
                break
        samples = joined(pieces) if pieces else self.spec.silence(0)
        if self._volume != 1.0 or self._last_volume != 1.0:
            samples = samples.copy()
            self._apply_volume(samples)
        return samples

    def _await_track(self) -> Audio | None:
        with self._changed:
            if self.failed:
                self._changed.notify_all()
            self._changed.wait_for(lambda: self._closed or self._ended or self._playable)
            return None if self._closed or self._ended else self.current

    @property
    def _playable(self) -> bool:
        return bool(self._tracks) and not self._paused and not self.failed

    def _took(self, track: Audio, frames: int) -> None:
        if frames and track is not self._announced:
            self._announced = track
            self._on_track(track)
        if track is not self._nearing and self.near:
            self._nearing = track
            self._on_near()

    def _advances(self, track: Audio, *, ending: bool) -> bool:
        """Leave `track` if it has ended; return whether another one is there.

        Behind the last track it is `ending` only when the sink comes back for more: then it has played what it took.
        """
        if track.failed:
            with self._changed:
                self._changed.notify_all()
        if not (track.finished or track.closed):
            return False
        with self._changed:
            if self.current is not track:
                return bool(self._tracks)
            if len(self._tracks) > 1 or self._expected:
                self._tracks = self._tracks[1:]
                return bool(self._tracks)
            over = ending and not self._ended
            self._ended = self._ended or over
            self._changed.notify_all()
        if over:
            self._on_track(None)
        return False

    def _apply_volume(self, samples: Samples) -> None:
        last, self._last_volume = self._last_volume, self._volume
        if last != self._volume:
            samples *= np.linspace(last, self._volume, len(samples), dtype=np.float32)[:, None]
        elif last != 1.0:
            samples *= np.float32(last)

    def __repr__(self) -> str:
        return f"<Deck {len(self._tracks)} tracks{' paused' if self._paused else ''}>"


def _read(track: Audio, frames: int) -> Samples:
    """Return `frames` frames; what is left before the end, before a failure, and nothing of a closed track.

    The track keeps its failure, for those who wait for the end of everything.
    """
    try:
        try:
            return track.read(frames)
        except (KitharaError, OSError, ValueError):
            return track.read_now(frames)
    except StreamClosed:
        return track.spec.silence(0)
