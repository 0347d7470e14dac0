"""Connections at rest: what comes on one of them is no answer to the next question."""

from __future__ import annotations

import asyncio
import os
import socket
from asyncio import StreamReader, StreamWriter
from collections.abc import Iterator
from contextlib import suppress

import pytest

from kithara_file.net.engine import Engine
from kithara_file.net.http import HttpClient
from kithara_file.net.idle import Idle
from tests.unit.net.loopback import body, opened, run

HERE, THERE = ("http", "here", 80), ("http", "there", 80)


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Yield the two ends of a connection."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


@pytest.mark.parametrize("end", [False, True])
def test_what_comes_is_noticed_where_it_would_be_used(ends: tuple[socket.socket, socket.socket], *, end: bool) -> None:
    ours, theirs = ends
    idle = Idle()
    idle.keep(ours.fileno(), HERE)
    assert not idle.spoke(HERE)
    theirs.close() if end else theirs.send(b"x")
    assert idle.spoke(HERE)
    assert not idle.spoke(THERE)
    idle.use(ours.fileno())
    assert not idle.spoke(HERE)


def test_a_number_that_belongs_to_another_file_is_forgotten(ends: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = ends
    idle = Idle()
    number = os.dup(ours.fileno())
    idle.keep(number, HERE)
    theirs.send(b"x")
    os.dup2(theirs.fileno(), number)
    assert not idle.spoke(HERE)
    os.close(number)
    assert not idle.spoke(HERE)
    idle.keep(number, HERE)  # closed before it was taken in
    assert not idle.spoke(HERE)
    assert repr(idle) == "<Idle 0 at rest>"


def answer(content: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(content), content)


@pytest.mark.parametrize("stray", [answer(b"3" * 5000), b"\r\n", b"nonsense"])
def test_an_answer_to_nobody_is_not_taken_for_the_next_one(stray: bytes) -> None:
    async def main(client: HttpClient, engine: Engine) -> None:
        writers: list[StreamWriter] = []

        async def serve(reader: StreamReader, writer: StreamWriter) -> None:
            writers.append(writer)
            with suppress(asyncio.IncompleteReadError, ConnectionError):
                while head := await reader.readuntil(b"\r\n\r\n"):
                    writer.write(answer((b"1" if b"/one" in head else b"2") * 5000))
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        assert await body(await opened(client, f"{url}/one")) == b"1" * 5000
        assert await body(await opened(client, f"{url}/two")) == b"2" * 5000
        assert len(writers) == 1
        writers[0].write(stray)
        await writers[0].drain()
        assert await body(await opened(client, f"{url}/two")) == b"2" * 5000
        assert len(writers) == 2
        engine.close()
        for each in writers:
            with suppress(ConnectionError):
                await each.wait_closed()
        server.close()
        await server.wait_closed()

    run(main)
