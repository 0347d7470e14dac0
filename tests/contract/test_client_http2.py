"""The HTTP client over HTTP/2 where the origin is not nginx: streams that end, and those that only stop."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import cast

import pytest

from kithara_file.errors import BodyBroken
from kithara_file.net.engine import Engine
from kithara_file.net.http import HttpClient
from tests.unit.net.loopback import DATA, body, opened, run
from tests.world.certificates import Certificate

WHOLE = DATA[:5000]
OVER_1_1 = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n" % (len(WHOLE), WHOLE)

_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_DATA, _HEADERS, _RST_STREAM, _SETTINGS = 0, 1, 3, 4
_END_STREAM, _END_HEADERS = 1, 4
_STATUS_200 = b"\x88"
"""RFC 7541, appendix A: the eighth of the static table."""


def frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    """Return a frame of RFC 9113, 4.1."""
    return len(payload).to_bytes(3, "big") + bytes((kind, flags)) + stream.to_bytes(4, "big") + payload


def ended(stream: int) -> bytes:
    """Return an answer that comes to its end."""
    head = frame(_HEADERS, _END_HEADERS, stream, _STATUS_200)
    return head + frame(_DATA, _END_STREAM, stream, WHOLE)


def stopped(stream: int, length: bytes = b"") -> bytes:
    """Return an answer that is reset in its middle, by an origin which calls that no error."""
    head = frame(_HEADERS, _END_HEADERS, stream, _STATUS_200 + length)
    return head + frame(_DATA, 0, stream, WHOLE[:1000]) + frame(_RST_STREAM, 0, stream, bytes(4))


def saying_length(stream: int) -> bytes:
    """Return the same with a Content-Length: a literal field, named by the 28th of the static table."""
    told = str(len(WHOLE)).encode()
    return stopped(stream, b"\x0f\x0d" + bytes((len(told),)) + told)


class Origin:
    """Answers every stream with `answer`; where HTTP/1.1 is spoken too, there with the whole in one chunk."""

    def __init__(self, answer: Callable[[int], bytes], *protocols: str) -> None:
        self.spoken: list[str | None] = []
        """The protocol of each request, in the order in which they came."""
        self._answer = answer
        self._protocols = protocols
        self._talks: list[asyncio.Task[None]] = []

    @asynccontextmanager
    async def serving(self, engine: Engine) -> AsyncIterator[str]:
        """Serve at the URL that is given; at the end `engine` has to let go of its connections."""
        certificate = Certificate.for_loopback()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate.chain_file, certificate.key_file)
        context.set_alpn_protocols(list(self._protocols))
        async with await asyncio.start_server(self._talk, "127.0.0.1", 0, ssl=context) as server:
            yield f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/a"
            engine.rest()
            await asyncio.wait_for(asyncio.gather(*self._talks), 5)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._talks.append(cast("asyncio.Task[None]", asyncio.current_task()))
        protocol = writer.get_extra_info("ssl_object").selected_alpn_protocol()
        with suppress(OSError, asyncio.IncompleteReadError):
            if protocol == "h2":
                await self._frames(reader, writer)
            elif protocol == "http/1.1":
                await reader.readuntil(b"\r\n\r\n")
                self.spoken.append(protocol)
                writer.write(OVER_1_1)
                await reader.read()
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()

    async def _frames(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(len(_PREFACE))
        writer.write(frame(_SETTINGS, 0, 0, b""))
        while True:
            head = await reader.readexactly(9)
            await reader.readexactly(int.from_bytes(head[:3]))
            if head[3] == _HEADERS:
                self.spoken.append("h2")
                writer.write(self._answer(int.from_bytes(head[5:])))


def read(origin: Origin) -> bytes:
    """Return the body."""

    async def main(client: HttpClient, engine: Engine) -> bytes:
        async with origin.serving(engine) as url:
            return await body(await opened(client, url))

    return run(main, ca_file=str(Certificate.for_loopback().ca_file))


def test_a_stream_without_a_length_is_read_where_its_end_can_be_proven() -> None:
    origin = Origin(stopped, "h2", "http/1.1")
    assert read(origin) == WHOLE
    assert origin.spoken == ["h2", "http/1.1"]


def test_an_origin_that_speaks_nothing_else_is_believed_to_have_ended() -> None:
    origin = Origin(ended, "h2")
    assert read(origin) == WHOLE
    assert origin.spoken == ["h2", "h2"]


def test_a_stream_with_a_length_is_taken_at_its_word() -> None:
    origin = Origin(saying_length, "h2", "http/1.1")
    with pytest.raises(BodyBroken):
        read(origin)
    assert origin.spoken == ["h2"]
