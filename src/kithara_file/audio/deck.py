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
from kithara_file.errors import ConfigError, StreamClosed


class Deck:
    """What is played now and what is ready to follow; a `Feed` for one sink.

    `on_track` is told, by the sink's thread and without the lock, when a track's first frame was taken or the last
    track has ended (None): it must not wait.
    """

    def __init__(self, spec: Spec, on_track: Callable[[Audio | None], None] = lambda _track: None) -> None:
        self.spec = spec
        self._on_track = on_track
        self._changed = threading.Condition()
        self._tracks: list[Audio] = []
        self._expected = 0
        self._paused = True
        self._closed = False
        self._ended = False
        self._error: Exception | None = None
        self._announced: Audio | None = None
        self._volume = self._last_volume = 1.0

    # -- what a player does ------------------------------------------------------------------------------------------

    def add(self, track: Audio) -> None:
        """Let `track` follow what is there. Raises `ConfigError` when its spec is another one."""
        if track.spec != self.spec:
            msg = f"A track of {track.spec} cannot follow one of {self.spec}"
            raise ConfigError(msg)
        with self._changed:
            self._tracks.append(track)
            self._ended = False
            self._changed.notify_all()

    def expect(self, count: int) -> None:
        """Hear that so many tracks are still to be added: silence until then is not the end."""
        with self._changed:
            self._expected = count
            over = not count and not self._tracks and not self._ended
            self._ended = self._ended or over
            self._changed.notify_all()
        if over:
            self._on_track(None)

    def drop(self) -> None:
        """Go on to the next track."""
        with self._changed:
            self._drop()

    def _drop(self) -> None:
        if self._tracks:
            self._tracks.pop(0)
        self._ended = not self._tracks and not self._expected
        self._changed.notify_all()

    @property
    def current(self) -> Audio | None:
        """The track that is played."""
        tracks = self._tracks
        return tracks[0] if tracks else None

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
            return self._changed.wait_for(lambda: self._ended or self._closed or self._failed, timeout)

    @property
    def _failed(self) -> bool:
        track = self.current
        return self._error is not None or (track is not None and not track.closed and track.failed)

    def raise_error(self) -> None:
        """Raise what the sink or the current track failed with."""
        if self._error is not None:
            raise self._error
        track = self.current
        if track is not None and not track.closed:
            track.raise_error()

    def restart(self) -> None:
        """Hear that the current track was moved, and is to be played on."""
        with self._changed:
            self._ended = False
            self._changed.notify_all()

    def broke(self, error: Exception) -> None:
        """Hear that the sink, or the track that it reads, cannot go on."""
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
                break
            count += got
            self._took(track, got)
            if count < len(out) and not self._advances(track, ending=not count):
                break
        return count

    def _took(self, track: Audio, frames: int) -> None:
        if frames and track is not self._announced:
            self._announced = track
            self._on_track(track)

    def _advances(self, track: Audio, *, ending: bool) -> bool:
        """Leave `track` if it has ended; return whether another one is there.

        Behind the last track it is `ending` only when the sink comes back for more: then it has played what it took.
        """
        if track.failed:
            with self._changed:
                self._changed.notify_all()
        if not track.finished:
            return False
        with self._changed:
            if self.current is track and (len(self._tracks) > 1 or self._expected):
                self._drop()
                return self.current is not None
            over = ending and self.current is track and not self._ended
            self._ended = self._ended or over
            self._changed.notify_all()
        if over:
            self._on_track(None)
        return False

    def read(self, frames: int) -> Samples:
        """Return `frames` frames, fewer only at the end of everything; waits, also while paused."""
        pieces: list[Samples] = []
        while frames > 0 and (track := self._await_track()) is not None:
            piece = track.read(frames)
            if len(piece):
                pieces.append(piece)
            frames -= len(piece)
            self._took(track, len(piece))
            if frames and not self._advances(track, ending=not pieces) and track is self.current:
                break
        samples = joined(pieces) if pieces else self.spec.silence(0)
        if self._volume != 1.0 or self._last_volume != 1.0:
            samples = samples.copy()
            self._apply_volume(samples)
        return samples

    def _await_track(self) -> Audio | None:
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._ended or (bool(self._tracks) and not self._paused))
            return None if self._closed or self._ended else self.current

    def _apply_volume(self, samples: Samples) -> None:
        last, self._last_volume = self._last_volume, self._volume
        if last != self._volume:
            samples *= np.linspace(last, self._volume, len(samples), dtype=np.float32)[:, None]
        elif last != 1.0:
            samples *= np.float32(last)

    def __repr__(self) -> str:
        return f"<Deck {len(self._tracks)} tracks{' paused' if self._paused else ''}>"
