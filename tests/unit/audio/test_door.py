"""The file behind the decoder: what it raised is not lost, and a wait can be seen and ended."""

from __future__ import annotations

import io
import threading
from typing import Any

import av
import pytest

from kithara_file.audio.door import Door, QuietDoor, reason
from kithara_file.errors import StreamClosed, Woken
from tests.world.clock import FakeClock


class Broken(io.BytesIO):
    """Fails once it has been read past byte 4."""

    def read1(self, size: int | None = -1, /) -> bytes:
        if self.tell() >= 4:
            raise OSError(f"broke at {self.tell()}")
        return super().read1(4)


class Drop(io.RawIOBase):
    """Gives one byte at a time, and has no other way of reading than a raw file's."""

    def __init__(self) -> None:
        self.left = 3

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        self.left -= 1
        buffer[:1] = b"x"
        return 1 if self.left >= 0 else 0


class Blocking(io.BytesIO):
    """Blocks a read until it is closed."""

    def __init__(self) -> None:
        super().__init__(b"")
        self.entered, self.leave = threading.Event(), threading.Event()

    def read1(self, size: int | None = -1, /) -> bytes:
        self.entered.set()
        assert self.leave.wait(30)
        return b"late"

    def close(self) -> None:
        self.leave.set()


def test_what_the_file_raised_is_remembered_although_a_decoder_swallowed_it() -> None:
    door = Door(Broken(b"12345678"))
    assert door.read(100) == b"1234"
    with pytest.raises(OSError, match="broke at 4"):
        door.read(100)
    with pytest.raises(OSError, match="broke at 4"):
        door.raise_error()
    door.forget()
    door.raise_error()


def test_a_buffered_file_is_asked_for_what_it_has_and_a_raw_one_for_what_comes_first() -> None:
    buffered: io.BufferedReader = io.BufferedReader(Drop(), 64)
    assert Door(buffered).read(10) == b"x"
    assert Door(Drop()).read(10) == b"x"


def test_read_at_returns_all_bytes_though_they_come_one_by_one() -> None:
    assert Door(Broken(b"1234")).read_at(1, 3) == b"234"
    assert Door(io.BytesIO(b"123")).read_at(2, 10) == b"3"


def test_the_length_is_where_the_end_is() -> None:
    assert Door(io.BytesIO(b"12345")).length() == 5


def test_a_shut_door_lets_nothing_through() -> None:
    door = Door(io.BytesIO(b"123"))
    door.shut()
    for call in (lambda: door.read(1), lambda: door.seek(0), door.raise_error):
        with pytest.raises(StreamClosed):
            call()


def test_a_wait_can_be_seen_and_is_ended_by_closing_the_file() -> None:
    file = Blocking()
    door = Door(file)
    reader = threading.Thread(target=door.read, args=(1,))
    reader.start()
    assert file.entered.wait(30)
    assert door.busy
    assert "waiting" in repr(door)
    door.close_file(1.0)
    reader.join(30)
    assert not door.busy


class Woke(io.BytesIO):
    """Waits in each read until it is woken, and then gives nothing up but this read."""

    def __init__(self) -> None:
        super().__init__(b"1234")
        self.entered, self.woken = threading.Semaphore(0), threading.Semaphore(0)

    def read1(self, size: int | None = -1, /) -> bytes:
        self.entered.release()
        assert self.woken.acquire(timeout=60)
        raise Woken

    def wake(self) -> None:
        self.woken.release()


def test_a_read_under_way_gives_way_to_a_seek() -> None:
    file = Woke()
    door = Door(file)
    failed: list[BaseException] = []

    def read() -> None:
        try:
            door.read(1)
        except Woken as error:
            failed.append(error)

    reader = threading.Thread(target=read)
    reader.start()
    assert file.entered.acquire(timeout=60)
    file.wake()  # for a seek that was obeyed already: it reads on
    assert file.entered.acquire(timeout=60)
    door.wake(1)
    reader.join(30)
    assert len(failed) == 1


def test_a_file_that_cannot_be_woken_is_read_on() -> None:
    door = Door(io.BytesIO(b"1234"))
    door.wake(1)
    assert door.read(1) == b"1"


def test_a_read_that_had_to_wait_is_told_afterwards() -> None:
    clock, told = FakeClock(), []

    class Slow(io.BytesIO):
        seconds = 0.0

        def read1(self, size: int | None = -1, /) -> bytes:
            clock.advance(self.seconds)
            return super().read1(size)

    file = Slow(bytes(100))
    door = Door(file, clock)
    door.on_wait = lambda: told.append(file.tell())
    door.read(10)
    file.seconds = 1.0
    door.read(10)
    file.seconds = 0.0
    door.read(10)
    assert told == [20]


def test_ffmpeg_sees_the_end_where_the_file_fails_and_the_door_remembers_why() -> None:
    class Interrupted(io.BytesIO):
        def read1(self, size: int | None = -1, /) -> bytes:
            raise KeyboardInterrupt

        def seek(self, offset: int, whence: int = 0, /) -> int:
            raise KeyboardInterrupt

    door = Door(Interrupted(b"123"))
    quiet = QuietDoor(door)
    assert (quiet.read(10), quiet.seek(0), quiet.tell()) == (b"", -1, 0)
    with pytest.raises(KeyboardInterrupt):
        door.raise_error()


@pytest.mark.parametrize(
    "error, words",
    [
        (av.InvalidDataError(1094995529, "Invalid data found", "<none>"), "Invalid data found"),
        (OSError(5, "Input/output error"), "Input/output error"),
        (ValueError("no such stream"), "no such stream"),
        (OSError("it broke"), "it broke"),
    ],
)
def test_what_went_wrong_is_said_in_words_alone(error: Exception, words: str) -> None:
    assert reason(error) == words
