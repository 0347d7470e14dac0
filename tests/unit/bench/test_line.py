"""The line: what crosses it arrives whole, no sooner than a line could bring it, and is counted."""

from __future__ import annotations

import http.client
import time
from collections.abc import Iterator
from contextlib import closing
from urllib.parse import urlsplit

import pytest

from bench.line import Pace, Shaped, shaped
from tests.world import Origin, PatternBody

RTT = 0.05
RATE = 4e6
SIZE = 200_000
BODY = PatternBody(SIZE, 3)


@pytest.fixture
def line() -> Iterator[Shaped]:
    with Origin() as origin, shaped(origin.serve("/body", BODY), rtt=RTT, rate=RATE) as made:
        yield made


def test_a_request_costs_its_handshake_once_and_its_round_trip_always(line: Shaped) -> None:
    with closing(http.client.HTTPConnection("127.0.0.1", urlsplit(line.fresh()).port)) as connection:
        seconds = []
        for _ in range(2):
            begun = time.monotonic()
            connection.request("GET", "/body", headers={"Range": "bytes=0-0"})
            connection.getresponse().read()
            seconds.append(time.monotonic() - begun)
    assert seconds[0] >= 2 * RTT
    assert seconds[1] >= RTT
    assert line.connections() == 1


def test_bytes_come_whole_and_no_quicker_than_the_rate(line: Shaped) -> None:
    crossed, begun = line.crossed(), time.monotonic()
    with closing(http.client.HTTPConnection("127.0.0.1", urlsplit(line.fresh()).port)) as connection:
        connection.request("GET", "/body")
        assert connection.getresponse().read() == BODY[:]
    assert time.monotonic() - begun >= 2 * RTT + SIZE / RATE - 0.01
    assert SIZE <= crossed() * 2**20 < SIZE + 1000


def test_a_late_timer_is_made_up_for_and_no_more() -> None:
    pace = Pace(1e6)
    assert pace.leaves_at(1000, 10.0) == pytest.approx(10.0)
    assert [pace.leaves_at(1000, 10.0) for _ in range(2)] == pytest.approx([10.0, 10.001])
    assert Pace(None).leaves_at(10**9, 5.0) == 5.0
