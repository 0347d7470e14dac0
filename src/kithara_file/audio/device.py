"""The sink that is heard: an output device of the machine, by miniaudio.

Must not know: tracks, decoders.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import miniaudio  # type: ignore[import-untyped]

from kithara_file.audio.media import Samples, Spec
from kithara_file.audio.sink import Feed
from kithara_file.errors import DeviceUnavailable

BUFFER_MILLISECONDS = 100


class DeviceSink:
    """Plays on the default device. `backends` are miniaudio's; None lets it choose."""

    def __init__(self, backends: list[Any] | None = None) -> None:
        self._backends = backends
        self._device: Any = None

    def start(self, spec: Spec, feed: Feed) -> None:
        """Open the device and begin to play. Raises `DeviceUnavailable`."""
        try:
            self._device = miniaudio.PlaybackDevice(
                output_format=miniaudio.SampleFormat.FLOAT32,
                nchannels=spec.channels,
                sample_rate=spec.sample_rate,
                buffersize_msec=BUFFER_MILLISECONDS,
                backends=self._backends,
                app_name="kithara",
            )
            pull = _pull(spec, feed)
            next(pull)
            self._device.start(pull)
        except miniaudio.MiniaudioError as error:
            self.stop()
            raise DeviceUnavailable(f"There is no device to play on: {error.args[0]}") from error

    def stop(self) -> None:
        """Close the device."""
        device, self._device = self._device, None
        if device is not None:
            device.close()

    def __repr__(self) -> str:
        return f"<DeviceSink {'closed' if self._device is None else self._device.backend}>"


def _pull(spec: Spec, feed: Feed) -> Generator[Samples, int, None]:
    """Give the device as many frames as it asks for; the same memory each time, so that nothing is allocated."""
    out = spec.silence(0)
    frames = yield out
    while True:
        if len(out) < frames:
            out = spec.silence(frames)
        feed.fill(out[:frames])
        frames = yield out[:frames]
