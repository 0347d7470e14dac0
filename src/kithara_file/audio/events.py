"""What happened to the sound: values in the past tense, told on the same bus as those of files.

The end is told by `kithara_file.events.EndOfStream`, whose position is in frames here. Must not know: who listens.
"""

from __future__ import annotations

from dataclasses import dataclass

from kithara_file.audio.media import MediaInfo
from kithara_file.events import FileEvent


@dataclass(frozen=True, slots=True)
class AudioEvent(FileEvent):
    """The common kind of all events of one `Audio` or `Player`."""


@dataclass(frozen=True, slots=True)
class FormatDetected(AudioEvent):
    """The head of the file was understood."""

    media_info: MediaInfo


@dataclass(frozen=True, slots=True)
class Stalled(AudioEvent):
    """Nothing is left to be heard at `position` (seconds), because the file has not delivered."""

    position: float


@dataclass(frozen=True, slots=True)
class Resumed(AudioEvent):
    """There is sound again, `seconds` after a `Stalled`."""

    position: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Underrun(AudioEvent):
    """A device lacked `frames` at `position` (seconds); told once until there is sound again."""

    position: float
    frames: int


@dataclass(frozen=True, slots=True)
class SeekComplete(AudioEvent):
    """The first sound after a seek is there.

    `exact` is False only where the file has nothing by which to find a frame: a long MP3 of varying bit rate that is
    neither in memory nor on a disk (its coarse table is good for a second or so), Vorbis and PCM in Matroska (good for
    a millisecond).
    """

    epoch: int
    position: float
    exact: bool


@dataclass(frozen=True, slots=True)
class DecodeError(AudioEvent):
    """Damage was skipped at `position` (seconds): silence is in its place."""

    position: float
    reason: str


@dataclass(frozen=True, slots=True)
class TrackStarted(AudioEvent):
    """The first frame of track number `index` of a player went to its sink."""

    index: int


@dataclass(frozen=True, slots=True)
class TrackFailed(AudioEvent):
    """Track number `index` could not be opened, and was left out."""

    index: int
    error: Exception
