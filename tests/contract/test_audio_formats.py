"""Every format decodes to what went in, to the frame, and from any frame on to what a full decode gives there."""

from __future__ import annotations

import io
from random import Random

import numpy as np
import pytest

from kithara_file.audio import Audio
from tests.world.music import RECIPES, RecordingFile, Song, Sound, encode, sine, song

FORMATS = sorted(RECIPES)
UNMARKED = {"mp3 cbr without a table", "mp3 vbr without a table"}
"""Files that do not say how much of them is padding."""
LOSSY = 1e-4
BLOCK = 3000


def decoded(audio: Audio) -> Sound:
    return np.concatenate(list(audio))


def wander(one: Song, seeks: int, seed: int) -> None:
    """Seek at random, often to edges, and compare each block with a full decode."""
    random = Random(seed)
    with Audio(io.BytesIO(one.data)) as audio:
        whole = decoded(audio)
        last = len(whole) - 1
        for _ in range(seeks):
            frame = random.choice((random.randrange(len(whole)), random.choice((0, 1, 1151, last, last - 500))))
            audio.seek(frame / one.sample_rate)
            block, expected = audio.read(BLOCK), whole[frame : frame + BLOCK]
            assert len(block) == len(expected), f"seek to {frame}"
            assert np.abs(block - expected).max() <= (0 if one.recipe.lossless else LOSSY), f"seek to {frame}"


@pytest.mark.parametrize("name", FORMATS)
def test_fifty_random_seeks_give_what_a_full_decode_gives_there(name: str) -> None:
    wander(song(name), 50, seed=1)


@pytest.mark.stress
@pytest.mark.parametrize("name", FORMATS)
def test_a_thousand_random_seeks_give_what_a_full_decode_gives_there(name: str) -> None:
    wander(song(name, 30.1), 1000, seed=2)


@pytest.mark.parametrize("name", sorted(set(FORMATS) - UNMARKED))
def test_priming_and_padding_are_cut_to_the_frame(name: str) -> None:
    one = song(name)
    with Audio(io.BytesIO(one.data)) as audio:
        told = audio.duration
        assert len(decoded(audio)) == len(one.sound)
        assert audio.duration == pytest.approx(len(one.sound) / one.sample_rate, abs=1e-9)
        assert told == pytest.approx(audio.duration, abs=0.002)


@pytest.mark.parametrize("frames", [500, 20_000, 44_100])
# In a WebM of one packet FFmpeg tells of what is cut at its begin, and not of what is cut at its end.
@pytest.mark.parametrize("name", sorted(set(FORMATS) - UNMARKED - {"webm opus"}))
def test_short_sound_is_cut_to_the_frame_and_can_be_searched(name: str, frames: int) -> None:
    recipe = RECIPES[name]
    sound = sine(frames, sample_rate=recipe.sample_rate, channels=recipe.channels)
    with Audio(io.BytesIO(encode(sound, recipe))) as audio:
        whole = decoded(audio)
        assert len(whole) == frames
        audio.seek((frames - 300) / recipe.sample_rate)
        assert np.abs(audio.read(1000) - whole[-300:]).max() <= LOSSY


@pytest.mark.parametrize("name", FORMATS)
def test_what_is_decoded_is_what_was_encoded_in_its_place(name: str) -> None:
    one = song(name)
    with Audio(io.BytesIO(one.data)) as audio:
        got = decoded(audio)
    shift = 1105 if name in UNMARKED else 0  # priming that the file does not tell of is heard
    got = got[shift : shift + len(one.sound)]
    if one.recipe.lossless:
        assert np.abs(got - one.sound).max() < 1e-4
        return
    # A lossy codec changes the sound, and a shift by one frame would change it far more.
    expected = one.sound[: len(got)]
    aligned, shifted = (np.abs(got[1000:-1000] - np.roll(expected, by, 0)[1000:-1000]).mean() for by in (0, 1))
    assert aligned < 0.03
    assert aligned < shifted


BY_SEARCH = {"flac", "flac 24 bit 96 kHz", "ogg opus", "ogg vorbis"}
"""Formats without a table, in which a place is found by looks at spots."""


@pytest.mark.parametrize("name", FORMATS)
def test_a_far_seek_reads_nothing_in_between(name: str) -> None:
    one = song(name, 12.05)
    file, size = RecordingFile(one.data), len(one.data)
    with Audio(file, ahead_seconds=0.05) as audio:
        audio.read(100)
        file.spans.clear()
        audio.seek(10.2)
        assert len(audio.read(1000)) == 1000
    spots = [span for span in file.spans if span[0] < size * 0.7]
    if name in BY_SEARCH:
        assert sum(end - start for start, end in spots) < 100_000, file.spans
    elif name.startswith("mp3 vbr"):
        assert file.bytes_read <= size + 16_384, "walked through once, because it is short"
    else:
        assert not file.touched(size // 5, size * 2 // 5), file.spans


@pytest.mark.parametrize("name", FORMATS)
def test_the_head_alone_gives_the_first_sound(name: str) -> None:
    one = song(name, 12.05)
    file = RecordingFile(one.data)
    with Audio(file, ahead_seconds=0.01) as audio:
        assert len(audio.read(100)) == 100
        assert sum(end - start for start, end in file.spans if start < len(one.data) - 100_000) < 250_000


def test_media_info_tells_what_the_file_is() -> None:
    seen = {}
    for name in FORMATS:
        with Audio(io.BytesIO(song(name).data)) as audio:
            info = audio.media_info
            seen[name] = (info.codec, info.container.split(",")[0], info.spec.sample_rate, info.spec.channels)
    assert seen == {
        "alac": ("alac", "mov", 44100, 2),
        "flac": ("flac", "flac", 44100, 2),
        "flac 24 bit 96 kHz": ("flac", "flac", 96000, 2),
        "m4a moov first": ("aac", "mov", 44100, 2),
        "m4a moov last": ("aac", "mov", 44100, 2),
        "mp3 cbr": ("mp3", "mp3", 44100, 2),
        "mp3 cbr without a table": ("mp3", "mp3", 44100, 2),
        "mp3 mono 22 kHz": ("mp3", "mp3", 22050, 1),
        "mp3 vbr": ("mp3", "mp3", 44100, 2),
        "mp3 vbr without a table": ("mp3", "mp3", 44100, 2),
        "ogg opus": ("opus", "ogg", 48000, 2),
        "ogg vorbis": ("vorbis", "ogg", 44100, 2),
        "wav": ("pcm_s16le", "wav", 44100, 2),
        "wav 24 bit mono": ("pcm_s24le", "wav", 48000, 1),
        "webm opus": ("opus", "matroska", 48000, 2),
    }
