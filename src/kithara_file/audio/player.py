"""Play tracks one after the other into a sink, without a gap.

Must not know: where tracks come from, what a sink does with sound.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from typing import Self, TypeAlias

from kithara_file.audio.audio import Audio
from kithara_file.audio.deck import Deck
from kithara_file.audio.events import TrackFailed, TrackStarted
from kithara_file.audio.media import Spec
from kithara_file.audio.sink import Sink
from kithara_file.errors import KitharaError, StreamClosed
from kithara_file.events import EndOfStream, EventBus

_log = logging.getLogger(__name__)

OpenTrack: TypeAlias = Callable[[Spec], Audio]
"""Opens a track with the rate and channels that it is told."""


class Player:
    """Plays `audio`, and what is queued behind it, into `sink`.

    The next track is opened as soon as the one before it has begun, so that it is there when it is needed. A track is
    closed once another one has begun, and all are with the player.
    """

    def __init__(self, audio: Audio, sink: Sink, volume: float = 1.0) -> None:
        self.events = EventBus()
        """Tells of `TrackStarted`, `TrackFailed`, and of `EndOfStream` after the last track; each `Audio` tells the
        rest on its own."""
        self.index = 0
        """The number of the track that is played, from 0 on."""
        self._sink = sink
        self._deck = Deck(audio.spec, self._on_track)
        self._deck.volume = volume
        self._deck.add(audio)
        self._lock = threading.Lock()
        self._queue: deque[OpenTrack] = deque()
        self._numbers = {id(audio): 0}
        self._opened: list[Audio] = [audio]
        self._turning = False
        self._started = False
        self._closed = False

    # -- playing -----------------------------------------------------------------------------------------------------

    def play(self) -> None:
        """Begin, or go on. Raises what the sink cannot start with."""
        self._check()
        if not self._started:
            self._sink.start(self._deck.spec, self._deck)
            self._started = True
        self._deck.paused = False

    def pause(self) -> None:
        """Let the sink hear silence (or wait, if it can) until `play`."""
        self._check()
        self._deck.paused = True

    @property
    def playing(self) -> bool:
        """True between `play` and `pause`."""
        return not self._deck.paused

    def seek(self, seconds: float) -> None:
        """Go on at `seconds` of the current track; after an error, try again from there."""
        self._check()
        track = self._deck.current
        if track is not None:
            track.seek(seconds)
            self._deck.restart()

    def next(self) -> None:
        """Go on with the next track; behind the last one is the end."""
        self._check()
        self._deck.drop()

    @property
    def volume(self) -> float:
        """The gain: 1.0 leaves the sound as it is."""
        return self._deck.volume

    @volume.setter
    def volume(self, volume: float) -> None:
        self._deck.volume = volume

    @property
    def position(self) -> float:
        """Seconds of the current track that the sink has taken."""
        track = self._deck.current
        return 0.0 if track is None else track.position

    @property
    def duration(self) -> float | None:
        """Seconds of the current track."""
        track = self._deck.current
        return None if track is None else track.duration

    @property
    def current(self) -> Audio | None:
        """The track that is played; None behind the last one."""
        return self._deck.current

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until the sink has taken everything; False when that took more than `timeout` seconds.

        Raises what the current track or the sink failed with, and `StreamClosed` after `close`.
        """
        done = self._deck.await_end(timeout)
        self._check()
        self._deck.raise_error()
        return done

    # -- what follows ------------------------------------------------------------------------------------------------

    def enqueue(self, track: Audio | OpenTrack) -> None:
        """Let `track` follow: an `Audio` of the same spec, or what opens one when its turn is near."""
        self._check()
        if isinstance(track, Audio):
            audio = track
            self._enqueue(lambda _spec: audio)
        else:
            self._enqueue(track)

    def _enqueue(self, open_track: OpenTrack) -> None:
        with self._lock:
            self._queue.append(open_track)
            self._deck.expect(len(self._queue))
        if len(self._opened) - self.index <= 1:
            self._turn()

    def _turn(self) -> None:
        """Close what was played and open what comes next, in a thread of its own."""
        with self._lock:
            if self._turning or self._closed:
                return
            self._turning = True
        threading.Thread(target=self._run_turn, name="kithara-audio-next", daemon=True).start()

    def _run_turn(self) -> None:
        for track in self._opened[: self.index]:
            track.close()
        while self._wants_next() and not self._open():
            continue
        with self._lock:
            self._turning = False
        # A track may have begun, or have been queued, while this one was opened.
        if self._wants_next():
            self._turn()

    def _wants_next(self) -> bool:
        with self._lock:
            return bool(self._queue) and not self._closed and len(self._opened) - self.index <= 1

    def _open(self) -> bool:
        """Open the next track; return False when that failed."""
        track: Audio | None = None
        try:
            track = self._queue[0](self._deck.spec)
            self._adopt(track)
        except (KitharaError, OSError, ValueError) as error:
            _log.debug("! a track cannot be opened: %s", error)
            self.events.publish(TrackFailed(len(self._opened), error))
        with self._lock:
            self._queue.popleft()
            left, closed = len(self._queue), self._closed
        self._deck.expect(left)
        if closed and track is not None:
            track.close()
        return track is not None

    def _adopt(self, track: Audio) -> None:
        with self._lock:
            self._numbers[id(track)] = len(self._opened)
            self._opened.append(track)
        self._deck.add(track)

    def _on_track(self, track: Audio | None) -> None:
        if track is None:
            self.events.publish(EndOfStream(self.index))
            return
        self.index = self._numbers[id(track)]
        self.events.publish(TrackStarted(self.index))
        if self.index:
            self._turn()

    # -- the end -----------------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Stop, and close all tracks. Idempotent."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            tracks = list(self._opened)
        self._deck.close()
        for track in tracks:
            track.close()
        self._sink.stop()
        self.events.close()

    def _check(self) -> None:
        if self._closed:
            raise StreamClosed("This player is closed")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        state = "playing" if self.playing else "paused"
        return f"<Player {state} · track {self.index} at {self.position:.3f} s>"
