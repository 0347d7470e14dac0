"""Synthesised music, encoded at test time: what went in, and the file that came out.

Several sines of no common period with a burst of noise every half second, so that no two places sound alike and a
block tells where it is from. The same every time; a song that was made is kept in pytest's cache, for to encode it
takes longer than most tests do. Needs `av`, and `soundfile` for Vorbis, whose encoder in FFmpeg does not say where the
sound ends. Must not know: who decodes it.
"""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import av
import numpy as np
import soundfile  # type: ignore[import-untyped]
from numpy.typing import NDArray

Sound = NDArray[np.float32]

_KEPT = Path(__file__).parents[2] / ".pytest_cache" / "songs"
_MADE_BY = f"{Path(__file__).read_text()} {av.library_versions} {soundfile.__libsndfile_version__}"
_PITCHES = (220.0, 331.7, 523.1, 1307.3)
_STEP = 4096
_BITS = {"s16": ("i2", 2**15 - 1, 0), "s32": ("i4", 2**23 - 1, 8), "flt": ("f4", 1, 0), "u8": ("u1", 127, 0)}


@cache
def music(seconds: float, sample_rate: int = 44_100, channels: int = 2, seed: int = 1) -> Sound:
    """Return sound of shape (frames, channels), for all who ask for the same: nobody can write into it."""
    frames = round(seconds * sample_rate)
    time = np.arange(frames)[:, None] / sample_rate
    detune = 1 + 0.01 * np.arange(channels)[None, :]
    sound = sum(0.11 * np.sin(2 * np.pi * pitch * detune * time + seed) for pitch in _PITCHES)
    random = np.random.default_rng(seed)
    for start in range(0, frames, sample_rate // 2):
        burst = sound[start : start + 400]  # type: ignore[index]
        burst += 0.2 * random.standard_normal(burst.shape)
    ready = np.clip(sound, -0.95, 0.95).astype(np.float32)
    ready.setflags(write=False)
    return ready


def sine(frames: int, pitch: float = 440.0, sample_rate: int = 44_100, channels: int = 2) -> Sound:
    """Return one long tone, of which every frame can be told."""
    wave = 0.5 * np.sin(2 * np.pi * pitch * np.arange(frames) / sample_rate)
    return np.repeat(wave[:, None], channels, axis=1).astype(np.float32)


@dataclass(frozen=True)
class Recipe:
    """How to encode."""

    container: str
    codec: str
    sample_rate: int = 44_100
    channels: int = 2
    bit_rate: int | None = None
    quality: int | None = None
    sample_format: str | None = None
    options: Mapping[str, str] = field(default_factory=dict)
    codec_options: Mapping[str, str] = field(default_factory=dict)
    lossless: bool = False


_AAC = {"aac_pns": "0"}  # noise that a decoder makes up cannot be compared
RECIPES = {
    "mp3 cbr": Recipe("mp3", "libmp3lame", bit_rate=128_000),
    "mp3 vbr": Recipe("mp3", "libmp3lame", quality=4),
    "mp3 vbr without a table": Recipe(
        "mp3", "libmp3lame", quality=4, options={"write_xing": "0", "id3v2_version": "0"}
    ),
    "mp3 cbr without a table": Recipe(
        "mp3", "libmp3lame", bit_rate=128_000, options={"write_xing": "0", "id3v2_version": "0"}
    ),
    "mp3 mono 22 kHz": Recipe("mp3", "libmp3lame", sample_rate=22_050, channels=1, bit_rate=48_000),
    "m4a moov last": Recipe("ipod", "aac", bit_rate=128_000, codec_options=_AAC),
    "m4a moov first": Recipe("ipod", "aac", bit_rate=96_000, options={"movflags": "faststart"}, codec_options=_AAC),
    "flac": Recipe("flac", "flac", sample_format="s16", lossless=True),
    "flac 24 bit 96 kHz": Recipe("flac", "flac", sample_rate=96_000, sample_format="s32", lossless=True),
    "wav": Recipe("wav", "pcm_s16le", lossless=True),
    "wav 24 bit mono": Recipe("wav", "pcm_s24le", channels=1, sample_rate=48_000, lossless=True),
    "ogg vorbis": Recipe("ogg", "vorbis"),
    "ogg opus": Recipe("ogg", "libopus", sample_rate=48_000, bit_rate=96_000),
    "webm opus": Recipe("webm", "libopus", sample_rate=48_000, bit_rate=96_000),
    "alac": Recipe("ipod", "alac", lossless=True),
}


@dataclass(frozen=True)
class Song:
    """A file, and what is in it."""

    name: str
    recipe: Recipe
    sound: Sound
    data: bytes

    @property
    def sample_rate(self) -> int:
        """Frames per second."""
        return self.recipe.sample_rate


@cache
def song(name: str, seconds: float = 4.03) -> Song:
    """Return the song of a recipe, with as many seconds."""
    recipe = RECIPES[name]
    sound = music(seconds, recipe.sample_rate, recipe.channels)
    kept = _KEPT / sha256(f"{_MADE_BY} {recipe} {seconds}".encode()).hexdigest()
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=kept.parent, delete=False) as fresh:
            fresh.write(encode(sound, recipe))
        Path(fresh.name).rename(kept)  # another worker may make the same: either is right, and whole
    return Song(name, recipe, sound, kept.read_bytes())


def written(sound: Sound, sample_rate: int, container: str, coding: str) -> bytes:
    """Return a file of a format, and with a coding, by libsndfile's names."""
    out = io.BytesIO()
    soundfile.write(out, sound, sample_rate, format=container, subtype=coding)
    return out.getvalue()


def encode(sound: Sound, recipe: Recipe, tags: Mapping[str, str] | None = None) -> bytes:
    """Return a file with `sound` in it."""
    if recipe.codec == "vorbis":
        out = io.BytesIO()
        shape = recipe.sample_rate, sound.shape[1], "VORBIS"
        with soundfile.SoundFile(out, "w", *shape, format="OGG") as writer:
            for start in range(0, len(sound), _STEP):  # libvorbis overflows its stack when it is given all at once
                writer.write(sound[start : start + _STEP])
        return out.getvalue()
    with tempfile.TemporaryDirectory() as folder:  # a moov that is moved to the front is read back by its name
        path = Path(folder) / "song"
        with av.open(str(path), "w", format=recipe.container, options=dict(recipe.options)) as container:
            container.metadata.update(tags or {})
            _write(container, sound, recipe)
        return path.read_bytes()


def _write(container: Any, sound: Sound, recipe: Recipe) -> None:
    layout = {1: "mono", 2: "stereo", 6: "5.1"}[sound.shape[1]]
    stream = container.add_stream(
        recipe.codec, rate=recipe.sample_rate, layout=layout, options=dict(recipe.codec_options)
    )
    context = stream.codec_context
    context.format = recipe.sample_format or context.codec.audio_formats[0].name
    if recipe.bit_rate is not None:
        stream.bit_rate = recipe.bit_rate
    if recipe.quality is not None:
        context.qscale = True
        context.global_quality = recipe.quality * 118  # FF_QP2LAMBDA
    for frame in _frames(sound, context.format.name, layout, recipe.sample_rate):
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))


def _frames(sound: Sound, name: str, layout: str, sample_rate: int) -> Iterator[Any]:
    kind, scale, shift = _BITS[name.removesuffix("p")]
    whole = sound if kind == "f4" else np.round(sound * scale).astype(kind) << shift
    for start in range(0, len(sound), _STEP):
        part = whole[start : start + _STEP]
        ready = part.T if name.endswith("p") else part.reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(ready), format=name, layout=layout)
        frame.sample_rate, frame.pts, frame.time_base = sample_rate, start, Fraction(1, sample_rate)
        yield frame


class RecordingFile(io.BytesIO):
    """A file in memory that remembers which ranges were read."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data)
        self.spans: list[tuple[int, int]] = []

    def read1(self, size: int | None = -1, /) -> bytes:
        """Read, and remember."""
        start = self.tell()
        data = super().read1(-1 if size is None else size)
        self.spans.append((start, start + len(data)))
        return data

    @property
    def bytes_read(self) -> int:
        """How many bytes were read, each as often as it was."""
        return sum(end - start for start, end in self.spans)

    def touched(self, start: int, end: int) -> bool:
        """Return whether any byte of a range was read."""
        return any(first < end and last > start for first, last in self.spans)
