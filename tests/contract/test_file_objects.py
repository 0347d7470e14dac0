"""One set of promises for every file object, whatever brings its bytes, for threads and for tasks."""

from __future__ import annotations

import array
import errno
import io
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import ExitStack
from pathlib import Path
from random import Random

import pytest

from kithara_file import NotFound, StreamClosed
from tests.contract.files import BODY, FAR, HELD, PLACES, SOON, WILD, FileLike, Place, Wild

SIZE = len(BODY)


@pytest.fixture(params=PLACES, ids=lambda each: each.__name__)
def file(request: pytest.FixtureRequest, stack: ExitStack, tmp_path: Path) -> FileLike:
    """Open a file whose bytes all come."""
    make: Callable[[ExitStack, Path], Place] = request.param
    return make(stack, tmp_path).file()


@pytest.fixture(params=WILD, ids=lambda each: each.__name__)
def wild(request: pytest.FixtureRequest, stack: ExitStack, tmp_path: Path) -> Wild:
    """Make a place whose files may starve and fail."""
    make: Callable[[ExitStack, Path], Wild] = request.param
    return make(stack, tmp_path)


def in_thread(work: Callable[[], bytes]) -> Future[bytes]:
    future: Future[bytes] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as error:  # noqa: BLE001 - the future carries every kind of failure
            future.set_exception(error)

    threading.Thread(target=run, name="reader", daemon=True).start()
    return future


def test_read_gives_exactly_as_many_bytes_as_asked(file: FileLike) -> None:
    for size in (0, 1, 10, 65_536, 300_000):
        start = file.tell()
        assert file.read(size) == BODY[start : start + size]
        assert file.tell() == start + size


def test_results_are_bytes_and_nothing_else(file: FileLike) -> None:
    for size in (0, 5, 100_000):
        assert type(file.read(size)) is bytes
    assert type(file.read()) is bytes
    assert type(file.read()) is bytes


def test_read_without_a_size_gives_the_rest(file: FileLike) -> None:
    file.seek(1000)
    assert file.read() == BODY[1000:]
    assert file.read() == b""
    assert file.tell() == SIZE


def test_a_read_over_the_end_is_short_and_the_next_one_empty(file: FileLike) -> None:
    file.seek(SIZE - 10)
    assert file.read(100) == BODY[-10:]
    assert file.read(100) == b""
    assert file.read(0) == b""


def test_readinto_gives_at_least_a_byte_and_zero_only_at_the_end(file: FileLike) -> None:
    got, buffer = bytearray(), bytearray(100_003)
    while count := file.readinto(buffer):
        got += buffer[:count]
    assert got == BODY
    assert file.readinto(buffer) == 0
    assert file.readinto(bytearray()) == 0


def test_readinto_writes_no_further_than_it_says(file: FileLike) -> None:
    file.seek(SIZE - 3)
    buffer = bytearray(b"." * 10)
    assert file.readinto(buffer) == 3
    assert buffer == BODY[-3:] + b"." * 7


def test_readinto_takes_any_writable_buffer(file: FileLike) -> None:
    buffer = array.array("I", [0] * 64)
    got = file.readinto(buffer)  # type: ignore[arg-type]
    assert got > 0
    assert buffer.tobytes()[:got] == BODY[:got]


@pytest.mark.parametrize(
    "offset, whence, found",
    [(0, 0, 0), (5, 0, 5), (SIZE, 0, SIZE), (0, 1, 100), (-100, 1, 0), (7, 1, 107), (0, 2, SIZE), (-1, 2, SIZE - 1)],
)
def test_seek_goes_where_it_is_told(file: FileLike, offset: int, whence: int, found: int) -> None:
    file.seek(100)
    assert file.seek(offset, whence) == found
    assert file.tell() == found
    assert file.read(10) == BODY[found : found + 10]


@pytest.mark.parametrize("offset, whence", [(SIZE + 1, 0), (1 << 40, 0), (1, 2), (2 * SIZE, 1)])
def test_beyond_the_end_there_is_nothing(file: FileLike, offset: int, whence: int) -> None:
    position = file.seek(offset, whence)
    assert position > SIZE
    assert file.read(10) == b""
    assert file.read() == b""
    assert file.readinto(bytearray(10)) == 0
    assert file.tell() == position
    file.seek(0)
    assert file.read(4) == BODY[:4]


@pytest.mark.parametrize("offset, whence", [(-1, 0), (-101, 1), (-SIZE - 1, 2)])
def test_before_the_beginning_is_an_error_that_moves_nothing(file: FileLike, offset: int, whence: int) -> None:
    file.seek(100)
    with pytest.raises(OSError) as error:  # noqa: PT011 - its errno is what is promised
        file.seek(offset, whence)
    assert error.value.errno == errno.EINVAL
    assert file.tell() == 100
    assert file.read(5) == BODY[100:105]


@pytest.mark.parametrize("whence", [-1, 99])
def test_another_whence_is_refused(file: FileLike, whence: int) -> None:
    with pytest.raises(ValueError, match="whence"):
        file.seek(0, whence)
    assert file.tell() == 0


@pytest.mark.parametrize("offset", [1.5, "1", None])
def test_an_offset_is_an_integer(file: FileLike, offset: object) -> None:
    with pytest.raises(TypeError):
        file.seek(offset)  # type: ignore[arg-type]
    assert file.tell() == 0


def test_facts(file: FileLike) -> None:
    assert file.readable() is True
    assert file.seekable() is True
    assert file.closed is False
    assert file.length == SIZE
    assert file.error is None
    assert isinstance(file.name, str)
    assert file.name in repr(file)


def test_random_reads_are_right(file: FileLike) -> None:
    random = Random(72)
    for _ in range(60):
        start, size = random.randrange(SIZE + 100), random.choice((1, 100, 5000, 70_000))
        file.seek(start)
        assert file.read(size) == BODY[start : start + size]


def test_after_close_everything_is_a_value_error(file: FileLike) -> None:
    file.close()
    file.close()
    assert file.closed is True
    uses: list[Callable[[], object]] = [
        lambda: file.read(1),
        file.read,
        lambda: file.read(0),
        lambda: file.readinto(bytearray(1)),
        lambda: file.seek(0),
        file.tell,
        file.readable,
        file.seekable,
    ]
    for use in uses:
        with pytest.raises(ValueError, match="closed"):
            use()
    for use in uses[:6]:
        with pytest.raises(StreamClosed):
            use()
    assert "closed" in repr(file)


# -- files that starve ------------------------------------------------------------------------------------------------


def test_what_is_there_is_read_though_the_rest_never_comes(wild: Wild) -> None:
    file = wild.starving()
    assert file.read(HELD) == BODY[:HELD]
    file.seek(0)
    buffer, got = bytearray(2 * HELD), 0
    while got < HELD:
        got += file.readinto(buffer)
        file.seek(got)
    assert got == HELD


def test_a_blocked_read_gets_its_bytes_when_they_come(wild: Wild) -> None:
    file = wild.starving()
    file.seek(FAR)
    reading = in_thread(lambda: file.read(500))
    wild.wait_blocked()
    assert not reading.done()
    wild.feed()
    assert reading.result(SOON) == BODY[FAR : FAR + 500]


@pytest.mark.parametrize("read", [lambda file: file.read(500), lambda file: file.readinto(bytearray(500))])
def test_a_seek_beside_a_blocked_read_is_where_the_next_one_begins(
    wild: Wild, read: Callable[[FileLike], bytes]
) -> None:
    file = wild.starving()
    file.seek(FAR)
    reading = in_thread(lambda: read(file))
    wild.wait_blocked()
    file.seek(7)
    wild.feed()
    assert reading.result(SOON)
    assert file.tell() == 7
    assert file.read(10) == BODY[7:17]


def test_close_wakes_a_blocked_read(wild: Wild) -> None:
    file = wild.starving()
    file.seek(FAR)
    reading = in_thread(lambda: file.read(500))
    wild.wait_blocked()
    file.close()
    assert isinstance(reading.exception(SOON), StreamClosed)
    assert file.closed


def test_an_error_is_raised_by_every_read_until_a_seek(wild: Wild) -> None:
    file = wild.starving()
    wild.refuse()
    file.seek(FAR)
    for _ in range(3):
        with pytest.raises(NotFound):
            file.read(10)
        with pytest.raises(OSError, match="404"):
            file.readinto(bytearray(10))
    assert str(file.error).endswith("404 (not found)")
    assert file.tell() == FAR
    file.seek(0)
    assert file.error is None
    assert file.read(100) == BODY[:100]


def test_an_error_is_forgotten_by_retry(wild: Wild) -> None:
    file = wild.starving()
    wild.refuse()
    file.seek(FAR)
    with pytest.raises(NotFound):
        file.read(10)
    wild.feed()
    with pytest.raises(NotFound):
        file.read(10)
    file.retry()
    assert file.error is None
    assert file.read(10) == BODY[FAR : FAR + 10]


def test_a_read_that_fails_half_way_moves_nothing(wild: Wild) -> None:
    file = wild.starving()
    wild.refuse()
    file.seek(FAR)
    with pytest.raises(NotFound):
        file.read(10)
    file.seek(HELD - 100)
    wild.feed()
    assert file.read(200) == BODY[HELD - 100 : HELD + 100]


def test_errors_are_copies_that_do_not_share_a_traceback(wild: Wild) -> None:
    file = wild.starving()
    wild.refuse()
    file.seek(FAR)
    errors: list[BaseException] = []
    for _ in range(2):
        with pytest.raises(NotFound) as error:
            file.read(1)
        errors.append(error.value)
    assert errors[0] is not errors[1]
    assert str(errors[0]) == str(errors[1])


def test_a_stream_is_an_iobase_of_the_reading_kind(stack: ExitStack, tmp_path: Path) -> None:
    file = PLACES[2](stack, tmp_path).file()
    assert isinstance(file, io.RawIOBase)
    assert not file.writable()
    assert not file.isatty()
    for refused in (file.fileno, file.truncate):
        with pytest.raises(OSError):  # noqa: PT011 - io.UnsupportedOperation, whatever it says
            refused()
