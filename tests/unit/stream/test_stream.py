"""What a `Stream` does with its source; what it promises its users is in the contract suite."""

from __future__ import annotations

import gc
import io
import threading
from collections.abc import Callable
from contextlib import suppress

import pytest

from kithara_file.clock import CancelToken
from kithara_file.errors import Cancelled, NetTimeout, NotFound, StreamClosed, Woken
from kithara_file.storage import MemoryResource
from kithara_file.stream.quick import buffer_of
from kithara_file.stream.stream import BufferedStream, Stream, whole
from tests.contract.files import MemorySource
from tests.unit.stream.trickle import Trickle

SOON = 30.0
DATA = bytes(range(256)) * 40


@pytest.fixture
def resource() -> MemoryResource:
    """Make a complete resource."""
    resource = MemoryResource(len(DATA))
    resource.write_at(0, DATA)
    return resource


@pytest.fixture
def source(resource: MemoryResource) -> MemorySource:
    """Make a source over it."""
    return MemorySource(resource)


def test_the_source_hears_what_was_read_and_the_end(source: MemorySource) -> None:
    with Stream(source) as stream:
        stream.read(100)
        stream.readinto(bytearray(50))
        stream.seek(len(DATA))
        stream.read(1)
    assert source.reads == [(0, 100), (100, 50), (len(DATA), 0)]
    assert source.moves == [len(DATA)]


def test_seeking_reads_nothing(source: MemorySource) -> None:
    with Stream(source) as stream:
        for position in (5, 0, len(DATA) * 2, 7):
            stream.seek(position)
            assert stream.tell() == position
    assert source.reads == []


def test_close_tells_the_source_once_and_waits(source: MemorySource) -> None:
    stream = Stream(source)
    stream.close()
    stream.close()
    assert source.closed == [True]


def test_a_dropped_stream_lets_its_source_go_without_waiting(source: MemorySource) -> None:
    stream = Stream(source)
    del stream
    gc.collect()
    assert source.closed == [False]


@pytest.mark.parametrize("late", [True, False])
@pytest.mark.parametrize("opened", [Stream, lambda source: buffer_of(Stream(source), 4096)])
def test_a_stream_dropped_after_an_error_lets_its_source_go_before_any_collection(
    late: bool, opened: Callable[[MemorySource], io.RawIOBase | io.BufferedReader]
) -> None:
    resource = MemoryResource(10)
    source = MemorySource(resource)
    if late:
        source.read_timeout = 0.01
    else:
        resource.fail(NotFound(404, url="http://host/"))
    gc.disable()
    try:
        stream = opened(source)
        with suppress(NotFound, NetTimeout):
            stream.read(1)
        del stream
        assert source.closed == [False]
    finally:
        gc.enable()


def test_a_stream_that_was_never_made_can_be_dropped() -> None:
    half = Stream.__new__(Stream)
    del half
    gc.collect()


def test_the_token_ends_a_wait_with_its_reason() -> None:
    token = CancelToken()
    resource = MemoryResource(10)
    resource.on_demand = lambda: token.cancel(Cancelled("enough"))
    with Stream(MemorySource(resource), token) as stream:
        with pytest.raises(Cancelled, match="enough"):
            stream.read(1)
        with pytest.raises(Cancelled, match="enough"):
            stream.read(1)


def test_a_token_that_closes_the_bytes_under_a_read_is_the_reason_told() -> None:
    token = CancelToken()
    resource = MemoryResource(10)

    def give_up() -> None:
        token.cancel(Cancelled("enough"))
        resource.close()  # as the last reader does on its way out, before the waiting thread has woken

    resource.on_demand = give_up
    with Stream(MemorySource(resource), token) as stream:
        for _ in range(2):
            with pytest.raises(Cancelled, match="enough"):
                stream.read(1)


def test_a_read_can_be_woken_for_another_one() -> None:
    resource = MemoryResource(10)
    with Stream(MemorySource(resource)) as stream:
        resource.on_demand = stream.wake
        for _ in range(2):
            with pytest.raises(Woken):
                stream.read(1)
        assert (stream.error, stream.tell()) == (None, 0)
        resource.on_demand = lambda: resource.write_at(0, b"0123456789")
        assert stream.read(2) == b"01"


def test_a_wake_that_meets_no_read_is_for_the_next_wait_unless_a_seek_comes_first() -> None:
    resource = MemoryResource(10)
    with Stream(MemorySource(resource)) as stream:
        resource.on_demand = lambda: resource.write_at(0, b"0123456789")
        stream.wake()
        with pytest.raises(Woken):
            stream.read(1)
        stream.wake()
        stream.seek(2)
        assert stream.read(2) == b"23"


def test_interrupted_it_ends_its_waits_and_still_has_to_be_closed(resource: MemoryResource) -> None:
    stream = Stream(MemorySource(MemoryResource(10)))
    stream.interrupt()
    with pytest.raises(StreamClosed):
        stream.read(1)
    assert not stream.closed
    stream.close()


@pytest.mark.parametrize("size", [1, -1])
def test_a_read_that_takes_too_long_is_a_timeout_with_its_seconds(size: int) -> None:
    source = MemorySource(MemoryResource(10))
    source.read_timeout = 0.01
    with Stream(source) as stream:
        with pytest.raises(NetTimeout, match=r"^Waited 0.01 s in vain for another byte from memory$"):
            stream.read(size)
        assert isinstance(stream.error, NetTimeout)


def test_the_deadline_holds_for_the_whole_read() -> None:
    """A drip that brings a byte now and then does not stretch it."""
    resource = MemoryResource(100)
    source = MemorySource(resource)
    source.read_timeout = 0.05
    landed = iter(range(100))

    def drip() -> None:
        threading.Timer(0.01, lambda: resource.write_at(next(landed), b"x")).start()

    resource.on_demand = drip
    with Stream(source) as stream, pytest.raises(NetTimeout):
        stream.read(100)
    for each in threading.enumerate():
        if isinstance(each, threading.Timer):
            each.join(SOON)


@pytest.mark.parametrize("told", [True, False])
@pytest.mark.parametrize("size", [len(DATA), -1])
@pytest.mark.parametrize("opened", [Stream, lambda source: buffer_of(Stream(source), 128)])
def test_all_waits_of_one_read_have_one_deadline(
    opened: Callable[[MemorySource], Stream | io.BufferedReader], size: int, told: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kithara_file.stream.handle.LARGEST_STEP", 100)
    source = Trickle(DATA, told=told)
    with opened(source) as file:
        assert file.read(size) == DATA
        assert len(source.deadlines) > 10
        assert len(set(source.deadlines)) == 1
        file.seek(len(DATA))
        file.read(1)
        assert len(set(source.deadlines)) == 2


def test_the_end_waits_for_the_length_and_its_timeout_is_typed() -> None:
    resource = MemoryResource()
    source = MemorySource(resource)
    source.read_timeout = 0.01
    with Stream(source) as stream:
        with pytest.raises(NetTimeout):
            stream.seek(0, 2)
        resource.on_demand = lambda: resource.announce(10)
        assert stream.seek(-3, 2) == 7


def test_the_end_of_a_file_that_cannot_be_had_raises_why() -> None:
    resource = MemoryResource()
    resource.fail(NotFound(404, url="http://host/"))
    with Stream(MemorySource(resource)) as stream, pytest.raises(NotFound):
        stream.seek(0, 2)


def test_everything_is_read_though_nobody_has_told_the_length() -> None:
    resource = MemoryResource()
    resource.write_at(0, DATA)
    resource.on_demand = lambda: resource.announce(len(DATA))
    with Stream(MemorySource(resource)) as stream:
        assert stream.length is None
        assert stream.read() == DATA


@pytest.mark.parametrize("size", [len(DATA), -1])
def test_a_read_is_of_one_place_though_a_seek_comes_in_its_midst(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kithara_file.stream.handle.LARGEST_STEP", 100)
    resource = MemoryResource(len(DATA))
    resource.write_at(0, DATA[:150])
    with Stream(MemorySource(resource)) as stream:

        def seek() -> None:
            stream.seek(7)
            resource.write_at(150, DATA[150:])

        resource.on_demand = seek
        assert stream.read(size) == DATA
        assert stream.tell() == 7


def test_a_read_of_everything_that_fails_moves_nothing() -> None:
    resource = MemoryResource()
    resource.write_at(0, DATA)
    resource.fail(NotFound(404, url="http://host/"))
    with Stream(MemorySource(resource)) as stream:
        stream.seek(5)
        with pytest.raises(NotFound):
            stream.read()
        assert stream.tell() == 5


@pytest.mark.parametrize("opened", [Stream, lambda source: buffer_of(Stream(source), 128)])
@pytest.mark.parametrize(
    "read, text",
    [
        (lambda file: file.readline(), b"x" * 9996),
        (lambda file: file.readlines(), b"two\n" + b"x" * 9992),
        (next, b"x" * 9996),
    ],
)
def test_lines_that_fail_half_way_move_nothing(
    opened: Callable[[MemorySource], Stream | io.BufferedReader], read: Callable[[io.IOBase], object], text: bytes
) -> None:
    resource = MemoryResource(20_000)
    resource.write_at(0, b"one\n" + text)
    resource.on_demand = lambda: resource.refuse(NotFound(404, url="http://host/"), *resource.demands())
    with opened(MemorySource(resource)) as file:
        assert file.readline() == b"one\n"
        with pytest.raises(NotFound):
            read(file)
        assert file.tell() == 4


def test_lines_are_those_of_any_file() -> None:
    text = b"one\n\n" + b"long" * 3000 + b"\nlast"
    resource = MemoryResource(len(text))
    resource.write_at(0, text)
    for size in (-1, None, 0, 1, 5000):
        stream, plain = Stream(MemorySource(resource)), io.BytesIO(text)
        for _ in range(8):
            assert stream.readline(size) == plain.readline(size)
            assert stream.tell() == plain.tell()
        stream.seek(0)
        assert stream.readlines() == text.splitlines(keepends=True)
        stream.close()


def test_an_interrupted_buffered_read_leaves_the_position(resource: MemoryResource) -> None:
    """Ctrl-C in the middle of a read must not make the next one go on behind what was gathered."""
    resource = MemoryResource(len(DATA))
    resource.write_at(0, DATA[:1000])

    def ctrl_c() -> None:
        raise KeyboardInterrupt

    resource.on_demand = ctrl_c
    with buffer_of(Stream(MemorySource(resource)), 128) as file:
        assert file.read(100) == DATA[:100]
        with pytest.raises(KeyboardInterrupt):
            file.read(5000)
        assert file.tell() == 100
        resource.on_demand = lambda: None
        resource.write_at(1000, DATA[1000:])
        assert file.read(5000) == DATA[100:5100]


def test_a_buffer_that_is_closed_in_the_midst_of_a_read_says_so(source: MemorySource) -> None:
    """`io.BufferedReader` may find its memory gone, and says `info->buf must not be NULL`."""
    stream = Stream(source)
    file = BufferedStream(stream)

    def stumble() -> bytes:
        file.close()
        msg = "info->buf must not be NULL"
        raise ValueError(msg)

    with pytest.raises(StreamClosed):
        whole(file, stream, stumble)


def test_it_says_where_it_is(source: MemorySource) -> None:
    stream = Stream(source)
    stream.read(10)
    assert repr(stream) == f"<Stream memory at 10 of {len(DATA)}>"
    stream.close()
    assert repr(stream) == "<Stream memory closed>"
