"""Synthesised sound: WAV files that are quick to make and the same every time.

Needs nothing beyond the standard library. Must not know: how they are decoded.
"""

from __future__ import annotations

import math
import wave
from array import array
from collections.abc import Iterator
from pathlib import Path

_FULL_SCALE = 32767
_LOUDNESS = 0.5


def write_wav(
    path: Path, *, seconds: float, frequency: int = 440, sample_rate: int = 44_100, channels: int = 2
) -> Path:
    """Write a sine as 16-bit PCM and return its path. Each channel has a pitch of its own: n times `frequency`.

    All whole-number pitches repeat after one second, so that one second is computed and then written again and again:
    ten minutes of stereo (106 MB) take well under a second.
    """
    frames = round(seconds * sample_rate)
    second = _one_second(frequency, sample_rate, channels)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(sample_rate)
        file.setnframes(frames)
        for part in _repeated(second, frames * channels * 2):
            file.writeframesraw(part)
    return path


def sine_frame(frame: int, *, frequency: int = 440, sample_rate: int = 44_100, channel: int = 0) -> int:
    """Return the sample that `write_wav` puts at a frame, so that a test can say what it expects to hear."""
    turns = frequency * (channel + 1) * (frame % sample_rate) / sample_rate
    return round(_FULL_SCALE * _LOUDNESS * math.sin(2 * math.pi * turns))


def _one_second(frequency: int, sample_rate: int, channels: int) -> bytes:
    samples = array("h", bytes(2 * channels * sample_rate))
    for channel in range(channels):
        samples[channel::channels] = array(
            "h",
            (
                sine_frame(frame, frequency=frequency, sample_rate=sample_rate, channel=channel)
                for frame in range(sample_rate)
            ),
        )
    return samples.tobytes()


def _repeated(data: bytes, total: int) -> Iterator[memoryview]:
    view = memoryview(data)
    for start in range(0, total, len(data)):
        yield view[: total - start]
