"""The device, as far as a machine without one can show it: miniaudio's null backend calls back in real time."""

from __future__ import annotations

import threading

import miniaudio  # type: ignore[import-untyped]
import pytest

from kithara_file.audio.device import DeviceSink
from kithara_file.audio.media import Samples, Spec
from kithara_file.errors import DeviceUnavailable

SOON = 30.0


class Tone:
    """Counts what a device takes of it."""

    def __init__(self) -> None:
        self.taken = 0
        self.enough = threading.Event()

    def fill(self, out: Samples) -> int:
        out[:] = 0.25
        self.taken += len(out)
        if self.taken > 4000:
            self.enough.set()
        return len(out)

    def read(self, frames: int) -> Samples:
        raise NotImplementedError

    def broke(self, error: Exception) -> None:
        raise error


def test_a_device_takes_sound_until_it_is_stopped() -> None:
    sink, tone = DeviceSink([miniaudio.Backend.NULL]), Tone()
    sink.start(Spec(48_000, 2), tone)
    assert "Null" in repr(sink)
    assert tone.enough.wait(SOON)
    sink.stop()
    taken = tone.taken
    sink.stop()
    assert tone.taken == taken
    assert repr(sink) == "<DeviceSink closed>"


def test_a_machine_without_a_device_is_told_in_one_sentence() -> None:
    try:
        miniaudio.PlaybackDevice(backends=[miniaudio.Backend.JACK]).close()
    except miniaudio.MiniaudioError:
        with pytest.raises(DeviceUnavailable, match="There is no device to play on"):
            DeviceSink([miniaudio.Backend.JACK]).start(Spec(48_000, 2), Tone())
    else:
        pytest.skip("this machine runs JACK")
