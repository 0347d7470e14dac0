"""A thousand random seeks in every kind of file, and what they read of it."""

from __future__ import annotations

import io
import time

import numpy as np
import pytest

from kithara_file.audio import Audio, SeekComplete
from kithara_file.events import EventBus
from tests.world.music import RECIPES, RecordingFile, song

pytestmark = pytest.mark.system

SEEKS = 1000
TOLERANCE = 1e-4


@pytest.mark.parametrize("name", RECIPES)
def test_a_thousand_seeks_land_on_the_very_frame(name: str) -> None:
    one = song(name, 30.03)
    with Audio(io.BytesIO(one.data)) as audio:
        whole = audio.read(10**9)
    events = EventBus()
    heard = events.subscribe()
    places = np.random.default_rng(7).integers(0, len(whole), SEEKS)
    with Audio(io.BytesIO(one.data), ahead_seconds=0.05, events=events) as audio:
        for place in map(int, places):
            audio.seek(place / audio.spec.sample_rate)
            block, expected = audio.read(256), whole[place : place + 256]
            assert block.shape == expected.shape
            assert float(np.abs(block - expected).max()) <= (0 if one.recipe.lossless else TOLERANCE)
    assert all(event.exact for event in heard if isinstance(event, SeekComplete))


def seek_far(file: RecordingFile, seconds: float) -> None:
    """Read a little, and a little far behind it, so that the file remembers what that took."""
    with Audio(file, ahead_seconds=0.05) as audio:
        audio.read(1000)
        file.spans.clear()
        audio.seek(seconds)
        assert len(audio.read(1000)) == 1000


# Counting through a megabyte of a varying bit rate is allowed where it is quick.
@pytest.mark.parametrize("name", [name for name in RECIPES if not name.startswith("mp3 vbr")])
def test_a_far_seek_reads_nothing_of_what_lies_between(name: str) -> None:
    one = song(name, 60.3)
    file = RecordingFile(one.data)
    seek_far(file, 45.0)
    assert file.bytes_read < len(one.data) / 3
    # An Ogg has no table: its pages are searched, by a few looks.
    assert name.startswith("ogg") or not file.touched(int(len(one.data) * 0.2), int(len(one.data) * 0.5))


class SlowFile(RecordingFile):
    """A file of which every read takes a while, as over a line of 300 KB/s."""

    def read1(self, size: int | None = -1, /) -> bytes:
        """Read, slowly."""
        time.sleep(0.05)
        return super().read1(size)


@pytest.mark.parametrize("name", ["mp3 vbr", "mp3 vbr without a table"])
def test_a_seek_in_a_slow_file_does_not_wait_for_what_lies_between(name: str) -> None:
    one = song(name, 60.3)
    file = SlowFile(one.data)
    seek_far(file, 50.0)
    assert file.bytes_read < len(one.data) / 2
