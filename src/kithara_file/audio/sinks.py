"""Sinks that need no device: into nothing, into a WAV file, as raw PCM.

Must not know: tracks, decoders.
"""

from __future__ import annotations

import logging
import os
import threading
import wave
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import numpy as np
from numpy.typing import NDArray

from kithara_file.audio.media import Samples, Spec
from kithara_file.audio.sink import Feed
from kithara_file.clock import Clock, Deadline, SystemClock
from kithara_file.errors import ConfigError, KitharaError, StreamClosed

_log = logging.getLogger(__name__)

BLOCK = 1024
JOIN_SECONDS = 1.0


class NullSink:
    """Hears everything at the speed of a device, or `speed` times as fast, and keeps nothing."""

    def __init__(self, speed: float = 1.0, clock: Clock | None = None) -> None:
        if not speed > 0:
            msg = "speed must be positive"
            raise ConfigError(msg)
        self._speed = speed
        self._clock = clock or SystemClock()
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None
        self.frames = 0
        """How many frames of sound were taken."""
        self.silent_frames = 0
        """How many frames had to be silence."""

    def start(self, spec: Spec, feed: Feed) -> None:
        """Begin to take a block whenever a device would have played one."""
        self._thread = threading.Thread(target=self._run, args=(spec, feed), name="kithara-sink", daemon=True)
        self._thread.start()

    def _run(self, spec: Spec, feed: Feed) -> None:
        out = spec.silence(BLOCK)
        step, due = spec.seconds(BLOCK) / self._speed, self._clock.monotonic()
        while not self._stopped.wait(Deadline(due, self._clock).remaining()):
            sound = feed.fill(out)
            self.frames += sound
            self.silent_frames += BLOCK - sound
            # What a machine under load could not play in time is late, and not all due at once.
            due = max(due + step, self._clock.monotonic() - 10 * step)

    def stop(self) -> None:
        """End the thread."""
        self._stopped.set()
        if self._thread is not None:
            self._thread.join(JOIN_SECONDS)

    def __repr__(self) -> str:
        return f"<NullSink × {self._speed:g} · {self.frames} frames>"


class _Writer(Protocol):
    """What a `_FileSink` writes into."""

    def write(self, samples: Samples) -> None:
        """Write all of them."""

    def close(self) -> None:
        """Complete the file."""


class _FileSink:
    """Writes everything as fast as it comes, without silence for what is late."""

    def __init__(self, open_writer: Callable[[Spec], _Writer]) -> None:
        self._open_writer = open_writer
        self._stopped = False
        self._thread: threading.Thread | None = None

    def start(self, spec: Spec, feed: Feed) -> None:
        """Begin to write. Raises `OSError` when the file cannot be opened."""
        writer = self._open_writer(spec)
        self._thread = threading.Thread(target=self._run, args=(writer, feed), name="kithara-sink", daemon=True)
        self._thread.start()

    def _run(self, writer: _Writer, feed: Feed) -> None:
        try:
            while not self._stopped and len(samples := feed.read(BLOCK)):
                writer.write(samples)
        except StreamClosed:
            _log.debug("= the player was closed")
        except (KitharaError, OSError, ValueError) as error:
            feed.broke(error)
        finally:
            with suppress(OSError):  # a full disk was told of already
                writer.close()

    def stop(self) -> None:
        """Complete the file with what came so far. The player has closed its tracks, so that no read waits."""
        self._stopped = True
        if self._thread is not None:
            self._thread.join(JOIN_SECONDS)


class WavSink(_FileSink):
    """Writes a WAV file of 16 bits."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        super().__init__(lambda spec: _WavWriter(path, spec))
        self._path = path

    def __repr__(self) -> str:
        return f"<WavSink {os.fspath(self._path)}>"


class RawSink(_FileSink):
    """Writes float32 PCM, little endian and interleaved, into an open binary file such as a pipe; leaves it open."""

    def __init__(self, file: BinaryIO) -> None:
        super().__init__(lambda _spec: _RawWriter(file))
        self._file = file

    def __repr__(self) -> str:
        return f"<RawSink {self._file!r}>"


class _WavWriter:
    def __init__(self, path: str | os.PathLike[str], spec: Spec) -> None:
        # Opened here, because `wave` complains from a destructor about a file that it could not open.
        self._out = Path(path).open("wb")  # noqa: SIM115
        self._file: Any = wave.open(self._out, "wb")  # noqa: SIM115
        self._file.setnchannels(spec.channels)
        self._file.setsampwidth(2)
        self._file.setframerate(spec.sample_rate)

    def write(self, samples: Samples) -> None:
        self._file.writeframesraw(as_int16(samples).tobytes())

    def close(self) -> None:
        try:
            self._file.close()
        finally:
            self._out.close()


class _RawWriter:
    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def write(self, samples: Samples) -> None:
        self._file.write(samples.astype("<f4", copy=False).tobytes())

    def close(self) -> None:
        self._file.flush()


def as_int16(samples: Samples) -> NDArray[np.int16]:
    """Return `samples` as 16 bits, little endian: full scale is 32768, so that 16 bits come out as they went in."""
    whole: NDArray[np.int16] = np.clip(np.rint(samples * 32768.0), -32768, 32767).astype("<i2")
    return whole
