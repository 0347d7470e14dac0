"""Sinks that need no device: into nothing, into a WAV file, as raw PCM; and one that plays faster into another.

Must not know: tracks, decoders.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, closing, nullcontext
from math import inf
from pathlib import Path
from typing import BinaryIO, TypeAlias

from kithara_file.audio.media import Spec
from kithara_file.audio.sink import Feed, Sink
from kithara_file.audio.writers import RawWriter, WavWriter, Writer
from kithara_file.clock import Clock, Deadline, SystemClock
from kithara_file.errors import ConfigError

BLOCK = 1024
JOIN_SECONDS = 1.0

OpenFile: TypeAlias = Callable[[], AbstractContextManager[BinaryIO]]


class NullSink:
    """Hears everything at the speed of a device, or `speed` times as fast, and keeps nothing."""

    def __init__(self, speed: float = 1.0, clock: Clock | None = None) -> None:
        check_rate(speed)
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


class _FileSink:
    """Writes everything as fast as it comes, without silence for what is late."""

    def __init__(self, open_file: OpenFile, open_writer: Callable[[BinaryIO, Spec], Writer]) -> None:
        self._open_file = open_file
        self._open_writer = open_writer
        self._stopped = False
        self._thread: threading.Thread | None = None

    def start(self, spec: Spec, feed: Feed) -> None:
        """Begin to write. Raises `OSError` when the file cannot be opened."""
        work = (self._open_file(), spec, feed)
        self._thread = threading.Thread(target=self._run, args=work, name="kithara-sink", daemon=True)
        self._thread.start()

    def _run(self, opened: AbstractContextManager[BinaryIO], spec: Spec, feed: Feed) -> None:
        try:
            with opened as file, closing(self._open_writer(file, spec)) as writer:
                while not self._stopped and len(samples := feed.read(BLOCK)):
                    writer.write(samples)
        except Exception as error:  # noqa: BLE001 - the file is a user's, and who waits must be told
            feed.broke(error)

    def stop(self) -> None:
        """Complete the file with what came so far. The player has closed its tracks, so that no read waits."""
        self._stopped = True
        if self._thread is not None:
            self._thread.join(JOIN_SECONDS)


class WavSink(_FileSink):
    """Writes a WAV file of 16 bits."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        super().__init__(lambda: Path(path).open("wb"), WavWriter)  # noqa: SIM115 - the thread's `with` closes it
        self._path = path

    def __repr__(self) -> str:
        return f"<WavSink {os.fspath(self._path)}>"


class RawSink(_FileSink):
    """Writes float32 PCM, little endian and interleaved, into an open binary file such as a pipe; leaves it open."""

    def __init__(self, file: BinaryIO) -> None:
        super().__init__(lambda: nullcontext(file), lambda file, _spec: RawWriter(file))
        self._file = file

    def __repr__(self) -> str:
        return f"<RawSink {self._file!r}>"


class TapeSink:
    """Plays `rate` times as fast into another sink; as on a tape, the pitch goes with it."""

    def __init__(self, sink: Sink, rate: float) -> None:
        check_rate(rate)
        self._sink = sink
        self._rate = rate

    def start(self, spec: Spec, feed: Feed) -> None:
        """Begin, by letting the other sink take the sound for one of a higher or lower sample rate."""
        self._sink.start(Spec(max(1, round(spec.sample_rate * self._rate)), spec.channels), feed)

    def stop(self) -> None:
        """End the other sink."""
        self._sink.stop()

    def __repr__(self) -> str:
        return f"<TapeSink × {self._rate:g} into {self._sink!r}>"


def check_rate(rate: float) -> None:
    """Raise `ConfigError` unless sound can be played at `rate` times its speed."""
    if not 0 < rate < inf:
        msg = f"Sound cannot be played at {rate:g} times its speed"
        raise ConfigError(msg)
