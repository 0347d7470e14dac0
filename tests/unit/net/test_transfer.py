"""When bytes are handed over, when an answer is late, and what becomes of a body that nobody wants."""

from __future__ import annotations

import asyncio
import math
import sys

import pytest

from kithara_file.config import Timeouts
from kithara_file.errors import NetTimeout, NotFound
from kithara_file.net.client import WHOLE
from kithara_file.net.engine import Engine
from kithara_file.net.gather import STEP
from kithara_file.net.http import HttpClient
from kithara_file.net.transfer import DRAIN_BYTES, WANTED_BYTES
from kithara_file.ranges import ByteRange
from tests.unit.net.loopback import DATA, at_rest, body, fetch, opened, run
from tests.world.faults import (
    Drip,
    NeverAnswer,
    Raw,
    StallAt,
)
from tests.world.fixtures import MakeOrigin
from tests.world.link import Link
from tests.world.origin import Origin


def test_answers_before_the_answer_are_passed_over(origin: Origin) -> None:
    early = b"HTTP/1.1 103 Early Hints\r\nETag: no\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
    assert fetch(origin.serve("/a", b"", faults=[Raw(early)])) == b"hello"


def test_a_rest_within_reach_is_drained_to_keep_the_connection(origin: Origin) -> None:
    async def main(client: HttpClient, engine: Engine) -> None:
        url = origin.serve("/a", DATA)
        response = await opened(client, url, ByteRange(0, STEP + DRAIN_BYTES // 2))
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
        await asyncio.to_thread(origin.wait_disconnected)

    run(main)


def test_a_drain_that_does_not_come_is_given_up(origin: Origin) -> None:
    async def main(client: HttpClient, engine: Engine) -> None:
        response = await opened(client, origin.serve("/a", DATA[:1000], faults=[StallAt(10)]))
        await response.aclose()
        await asyncio.to_thread(origin.wait_disconnected)
        assert engine.running == 0

    run(main)


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


@pytest.mark.skipif(sys.platform != "linux", reason="other kernels do not take a size back")
def test_who_looks_at_the_head_and_goes_elsewhere_has_little_on_the_way(make_origin: MakeOrigin) -> None:
    origin = make_origin(link=Link(send_buffer=64 * 1024, rate=20e6, rtt=0.02))
    url = origin.serve("/a", DATA * 32)

    async def main(client: HttpClient, _: Engine) -> None:
        response = await opened(client, url)
        came = 0
        while came < WANTED_BYTES // 2:
            came += (await anext(aiter(response))).size
        exchange = await asyncio.to_thread(origin.wait_blocked, "/a", 0.2)
        assert exchange.bytes_sent - came < 900 * 1024
        assert came + len(await body(response)) == len(DATA) * 32

    run(main)


def test_a_refusal_whose_body_does_not_come_is_told_all_the_same(origin: Origin) -> None:
    stalled = Raw(b"HTTP/1.1 404 Not Found\r\nContent-Length: 9\r\n\r\nno", then="stall")

    async def main(client: HttpClient, engine: Engine) -> None:
        with pytest.raises(NotFound):
            await client.open(origin.serve("/a", DATA, faults=[stalled]), WHOLE, None)
        assert engine.running == 0

    run(main)


def test_headers_that_do_not_come_are_a_timeout_after_connecting(origin: Origin) -> None:
    url = origin.serve("/a", DATA, always=[NeverAnswer()])
    with pytest.raises(NetTimeout) as caught:
        fetch(url, timeouts=Timeouts(connect=10, headers=0.1))
    assert (caught.value.stage, caught.value.seconds) == ("headers", 0.1)


@pytest.mark.parametrize("seconds", [math.inf, 1e300])
def test_a_limit_beyond_what_libcurl_counts_to_is_none(origin: Origin, seconds: float) -> None:
    limits = Timeouts(connect=seconds, headers=seconds, idle=seconds)
    assert fetch(origin.serve("/a", DATA[:30]), timeouts=limits) == DATA[:30]


def test_a_slow_body_is_no_reason_to_give_up(origin: Origin) -> None:
    url = origin.serve("/a", DATA[:30], always=[Drip(3, 0.08)])
    assert fetch(url, timeouts=Timeouts(headers=0.7)) == DATA[:30]


def test_the_first_bytes_come_at_once_to_who_is_in_need(origin: Origin) -> None:
    async def main(client: HttpClient, _: Engine) -> None:
        response = await opened(client, origin.serve("/a", DATA, faults=[StallAt(3)]))
        response.hurry(wanted=True)
        async with asyncio.timeout(30):
            assert (await anext(aiter(response))).size == 3
        await response.aclose()

    run(main)


def test_bytes_that_came_are_handed_over_though_no_more_come(origin: Origin) -> None:
    async def main(client: HttpClient, _: Engine) -> None:
        response = await opened(client, origin.serve("/a", DATA, faults=[StallAt(3)]))
        async with asyncio.timeout(30):
            assert (await anext(aiter(response))).size == 3
        await response.aclose()

    run(main)
