"""Every kind of file that people have: what comes out is what went in, from any frame on."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from functools import cache
from typing import Any

import av
import numpy as np
import pytest

from kithara_file.audio import Audio, DecodeError, SeekComplete
from kithara_file.audio.media import Samples
from kithara_file.errors import UnsupportedMedia
from kithara_file.events import EventBus
from tests.world.music import RECIPES, Recipe, Sound, encode, music, song, written

SECONDS = 1.21
PLACES = (0, 1, 30_000, 12_345, 4096)


def whole(data: bytes, **knobs: int) -> Samples:
    with Audio(io.BytesIO(data), **knobs) as audio:  # type: ignore[arg-type]
        return audio.read(10**9)


def check_seeks(data: bytes, tolerance: float) -> None:
    """Let blocks after seeks be what a whole decode has there."""
    everything = whole(data)
    with Audio(io.BytesIO(data)) as audio:
        for place in PLACES:
            audio.seek(place / audio.spec.sample_rate)
            expected = everything[place : place + 500]
            block = audio.read(500)
            assert block.shape == expected.shape
            assert off(block, expected) <= tolerance


def off(got: Samples, expected: Samples) -> float:
    """Return by how much they differ at most."""
    return float(np.abs(got - expected).max(initial=0.0))


@cache
def sound(sample_rate: int = 44_100, channels: int = 2) -> Sound:
    return music(SECONDS, sample_rate, channels)


def made(recipe: Recipe) -> tuple[bytes, Sound]:
    source = sound(recipe.sample_rate, recipe.channels)
    return encode(source, recipe), source


WRITTEN = [
    ("WAV", "PCM_U8"),
    ("WAV", "PCM_24"),
    ("WAV", "PCM_32"),
    ("WAV", "FLOAT"),
    ("WAV", "DOUBLE"),
    ("WAV", "ULAW"),
    ("WAVEX", "PCM_16"),
    ("WAVEX", "PCM_24"),
    ("RF64", "PCM_16"),
    ("W64", "PCM_16"),
    ("AIFF", "PCM_16"),
    ("AIFF", "PCM_24"),
    ("AIFF", "FLOAT"),
    ("CAF", "PCM_16"),
    ("AU", "PCM_16"),
]
"""Container and coding of the same sound without loss, or nearly."""
NEARLY = {"PCM_U8": 1 / 127, "ULAW": 1 / 32, "PCM_16": 1 / 2**14}


@pytest.mark.parametrize("container, coding", WRITTEN)
def test_uncompressed_sound_comes_out_as_it_is(container: str, coding: str) -> None:
    data = written(sound(), 44_100, container, coding)
    got = whole(data)
    assert got.shape == sound().shape
    assert off(got, sound()) < NEARLY.get(coding, 1e-6)
    check_seeks(data, 0.0)


LOSSLESS = {
    "flac of six channels": Recipe("flac", "flac", 48_000, 6, sample_format="s16"),
    "flac in ogg": Recipe("ogg", "flac", sample_format="s16"),
    "flac in matroska": Recipe("matroska", "flac", sample_format="s16"),
    "flac of 8 kHz": Recipe("flac", "flac", 8000, 1, sample_format="s16"),
    "wav of six channels": Recipe("wav", "pcm_s16le", 48_000, 6),
    "pcm in mov": Recipe("mov", "pcm_s16le"),
    "wavpack": Recipe("wv", "wavpack", sample_format="s16p"),
}


@pytest.mark.parametrize("name", LOSSLESS)
def test_lossless_sound_comes_out_as_it_is(name: str) -> None:
    data, source = made(LOSSLESS[name])
    got = whole(data)
    assert got.shape == source.shape
    assert off(got, source) < 1e-4
    check_seeks(data, 0.0)


NO_NOISE = {"aac_pns": "0"}  # what a decoder makes up cannot be compared
LOSSY = {
    "aac without a container": Recipe("adts", "aac", bit_rate=128_000, codec_options=NO_NOISE),
    "aac of 8 kHz": Recipe("ipod", "aac", 8000, 1, codec_options=NO_NOISE),
    "aac of 96 kHz": Recipe("ipod", "aac", 96_000, 1, codec_options=NO_NOISE),
    "aac of six channels": Recipe("ipod", "aac", 48_000, 6, codec_options=NO_NOISE),
    "aac in fragments": Recipe("mp4", "aac", options={"movflags": "frag_keyframe+empty_moov"}, codec_options=NO_NOISE),
    "mp3 of 8 kHz": Recipe("mp3", "libmp3lame", 8000, 1, bit_rate=24_000),
    "mp3 in matroska": Recipe("matroska", "libmp3lame", bit_rate=128_000),
    "opus of six channels": Recipe("ogg", "libopus", 48_000, 6),
    "opus in webm": RECIPES["webm opus"],
    "mp2": Recipe("mp2", "mp2", bit_rate=128_000),
}
UNTRIMMED = {"aac without a container", "aac in fragments", "mp2"}
"""Nothing in these files tells what the encoder added."""


@pytest.mark.parametrize("name", LOSSY)
def test_lossy_sound_has_its_length_and_is_the_same_from_any_frame_on(name: str) -> None:
    data, source = made(LOSSY[name])
    extra = len(whole(data)) - len(source)
    assert 0 <= extra < 3000 if name in UNTRIMMED else extra == 0
    check_seeks(data, 1e-4)


def test_noise_that_a_decoder_makes_up_is_the_same_each_time_from_the_begin_on() -> None:
    noise = np.random.default_rng(2).uniform(-0.5, 0.5, (40_000, 2)).astype(np.float32)
    data = encode(noise, Recipe("ipod", "aac", bit_rate=48_000))
    everything = whole(data)
    with Audio(io.BytesIO(data)) as audio:
        for place in (0, 1, 500):
            audio.read(20_000)
            audio.seek(place / 44_100)
            assert off(audio.read(4000), everything[place : place + 4000]) < 1e-6


def test_the_stamps_of_a_transport_stream_leave_no_seams() -> None:
    # Only the first of many packets that come together is stamped, so that the others are off by more and more.
    together: dict[str, dict[str, str]] = {"adts": {}, "mpegts": {"max_delay": "700000", "pes_payload_size": "8000"}}
    plain, stream = (
        made(Recipe(container, "aac", bit_rate=64_000, options=options, codec_options=NO_NOISE))[0]
        for container, options in together.items()
    )
    events = EventBus()
    heard = events.subscribe()
    with Audio(io.BytesIO(stream), events=events) as audio:
        assert off(audio.read(10**9), whole(plain)) == 0.0
    assert not [event for event in heard if isinstance(event, DecodeError)]
    check_seeks(stream, 1e-4)


class Onward(io.BytesIO):
    """A file that cannot seek, such as a pipe."""

    def seekable(self) -> bool:
        """It is not."""
        return False


@pytest.mark.parametrize("name", ["ogg vorbis", "ogg opus"])
def test_a_chain_is_heard_to_its_end_from_any_frame_on(name: str) -> None:
    recipe = RECIPES[name]
    parts = [encode(music(SECONDS, recipe.sample_rate, seed=seed), recipe) for seed in (1, 2, 3)]
    data = b"".join(parts)
    everything = whole(data)
    assert len(everything) >= 3 * round(SECONDS * recipe.sample_rate)
    for file in (io.BytesIO(data), Onward(data)):
        with Audio(file) as audio:
            assert audio.duration is None, "nothing but its end tells it"
            for seconds in (3.0, 1.5, 0.5, 2.5):
                place = round(seconds * recipe.sample_rate)
                audio.seek(seconds)
                assert off(audio.read(3000), everything[place : place + 3000]) <= 1e-4


def test_matroskas_coarse_clock_leaves_no_seam_and_a_seek_does_not_claim_to_be_exact() -> None:
    data, source = made(Recipe("matroska", "pcm_s16le"))
    events = EventBus()
    heard = events.subscribe()
    with Audio(io.BytesIO(data), events=events) as audio:
        assert off(audio.read(10**6), source) < 1e-4
        audio.seek(0.5)
        block = audio.read(4000)
    told = [event for event in heard if isinstance(event, SeekComplete)]
    assert [event.exact for event in told] == [False]
    near = [off(block, source[22_050 + by : 26_050 + by]) for by in range(-45, 46)]
    assert min(near) < 1e-4, "it is within a tick of where it should be, and whole"


SHORT = [
    *((name, frames) for name in ("wav", "flac", "alac", "ogg vorbis", "ogg opus") for frames in (1, 2, 100, 1153)),
    # Edit lists tell milliseconds, and some lengths make FFmpeg's encoder of MP3 add more than its tag can say.
    *((name, frames) for name in ("m4a moov last", "mp3 cbr") for frames in (100, 1000, 1151, 1152)),
]


@pytest.mark.parametrize("name, frames", SHORT)
def test_very_short_sound_is_as_long_as_it_was(name: str, frames: int) -> None:
    recipe = RECIPES[name]
    source = sound(recipe.sample_rate)[:frames]
    got = whole(encode(source, recipe))
    assert got.shape == source.shape
    assert not recipe.lossless or off(got, source) < 1e-4


@pytest.mark.parametrize("channels", [1, 2])
def test_six_channels_are_heard_from_fewer(channels: int) -> None:
    data, source = made(LOSSLESS["flac of six channels"])
    got = whole(data, channels=channels)
    assert got.shape == (len(source), channels)
    assert 0.05 < np.abs(got).max() <= 1


def id3(size: int) -> bytes:
    """Return a tag of `size` bytes with a picture in it."""
    picture = b"\x00image/png\x00\x03\x00" + b"\x89PNG\r\n\x1a\n" + b"\xff\xfb\x90" * ((size - 60) // 3)
    frame = b"APIC" + struct.pack(">I", len(picture)) + b"\x00\x00" + picture
    length = len(frame)
    return b"ID3\x03\x00\x00" + bytes((length >> shift) & 0x7F for shift in (21, 14, 7, 0)) + frame


def ape() -> bytes:
    """Return an APEv2 tag, whose items look like frames of MP3, and an ID3v1 tag behind it."""
    item = struct.pack("<II", 300, 0) + b"Cover\x00" + b"\xff\xfb\x90\x64" * 75
    head = b"APETAGEX" + struct.pack("<IIII", 2000, len(item) + 32, 1, 0xA0000000) + bytes(8)
    foot = head[:20] + struct.pack("<I", 0x80000000) + bytes(8)
    return head + item + foot + b"TAG" + b"title".ljust(125, b"\x00")


TAGGED = {"mp3 cbr": 3_000_000, "mp3 vbr": 200_000, "mp3 cbr without a table": 70_000, "flac": 3_000_000}
"""Bytes of the tag before the sound."""


@pytest.mark.parametrize("name", TAGGED)
def test_a_tag_of_megabytes_and_tags_at_the_end_are_no_sound(name: str) -> None:
    plain = song(name, SECONDS).data
    expected = whole(plain)
    with Audio(io.BytesIO(id3(TAGGED[name]) + plain + (b"" if name == "flac" else ape()))) as audio:
        got = audio.read(10**9)
        audio.seek(0.5)
        block = audio.read(100)
    assert len(got) == len(expected)
    assert off(got, expected) < 1e-6
    assert off(block, got[22_050:22_150]) < 1e-4


@pytest.mark.parametrize("name", ["ogg vorbis", "ogg opus"])
def test_one_ogg_after_another_is_heard_through(name: str) -> None:
    data, frames = song(name, SECONDS).data, len(song(name, SECONDS).sound)
    got = whole(data + renumbered(data))
    assert abs(len(got) - 2 * frames) < 1000
    assert off(got[:frames], whole(data)) < 1e-4


def renumbered(data: bytes) -> bytes:
    """Return an Ogg whose pages have another serial number."""
    out, at = bytearray(data), 0
    while at < len(out):
        segments = out[at + 26]
        end = at + 27 + segments + sum(out[at + 27 : at + 27 + segments])
        out[at + 14 : at + 18] = b"next"
        out[at + 22 : at + 26] = bytes(4)
        out[at + 22 : at + 26] = struct.pack("<I", ogg_check(out[at:end]))
        at = end
    return bytes(out)


def ogg_check(page: bytes | bytearray) -> int:
    """Return the check of a page: the polynomial of zlib's, without its mirror and its complement."""
    mirrored = bytes(int(f"{byte:08b}"[::-1], 2) for byte in page)
    plain = zlib.crc32(mirrored, 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int(f"{plain:032b}"[::-1], 2)


def film(codec: str) -> bytes:
    """Return moving pictures with sound."""
    out = io.BytesIO()
    with av.open(out, "w", format="mp4") as container:
        pictures: Any = container.add_stream("mpeg4", rate=10)
        pictures.width, pictures.height, pictures.pix_fmt = 64, 64, "yuv420p"
        tone: Any = container.add_stream(codec, rate=44_100, layout="stereo", options=dict(NO_NOISE))
        for _ in range(12):
            container.mux(pictures.encode(av.VideoFrame(64, 64, "yuv420p")))
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(sound().T), format="fltp", layout="stereo")
        frame.sample_rate, frame.pts = 44_100, 0
        for stream in (tone, pictures):
            container.mux(stream.encode(frame if stream is tone else None))
        container.mux(tone.encode(None))
    return out.getvalue()


def test_the_sound_of_a_film_plays() -> None:
    data = film("aac")
    with Audio(io.BytesIO(data)) as audio:
        assert (audio.media_info.codec, audio.media_info.cover) == ("aac", None)
    assert abs(len(whole(data)) - len(sound())) < 1100
    check_seeks(data, 1e-4)


def _encrypted(data: bytes) -> bytes:
    return data.replace(b"mp4a", b"enca").replace(b"esds", b"free")


def _unknown(data: bytes) -> bytes:
    return data.replace(b"mp4a", b"zzzz").replace(b"esds", b"free")


@pytest.mark.parametrize("spoil", [_encrypted, _unknown])
def test_sound_that_nobody_can_decode_is_refused_in_one_sentence(spoil: Callable[[bytes], bytes]) -> None:
    with pytest.raises(UnsupportedMedia) as caught:
        whole(spoil(song("m4a moov last", SECONDS).data))
    assert "\n" not in str(caught.value)
