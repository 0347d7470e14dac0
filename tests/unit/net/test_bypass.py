"""Long bodies taken from the socket itself: which ones, and that nobody can tell by their bytes and ends."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
from collections.abc import Iterable, Iterator
from typing import cast

import pytest

from kithara_file.errors import BodyBroken, Cancelled, NetTimeout
from kithara_file.net import bypass, kernel
from kithara_file.net import engine as engine_
from kithara_file.net.bypass import LEAST_LEFT, Bypass
from kithara_file.net.client import WHOLE, Response
from kithara_file.net.engine import Engine
from kithara_file.net.gather import MOST
from kithara_file.net.http import HttpClient
from kithara_file.net.response import HttpResponse
from kithara_file.net.timeout import TimeoutResponse
from kithara_file.net.transfer import Transfer
from kithara_file.ranges import ByteRange
from tests.unit.net.loopback import DATA, at_rest, body, collect, opened, run
from tests.world.faults import Chunked, CloseAt, CloseDelimited, Fault, Raw, ResetAt, StallAt
from tests.world.origin import Origin

LONG = DATA * 12
AT = 9_000_007


@pytest.fixture(autouse=True)
def _near(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have no round trip be long, however slow the machine."""
    monkeypatch.setattr(bypass, "SAVED", 1e6)


def way_around(response: Response) -> Bypass | None:
    """Return what the body is read with beside libcurl."""
    return cast("HttpResponse", response)._transfer._bypass


async def begun(client: HttpClient, url: str, want: ByteRange | None = None) -> Response:
    """Open a body and read the first of it."""
    response = await opened(client, url, want or WHOLE)
    await anext(aiter(response))
    return response


def test_a_long_body_is_taken_from_its_socket(origin: Origin) -> None:
    url = origin.serve("/a", LONG)

    async def main(client: HttpClient, engine: Engine) -> None:
        response = await opened(client, url)
        first = await anext(aiter(response))
        assert way_around(response) is not None
        assert b"".join(first.pieces) + await body(response) == LONG
        await response.aclose()
        assert engine.running == 0
        assert await body(await opened(client, url, ByteRange(5, 9))) == LONG[5:9]

    run(main)


def test_a_long_range_is_taken_from_its_socket(origin: Origin) -> None:
    async def main(client: HttpClient, _: Engine) -> None:
        span = ByteRange(777, 777 + 2 * LEAST_LEFT)
        response = await opened(client, origin.serve("/a", LONG), span)
        first = await anext(aiter(response))
        assert way_around(response) is not None
        assert b"".join(first.pieces) + await body(response) == LONG[span.start : span.end]

    run(main)


@pytest.mark.parametrize(
    "size,faults",
    [(LEAST_LEFT - 1, ()), (len(LONG), [Chunked()]), (len(LONG), [CloseDelimited()])],
    ids=["short", "chunked", "to the close"],
)
def test_what_only_libcurl_can_end_is_left_to_it(origin: Origin, size: int, faults: Iterable[Fault]) -> None:
    async def main(client: HttpClient, _: Engine) -> None:
        response = await begun(client, origin.serve("/a", LONG[:size], faults=faults))
        assert way_around(response) is None
        await response.aclose()

    run(main)


def test_what_is_encrypted_is_left_to_libcurl(tls_origin: Origin) -> None:
    async def main(client: HttpClient, _: Engine) -> None:
        response = await begun(client, tls_origin.serve("/a", LONG))
        assert way_around(response) is None
        await response.aclose()

    run(main, ca_file=str(tls_origin.ca_file))


def test_what_a_proxy_sends_is_left_to_libcurl(origin: Origin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", origin.url("/"))
    monkeypatch.setenv("no_proxy", "")
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(LONG)
    origin.serve("http://host.invalid/a", b"", always=[Raw(answer + LONG)])

    async def main(client: HttpClient, _: Engine) -> None:
        response = await begun(client, "http://host.invalid/a")
        assert way_around(response) is None
        await response.aclose()

    run(main)


def test_a_far_connection_is_worth_more_than_the_copies(origin: Origin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bypass, "SAVED", 0.0)

    async def main(client: HttpClient, _: Engine) -> None:
        response = await begun(client, origin.serve("/a", LONG))
        assert way_around(response) is None
        assert len(await body(response)) < len(LONG)
        await response.aclose()
        assert await body(await opened(client, origin.url("/a"), ByteRange(0, 5))) == LONG[:5]

    run(main)
    assert origin.connections == 1


def test_where_no_more_files_may_be_open_libcurl_goes_on(origin: Origin, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_fd: int) -> int:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    monkeypatch.setattr(os, "dup", refuse)

    async def main(client: HttpClient, _: Engine) -> None:
        assert await body(await opened(client, origin.serve("/a", LONG))) == LONG

    run(main)


def test_where_the_kernel_tells_nothing_libcurl_goes_on(origin: Origin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel, "_TCP_INFO", None)

    async def main(client: HttpClient, _: Engine) -> None:
        response = await begun(client, origin.serve("/a", LONG))
        assert way_around(response) is None
        await response.aclose()

    run(main)


def test_among_many_the_descriptors_are_left_for_more_of_them(origin: Origin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_, "ROOM", 2 * MOST)

    async def main(client: HttpClient, _: Engine) -> None:
        bodies = [await opened(client, origin.serve("/a", LONG, always=[StallAt(AT)])) for _ in range(3)]
        for each in bodies:
            await anext(aiter(each))
        assert [way_around(each) for each in bodies] == [None] * 3
        for each in bodies:
            await each.aclose()

    run(main)


class _Interrupted(Exception):
    """What a signal handler raises."""


def test_nothing_follows_what_was_lost_to_an_exception(origin: Origin, monkeypatch: pytest.MonkeyPatch) -> None:
    pieces: list[bytes] = []
    arrived = Transfer.arrived

    def interrupted(self: Transfer, piece: bytes) -> None:
        if pieces and self._bypass is not None:
            raise _Interrupted
        arrived(self, piece)

    async def main(client: HttpClient, engine: Engine) -> None:
        response = await opened(client, origin.serve("/a", LONG))
        pieces.extend((await anext(aiter(response))).pieces)
        monkeypatch.setattr(Transfer, "arrived", interrupted)
        with pytest.raises(_Interrupted):
            await collect(response, pieces)
        with pytest.raises(BodyBroken):
            await collect(response, pieces)
        assert engine.running == 0

    run(main)
    came = b"".join(pieces)
    assert came == LONG[: len(came)]


@pytest.mark.parametrize("fault", [CloseAt(AT), ResetAt(AT)], ids=["closed", "reset"])
def test_a_body_that_breaks_off_is_broken_after_all_that_came(origin: Origin, fault: Fault) -> None:
    pieces: list[bytes] = []

    async def main(client: HttpClient, engine: Engine) -> None:
        response = await opened(client, origin.serve("/a", LONG, faults=[fault]))
        with pytest.raises(BodyBroken) as caught:
            await collect(response, pieces)
        assert (caught.value.at, caught.value.expected) == (len(b"".join(pieces)), len(LONG))
        await response.aclose()
        assert engine.running == 0

    run(main)
    came = b"".join(pieces)
    assert came == LONG[: len(came)]
    assert len(came) == AT or isinstance(fault, ResetAt)


def test_what_is_sent_beyond_the_promise_is_not_read(origin: Origin) -> None:
    promised = 2 * LEAST_LEFT + 3
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % promised + LONG

    async def main(client: HttpClient, _: Engine) -> None:
        assert await body(await opened(client, origin.serve("/a", b"", faults=[Raw(answer)]))) == LONG[:promised]

    run(main)


@pytest.fixture
def default_timeout(request: pytest.FixtureRequest) -> Iterator[None]:
    """Give every new socket of the program a timeout."""
    socket.setdefaulttimeout(request.param)
    yield
    socket.setdefaulttimeout(None)


@pytest.mark.parametrize("default_timeout", [None, 0.05], indirect=True)
@pytest.mark.usefixtures("default_timeout")
def test_a_body_that_comes_to_a_stand_times_out_and_can_be_read_on(origin: Origin) -> None:
    url = origin.serve("/a", LONG, faults=[StallAt(AT)])
    pieces: list[bytes] = []

    async def main(client: HttpClient, _: Engine) -> None:
        response = TimeoutResponse(await opened(client, url), url, seconds=0.2)
        while sum(map(len, pieces)) < AT:
            with pytest.raises(NetTimeout):
                await collect(response, pieces)
        assert b"".join(pieces) == LONG[:AT]
        origin.release("/a")
        await collect(response, pieces)
        assert b"".join(pieces) == LONG

    run(main)


def test_the_first_bytes_come_at_once_to_who_is_in_need(origin: Origin) -> None:
    async def main(client: HttpClient, _: Engine) -> None:
        response = await opened(client, origin.serve("/a", LONG, faults=[StallAt(3)]))
        response.hurry(wanted=True)
        async with asyncio.timeout(30):
            assert (await anext(aiter(response))).size == 3
        assert way_around(response) is not None
        await response.aclose()

    run(main)


def test_a_body_given_up_ends_its_connection(origin: Origin) -> None:
    async def main(client: HttpClient, engine: Engine) -> None:
        response = await begun(client, origin.serve("/a", LONG, faults=[StallAt(AT)]))
        await response.aclose()
        assert engine.running == 0
        await asyncio.to_thread(origin.wait_disconnected)

    run(main)


def test_cancelling_a_step_loses_nothing(origin: Origin) -> None:
    url = origin.serve("/a", LONG)

    async def main(client: HttpClient, _: Engine) -> None:
        response = await opened(client, url)
        pieces: list[bytes] = []
        while len(pieces) < 5:
            step = asyncio.ensure_future(anext(aiter(response)))
            await asyncio.sleep(0)
            step.cancel()
            try:
                pieces += (await step).pieces
            except asyncio.CancelledError:
                pieces += (await anext(aiter(response))).pieces
        await collect(response, pieces)
        assert b"".join(pieces) == LONG

    run(main)


def test_the_engine_takes_it_along_when_it_closes(origin: Origin) -> None:
    async def main(client: HttpClient, engine: Engine) -> None:
        response = await begun(client, origin.serve("/a", LONG, faults=[StallAt(AT)]))
        engine.close()
        with pytest.raises(Cancelled):
            await body(response)
        await asyncio.to_thread(origin.wait_disconnected)

    run(main)


def test_many_take_turns_and_each_gets_its_own(origin: Origin) -> None:
    urls = [origin.serve(f"/{number}", bytes([number]) * len(LONG)) for number in range(6)]

    async def main(client: HttpClient, engine: Engine) -> None:
        found = await asyncio.gather(*(_read(client, each) for each in urls))
        assert found == [bytes([number]) * len(LONG) for number in range(6)]
        await at_rest(engine)

    async def _read(client: HttpClient, url: str) -> bytes:
        return await body(await opened(client, url))

    run(main)
