"""Sinks without a device."""

from __future__ import annotations

import io
import threading
import wave
from pathlib import Path

import numpy as np
import pytest

from kithara_file.audio.media import Samples, Spec
from kithara_file.audio.sinks import NullSink, RawSink, TapeSink, WavSink
from kithara_file.errors import ConfigError
from tests.world.music import music

SPEC = Spec(8000, 2)
SOON = 30.0


class Tape:
    """A feed that gives what is on it, once."""

    def __init__(self, sound: Samples) -> None:
        self.sound = sound
        self.ended = threading.Event()
        self.broken: Exception | None = None

    def fill(self, out: Samples) -> int:
        part, self.sound = self.sound[: len(out)], self.sound[len(out) :]
        out[: len(part)] = part
        if not len(self.sound):
            self.ended.set()
        return len(part)

    def read(self, frames: int) -> Samples:
        part, self.sound = self.sound[:frames], self.sound[frames:]
        if not len(part):
            self.ended.set()
        return part

    def broke(self, error: Exception) -> None:
        self.broken = error
        self.ended.set()


def test_a_null_sink_takes_everything_at_its_speed() -> None:
    tape, sink = Tape(music(1.0, 8000)), NullSink(speed=50)
    sink.start(SPEC, tape)
    assert tape.ended.wait(SOON)
    sink.stop()
    assert sink.frames == 8000
    assert sink.silent_frames >= 192
    assert repr(sink) == "<NullSink × 50 · 8000 frames>"


def test_a_wav_sink_writes_sixteen_bits_that_come_out_as_they_went_in(tmp_path: Path) -> None:
    pcm = (music(0.5, 8000) * 32767).astype("<i2")
    tape, sink = Tape((pcm / np.float32(32768)).astype(np.float32)), WavSink(tmp_path / "out.wav")
    sink.start(SPEC, tape)
    assert tape.ended.wait(SOON)
    sink.stop()
    with wave.open(str(tmp_path / "out.wav")) as reader:
        assert (reader.getframerate(), reader.getnchannels(), reader.getsampwidth()) == (8000, 2, 2)
        assert reader.readframes(10**6) == pcm.tobytes()
    assert "out.wav" in repr(sink)


def test_a_raw_sink_writes_floats_and_leaves_the_file_open() -> None:
    sound, out = music(0.2, 8000), io.BytesIO()
    tape, sink = Tape(sound), RawSink(out)
    sink.start(SPEC, tape)
    assert tape.ended.wait(SOON)
    sink.stop()
    assert out.getvalue() == sound.astype("<f4").tobytes()
    assert "RawSink" in repr(sink)


@pytest.mark.parametrize("fault", [OSError(28, "No space left on device"), RuntimeError("the file is a user's own")])
def test_a_sink_that_cannot_write_says_so(fault: Exception) -> None:
    class Full(io.BytesIO):
        def write(self, data: object, /) -> int:
            raise fault

    tape, sink = Tape(music(0.2, 8000)), RawSink(Full())
    sink.start(SPEC, tape)
    assert tape.ended.wait(SOON)
    sink.stop()
    assert tape.broken is fault


def test_a_file_that_cannot_be_made_is_told_at_the_start(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        WavSink(tmp_path / "nowhere" / "out.wav").start(SPEC, Tape(SPEC.silence(0)))


def test_a_tape_plays_the_same_frames_at_another_rate(tmp_path: Path) -> None:
    tape, sink = Tape(music(0.5, 8000)), TapeSink(WavSink(tmp_path / "out.wav"), 1.5)
    sink.start(SPEC, tape)
    assert tape.ended.wait(SOON)
    sink.stop()
    with wave.open(str(tmp_path / "out.wav")) as reader:
        assert (reader.getframerate(), reader.getnframes()) == (12_000, 4000)
    assert repr(sink).startswith("<TapeSink × 1.5 into <WavSink")


@pytest.mark.parametrize("rate", [0.0, -1.0, float("nan"), float("inf")])
def test_a_rate_at_which_nothing_can_be_played_is_refused(rate: float) -> None:
    for sink in (NullSink, lambda rate: TapeSink(NullSink(), rate)):
        with pytest.raises(ConfigError, match="cannot be played"):
            sink(rate)


def test_sinks_that_were_never_started_can_be_stopped(tmp_path: Path) -> None:
    NullSink().stop()
    WavSink(tmp_path / "out.wav").stop()
