"""A URL or path as sound, with what can be seen of its download.

Must not know: terminals, sinks.
"""

from __future__ import annotations

from dataclasses import dataclass

from kithara_file.audio import Audio, DecodeError, MediaInfo, Spec
from kithara_file.cli import words
from kithara_file.cli.listen import Knobs
from kithara_file.cli.options import MIB, Source
from kithara_file.cli.standard import complaint
from kithara_file.clock import CancelToken
from kithara_file.errors import MediaError
from kithara_file.events import FileEvent
from kithara_file.ranges import Coverage
from kithara_file.session.file import File, FileSession

_LOOK_AHEAD = 16 * MIB


@dataclass(frozen=True, eq=False)
class Sound:
    """One track that is open; closing its `audio` ends its download too."""

    name: str
    audio: Audio
    session: FileSession

    @property
    def title(self) -> str:
        """Artist and title, or the file's name."""
        tags = self.audio.media_info.tags
        known = [tags[key] for key in ("artist", "title") if tags.get(key)]
        return " - ".join(known) if tags.get("title") else self.name

    @property
    def present(self) -> Coverage:
        """Which bytes are here."""
        return self.session.coverage

    @property
    def told(self) -> str:
        """All that a listener wants to know, in one line."""
        info, length = self.audio.media_info, self.audio.duration
        facts = ["length unknown" if length is None else words.clock(length), *form(info)]
        return f"{self.title}: {', '.join(facts)}"


class Damage:
    """What of a track was skipped because it is damaged, as it is told: the first place, and how many more there are.

    A file that is damaged all over would fill the screen.
    """

    def __init__(self, title: str) -> None:
        self._title = title
        self._places = 0

    def note(self, event: FileEvent) -> str | None:
        """Return what to say of `event`, None when there is nothing to say."""
        if not isinstance(event, DecodeError):
            return None
        self._places += 1
        reason = event.reason[:1].lower() + event.reason[1:]
        told = f"{self._title}: damage at {words.clock(int(event.position))} was skipped: {reason}"
        return told if self._places == 1 else None

    def rest(self) -> str | None:
        """Return what to say in the end."""
        if self._places < 2:
            return None
        return f"{self._title}: damage in {self._places} places was skipped"


def open_sound(
    url: str, source: Source, knobs: Knobs, spec: Spec | None = None, cancel: CancelToken | None = None
) -> Sound:
    """Open `url`, with the rate and channels of `spec` if it is given. Raises the typed errors."""
    name = words.file_name(url)
    config = source.config(url, look_ahead_bytes=_LOOK_AHEAD, cancel=cancel)
    with File.open(config) as session:  # the stream stays open, and as long as it does the session's facts are told
        stream = session.stream()
    rate, channels = (spec.sample_rate, spec.channels) if spec else (knobs.sample_rate, knobs.channels)
    try:
        audio = Audio(stream, rate, channels, knobs.quality, close_file=True)
    except MediaError as error:
        stream.close()
        raise type(error)(sentence(name, error)) from error
    except BaseException:
        stream.close()
        raise
    return Sound(name, audio, session)


def sentence(name: str, error: Exception) -> str:
    """Return what to say of a failure: those of the decoder do not know of which file they speak."""
    return f"{name}: {error}" if isinstance(error, MediaError) else complaint(error)


def form(info: MediaInfo) -> list[str]:
    """Return codec, bit rate, sample rate and channels, for people."""
    rate = None if info.bit_rate is None else f"{info.bit_rate / 1000:.0f} kbit/s"
    channels = {1: "mono", 2: "stereo"}.get(info.spec.channels, f"{info.spec.channels} channels")
    return [each for each in (info.codec, rate, f"{info.spec.sample_rate / 1000:g} kHz", channels) if each]
