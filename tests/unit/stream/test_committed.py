"""A complete file is read straight from the disk, and still never ends before its time."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from kithara_file.clock import CancelToken
from kithara_file.errors import NotFound
from kithara_file.storage import MemoryResource
from kithara_file.stream.committed import CommittedStream, stream_of
from kithara_file.stream.stream import Stream
from tests.contract.files import MemorySource
from tests.unit.stream.on_disk import DATA, OnDisk
from tests.world.crash import fork_while_held


@pytest.fixture
def source(tmp_path: Path) -> OnDisk:
    """Make a source over a file."""
    return OnDisk(tmp_path / "data")


def test_what_is_complete_has_a_descriptor(source: OnDisk) -> None:
    with stream_of(source, CancelToken()) as stream:
        assert isinstance(stream, CommittedStream)
        assert os.fstat(stream.fileno()).st_size == len(DATA)


def test_what_is_not_complete_has_none() -> None:
    with stream_of(MemorySource(MemoryResource(5)), CancelToken()) as stream:
        assert type(stream) is Stream


@pytest.mark.parametrize("size", [10, -1, len(DATA)])
def test_a_file_that_was_cut_is_read_the_slow_way(source: OnDisk, tmp_path: Path, size: int) -> None:
    with stream_of(source, CancelToken()) as stream:
        os.truncate(tmp_path / "data", 1000)
        stream.seek(995)
        assert stream.read(size) == (DATA[995:1005] if size == 10 else DATA[995:])
        stream.seek(2000)
        buffer = bytearray(100)
        assert stream.readinto(buffer) == 100
        assert buffer == DATA[2000:2100]


def test_what_is_known_to_be_damaged_is_read_the_slow_way(source: OnDisk, tmp_path: Path) -> None:
    with stream_of(source, CancelToken()) as stream:
        (tmp_path / "data").write_bytes(b"x" * len(DATA))
        source.file.intact = False
        assert stream.read(100) == DATA[:100]
        assert stream.tell() == 100
        assert stream.read() == DATA[100:]


def test_beyond_the_end_there_is_nothing(source: OnDisk) -> None:
    with stream_of(source, CancelToken()) as stream:
        stream.seek(len(DATA) + 10)
        assert stream.read() == b""
        assert stream.read(5) == b""
        assert stream.readall() == b""


def test_all_is_of_one_place_though_a_seek_comes_in_the_midst(source: OnDisk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kithara_file.stream.handle.LARGEST_STEP", 100_000)
    with stream_of(source, CancelToken()) as stream:
        source.consumed = lambda *_: stream.seek(7)  # type: ignore[method-assign, assignment]
        assert stream.readall() == DATA
        assert stream.tell() == 7


def test_the_source_hears_now_and_then_what_was_read(source: OnDisk) -> None:
    with stream_of(source, CancelToken()) as stream:
        buffer = bytearray(1 << 16)
        while stream.readinto(buffer):
            pass
    assert sum(count for _, count in source.reads) >= 1 << 20
    assert len(source.reads) <= 4
    assert source.reads[-1] == (len(DATA), 0)


def test_a_sticky_error_holds_here_too(source: OnDisk) -> None:
    with stream_of(source, CancelToken()) as stream:
        stream.error = NotFound(404, url="http://host/")
        for read in (lambda: stream.read(1), lambda: stream.readinto(bytearray(1))):
            with pytest.raises(NotFound):
                read()
        stream.seek(0)
        assert stream.read(3) == DATA[:3]


def test_a_read_never_gets_bytes_of_another_file_though_its_own_is_closed(source: OnDisk, tmp_path: Path) -> None:
    """The number of a closed descriptor is given to the next file that is opened."""
    (tmp_path / "other").write_bytes(b"\xff" * len(DATA))
    wrong: list[bytes] = []

    def read(stream: Stream) -> None:
        try:
            while True:
                stream.seek(0)
                if (data := stream.read(50)) != DATA[:50]:
                    wrong.append(data)
        except ValueError:
            return

    for _ in range(50):
        stream = stream_of(source, CancelToken())
        reader = threading.Thread(target=read, args=(stream,))
        reader.start()
        stream.close()
        with (tmp_path / "other").open("rb"):
            reader.join(30)
        assert not reader.is_alive()
    assert wrong == []


def test_it_is_closed_once_and_says_so(source: OnDisk) -> None:
    stream = stream_of(source, CancelToken())
    assert "at 0 of" in repr(stream)
    stream.close()
    stream.close()
    assert source.closed == [True]
    assert repr(stream) == "<CommittedStream memory closed>"


def test_a_child_of_a_fork_reads_and_closes_while_another_thread_read(source: OnDisk) -> None:
    with stream_of(source, CancelToken()) as stream:
        assert isinstance(stream, CommittedStream)

        def read_and_close() -> None:
            stream.seek(0)
            assert stream.read(10) == DATA[:10]
            stream.close()

        assert fork_while_held(stream.reading, read_and_close) == 0
