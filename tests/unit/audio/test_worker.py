"""The thread that keeps the ring full."""

from __future__ import annotations

import io

import numpy as np
import pytest

from kithara_file.audio.converter import Converter
from kithara_file.audio.decoder import Decoder
from kithara_file.audio.door import Door
from kithara_file.audio.events import SeekComplete
from kithara_file.audio.opening import open_media
from kithara_file.audio.ring import Ring
from kithara_file.audio.worker import Worker
from kithara_file.clock import Deadline
from kithara_file.errors import DecodeFailed
from kithara_file.events import EventBus
from tests.world.music import song

SOON = 30.0


class Bench:
    """A worker and what it works with."""

    def __init__(self, file: io.BytesIO) -> None:
        self.door = Door(file)
        opened = open_media(self.door)
        self.ring = Ring(opened.info.spec, 4096)
        self.events = EventBus()
        self.decoder = Decoder(opened.source, opened.info.spec)
        converter = Converter(opened.info.spec, opened.info.spec)
        self.worker = Worker(self.ring, self.decoder, converter, self.door, self.events)

    def close(self) -> None:
        self.ring.close()
        self.worker.thread.join(SOON)


def test_it_fills_the_ring_and_rests() -> None:
    one = song("wav")
    bench = Bench(io.BytesIO(one.data))
    bench.worker.start()
    assert bench.ring.await_frames(4096, Deadline.after(SOON))
    assert 4096 <= bench.ring.frames <= 4096 + 8192
    assert np.abs(bench.ring.take(100) - one.sound[:100]).max() < 1e-4
    bench.close()
    assert not bench.worker.thread.is_alive()


def test_only_the_last_of_several_seeks_is_told() -> None:
    one = song("wav")
    bench = Bench(io.BytesIO(one.data))
    heard = bench.events.subscribe()
    for frame in (10, 20, 30_000):
        bench.ring.seek(frame)
    bench.worker.start()
    assert bench.ring.await_frames(100, Deadline.after(SOON))
    assert np.abs(bench.ring.take(100) - one.sound[30_000:30_100]).max() < 1e-4
    bench.close()
    bench.events.close()
    assert list(heard) == [SeekComplete(3, 30_000 / 44_100, exact=True)]


def test_a_decoder_that_breaks_in_an_unforeseen_way_is_told_to_who_waits(caplog: pytest.LogCaptureFixture) -> None:
    class Surprise(io.BytesIO):
        surprised = False

        def read1(self, size: int | None = -1, /) -> bytes:
            if self.surprised:
                raise ZeroDivisionError("a bug of the file")
            return super().read1(size)

    file = Surprise(song("flac").data)
    bench = Bench(file)
    file.surprised = True
    bench.ring.seek(100_000)
    bench.worker.start()
    assert bench.ring.await_frames(1, Deadline.after(SOON))
    with pytest.raises(DecodeFailed, match="a bug of the file"):
        bench.ring.raise_error()
    bench.close()
    assert "the decoder broke" in caplog.text
