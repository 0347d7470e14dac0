"""Tracks from URLs and paths, played one after the other, as keys and a person want it.

Must not know: how sound is decoded, how a line is drawn, how keys are read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from math import inf
from weakref import WeakSet

from rich.console import Console

from kithara_file.audio import Audio, OpenTrack, Player, Resumed, Sink, Spec, Stalled, TrackFailed, TrackStarted
from kithara_file.cli import words
from kithara_file.cli.command import DONE, FAILED
from kithara_file.cli.keys import Keys
from kithara_file.cli.listen import Knobs
from kithara_file.cli.options import Source
from kithara_file.cli.part import nothing_from
from kithara_file.cli.show import say
from kithara_file.cli.sound import Damage, Sound, open_sound, sentence
from kithara_file.cli.stage import Moment, Stage, stage
from kithara_file.cli.standard import complaint
from kithara_file.clock import CancelToken
from kithara_file.errors import KitharaError, StreamClosed
from kithara_file.events import EndOfStream, FileEvent, Subscription

FRAME_SECONDS = 0.1
"""How often the line is drawn; a key is heard at once."""
LONG_STALL_SECONDS = 0.5
"""A shorter one is not worth a line."""
_LOUDEST = 130
_SECONDS = {"left": -5.0, "right": 5.0, "down": -30.0, "up": 30.0, "page down": -600.0, "page up": 600.0}
_PERCENT = {"+": 5, "=": 5, "0": 5, "-": -5, "9": -5}


class Concert:
    """One run of `kithara play`."""

    def __init__(self, urls: Sequence[str], source: Source, knobs: Knobs, console: Console) -> None:
        self._urls = urls
        self._source = source
        self._knobs = knobs
        self._console = console
        self._quiet = False
        self._cancel = CancelToken()
        self._open: dict[Sound, Subscription] = {}
        self._damage: dict[Sound, Damage] = {}
        self._lines: dict[int, str] = {}
        """What to tell of each track that was opened, by its number."""
        self._waiting: WeakSet[Sound] = WeakSet()
        self._left_out = 0
        """How many of the first could not be opened."""
        self._failed = False
        self._start = 0.0
        self._begun: Sound | None = None
        """The track that was begun at `_start`, until it has ended."""

    def play(self, sink: Sink, start: float, *, volume: int, quiet: bool) -> int:
        """Play everything into `sink`, the first from `start` on; return the exit code.

        Raises what the sink fails with.
        """
        self._quiet = quiet
        try:
            with stage(self._console, quiet=quiet) as stands, Keys() as keys:
                player = self._open_first(sink, stands)
                if player is not None:
                    with player:
                        events = self._prepare(player, start)
                        self._run(player, Desk(player, volume), stands, keys, events)
                        self._tell_what_happened(events)
        finally:
            self._cancel.cancel()
        return FAILED if self._failed else DONE

    # -- tracks ------------------------------------------------------------------------------------------------------

    def _open_first(self, sink: Sink, stands: Stage) -> Player | None:
        """Return a player of the first track that can be opened and all behind it; None when there is none."""
        for number, url in enumerate(self._urls):
            self._left_out = number
            stands.show(Moment("opening", words.file_name(url)))
            try:
                return Player(self._opener(number), sink)
            except (KitharaError, OSError) as error:
                self._tell_failure(complaint(error))
        return None

    def _opener(self, number: int) -> OpenTrack:
        def open_track(spec: Spec | None) -> Audio:
            sound = open_sound(self._urls[number], self._source, self._knobs, spec, self._cancel)
            self._lines[number] = sound.told
            self._damage[sound] = Damage(sound.title)
            self._open[sound] = sound.audio.events.subscribe()
            return sound.audio

        return open_track

    # -- what happens ------------------------------------------------------------------------------------------------

    def _tell_what_happened(self, events: Subscription) -> None:
        while (event := events.take(0)) is not None:
            if isinstance(event, TrackFailed):
                self._tell_failure(complaint(event.error))
            elif isinstance(event, TrackStarted):
                self._tell(self._lines[event.index + self._left_out])
        for sound, told in list(self._open.items()):
            closed = sound.audio.closed
            while (event := told.take(0)) is not None:
                self._tell_of(sound, event)
            if closed:
                del self._open[sound]
                self._tell_if(self._damage.pop(sound).rest())

    def _tell_of(self, sound: Sound, event: FileEvent) -> None:
        if isinstance(event, Stalled):
            self._waiting.add(sound)
        elif isinstance(event, Resumed):
            self._waiting.discard(sound)
            if event.seconds >= LONG_STALL_SECONDS:
                waited, place = words.seconds(event.seconds), words.clock(event.position)
                self._tell(f"{sound.title}: waited {waited} at {place} for what was to come")
        elif isinstance(event, EndOfStream):
            self._tell_end(sound, event.position)
        else:
            self._tell_if(self._damage[sound].note(event))

    def _tell_end(self, sound: Sound, frame: int) -> None:
        """Tell that nothing was heard of the track that was begun at its end or behind it, as of any other failure."""
        if sound is self._begun:
            self._begun = None
            if frame == sound.audio.spec.frames(self._start):
                self._tell_failure(sentence(sound.name, nothing_from(self._start, sound)))

    def _tell_failure(self, text: str) -> None:
        self._failed = True
        say(self._console, f"kithara: {text}")

    def _tell_if(self, text: str | None) -> None:
        if text is not None:
            self._tell(text)

    def _tell(self, text: str) -> None:
        if not self._quiet:
            say(self._console, text)

    def _sound_of(self, player: Player) -> Sound | None:
        current = player.current
        return next((each for each in list(self._open) if each.audio is current), None)

    def _name(self, player: Player) -> str:
        return words.file_name(self._urls[player.index + self._left_out])

    # -- the run -----------------------------------------------------------------------------------------------------

    def _prepare(self, player: Player, start: float) -> Subscription:
        for number in range(self._left_out + 1, len(self._urls)):
            player.enqueue(self._opener(number))
        if start:
            self._start, self._begun = start, self._sound_of(player)
            player.seek(start)
        return player.events.subscribe()

    def _run(self, player: Player, desk: Desk, stands: Stage, keys: Keys, events: Subscription) -> None:
        player.play()
        while not self._over(player, 0.0 if keys.listening else FRAME_SECONDS):
            key = keys.take(FRAME_SECONDS) if keys.listening else None
            if key == "q":
                return
            with suppress(StreamClosed):  # the track has just been left
                desk.press(key)
            self._tell_what_happened(events)
            stands.show(self._moment(player, desk))

    def _over(self, player: Player, timeout: float) -> bool:
        try:
            return player.wait(timeout)
        except (KitharaError, OSError) as error:
            if not player.failed:  # the sink is at fault
                raise
            self._tell_failure(sentence(self._name(player), error))
            player.next()
            return False

    def _moment(self, player: Player, desk: Desk) -> Moment:
        notes = [] if len(self._urls) == 1 else [f"[{player.index + self._left_out + 1}/{len(self._urls)}]"]
        notes += desk.notes
        sound = self._sound_of(player)
        if sound is None:
            return Moment("opening", self._name(player), notes=tuple(notes))
        state = "paused" if not player.playing else "waiting" if sound in self._waiting else "playing"
        length = sound.session.length
        return Moment(state, sound.title, player.position, player.duration, sound.present, length, tuple(notes))


class Desk:
    """What keys do to a player."""

    def __init__(self, player: Player, volume: int) -> None:
        self._player = player
        self._percent = volume
        self._muted = False
        self._actions: Mapping[str, Callable[[], None]] = {
            " ": self._toggle,
            "m": self._mute,
            "n": player.next,
            ">": player.next,
            "enter": player.next,
            "p": player.previous,
            "<": player.previous,
            "home": lambda: player.seek(0.0),
        }
        self._set_volume()

    def press(self, key: str | None) -> None:
        """Do what `key` means, which may be nothing."""
        if key is None:
            return
        if key in _SECONDS:
            self._player.seek(self._from_here(_SECONDS[key]))
        elif key in _PERCENT:
            self._percent = min(_LOUDEST, max(0, self._percent + _PERCENT[key]))
            self._muted = False
            self._set_volume()
        elif key in self._actions:
            self._actions[key]()

    def _from_here(self, seconds: float) -> float:
        """Return the place so far on, or back, but no farther than the end: from there back is back at once."""
        position, duration = self._player.position, self._player.duration
        end = inf if duration is None else max(duration, position)  # a duration may be an estimate
        return max(0.0, min(position + seconds, end))

    def _toggle(self) -> None:
        if self._player.playing:
            self._player.pause()
        else:
            self._player.play()

    def _mute(self) -> None:
        self._muted = not self._muted
        self._set_volume()

    def _set_volume(self) -> None:
        # The ear takes the cube of the gain for evenly louder, as in mpv.
        self._player.volume = 0.0 if self._muted else (self._percent / 100) ** 3

    @property
    def notes(self) -> tuple[str, ...]:
        """What is not as usual."""
        if self._muted:
            return ("muted",)
        return () if self._percent == 100 else (f"{self._percent} %",)
