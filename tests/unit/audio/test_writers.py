"""What is written can be read by others, and is what was given."""

from __future__ import annotations

import io
import struct
import wave
from pathlib import Path

import numpy as np
import pytest
import soundfile  # type: ignore[import-untyped]

from kithara_file.audio.media import Samples, Spec
from kithara_file.audio.writers import FlacWriter, RawWriter, WavWriter, Writer, as_int16, write_all
from kithara_file.errors import ConfigError
from tests.world.music import music

SPEC = Spec(8000, 2)
SOUND = music(0.7, 8000)


class Pipe(io.RawIOBase):
    """Takes a little at a time, and cannot go back."""

    def __init__(self) -> None:
        super().__init__()
        self.taken = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: object, /) -> int:
        piece = bytes(memoryview(data))[:100]  # type: ignore[arg-type]
        self.taken += piece
        return len(piece)


def written(writer: Writer, sound: Samples = SOUND) -> None:
    """Write in pieces of odd lengths."""
    for start in range(0, len(sound), 777):
        writer.write(sound[start : start + 777])
    writer.close()


@pytest.mark.parametrize("bits,error", [(16, 2**-16), (24, 2**-24), (32, 0.0)])
@pytest.mark.parametrize("channels", [1, 2])
def test_wav_of_any_width_is_read_back(bits: int, error: float, channels: int) -> None:
    out, sound = io.BytesIO(), SOUND[:, :channels]
    written(WavWriter(out, Spec(8000, channels), bits), sound)
    out.seek(0)
    got, rate = soundfile.read(out, dtype="float32", always_2d=True)
    assert rate == 8000
    assert got.shape == sound.shape
    assert np.abs(got - sound).max() <= error


@pytest.mark.parametrize("bits", [16, 24])
@pytest.mark.parametrize("channels", [1, 2, 6])
def test_flac_is_read_back_to_the_bit(tmp_path: Path, bits: int, channels: int) -> None:
    sound = music(0.7, 8000, channels)
    with (tmp_path / "out").open("wb") as file:
        written(FlacWriter(file, Spec(8000, channels), bits), sound)
    info = soundfile.info(tmp_path / "out")
    assert (info.frames, info.samplerate, info.subtype) == (len(sound), 8000, f"PCM_{bits}")
    got, _ = soundfile.read(tmp_path / "out", dtype="float64", always_2d=True)
    assert np.array_equal(np.rint(got * 2 ** (bits - 1)), np.rint(sound.astype(np.float64) * 2 ** (bits - 1)))


def test_wav_into_a_pipe_goes_on_to_its_end() -> None:
    pipe = Pipe()
    written(WavWriter(pipe, SPEC))  # type: ignore[arg-type]
    assert struct.unpack_from("<I", pipe.taken, 40) == (0xFFFF_FFFF,)
    assert bytes(pipe.taken[44:]) == as_int16(SOUND).tobytes()


def test_a_wav_of_an_odd_length_is_padded() -> None:
    out = io.BytesIO()
    written(WavWriter(out, Spec(8000, 1), 24), SOUND[:5, :1])
    assert len(out.getvalue()) == 44 + 15 + 1
    out.seek(0)
    with wave.open(out) as reader:
        assert reader.getnframes() == 5


def test_a_length_that_a_wav_cannot_tell_is_left_untold() -> None:
    out = io.BytesIO()
    writer = WavWriter(out, SPEC)
    writer._bytes = 5 << 30
    writer.close()
    assert struct.unpack_from("<I", out.getvalue(), 4) == struct.unpack_from("<I", out.getvalue(), 40) == (0xFFFF_FFFF,)


def test_raw_is_written_whole_into_what_takes_little() -> None:
    pipe = Pipe()
    written(RawWriter(pipe))  # type: ignore[arg-type]
    assert bytes(pipe.taken) == SOUND.astype("<f4").tobytes()


def test_nothing_is_written_as_nothing() -> None:
    out = io.BytesIO()
    write_all(out, b"")
    written(WavWriter(out, SPEC), SOUND[:0])
    assert len(out.getvalue()) == 44


def test_what_is_too_loud_is_clipped_and_does_not_wrap() -> None:
    assert as_int16(np.array([[2.0, -2.0]], np.float32)).tolist() == [[32767, -32768]]
    out = io.BytesIO()
    written(WavWriter(out, Spec(8000, 1), 24), np.array([[2.0], [-2.0]], np.float32))
    assert out.getvalue()[44:] == b"\xff\xff\x7f\x00\x00\x80"


def test_what_a_format_cannot_have_is_refused() -> None:
    with pytest.raises(ConfigError, match="bits cannot be 20, only 16 or 24 or 32"):
        WavWriter(io.BytesIO(), SPEC, 20)
    with pytest.raises(ConfigError, match="bits cannot be 32, only 16 or 24"):
        FlacWriter(io.BytesIO(), SPEC, 32)
    with pytest.raises(ConfigError, match="no more than 8 channels"):
        FlacWriter(io.BytesIO(), Spec(8000, 9))


@pytest.mark.parametrize("make", [WavWriter, FlacWriter])
@pytest.mark.parametrize(
    "channels, shape", [(2, (6, 1)), (2, (6,)), (2, (6, 3)), (1, (6, 2)), (1, (6,)), (2, (2, 3, 2))]
)
def test_sound_of_another_shape_is_refused(make: type[WavWriter], channels: int, shape: tuple[int, ...]) -> None:
    out = io.BytesIO()
    writer = make(out, Spec(8000, channels))
    with pytest.raises(ConfigError, match=rf"cannot be written as \(frames, {channels}\)"):
        writer.write(np.zeros(shape, np.float32))
    written(writer, SOUND[:, :channels])
    out.seek(0)
    assert soundfile.info(out).frames == len(SOUND), "what was refused has left nothing"
