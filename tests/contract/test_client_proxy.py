"""The HTTP client through a proxy, and over HTTP/2."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from kithara_file.errors import (
    AccessDenied,
    ConnectFailed,
    KitharaError,
)
from kithara_file.net.client import WHOLE
from kithara_file.net.engine import Engine
from kithara_file.net.http import HttpClient
from kithara_file.ranges import ByteRange
from tests.unit.net.loopback import DATA, LENGTH, body, opened, run
from tests.world.fixtures import MakeNginx
from tests.world.origin import Origin


@asynccontextmanager
async def proxy(monkeypatch: pytest.MonkeyPatch, answer: bytes, leads_to: int | None = None) -> AsyncIterator[None]:
    """Be the environment's proxy for https, which gives `answer` to CONNECT and then passes bytes on to a port."""
    ended = []

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        writer.write_eof() if writer.can_write_eof() else None

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ends = [writer]
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        if leads_to is not None:
            there = await asyncio.open_connection("127.0.0.1", leads_to)
            ends.append(there[1])
            await asyncio.gather(pump(reader, there[1]), pump(there[0], writer), return_exceptions=True)
        for end in ends:
            end.close()
            with suppress(OSError):
                await end.wait_closed()
        ended.append(True)

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        monkeypatch.setenv("https_proxy", f"http://user:pw@127.0.0.1:{server.sockets[0].getsockname()[1]}")
        monkeypatch.setenv("no_proxy", "")
        yield
        async with asyncio.timeout(30):
            while not ended:  # noqa: ASYNC110
                await asyncio.sleep(0.001)


@pytest.mark.parametrize("status,kind", [(407, AccessDenied), (502, ConnectFailed)])
def test_a_proxy_that_refuses_is_told_apart_from_the_origin(
    monkeypatch: pytest.MonkeyPatch, status: int, kind: type[KitharaError]
) -> None:
    async def main(client: HttpClient, engine: Engine) -> None:
        answer = f"HTTP/1.1 {status} No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        async with proxy(monkeypatch, answer.encode()):
            with pytest.raises(kind) as caught:
                await client.open("https://host.invalid/a", WHOLE, None)
            engine.rest()
        assert "pw" not in str(caught.value)

    run(main)


def test_a_tunnel_through_a_proxy_is_no_answer(tls_origin: Origin, monkeypatch: pytest.MonkeyPatch) -> None:
    url = tls_origin.serve("/a%2f", DATA)

    async def main(client: HttpClient, engine: Engine) -> None:
        answer = b"HTTP/1.1 200 Connection established\r\nX-Proxy: yes\r\n\r\n"
        async with proxy(monkeypatch, answer, tls_origin.port):
            response = await opened(client, url)
            assert response.remote.length == LENGTH
            assert await body(response) == DATA
            engine.rest()

    run(main, ca_file=str(tls_origin.ca_file))


def test_http_2_is_spoken_where_it_is_offered(make_nginx: MakeNginx, site: Path) -> None:
    (site / "a.flac").write_bytes(DATA)
    nginx = make_nginx(tls=True, http2=True)

    async def main(client: HttpClient, _: Engine) -> None:
        abandoned = await opened(client, nginx.url("/a.flac"))
        await anext(aiter(abandoned))
        await abandoned.aclose()
        parts = [opened(client, nginx.url("/a.flac"), ByteRange(at, at + 9)) for at in range(5)]
        assert [await body(each) for each in await asyncio.gather(*parts)] == [DATA[at : at + 9] for at in range(5)]

    run(main, ca_file=str(nginx.ca_file))
    asked = nginx.requests("/a.flac", count=6)
    assert {each.protocol for each in asked} == {"HTTP/2.0"}
    assert len({each.connection for each in asked}) == 1
