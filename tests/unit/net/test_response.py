"""Bodies: however they are sent the bytes are right, and an end is an end only where it is proven."""

from __future__ import annotations

import asyncio
import gzip
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from kithara_file.errors import (
    BodyBroken,
    InvalidResponse,
)
from kithara_file.net.client import Response
from kithara_file.net.decode import CALL, PIECE, TURN
from kithara_file.net.engine import Engine
from kithara_file.net.http import HttpClient
from kithara_file.ranges import ByteRange
from tests.unit.net.loopback import DATA, LENGTH, at_rest, body, collect, fetch, opened, refused, run
from tests.world.brotli import brotli, brotli_zeros
from tests.world.faults import (
    Chunked,
    CloseAt,
    CloseDelimited,
    ConnectionClose,
    DelayHeaders,
    Encoded,
    Fault,
    Gzip,
    Raw,
    ResetAt,
    SayLength,
    SayRange,
)
from tests.world.origin import Origin


@pytest.mark.parametrize(
    "faults",
    [
        (CloseDelimited(),),
        (CloseDelimited("HTTP/1.1"),),
        (ConnectionClose(),),
        (Chunked(),),
        (Chunked(1),),
        (Gzip(),),
        (Encoded("deflate", zlib.compress(DATA)),),
        (Encoded("gzip", gzip.compress(DATA, mtime=0)), Chunked()),
        (Encoded("br", brotli(DATA)),),
        (Encoded("gzip, br", brotli(gzip.compress(DATA, mtime=0))), Chunked()),
        (Encoded("deflate, gzip", gzip.compress(zlib.compress(DATA), mtime=0)),),
        (SayLength(LENGTH, LENGTH),),
        (DelayHeaders(0.05),),
    ],
    ids=repr,
)
def test_a_whole_body_however_it_is_sent(origin: Origin, faults: tuple[Fault, ...]) -> None:
    data = DATA if faults != (Chunked(1),) else DATA[:2000]
    assert fetch(origin.serve("/a", data, faults=[faults])) == data


def test_a_coding_which_only_libcurl_knows_is_decoded_too(origin: Origin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kithara_file.net.brotli.found", lambda: False)
    url = origin.serve("/a", b"", always=[Encoded("br", brotli(DATA))])
    assert fetch(url) == DATA
    assert len(origin.requests("/a")) == 2


def test_what_libcurl_unpacks_to_more_than_it_holds_is_refused(origin: Origin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kithara_file.net.brotli.found", lambda: False)
    url = origin.serve("/a", b"", always=[Encoded("br", brotli_zeros(96 << 20))])
    assert "it unpacks to too much at once" in refused(url, InvalidResponse)


def test_brotli_is_unpacked_to_any_size_a_piece_at_a_time(origin: Origin) -> None:
    url = origin.serve("/a", b"", always=[Encoded("br", brotli_zeros(96 << 20))])

    async def main(client: HttpClient, _: Engine) -> None:
        size = 0
        async for chunk in await opened(client, url):
            assert chunk.size <= PIECE
            assert not any(each.strip(b"\0") for each in chunk.pieces)
            size += chunk.size
        assert size == 96 << 20

    run(main)
    assert len(origin.requests("/a")) == 1


@pytest.mark.parametrize("coding", ["gzip", "br"])
def test_an_empty_file_that_is_said_to_be_encoded_is_empty(origin: Origin, coding: str) -> None:
    assert fetch(origin.serve("/a", b"", always=[Encoded(coding, b"")])) == b""
    refused(origin.serve("/b", b"", always=[(Encoded(coding, b""), Chunked())]), BodyBroken)
    assert len(origin.requests("/a")) == 1


def test_fields_behind_a_body_that_are_too_large_are_told_of(origin: Origin) -> None:
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n%s\r\n"
    rest = b"0\r\nX: " + b"y" * 10_000 + b"\r\n\r\n"
    for number, said in enumerate((b"", b"Content-Encoding: gzip\r\n")):
        url = origin.serve(f"/{number}", b"", faults=[Raw(head % said + rest)])
        assert "the fields behind it are too large" in refused(url, InvalidResponse)


@pytest.mark.parametrize(
    "faults,at",
    [
        ((CloseAt(100_000),), 100_000),
        ((Chunked(), CloseAt(100_000)), 100_000),
        ((Chunked(), CloseAt(0)), 0),
        ((SayLength(by=10),), LENGTH),
        ((Raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nzz\r\n"),), 5),
    ],
    ids=repr,
)
def test_a_body_cut_short_is_broken_and_never_an_end(origin: Origin, faults: tuple[Fault, ...], at: int) -> None:
    url = origin.serve("/a", DATA, faults=[faults])
    with pytest.raises(BodyBroken) as caught:
        fetch(url)
    assert caught.value.at == at
    assert caught.value.recoverable


def test_a_reset_keeps_what_had_come(origin: Origin) -> None:
    async def main(client: HttpClient, _: Engine) -> None:
        came: list[bytes] = []
        response = await opened(client, origin.serve("/a", DATA, faults=[ResetAt(100_000)]))
        with pytest.raises(BodyBroken):
            await collect(response, came)
        assert DATA.startswith(b"".join(came))

    run(main)


@pytest.mark.parametrize("part", [1 / 3, 0.999])
def test_a_coded_stream_that_stops_within_a_complete_body_is_broken(origin: Origin, part: float) -> None:
    coded = gzip.compress(DATA, mtime=0)
    refused(origin.serve("/a", DATA, faults=[Encoded("gzip", coded[: int(len(coded) * part)])]), BodyBroken)
    refused(origin.serve("/b", DATA, faults=[(Gzip(), CloseAt(1000))]), BodyBroken)
    coded = brotli(DATA)
    refused(origin.serve("/c", DATA, faults=[Encoded("br", coded[: int(len(coded) * part)])]), BodyBroken)


def test_what_comes_beyond_the_promised_end_is_left_alone(origin: Origin) -> None:
    assert fetch(origin.serve("/a", DATA, faults=[SayLength(by=-10)])) == DATA[:-10]
    long = (Chunked(), SayRange(stop=-5))
    assert fetch(origin.serve("/b", DATA, faults=[long]), ByteRange(5, 50)) == DATA[5:45]


def test_a_part_that_ends_before_its_announced_end_is_broken(origin: Origin) -> None:
    long = (Chunked(), SayRange(stop=5))
    refused(origin.serve("/a", DATA, faults=[long]), BodyBroken, ByteRange(5, 50))


class Turns:
    """How often the loop has turned."""

    count = 0

    async def run(self) -> None:
        """Count."""
        while True:
            self.count += 1
            await asyncio.sleep(0)


@asynccontextmanager
async def counted() -> AsyncIterator[Turns]:
    """Count the turns of the loop."""
    turns = Turns()
    task = asyncio.create_task(turns.run())
    yield turns
    task.cancel()


MEMBERS = 20_000
HOLLOW = gzip.compress(gzip.compress(b"", mtime=0) * MEMBERS, mtime=0)
"""Small on the wire, much work, and not a byte."""


def test_the_loop_turns_before_each_piece_of_a_bomb(origin: Origin) -> None:
    url = origin.serve("/a", b"", always=[Encoded("gzip", gzip.compress(bytes(16 << 20), 1))])

    async def main(client: HttpClient, _: Engine) -> None:
        response = await opened(client, url)
        async with counted() as turns:
            before, size = -1, 0
            async for chunk in response:
                assert turns.count > before
                before, size = turns.count, size + chunk.size
        assert size == 16 << 20

    run(main)


def test_the_loop_turns_while_a_body_is_decoded_that_gives_nothing(origin: Origin) -> None:
    url = origin.serve("/a", b"", always=[Encoded("gzip, gzip", HOLLOW)])

    async def main(client: HttpClient, _: Engine) -> None:
        response = await opened(client, url)
        async with counted() as turns:
            assert await body(response) == b""
        assert turns.count > MEMBERS * CALL // TURN

    run(main)


def test_the_decoding_of_a_body_that_gives_nothing_more_can_be_cancelled(origin: Origin) -> None:
    coded = gzip.compress(gzip.compress(b"x") + gzip.compress(b"") * MEMBERS)
    url = origin.serve("/a", b"", always=[Encoded("gzip, gzip", coded)])

    async def main(client: HttpClient, engine: Engine) -> None:
        response = await opened(client, url)
        assert (await anext(aiter(response))).size == 1
        await at_rest(engine)
        rest = asyncio.create_task(body(response))
        for _ in range(5):
            await asyncio.sleep(0)
        assert rest.cancel()
        with pytest.raises(asyncio.CancelledError):
            await rest

    run(main)


async def one(response: Response) -> bytes:
    """Read one chunk."""
    return b"".join((await anext(aiter(response))).pieces)


def test_a_step_that_is_cancelled_loses_nothing_of_what_is_decoded(origin: Origin) -> None:
    url = origin.serve("/a", DATA, always=[Gzip()])

    async def main(client: HttpClient, _engine: Engine) -> None:
        response = await opened(client, url)
        came, turns = b"", 0
        while True:
            turns = (turns + 1) % 5
            step = asyncio.create_task(one(response))
            for _ in range(turns):
                await asyncio.sleep(0)
            step.cancel()
            try:
                came += await step
            except asyncio.CancelledError:
                continue
            except StopAsyncIteration:
                break
        assert came == DATA

    run(main)
