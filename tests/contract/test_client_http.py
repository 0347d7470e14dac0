"""What the HTTP client makes of an origin that is not nice, over a loopback socket."""

from __future__ import annotations

import asyncio
import gzip
import socket
import ssl
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest

from kithara_file.config import Timeouts
from kithara_file.errors import (
    AccessDenied,
    BodyBroken,
    Cancelled,
    ConnectFailed,
    InvalidResponse,
    KitharaError,
    NetTimeout,
    Unavailable,
)
from kithara_file.net.client import WHOLE, NotModified, Response, Want
from kithara_file.net.engine import Engine
from kithara_file.net.gather import BOUND
from kithara_file.net.http import HttpClient
from kithara_file.net.transfer import DRAIN_BYTES
from kithara_file.ranges import ByteRange, OpenRange
from tests.world.certificates import Certificate
from tests.world.faults import (
    Chunked,
    CloseAt,
    CloseDelimited,
    ConnectionClose,
    DelayHeaders,
    Drip,
    Encoded,
    Fault,
    Gzip,
    HangUp,
    Header,
    Multipart,
    NeverAnswer,
    OtherRange,
    Raw,
    Redirect,
    ResetAt,
    SayLength,
    SayRange,
    StallAt,
    Status,
    Then,
)
from tests.world.fixtures import MakeNginx, MakeOrigin
from tests.world.link import Link
from tests.world.nginx import Nginx
from tests.world.origin import Origin

T = TypeVar("T")
DATA = bytes(range(256)) * 4096
LENGTH = len(DATA)
BROTLI_HELLO = bytes.fromhex("0b028068656c6c6f03")


def run(main: Callable[[HttpClient, Engine], Awaitable[T]], **options: Any) -> T:
    """Run a test with a client on an engine of its own."""

    async def scope() -> T:
        engine = Engine(asyncio.get_running_loop())
        try:
            return await main(HttpClient(engine, **options), engine)
        finally:
            engine.close()

    return asyncio.run(scope())


async def opened(client: HttpClient, url: str, want: Want = WHOLE) -> Response:
    """Open a body."""
    answer = await client.open(url, want, None)
    assert not isinstance(answer, NotModified)
    return answer


async def collect(response: Response, pieces: list[bytes]) -> None:
    """Read a body to its end, whichever it is, into `pieces`."""
    async for chunk in response:
        pieces += chunk.pieces


async def body(response: Response) -> bytes:
    """Read a body to its end."""
    pieces: list[bytes] = []
    await collect(response, pieces)
    return b"".join(pieces)


async def at_rest(engine: Engine) -> None:
    """Wait until nothing is transferred; the engine tells nobody, so it is looked at."""
    async with asyncio.timeout(5):
        while engine.running:  # noqa: ASYNC110
            await asyncio.sleep(0.001)


def fetch(url: str, want: Want = WHOLE, **options: Any) -> bytes:
    """Open and read."""

    async def main(client: HttpClient, _: Engine) -> bytes:
        return await body(await opened(client, url, want))

    return run(main, **options)


def refused(url: str, kind: type[KitharaError], want: Want = WHOLE, **options: Any) -> str:
    """Fail to open and read; return the sentence."""
    with pytest.raises(kind) as caught:
        fetch(url, want, **options)
    assert type(caught.value) is kind
    return str(caught.value)


# --- bodies


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
        (Encoded("gzip", gzip.compress(DATA)), Chunked()),
        (Encoded("deflate, gzip", gzip.compress(zlib.compress(DATA))),),
        (SayLength(LENGTH, LENGTH),),
        (DelayHeaders(0.05),),
    ],
    ids=repr,
)
def test_a_whole_body_however_it_is_sent(origin: Origin, faults: tuple[Fault, ...]) -> None:
    data = DATA if faults != (Chunked(1),) else DATA[:2000]
    assert fetch(origin.serve("/a", data, faults=[faults])) == data


def test_a_coding_which_only_libcurl_knows_is_decoded_too(origin: Origin) -> None:
    url = origin.serve("/a", b"", always=[Encoded("br", BROTLI_HELLO)])
    assert fetch(url) == b"hello"


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
    coded = gzip.compress(DATA)
    refused(origin.serve("/a", DATA, faults=[Encoded("gzip", coded[: int(len(coded) * part)])]), BodyBroken)
    refused(origin.serve("/b", DATA, faults=[(Gzip(), CloseAt(1000))]), BodyBroken)


@pytest.mark.parametrize(
    "fault",
    [
        Encoded("zstd", b"x"),
        Encoded("gzip", b"<html>"),
        Header("Content-Length", "-1"),
        Header("Content-Length", "many"),
        Header("Content-Length", "9" * 30),
        SayLength(2**63),
        SayLength(5, 7),
        Raw(b"SSH-2.0-OpenSSH\r\n"),
        Raw(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 10_000 + b"\r\n"),
        Raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
        Raw(b"HTTP/1.1 204 No Content\r\n\r\n", then=None),
    ],
    ids=lambda fault: repr(fault)[:60],
)
def test_what_is_no_proper_answer_is_refused(origin: Origin, fault: Fault) -> None:
    assert "cannot be used" in refused(origin.serve("/a", DATA, faults=[fault]), InvalidResponse)


def test_answers_before_the_answer_are_passed_over(origin: Origin) -> None:
    early = b"HTTP/1.1 103 Early Hints\r\nETag: no\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
    assert fetch(origin.serve("/a", b"", faults=[Raw(early)])) == b"hello"


def test_what_comes_beyond_the_promised_end_is_left_alone(origin: Origin) -> None:
    assert fetch(origin.serve("/a", DATA, faults=[SayLength(by=-10)])) == DATA[:-10]
    long = (Chunked(), SayRange(stop=-5))
    assert fetch(origin.serve("/b", DATA, faults=[long]), ByteRange(5, 50)) == DATA[5:45]


def test_a_part_that_ends_before_its_announced_end_is_broken(origin: Origin) -> None:
    long = (Chunked(), SayRange(stop=5))
    refused(origin.serve("/a", DATA, faults=[long]), BodyBroken, ByteRange(5, 50))


@pytest.mark.parametrize(
    "fault,end",
    [(OtherRange(stop=-10), 40), (OtherRange(stop=10), 60), (SayRange(total="*"), 50), (SayRange(total=2**60), 50)],
    ids=repr,
)
def test_a_part_is_used_as_far_as_it_is_provably_right(origin: Origin, fault: Fault, end: int) -> None:
    assert fetch(origin.serve("/a", DATA, faults=[fault]), ByteRange(5, 50)) == DATA[5:end]


@pytest.mark.parametrize(
    "fault",
    [
        OtherRange(7, 7),
        SayRange(7, 7),
        SayRange(stop=1),
        SayRange(total=20),
        Header("Content-Range"),
        Header("Content-Range", "garbage"),
        Multipart(),
    ],
    ids=repr,
)
def test_a_part_that_is_not_provably_right_is_refused(origin: Origin, fault: Fault) -> None:
    refused(origin.serve("/a", DATA, faults=[fault]), InvalidResponse, ByteRange(5, 50))


# --- connections


def test_connections_are_used_again(origin: Origin) -> None:
    async def main(client: HttpClient, _: Engine) -> None:
        url = origin.serve("/a", DATA, faults=[None, Status(503), Status(404)])
        await body(await opened(client, url))
        for kind in (Unavailable, KitharaError):
            with pytest.raises(kind):
                await client.open(url, WHOLE, None)
        await body(await opened(client, url, OpenRange(9)))

    run(main)
    assert origin.connections == 1


def test_a_rest_within_reach_is_drained_to_keep_the_connection(origin: Origin) -> None:
    async def main(client: HttpClient, engine: Engine) -> None:
        url = origin.serve("/a", DATA)
        response = await opened(client, url, ByteRange(0, BOUND + DRAIN_BYTES // 2))
        await anext(aiter(response))
        await response.aclose()
        await at_rest(engine)
        await body(await opened(client, url, ByteRange(0, 5)))

    run(main)
    assert origin.connections == 1


def test_a_far_end_is_not_drained_but_cut(origin: Origin) -> None:
    async def main(client: HttpClient, engine: Engine) -> None:
        response = await opened(client, origin.serve("/a", DATA, faults=[Drip(1000, 0.01)]))
        await response.aclose()
        assert engine.running == 0
        await asyncio.to_thread(origin.wait_disconnected, 1.0)

    run(main)


def test_a_drain_that_does_not_come_is_given_up(origin: Origin) -> None:
    async def main(client: HttpClient, engine: Engine) -> None:
        response = await opened(client, origin.serve("/a", DATA[:1000], faults=[StallAt(10)]))
        await response.aclose()
        await asyncio.to_thread(origin.wait_disconnected, 1.0)
        assert engine.running == 0

    run(main)


@pytest.mark.parametrize("act", ["close", "reset"])
def test_a_kept_connection_that_was_closed_meanwhile_is_replaced_unnoticed(origin: Origin, act: Any) -> None:
    async def main(client: HttpClient, _: Engine) -> None:
        url = origin.serve("/a", DATA[:10], faults=[Then(act)])
        assert await body(await opened(client, url)) == DATA[:10]
        assert await body(await opened(client, url)) == DATA[:10]

    run(main)


@pytest.mark.parametrize("reset", [True, False])
def test_a_kept_connection_that_fails_on_first_use_is_replaced_unnoticed(origin: Origin, *, reset: bool) -> None:
    async def main(client: HttpClient, _: Engine) -> None:
        url = origin.serve("/a", DATA[:10], faults=[None, HangUp(reset=reset)])
        assert await body(await opened(client, url)) == DATA[:10]
        assert await body(await opened(client, url)) == DATA[:10]

    run(main)
    assert len(origin.requests("/a")) == 3


@pytest.mark.parametrize("fault", [HangUp(), HangUp(reset=True), Raw(b"HTTP/1.1 200 OK\r\nConte")], ids=repr)
def test_a_connection_lost_before_the_headers_is_a_failure_to_connect(origin: Origin, fault: Fault) -> None:
    url = origin.serve("/a?token=secret", DATA, always=[fault])
    assert "secret" not in refused(url, ConnectFailed)


def test_nobody_there_is_a_failure_to_connect(origin: Origin) -> None:
    url = origin.serve("/a?token=secret", DATA)
    origin.go_down()
    assert "secret" not in refused(url, ConnectFailed)
    origin.come_back()
    assert fetch(url) == DATA


def test_a_body_that_is_not_read_leaves_its_socket_unread(make_origin: MakeOrigin) -> None:
    origin = make_origin(link=Link(send_buffer=64 * 1024))
    url = origin.serve("/a", DATA * 32)

    async def main(client: HttpClient, _: Engine) -> None:
        response = await opened(client, url)
        exchange = await asyncio.to_thread(origin.wait_blocked, "/a", 0.2)
        sent = exchange.bytes_sent
        assert sent < 16 << 20
        assert await body(response) == DATA * 32

    run(main)


def test_the_engine_lets_go_of_its_connections_when_it_has_rested(origin: Origin) -> None:
    async def main() -> None:
        engine = Engine(asyncio.get_running_loop(), idle_seconds=0.05)
        client = HttpClient(engine)
        url = origin.serve("/a", DATA)
        for _ in range(2):
            assert await body(await opened(client, url)) == DATA
            await asyncio.to_thread(origin.wait_disconnected, 2.0)
        engine.close()

    asyncio.run(main())
    assert origin.connections == 2


def test_closing_the_engine_ends_every_wait(origin: Origin) -> None:
    async def main(client: HttpClient, engine: Engine) -> None:
        url = origin.serve("/a", DATA, faults=[StallAt(10), NeverAnswer()])
        response = await opened(client, url)
        assert (await anext(aiter(response))).size == 10
        waiting = [asyncio.ensure_future(anext(aiter(response))), asyncio.ensure_future(client.open(url, WHOLE, None))]
        await asyncio.to_thread(origin.wait_requests, "/a", 2)
        engine.close()
        for each in waiting:
            with pytest.raises(Cancelled):
                await each
        await asyncio.to_thread(origin.wait_disconnected, 1.0)

    run(main)


def test_cancelling_at_any_moment_leaves_nothing_running(origin: Origin) -> None:
    async def main(client: HttpClient, engine: Engine) -> None:
        url = origin.serve("/a", DATA)

        async def work() -> None:
            response = await opened(client, url)
            try:
                await body(response)
            finally:
                await response.aclose()

        for turns in range(40):
            task = asyncio.ensure_future(work())
            for _ in range(turns):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.wait([task])
        await at_rest(engine)
        assert await body(await opened(client, url)) == DATA

    run(main)


# --- time


def test_headers_that_do_not_come_are_a_timeout_after_connecting(origin: Origin) -> None:
    url = origin.serve("/a", DATA, always=[NeverAnswer()])
    with pytest.raises(NetTimeout) as caught:
        fetch(url, timeouts=Timeouts(connect=10, headers=0.1))
    assert (caught.value.stage, caught.value.seconds) == ("headers", 0.1)


def test_a_slow_body_is_no_reason_to_give_up(origin: Origin) -> None:
    url = origin.serve("/a", DATA[:30], always=[Drip(3, 0.03)])
    assert fetch(url, timeouts=Timeouts(headers=0.1)) == DATA[:30]


def test_a_host_that_does_not_shake_hands_is_a_timeout_of_the_connection() -> None:
    # Accepted by the kernel and by nobody else: for TLS that is before the connection stands.
    with socket.create_server(("127.0.0.1", 0)) as deaf, pytest.raises(NetTimeout) as caught:
        fetch(f"https://127.0.0.1:{deaf.getsockname()[1]}/", timeouts=Timeouts(connect=0.1))
    assert caught.value.stage == "connect"


def test_the_first_bytes_come_at_once_to_who_is_in_need(origin: Origin) -> None:
    async def main(client: HttpClient, _: Engine) -> None:
        response = await opened(client, origin.serve("/a", DATA, faults=[StallAt(3)]))
        response.hurry(wanted=True)
        async with asyncio.timeout(5):
            assert (await anext(aiter(response))).size == 3
        await response.aclose()

    run(main)


def test_bytes_that_came_are_handed_over_though_no_more_come(origin: Origin) -> None:
    async def main(client: HttpClient, _: Engine) -> None:
        response = await opened(client, origin.serve("/a", DATA, faults=[StallAt(3)]))
        async with asyncio.timeout(5):
            assert (await anext(aiter(response))).size == 3
        await response.aclose()

    run(main)


# --- redirects, names


def test_redirects_are_followed_from_the_original_url_each_time(origin: Origin) -> None:
    origin.serve("/dir/f?x=%c3", DATA)
    for hop in range(5):
        origin.redirect(f"/{hop}", f"/{hop + 1}", 301 + (0, 1, 2, 6, 0)[hop])
    url = origin.url("/0")
    origin.redirect("/5", "dir/e/../f?x=%c3")

    async def main(client: HttpClient, _: Engine) -> None:
        assert await body(await opened(client, url)) == DATA
        assert await body(await opened(client, url, ByteRange(5, 10))) == DATA[5:10]

    run(main)
    assert len(origin.requests("/0")) == 2
    assert origin.requests()[-1].target == "/dir/f?x=%c3"
    assert origin.requests()[-1].range == "bytes=5-9"


def test_a_circle_of_redirects_ends(origin: Origin) -> None:
    url = origin.redirect("/a", "/b")
    origin.redirect("/b", "/a")
    assert "10 redirects" in refused(url, InvalidResponse)
    assert len(origin.requests()) == 11


@pytest.mark.parametrize("to", ["file:///etc/passwd", "ftp://127.0.0.1/x", "app:open", "http://"])
def test_a_redirect_to_another_scheme_is_refused(origin: Origin, to: str) -> None:
    refused(origin.redirect("/a", to), InvalidResponse)


def test_a_redirect_without_a_target_is_refused(origin: Origin) -> None:
    refused(origin.serve("/a", DATA, faults=[(Redirect("/x"), Header("Location"))]), InvalidResponse)


def test_credentials_go_to_the_origin_they_are_meant_for(make_origin: MakeOrigin) -> None:
    home, other = make_origin(), make_origin()
    other.serve("/b", DATA)
    home.redirect("/a", other.url("/b"))
    home.redirect("/0", "/a")
    url = home.url("/0").replace("http://", "http://me:pw@")
    assert fetch(url, headers={"Cookie": "c=1", "X-Token": "t"}) == DATA
    for asked in home.requests():
        assert (asked.header("Cookie"), asked.header("X-Token")) == ("c=1", "t")
        assert asked.header("Authorization") == "Basic bWU6cHc="
    (elsewhere,) = other.requests()
    assert [elsewhere.header(name) for name in ("Cookie", "X-Token", "Authorization")] == [None, None, None]


@pytest.mark.parametrize(
    "path,target",
    [
        ("/a%2fb%C3%a9/../c/./d//?q=%20&r=[x]|{}^`'", "/a%2fb%C3%a9/../c/./d//?q=%20&r=[x]|{}^`'"),
        ("/é ☃", "/%C3%A9%20%E2%98%83"),
        ("/tr./a..", "/tr./a.."),
        ("/" + "x" * 8192, "/" + "x" * 8192),
        ("?q", "/?q"),
        ("/a#fragment", "/a"),
    ],
)
def test_a_url_is_asked_for_as_it_was_given(origin: Origin, path: str, target: str) -> None:
    origin.serve(target, DATA[:10])
    assert fetch(origin.url(path)) == DATA[:10]
    assert origin.requests()[-1].target == target


def test_identity_is_asked_for_and_no_range(origin: Origin) -> None:
    fetch(origin.serve("/a", DATA))
    (asked,) = origin.requests()
    assert (asked.method, asked.header("Accept-Encoding"), asked.range) == ("GET", "identity", None)


def test_ipv6_works(make_origin: MakeOrigin) -> None:
    origin = make_origin(host="::1")
    assert fetch(origin.serve("/a", DATA)) == DATA


# --- TLS, HTTP/2, proxies


def test_tls_is_accepted_with_its_authority_and_refused_without(tls_origin: Origin) -> None:
    url = tls_origin.serve("/a?token=secret", DATA)
    assert fetch(url, ca_file=str(tls_origin.ca_file)) == DATA
    sentence = refused(url, ConnectFailed)
    assert "certificate" in sentence
    assert "secret" not in sentence


def test_a_certificate_of_somebody_else_is_refused(make_origin: MakeOrigin) -> None:
    origin = make_origin(tls=Certificate("elsewhere.example"))
    with pytest.raises(ConnectFailed, match=r"127\.0\.0\.1") as caught:
        fetch(origin.serve("/a", DATA), ca_file=str(origin.ca_file))
    assert not caught.value.recoverable


def test_an_expired_certificate_is_refused(make_origin: MakeOrigin) -> None:
    origin = make_origin(tls=Certificate("127.0.0.1", not_after=datetime.now(UTC) - timedelta(days=1)))
    assert "expired" in refused(origin.serve("/a", DATA), ConnectFailed, ca_file=str(origin.ca_file))


def test_an_authority_that_cannot_be_read_is_told_so(tls_origin: Origin, tmp_path: Path) -> None:
    url = tls_origin.serve("/a", DATA)
    assert "trusted certificates" in refused(url, ConnectFailed, ca_file=str(tmp_path / "none.pem"))


def test_plain_http_where_tls_was_expected_is_refused(nginx: Nginx) -> None:
    with pytest.raises(ConnectFailed) as caught:
        fetch(nginx.url("/a").replace("http://", "https://"))
    assert not caught.value.recoverable


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
        async with asyncio.timeout(5):
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


def test_the_library_trusts_what_python_would_trust_by_default() -> None:
    from kithara_file.net.trust import system_bundle  # noqa: PLC0415  # what is under test here only

    bundle = system_bundle()
    assert bundle is None or ssl.create_default_context(cafile=bundle).cert_store_stats()["x509_ca"] > 0
