"""Files in which FFmpeg loses its way when it seeks: any frame is found all the same."""

from __future__ import annotations

import io
import struct
from functools import cache

import numpy as np
import pytest

from kithara_file.audio import Audio, DecodeError, SeekComplete
from kithara_file.events import EventBus
from tests.unit.audio.test_formats import off, whole
from tests.world.music import Recipe, RecordingFile, encode, music, written

STEPS = {
    "ima in wav": Recipe("wav", "adpcm_ima_wav"),
    "ima in w64": Recipe("w64", "adpcm_ima_wav", channels=1),
    "ima in asf": Recipe("asf", "adpcm_ima_wav"),
    "microsoft's in wav": Recipe("wav", "adpcm_ms"),
    "yamaha's in wav": Recipe("wav", "adpcm_yamaha"),
    "yamaha's in asf": Recipe("asf", "adpcm_yamaha"),
    "apple's in mov": Recipe("mov", "adpcm_ima_qt"),
    "apple's in aiff": Recipe("aiff", "adpcm_ima_qt"),
    "flash's": Recipe("flv", "adpcm_swf"),
    "g722": Recipe("wav", "g722", 16_000, 1),
    "g726 of 3 bits": Recipe("wav", "g726", 8000, 1, bit_rate=24_000),
    "g726 of 5 bits": Recipe("wav", "g726", 8000, 1, bit_rate=40_000),
}
"""Samples as steps from the ones before."""


@cache
def stepped(name: str) -> bytes:
    """Return sound of ten seconds by a recipe of `STEPS`, in which a place that is off is far off."""
    recipe = STEPS[name]
    return encode(music(10.0, recipe.sample_rate, recipe.channels), recipe)


def check_far_seeks(data: bytes, tolerance: float) -> None:
    """Let seeks claim to be exact and give what a whole decode has there."""
    everything = whole(data)
    events = EventBus()
    heard = events.subscribe()
    with Audio(io.BytesIO(data), events=events) as audio:
        for seconds in (7.5, 9.9, 0.0007, 3.1234, 0.4, 9.0):
            place = round(seconds * audio.spec.sample_rate)
            audio.seek(seconds)
            assert off(audio.read(2000), everything[place : place + 2000]) <= tolerance
        audio.seek(4.0)
        assert len(audio.read(10**9)) == len(everything) - 4 * audio.spec.sample_rate
    assert all(event.exact for event in heard if isinstance(event, SeekComplete))
    assert not [event for event in heard if isinstance(event, DecodeError)]


@pytest.mark.parametrize("name", STEPS)
def test_sound_in_steps_is_the_same_from_any_frame_on(name: str) -> None:
    check_far_seeks(stepped(name), 0.0)


@pytest.mark.parametrize("coding", ["IMA_ADPCM", "MS_ADPCM"])
def test_sound_in_steps_whose_head_tells_the_right_rate_is_so_too(coding: str) -> None:
    check_far_seeks(written(music(10.0), 44_100, "WAV", coding), 0.0)


@pytest.mark.parametrize("name, rate", [("ima in wav", 0), ("g722", 16_000), ("g726 of 3 bits", 2000)])
def test_a_head_that_tells_a_wrong_rate_may_make_a_seek_slow_and_not_wrong(name: str, rate: int) -> None:
    data = bytearray(stepped(name))
    data[28:32] = struct.pack("<I", rate)
    check_far_seeks(bytes(data), 0.0)


@pytest.mark.parametrize("name", ["ima in wav", "microsoft's in wav", "g722", "flash's"])
def test_a_far_seek_in_steps_reads_nothing_in_between(name: str) -> None:
    file = RecordingFile(stepped(name))
    size = len(file.getvalue())
    with Audio(file, ahead_seconds=0.05) as audio:
        audio.read(100)
        file.spans.clear()
        audio.seek(9.0)
        assert len(audio.read(1000)) == 1000
    assert name == "flash's" or not file.touched(size // 3, size * 2 // 3), file.spans


COARSE = {
    "ac3": Recipe("matroska", "ac3", bit_rate=192_000),
    "eac3": Recipe("matroska", "eac3", bit_rate=192_000),
    "mp2": Recipe("matroska", "mp2", bit_rate=192_000),
}


@pytest.mark.parametrize("name", COARSE)
def test_a_coarse_clock_is_no_harm_where_the_size_of_packets_is_known(name: str) -> None:
    time = np.arange(441_000) / 44_100
    sweep = 0.5 * np.sin(2 * np.pi * (200 + 100 * time) * time)
    # AC-3 makes up a little noise where it has no bits, and goes on with it from where it was.
    check_far_seeks(encode(np.stack([sweep, sweep], axis=1).astype(np.float32), COARSE[name]), 1e-3)
