"""The buffer over a complete file is Python's own, and still never ends before its time."""

from __future__ import annotations

import gc
import io
import os
import random
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from kithara_file.clock import CancelToken
from kithara_file.errors import NotFound
from kithara_file.storage import MemoryResource
from kithara_file.stream.committed import CommittedStream, stream_of
from kithara_file.stream.quick import buffer_of
from kithara_file.stream.stream import BufferedStream, Stream
from tests.contract.files import MemorySource
from tests.leaks import open_files
from tests.unit.stream.on_disk import DATA, OnDisk

SIZE = 4096


@pytest.fixture
def source(tmp_path: Path) -> OnDisk:
    """Make a source over a file."""
    return OnDisk(tmp_path / "data")


@pytest.fixture
def file(source: OnDisk) -> Iterator[io.BufferedReader]:
    """Open it."""
    with buffer_of(stream_of(source, CancelToken()), SIZE) as file:
        yield file


def test_what_is_complete_is_read_by_types_that_python_is_fast_with(source: OnDisk, file: io.BufferedReader) -> None:
    assert type(file) is io.BufferedReader
    assert type(file.raw) is io.FileIO
    assert (file.name, file.mode) == ("memory", "rb")
    assert os.fstat(file.fileno()).st_size == len(DATA)


def test_what_is_not_complete_is_read_with_care() -> None:
    with buffer_of(stream_of(MemorySource(MemoryResource(5)), CancelToken()), SIZE) as buffer:
        assert type(buffer) is BufferedStream


@pytest.mark.parametrize("size", [1, 100, SIZE, 3 * SIZE + 1, -1])
@pytest.mark.parametrize("cut", [0, 1000, 2 * SIZE])
def test_a_file_that_was_cut_is_no_end(source: OnDisk, file: io.BufferedReader, cut: int, size: int) -> None:
    os.truncate(source.path, cut)
    parts = list(iter(lambda: file.read(size), b""))
    assert b"".join(parts) == DATA
    file.seek(-10, os.SEEK_END)
    assert file.read() == DATA[-10:]


@pytest.mark.parametrize("make", [buffer_of, io.BufferedReader])
@pytest.mark.parametrize("size", [1, 100, SIZE, 3 * SIZE + 1, len(DATA) + 5, -1])
def test_what_a_file_has_grown_by_is_not_read(
    source: OnDisk, size: int, make: Callable[[Stream, int], io.BufferedReader]
) -> None:
    with make(stream_of(source, CancelToken()), SIZE) as file:
        with source.path.open("ab") as more:
            more.write(b"\xff" * 3 * SIZE)
        assert b"".join(iter(lambda: file.read(size), b"")) == DATA
        file.seek(len(DATA) + 10)
        assert file.read(10) == b""
        file.seek(-10, os.SEEK_END)
        assert file.read(size)[:10] == DATA[-10:][: size if size > 0 else None]


def test_a_read_that_was_overtaken_by_damage_is_done_again(source: OnDisk, file: io.BufferedReader) -> None:
    source.path.write_bytes(b"\0" * len(DATA))  # a hole between what was lost and what has come again already
    source.file.intact = False
    assert file.read(3 * SIZE) == DATA[: 3 * SIZE]
    assert file.tell() == 3 * SIZE
    assert file.read() == DATA[3 * SIZE :]


def test_after_the_end_it_reads_on_as_fast(source: OnDisk, file: io.BufferedReader) -> None:
    for _ in range(3):
        quick = file.raw.readinto
        assert file.read() == DATA
        assert file.read(1) == b""
        assert file.raw.readinto == quick
        file.seek(0)


def test_an_error_sticks_until_a_seek(source: OnDisk, file: io.BufferedReader) -> None:
    source.read_at = lambda *_: (_ for _ in ()).throw(NotFound(404, url="http://host/"))  # type: ignore[method-assign]
    os.truncate(source.path, 0)
    for _ in range(2):
        with pytest.raises(NotFound):
            file.read(10)
        assert isinstance(vars(file.raw)["error"], NotFound)
    del source.read_at
    file.seek(0)
    assert vars(file.raw)["error"] is None
    assert file.read(10) == DATA[:10]


@pytest.mark.parametrize(
    "read",
    [
        lambda file: file.read(20_000),
        lambda file: file.read(),
        lambda file: file.readinto(bytearray(20_000)),
        lambda file: file.readlines(),
    ],
)
def test_where_bytes_were_lost_a_read_that_fails_leaves_the_position(
    source: OnDisk, file: io.BufferedReader, read: Callable[[io.BufferedReader], object]
) -> None:
    resource = source._resource = MemoryResource(len(DATA))
    resource.write_at(0, DATA[:10_000])
    resource.on_demand = lambda: resource.refuse(NotFound(404, url="http://host/"), *resource.demands())
    source.file.intact = False
    assert file.read(100) == DATA[:100]
    for _ in range(2):
        with pytest.raises(NotFound):
            read(file)
        assert file.tell() == 100
    assert isinstance(vars(file.raw)["error"], NotFound)
    vars(file.raw)["retry"]()
    resource.write_at(10_000, DATA[10_000:])
    assert file.read(20_000) == DATA[100:20_100]


def test_the_source_hears_now_and_then_what_was_read_and_the_end(source: OnDisk, file: io.BufferedReader) -> None:
    while file.read(1 << 16):
        pass
    assert sum(count for _, count in source.reads) >= 1 << 20
    assert len(source.reads) <= 5
    assert source.reads[-1] == (len(DATA), 0)


def test_it_is_closed_once_and_for_all(source: OnDisk) -> None:
    before = open_files()
    file = buffer_of(stream_of(source, CancelToken()), SIZE)
    assert file.read(1) == DATA[:1]
    file.close()
    file.close()
    assert source.closed == [True]
    assert open_files() == before
    for use in (lambda: file.read(1), lambda: file.raw.read(1), lambda: file.raw.readinto(memoryview(bytearray(1)))):
        with pytest.raises(ValueError, match="closed"):
            use()


def test_dropped_it_lets_its_source_go_without_waiting_for_anything(source: OnDisk) -> None:
    before = open_files()
    gc.disable()
    try:
        file = buffer_of(stream_of(source, CancelToken()), SIZE)
        assert file.read(1) == DATA[:1]
        del file
        assert source.closed == [False]
        assert open_files() == before
    finally:
        gc.enable()


def test_it_can_be_closed_while_a_read_waits_for_bytes_that_were_lost(source: OnDisk) -> None:
    waits = threading.Event()
    source._resource = MemoryResource(len(DATA))
    source._resource.on_demand = waits.set
    file = buffer_of(stream_of(source, CancelToken()), SIZE)
    os.truncate(source.path, 0)
    found: list[BaseException] = []

    def read() -> None:
        try:
            file.read(1)
        except ValueError as error:
            found.append(error)

    reader = threading.Thread(target=read)
    reader.start()
    assert waits.wait(30)
    file.close()
    reader.join(30)
    assert [type(each).__name__ for each in found] == ["StreamClosed"]


def test_a_read_never_gets_bytes_of_another_file_though_its_own_is_closed_below_the_buffer(
    source: OnDisk, tmp_path: Path
) -> None:
    """The number of a closed descriptor is given to the next file that is opened."""
    (tmp_path / "other").write_bytes(b"\xff" * len(DATA))
    wrong: list[bytes] = []

    def read(file: io.BufferedReader) -> None:
        try:
            while True:
                file.seek(0)
                if (data := file.read(SIZE)) != DATA[:SIZE]:
                    wrong.append(data)
        except ValueError:
            return

    for _ in range(50):
        file = buffer_of(stream_of(source, CancelToken()), SIZE)
        reader = threading.Thread(target=read, args=(file,))
        reader.start()
        file.raw.close()
        with (tmp_path / "other").open("rb"):
            reader.join(30)
        assert not reader.is_alive()
    assert wrong == []


@pytest.mark.parametrize("ask", ["note", "position"])
def test_nobody_asks_a_descriptor_for_its_place_while_another_thread_closes_it(source: OnDisk, ask: str) -> None:
    """Between the two the system says that there is no such descriptor, to whom a closed file should be told."""
    stream = stream_of(source, CancelToken())
    assert isinstance(stream, CommittedStream)
    file = buffer_of(stream, SIZE)
    hooks = vars(file)["close"].__self__
    work = {"note": hooks._note, "position": lambda: stream._position}[ask]
    asking = threading.Thread(target=work)
    with stream.reading:  # as a thread has it that closes
        asking.start()
        asking.join(0.05)
        assert asking.is_alive()
    asking.join(30)
    assert not asking.is_alive()
    file.close()


@pytest.mark.parametrize("buffered", [False, True])
def test_where_a_file_stands_that_another_thread_closes_is_told_or_that_it_is_closed(
    source: OnDisk, buffered: bool
) -> None:
    ends: list[BaseException] = []

    def ask(file: io.IOBase, asked: threading.Event) -> None:
        try:
            while True:
                assert file.tell() == 5
                asked.set()
        except BaseException as error:  # noqa: BLE001 - whatever it is, it is looked at below
            ends.append(error)

    for _ in range(100):
        stream, asked = stream_of(source, CancelToken()), threading.Event()
        file = buffer_of(stream, SIZE) if buffered else stream
        file.seek(5)
        asking = threading.Thread(target=ask, args=(file, asked))
        asking.start()
        asked.wait(30)
        file.close()
        asking.join(30)
    assert [each for each in ends if not isinstance(each, ValueError)] == []
    assert len(ends) == 100


def test_a_descriptor_that_was_closed_behind_the_back_of_its_file_is_an_error_of_the_system(source: OnDisk) -> None:
    with stream_of(source, CancelToken()) as stream:
        spare = os.dup(stream.fileno())
        os.close(stream.fileno())
        with pytest.raises(OSError, match="Bad file descriptor"):
            stream.tell()
        os.dup2(spare, stream.fileno())
        os.close(spare)


class Alarm(Exception):
    """What a signal handler raises."""


class Alarms:
    """Raises `Alarm` from a signal handler, once each time it is set."""

    def __init__(self) -> None:
        self._set = False

    def ring(self, *_: object) -> None:
        if self._set:
            self._set = False
            raise Alarm

    def interrupt(self, work: Callable[[], object], seconds: float) -> None:
        """Do `work` until the alarm rings in the midst of it, or beside it."""
        with suppress(Alarm):
            try:
                self._set = True
                signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
                for _ in range(1000):
                    work()
            finally:
                self._set = False
                signal.setitimer(signal.ITIMER_VIRTUAL, 0)


@pytest.fixture
def alarms() -> Iterator[Alarms]:
    """Make some."""
    alarms = Alarms()
    before = signal.signal(signal.SIGVTALRM, alarms.ring)
    gc.disable()  # others have callbacks there, in which an alarm would be lost
    yield alarms
    gc.enable()
    signal.signal(signal.SIGVTALRM, before)


@pytest.mark.stress  # where the alarm rings is chance
@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no timers here")
@pytest.mark.parametrize("make", [buffer_of, io.BufferedReader])
def test_a_signal_handler_that_raises_anywhere_puts_no_byte_in_another_ones_place(
    source: OnDisk, alarms: Alarms, make: Callable[[Stream, int], io.BufferedReader]
) -> None:
    wild = random.Random(7)
    with make(stream_of(source, CancelToken()), SIZE) as file:

        def anywhere() -> None:
            file.seek(wild.randrange(len(DATA)), wild.choice([os.SEEK_SET, os.SEEK_SET, os.SEEK_END]))
            file.read(wild.choice([1, 100, 3 * SIZE]))

        for _ in range(100):
            alarms.interrupt(anywhere, wild.uniform(1e-5, 1e-4))
            file.read(10)  # the buffer is filled from where it believes the file to be
            at = wild.randrange(len(DATA) - 100)
            file.seek(at)
            assert file.read(100) == DATA[at : at + 100]
