"""How do bytes become sound: a decoder ahead of its listener, a player, and the sinks that it plays into.

Takes any binary file object. Needs the extra `kithara-file[audio]`; `import kithara_file` alone does not load it.
"""

from kithara_file.audio.audio import Audio
from kithara_file.audio.events import (
    AudioEvent,
    DecodeError,
    FormatDetected,
    Resumed,
    SeekComplete,
    Stalled,
    TrackStarted,
    Underrun,
)
from kithara_file.audio.media import Block, Cover, MediaInfo, Spec
from kithara_file.events import EndOfStream

__all__ = [
    "Audio",
    "AudioEvent",
    "Block",
    "Cover",
    "DecodeError",
    "EndOfStream",
    "FormatDetected",
    "MediaInfo",
    "Resumed",
    "SeekComplete",
    "Spec",
    "Stalled",
    "TrackStarted",
    "Underrun",
]
