"""What can only be read onward, read anywhere."""

from __future__ import annotations

import io
import os
import threading
from typing import Any

import numpy as np
import pytest

from kithara_file.audio import Audio
from kithara_file.audio.onward import IN_MEMORY, Onward, seekable
from tests.world.music import song

SOON = 30.0


class Pipe(io.RawIOBase):
    """Gives up to a thousand bytes at a time, and cannot seek."""

    def __init__(self, data: bytes) -> None:
        self._left = io.BytesIO(data)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        return self._left.readinto(memoryview(buffer)[:1000])


def onward(data: bytes) -> Onward:
    return Onward(Pipe(data), Pipe(data).read)


def everything(file: Onward) -> bytes:
    return b"".join(iter(lambda: file.read(5000), b""))


def test_it_reads_on_back_and_ahead() -> None:
    data = np.random.default_rng(1).bytes(IN_MEMORY + 50_000)
    file = onward(data)
    for at in (0, 10, 5000, 3, IN_MEMORY + 10_000, 7, 2500):
        assert file.seek(at) == file.tell() == at
        part = file.read(700)
        assert part == data[at : at + len(part)]
        assert part
    file.seek(0)
    assert everything(file) == data
    assert file.ended
    assert file.seek(-10, os.SEEK_CUR) == len(data) - 10
    assert file.read(100) == data[-10:]
    file.seek(10**9)
    assert file.read(1) == b""
    assert "kept" in repr(file)


def test_nobody_knows_where_its_end_is() -> None:
    with pytest.raises(io.UnsupportedOperation):
        onward(b"x").seek(0, os.SEEK_END)


def test_who_can_seek_is_found_out() -> None:
    class Old:
        def seek(self, offset: int, /) -> int:
            return offset

    assert [seekable(file) for file in (io.BytesIO(), Old(), Pipe(b""), object())] == [True, True, False, False]


@pytest.mark.parametrize("name", ["mp3 vbr", "mp3 cbr", "flac", "wav", "ogg opus", "m4a moov last", "m4a moov first"])
def test_sound_from_a_pipe_is_that_of_the_file_also_after_a_seek(name: str) -> None:
    one = song(name, 1.5)
    with Audio(io.BytesIO(one.data)) as audio:
        expected = audio.read(10**9)
    with Audio(Pipe(one.data)) as audio:
        assert np.array_equal(audio.read(10**9), expected)
        for place in (40_000, 100):
            audio.seek(place / audio.spec.sample_rate)
            assert np.abs(audio.read(500) - expected[place : place + 500]).max() < 1e-4


def test_a_real_pipe_plays_while_it_is_written() -> None:
    one = song("wav", 1.5)
    reading, writing = os.pipe()
    with open(writing, "wb") as into, open(reading, "rb") as out:
        into.write(one.data[:4096])
        into.flush()

        def write() -> None:
            into.write(one.data[4096:])
            into.close()

        writer = threading.Thread(target=write)
        writer.start()
        with Audio(out) as audio:
            assert np.abs(audio.read(10**9, timeout=SOON) - one.sound).max() < 1e-4
        writer.join(SOON)
