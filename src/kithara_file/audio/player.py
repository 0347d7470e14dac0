"""Play tracks one after the other into a sink, without a gap.

Must not know: where tracks come from, what a sink does with sound.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Self, TypeAlias
from weakref import WeakKeyDictionary

from kithara_file.audio.audio import Audio
from kithara_file.audio.deck import Deck
from kithara_file.audio.device import DeviceSink
from kithara_file.audio.events import TrackFailed, TrackStarted
from kithara_file.audio.media import Spec
from kithara_file.audio.sink import Sink
from kithara_file.errors import ConfigError, StreamClosed
from kithara_file.events import EndOfStream, EventBus

_log = logging.getLogger(__name__)

OpenTrack: TypeAlias = Callable[[Spec | None], Audio]
"""Opens a track with the rate and channels that it is told, or with its own."""


@dataclass(frozen=True, slots=True)
class _Change:
    """What a player has to do besides playing: tracks to close, and the number of one to open."""

    left: set[Audio]
    opens: int | None
    epoch: int


class Player:
    """Plays `audio`, and what is queued behind it, into `sink`: the machine's own device if none is given.

    A track is given as an `Audio`, or as what opens one: then it is opened half a minute before its turn, and can be
    gone back to. It is closed once it was left, and all are with the player, which plays on until it is closed, also
    when nobody holds it any more. Whatever the opener of a queued track raises is told by `TrackFailed`.
    """

    def __init__(self, audio: Audio | OpenTrack, sink: Sink | None = None, volume: float = 1.0) -> None:
        self.events = EventBus()
        """Tells of `TrackStarted`, `TrackFailed`, and of `EndOfStream` after the last track; each `Audio` tells the
        rest on its own."""
        self.index = 0
        """The number of the track that is played, or that was asked for, from 0 on."""
        first = audio if isinstance(audio, Audio) else audio(None)
        self._sink = DeviceSink() if sink is None else sink
        self._deck = Deck(first.spec, self._on_track, self._tend)
        self._deck.volume = volume
        self._deck.add(first)
        self._lock = threading.Lock()
        self._tracks: list[Audio | OpenTrack] = [audio]
        self._opened = {first}
        """What is on the deck, or was there and is still to be closed."""
        self._numbers = WeakKeyDictionary({first: 0})
        self._next = 1
        """The number of the track that is to be opened next."""
        self._opening: int | None = None
        """The deck's epoch for which a track is being opened."""
        self._started = False
        self._closed = False

    # -- playing -----------------------------------------------------------------------------------------------------

    def play(self) -> None:
        """Begin, or go on. Raises what the sink cannot start with, such as `DeviceUnavailable`."""
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
        self.go(self.index + 1)

    def previous(self) -> None:
        """Go back to the track before, or to the beginning of the first."""
        self.go(max(0, self.index - 1))

    def go(self, index: int) -> None:
        """Go on with track number `index`; behind the last one is the end. `ConfigError`: it is negative.

        Returns at once: the track may still have to be opened.
        """
        self._check()
        if index < 0:
            msg = f"There is no track {index}"
            raise ConfigError(msg)
        tracks = self._deck.tracks
        numbers = [self._number(track) for track in tracks]
        if numbers[:1] == [index]:
            self.seek(0.0)
        elif numbers[1:] == [index]:
            self.index = index
            self._deck.drop(tracks[0])
        else:
            with self._lock:
                self._next, last = index, len(self._tracks) - 1
            self.index = min(index, last)
            self._deck.clear(more=index <= last)
        self._tend()

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
        """The track that is played; None while it is being opened, and behind the last one."""
        return self._deck.current

    @property
    def failed(self) -> bool:
        """True while the current track cannot go on: `wait` raises why; `seek` tries again, `next` leaves it."""
        return self._deck.failed

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
        with self._lock:
            self._tracks.append(track)
        self._deck.expect(more=True, epoch=self._deck.epoch)
        self._tend()

    def _tend(self) -> None:
        """Close what was left, and open what comes next if it is time, in a thread of its own."""
        change = self._change_due()
        if change is not None:
            threading.Thread(target=self._carry_out, args=(change,), name="kithara-audio-next", daemon=True).start()

    def _change_due(self) -> _Change | None:
        epoch, near = self._deck.epoch, self._deck.near
        with self._lock:
            if self._closed:
                return None
            left = self._opened.difference(self._deck.tracks)
            self._opened -= left
            opens = near and self._opening != epoch and self._next < len(self._tracks)
            if opens:
                self._opening = epoch
            return _Change(left, self._next if opens else None, epoch) if left or opens else None

    def _carry_out(self, change: _Change | None) -> None:
        while change is not None:
            for track in change.left:
                track.close()
            if change.opens is not None:
                self._follow(change.opens, change.epoch)
            change = self._change_due()

    def _follow(self, number: int, epoch: int) -> None:
        try:
            self._open(number, epoch)
        except Exception as error:  # noqa: BLE001 - an opener is a user's, and nobody may wait without end for its track
            _log.debug("! track %d cannot be opened: %r", number, error)
            self.events.publish(TrackFailed(number, error))
        with self._lock:
            if self._opening == epoch:
                self._opening, self._next = None, number + 1
            more = self._next < len(self._tracks)
        self._deck.expect(more=more, epoch=epoch)

    def _open(self, number: int, epoch: int) -> None:
        wanted = self._tracks[number]
        track = wanted if isinstance(wanted, Audio) else wanted(self._deck.spec)
        if track.closed:
            raise StreamClosed("This track was played and closed")
        with self._lock:
            self._numbers[track] = number
        try:
            kept = self._deck.add(track, epoch)
        except BaseException:
            track.close()
            raise
        if not kept:
            track.close()
            return
        with self._lock:  # now, and not before: what is opened and not on the deck is closed
            self._opened.add(track)

    def _on_track(self, track: Audio | None) -> None:
        if track is None:
            self.events.publish(EndOfStream(self.index))
            return
        if track in self._deck.tracks:  # it may have been left in this moment
            self.index = self._number(track)
            self.events.publish(TrackStarted(self.index))
            self._tend()

    def _number(self, track: Audio) -> int:
        with self._lock:
            return self._numbers[track]

    # -- the end -----------------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Stop, and close all tracks. Idempotent."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            given = [track for track in self._tracks if isinstance(track, Audio)]
        self._deck.close()
        for track in {*self._opened, *self._deck.tracks, *given}:
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
