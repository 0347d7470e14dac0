"""A file that was cut short is heard to where it ends, and what is missing is told; nothing is told of a whole one."""

from __future__ import annotations

import io
import struct

import pytest

from kithara_file.audio import Audio, DecodeError
from kithara_file.audio.flac import find_flac_frame, parse_stream_info
from kithara_file.events import EventBus
from tests.unit.audio.test_formats import LOSSLESS, LOSSY, SECONDS, WRITTEN, Onward, sound
from tests.unit.audio.test_formats_stepped import COARSE, STEPS
from tests.world.music import RECIPES, Recipe, encode, music, song, written

RATE = 44_100


def heard(file: io.BytesIO, seconds: float = 0.0) -> tuple[int, list[DecodeError]]:
    """Return how many frames there are from a moment on, and what was told."""
    events = EventBus()
    told = events.subscribe()
    with Audio(file, events=events) as audio:
        audio.seek(seconds)
        frames = len(audio.read())
    events.close()
    return frames, [event for event in told if isinstance(event, DecodeError)]


CUT = {
    "wav": Recipe("wav", "pcm_s16le"),
    "wav of floats": Recipe("wav", "pcm_f32le", sample_format="flt"),
    "wav in steps": Recipe("wav", "adpcm_ima_wav"),
    "w64": Recipe("w64", "pcm_s16le"),
    "rf64": Recipe("wav", "pcm_s16le", options={"rf64": "always"}),
    "aiff": Recipe("aiff", "pcm_s16be"),
    "pcm in matroska": Recipe("matroska", "pcm_s16le"),
    "flac in matroska": Recipe("matroska", "flac", sample_format="s16"),
    "opus in webm": Recipe("webm", "libopus", 48_000),
}


@pytest.mark.parametrize("kind", [io.BytesIO, Onward])
@pytest.mark.parametrize("name", CUT)
def test_what_is_cut_off_is_told_once_with_its_length(name: str, kind: type[io.BytesIO]) -> None:
    recipe = CUT[name]
    data = encode(music(4.0, recipe.sample_rate), recipe)
    frames, told = heard(kind(data[: len(data) * 6 // 10]))
    seconds = frames / recipe.sample_rate
    assert 1.5 < seconds < 3.0
    (event,) = told
    assert event.position == pytest.approx(seconds)
    words = event.reason.split()
    assert words[:2] + words[3:] == ["The", "last", "s", "are", "missing"]
    assert float(words[2]) == pytest.approx(4.0 - seconds, abs=0.05)


def test_a_seek_to_what_is_cut_off_tells_it_too() -> None:
    data = song("wav").data
    frames, told = heard(io.BytesIO(data[: len(data) // 2]), 3.0)
    assert (frames, [(event.position, event.reason) for event in told]) == (0, [(3.0, "The last 1.030 s are missing")])


def test_what_ffmpeg_says_of_a_cut_file_is_told_without_numbers() -> None:
    data = encode(music(4.0), LOSSLESS["wavpack"])
    _, told = heard(io.BytesIO(data[: len(data) // 2]))
    assert [event.reason for event in told] == ["A packet could not be read: Invalid data found when processing input"]


def test_a_flac_that_is_cut_between_frames_is_told() -> None:
    data = song("flac").data
    info = parse_stream_info(data[8:42])
    found = find_flac_frame(data, len(data) // 2, info)
    assert found is not None
    frames, told = heard(io.BytesIO(data[: found[0]]))
    assert frames == found[1].start
    missing = (len(song("flac").sound) - frames) / RATE
    assert [event.reason for event in told] == [f"The last {missing:.3f} s are missing"]


RECIPES_OF_ALL = {**RECIPES, **LOSSLESS, **LOSSY, **STEPS, **COARSE, **CUT}


@pytest.mark.parametrize("name", RECIPES_OF_ALL)
def test_of_a_whole_file_nothing_is_told(name: str) -> None:
    recipe = RECIPES_OF_ALL[name]
    data = encode(sound(recipe.sample_rate, recipe.channels), recipe)
    for seconds in (0.0, SECONDS / 2, SECONDS + 5):
        assert not heard(io.BytesIO(data), seconds)[1]
    # Where the end of a WavPack is not known, FFmpeg takes the tag there for damage.
    assert name == "wavpack" or not heard(Onward(data))[1]


@pytest.mark.parametrize("container, coding", WRITTEN)
def test_of_a_whole_file_by_others_nothing_is_told(container: str, coding: str) -> None:
    assert not heard(io.BytesIO(written(sound(), RATE, container, coding)))[1]


@pytest.mark.parametrize("size", [0, 0x7FFF_F000, 0xFFFF_FFFF])
def test_of_what_was_written_into_a_pipe_nothing_is_told(size: int) -> None:
    data = bytearray(song("wav").data)
    at = data.index(b"data") + 4
    data[4:8] = data[at : at + 4] = struct.pack("<I", size)
    flac = bytearray(song("flac").data)
    flac[21] &= 0xF0
    flac[22:26] = bytes(4)
    for each in (data, flac, _live()):
        assert not heard(io.BytesIO(bytes(each)[:-10_000]))[1][1:], "damage of a frame at most"


def _live() -> bytes:
    """Return a Matroska whose segment does not tell its size."""
    data = encode(sound(), CUT["pcm in matroska"])
    at = data.index(b"\x18S\x80g") + 4
    return data[:at] + b"\x01" + b"\xff" * 7 + data[at + 8 :]
