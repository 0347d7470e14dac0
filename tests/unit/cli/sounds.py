"""Sound for the tests of the commands that make it heard."""

from __future__ import annotations

from pathlib import Path

from tests.world.music import song
from tests.world.sound import write_wav

RATE = 8000


def tone(folder: Path, name: str = "tone.wav", seconds: float = 1.0, frequency: int = 440) -> Path:
    """Write a track of one tone, in mono."""
    return write_wav(folder / name, seconds=seconds, frequency=frequency, sample_rate=RATE, channels=1)


def damaged(folder: Path, name: str = "damaged.flac") -> Path:
    """Write 3 s of music with a bad stretch in the middle."""
    data = bytearray(song("flac", seconds=3.0).data)
    middle = len(data) // 2
    data[middle : middle + 20_000] = bytes(20_000)
    path = folder / name
    path.write_bytes(data)
    return path
