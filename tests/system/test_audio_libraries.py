"""The files of this library under others' hands: what they read is what they read from a disk."""

from __future__ import annotations

import io
import wave
from pathlib import Path
from typing import Any

import miniaudio  # type: ignore[import-untyped]
import mutagen
import numpy as np
import pytest
import soundfile  # type: ignore[import-untyped]

from kithara_file import File, FileConfig, Stream, open_file
from kithara_file.audio import Audio
from tests.world import Origin
from tests.world.music import song

pytestmark = pytest.mark.system


def test_wave_reads_it(origin: Origin, store_dir: Path) -> None:
    one = song("wav")
    with open_file(origin.serve("/song", one.data), store=store_dir) as file, wave.open(file, "rb") as reader:
        assert reader.getnframes() == len(one.sound)
        reader.setpos(1000)
        frames = np.frombuffer(reader.readframes(500), "<i2").reshape(-1, 2) / 32767
    assert np.abs(frames - one.sound[1000:1500]).max() < 1e-4


@pytest.mark.parametrize("name", ["flac", "wav", "ogg vorbis", "mp3 cbr"])
def test_soundfile_reads_it_and_seeks_in_it(origin: Origin, store_dir: Path, name: str) -> None:
    one = song(name)
    expected, rate = soundfile.read(io.BytesIO(one.data), dtype="float32")
    with open_file(origin.serve("/song", one.data), store=store_dir) as file, soundfile.SoundFile(file) as reader:
        assert reader.samplerate == rate
        reader.seek(50_000)
        block = reader.read(1000, dtype="float32")
        if one.recipe.lossless:
            assert np.array_equal(block, expected[50_000:51_000])
        reader.seek(0)
        assert np.array_equal(reader.read(dtype="float32"), expected)


@pytest.mark.parametrize("name", ["flac", "mp3 vbr", "m4a moov last", "ogg opus", "ogg vorbis", "wav"])
def test_mutagen_reads_its_length(origin: Origin, store_dir: Path, name: str) -> None:
    one = song(name)
    opened: Any = mutagen.File
    expected = opened(io.BytesIO(one.data)).info.length
    with open_file(origin.serve("/song", one.data), store=store_dir) as file:
        assert opened(file).info.length == expected


class Source(miniaudio.StreamableSource):  # type: ignore[misc]
    """A file for miniaudio."""

    def __init__(self, file: io.BufferedReader) -> None:
        self._file = file

    def read(self, num_bytes: int) -> bytes | memoryview:
        """Read."""
        return self._file.read(num_bytes)

    def seek(self, offset: int, origin: miniaudio.SeekOrigin) -> bool:
        """Move."""
        self._file.seek(offset, 0 if origin == miniaudio.SeekOrigin.START else 1)
        return True


def test_miniaudio_streams_it(origin: Origin, store_dir: Path) -> None:
    one = song("flac")
    with open_file(origin.serve("/song", one.data), store=store_dir) as file:
        source = Source(file)
        blocks = list(miniaudio.stream_any(source, output_format=miniaudio.SampleFormat.FLOAT32, sample_rate=44_100))
        source.close()
    samples = np.concatenate([np.asarray(block, np.float32) for block in blocks]).reshape(-1, 2)
    assert np.abs(samples[: len(one.sound)] - one.sound).max() < 1e-4


def test_a_bare_stream_is_enough(origin: Origin, store_dir: Path) -> None:
    one = song("flac")
    url = origin.serve("/song", one.data)
    with Stream.open(File, FileConfig(url, store=store_dir)) as stream, Audio(stream) as audio:
        assert np.abs(audio.read(10**7) - one.sound).max() < 1e-4
