"""The buffer of `open_file`: a `BufferedReader` that can be closed while it waits, and that loses no byte."""

from __future__ import annotations

import asyncio
import io
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import ExitStack
from pathlib import Path

import pytest

from kithara_file import NetError, NotFound, Retry, StreamClosed, open_file
from kithara_file.api import aopen_file
from tests.contract.files import BODY, FAR, HELD, SOON, Opening
from tests.world import NeverAnswer, Origin, StallAt, Status, plain, ranged, when


def starving(stack: ExitStack, folder: Path) -> tuple[io.BufferedReader, Origin]:
    """Open a file of which only the first `HELD` bytes come."""
    origin = stack.enter_context(Origin())
    always = [when(plain, StallAt(HELD)), when(ranged, NeverAnswer())]
    url = origin.serve("/file", BODY, always=always)
    retry = Retry(retries=0, max_failures=1, jitter=0.0)
    return stack.enter_context(open_file(url, store=folder / "store", retry=retry)), origin


# -- the buffer -------------------------------------------------------------------------------------------------------


def test_the_buffer_is_a_buffered_reader(opening: Opening) -> None:
    file = opening(BODY)
    assert isinstance(file, io.BufferedReader)
    assert vars(file.raw)["error"] is None
    assert file.mode == "rb"
    assert file.readable()
    assert file.seekable()
    assert not file.writable()


def test_peek_read1_and_readinto_of_the_buffer(opening: Opening) -> None:
    file = opening(BODY)
    peeked = file.peek(10)
    assert peeked
    assert BODY.startswith(peeked)
    assert file.tell() == 0
    one = file.read1(100)
    assert one
    assert BODY.startswith(one)
    file.seek(0)
    assert file.read1(-1)
    file.seek(500)
    buffer = bytearray(200_000)
    assert file.readinto(buffer) == 200_000
    assert buffer == BODY[500:200_500]
    assert file.readinto1(bytearray(10)) > 0


def test_lines_come_one_by_one(opening: Opening) -> None:
    lines = [b"line %d\n" % number for number in range(3000)]
    file = opening(b"".join(lines) + b"the last")
    assert list(file) == [*lines, b"the last"]
    file.seek(0)
    assert file.readline() == lines[0]
    assert file.readline(3) == lines[1][:3]
    file.seek(0)
    assert file.readlines() == [*lines, b"the last"]


def test_a_with_block_closes_both(opening: Opening) -> None:
    with opening(BODY) as file:
        file.read(1)
    assert file.closed
    assert file.raw.closed
    with pytest.raises(ValueError, match="closed"):
        file.read(1)


def test_detached_the_stream_lives_on_without_its_buffer(tmp_path: Path) -> None:
    path = tmp_path / "other"
    path.write_bytes(BODY)
    file = open_file(path)
    file.read(10)
    with file.detach() as raw:
        for use in (lambda: file.read(1), file.tell, file.close):
            with pytest.raises(ValueError, match="detached"):
                use()
        raw.seek(10)
        assert raw.read(10) == BODY[10:20]


def test_dropping_a_detached_buffer_leaves_its_stream(opening: Opening, tmp_path: Path) -> None:
    path = tmp_path / "other"
    path.write_bytes(BODY)
    raw = open_file(path).detach()
    assert raw.read(10) == BODY[:10]
    raw.close()


def test_closing_the_buffer_wakes_its_blocked_read(stack: ExitStack, tmp_path: Path) -> None:
    file, origin = starving(stack, tmp_path)
    file.seek(FAR)
    failure: Future[BaseException] = Future()

    def read() -> None:
        try:
            file.read(10)
        except BaseException as error:  # noqa: BLE001 - whatever it is, the test looks at it
            failure.set_result(error)

    reader = threading.Thread(target=read)
    reader.start()
    origin.wait_for(lambda log: any(one.range and one.stalled for one in log.requests()))
    file.close()
    assert isinstance(failure.result(SOON), ValueError)
    reader.join(SOON)
    assert file.closed


def test_an_error_in_the_middle_of_a_buffered_read_loses_no_byte(stack: ExitStack, tmp_path: Path) -> None:
    """What the buffer had collected when a read failed must come again, not be left out."""
    file, origin = starving(stack, tmp_path)
    assert file.read(HELD - 1000) == BODY[: HELD - 1000]
    origin.always("/file", when(ranged, Status(404)))
    origin.drop_connections()
    for _ in range(2):
        for read in (file.read, file.read1, file.readline, file.readinto):
            with pytest.raises(NetError):
                read(bytearray(2000) if read == file.readinto else 2000)  # type: ignore[arg-type]
    assert file.tell() == HELD - 1000
    origin.always("/file")
    file.raw.retry()  # type: ignore[attr-defined]
    assert file.read(2000) == BODY[HELD - 1000 : HELD + 1000]


def test_after_an_error_a_seek_makes_the_buffer_right_again(stack: ExitStack, tmp_path: Path) -> None:
    file, origin = starving(stack, tmp_path)
    origin.always("/file", when(ranged, Status(404)))
    file.seek(FAR)
    with pytest.raises(NotFound):
        file.read(10)
    file.seek(100)
    assert file.read(10) == BODY[100:110]
    origin.always("/file")
    file.seek(FAR)
    assert file.read(10) == BODY[FAR : FAR + 10]


def test_a_closed_buffer_says_so_as_files_do(opening: Opening) -> None:
    file = opening(BODY)
    file.close()
    file.close()
    with pytest.raises(ValueError, match="closed"):
        file.peek()
    with pytest.raises(ValueError, match="closed"):
        file.raw.read(1)
    uses: list[Callable[[], object]] = [
        lambda: file.read(1),
        file.read,
        lambda: file.read1(1),
        lambda: file.readinto(bytearray(1)),
        file.readline,
        lambda: file.seek(0),
        file.tell,
    ]
    for use in uses:
        with pytest.raises(StreamClosed):
            use()


async def read_async(path: Path) -> list[bytes]:
    async with await aopen_file(path) as stream:
        await stream.seek(10)
        return [piece async for piece in stream]


def test_a_task_iterates_over_pieces(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(BODY)
    pieces = asyncio.run(read_async(path))
    assert b"".join(pieces) == BODY[10:]
    assert max(map(len, pieces)) <= 65_536
