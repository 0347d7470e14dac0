"""Sound for the tests of the commands that make it heard."""

from __future__ import annotations

from pathlib import Path

from tests.world.sound import write_wav

RATE = 8000


def tone(folder: Path, name: str = "tone.wav", seconds: float = 1.0, frequency: int = 440) -> Path:
    """Write a track of one tone, in mono."""
    return write_wav(folder / name, seconds=seconds, frequency=frequency, sample_rate=RATE, channels=1)
