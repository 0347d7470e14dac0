"""How do bytes become sound: a decoder ahead of its listener, a player, and the sinks that it plays into.

Takes any binary file object. Needs the extra `kithara-file[audio]`; `import kithara_file` alone does not load it.
"""

import kithara_file.audio._extra  # noqa: F401 - before all others: it says what to install when they cannot be imported
from kithara_file.audio.audio import Audio
from kithara_file.audio.device import DeviceSink
from kithara_file.audio.events import (
    AudioEvent,
    DecodeError,
    FormatDetected,
    Resumed,
    SeekComplete,
    Stalled,
    TrackFailed,
    TrackStarted,
    Underrun,
)
from kithara_file.audio.media import Block, Cover, MediaInfo, Spec
from kithara_file.audio.peaks import Column, Peaks
from kithara_file.audio.player import OpenTrack, Player
from kithara_file.audio.probe import probe
from kithara_file.audio.sink import Feed, Sink
from kithara_file.audio.sinks import NullSink, RawSink, TapeSink, WavSink
from kithara_file.audio.writers import FlacWriter, WavWriter
from kithara_file.errors import DeviceUnavailable
from kithara_file.events import EndOfStream

__all__ = [
    "Audio",
    "AudioEvent",
    "Block",
    "Column",
    "Cover",
    "DecodeError",
    "DeviceSink",
    "DeviceUnavailable",
    "EndOfStream",
    "Feed",
    "FlacWriter",
    "FormatDetected",
    "MediaInfo",
    "NullSink",
    "OpenTrack",
    "Peaks",
    "Player",
    "RawSink",
    "Resumed",
    "SeekComplete",
    "Sink",
    "Spec",
    "Stalled",
    "TapeSink",
    "TrackFailed",
    "TrackStarted",
    "Underrun",
    "WavSink",
    "WavWriter",
    "probe",
]
