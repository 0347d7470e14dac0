"""Old and odd ways to end a body and a connection: they work."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kithara_file import InvalidResponse, NetError, ResourceChanged
from tests.system.bad_origin import BREAK, DATA, heals, opened, outcome, tells, within
from tests.world import (
    Chunked,
    CloseAt,
    CloseDelimited,
    ConnectionClose,
    HangUp,
    Item,
    Origin,
    PatternBody,
    Raw,
    Then,
    reused,
    when,
)

pytestmark = pytest.mark.system

MIB = 1 << 20


@pytest.mark.parametrize("ranges", [True, False], ids=["with ranges", "without ranges"])
def test_http_1_0_without_a_length_works(origin: Origin, store_dir: Path, *, ranges: bool) -> None:
    heals(origin.serve("/a", DATA, always=[CloseDelimited()], ranges=ranges), store_dir)


def test_http_1_0_with_a_length_works(origin: Origin, store_dir: Path) -> None:
    head = b"HTTP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n" % len(DATA)
    heals(origin.serve("/a", DATA, always=[Raw(head + DATA)]), store_dir)


def test_http_1_0_with_a_length_cut_short_is_told(origin: Origin, store_dir: Path) -> None:
    head = b"HTTP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n" % len(DATA)
    assert tells(NetError, origin.serve("/a", DATA, always=[Raw(head + DATA[:BREAK])]), store_dir).data == DATA[:BREAK]


@pytest.mark.parametrize("fault", [None, CloseAt(BREAK), Chunked()], ids=["whole", "broken", "chunked"])
def test_a_connection_for_each_answer_works(origin: Origin, store_dir: Path, fault: Item) -> None:
    heals(origin.serve("/a", DATA, always=[ConnectionClose(), fault]), store_dir)


@pytest.mark.parametrize("act", ["close", "reset"])
def test_connections_that_end_after_each_answer_though_they_promised_to_stay_work(
    origin: Origin, store_dir: Path, act: Any
) -> None:
    body = PatternBody(2 * MIB, seed=9)
    with opened(origin.serve("/a", body, always=[Then(act)]), store_dir, look_ahead_bytes=64 * 1024) as stream:

        def work() -> None:
            for start in (MIB, 0, 2 * MIB - 1000, 500_000, 10, 1_500_000):
                stream.seek(start)
                assert stream.read(1000) == body[start : start + 1000]

        within(work)


@pytest.mark.parametrize("reset", [True, False], ids=["reset", "closed"])
def test_a_stale_connection_that_fails_on_its_next_use_is_replaced(
    origin: Origin, store_dir: Path, *, reset: bool
) -> None:
    first, second = origin.serve("/a", DATA), origin.serve("/b", DATA, always=[when(reused, HangUp(reset=reset))])
    with opened(first, store_dir) as stream:
        assert within(stream.read) == DATA
        heals(second, store_dir)
    assert len(origin.requests("/b")) <= 2


@pytest.mark.parametrize("size", [1, 7, 100_000])
def test_chunks_of_any_size_work(origin: Origin, store_dir: Path, size: int) -> None:
    right = DATA if size > 1 else DATA[:2000]
    heals(origin.serve("/a", right, always=[Chunked(size)]), store_dir, right)


ODD = {
    "extensions and trailers": b"Transfer-Encoding: chunked\r\n\r\n5;name=value\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n",
    "chunked beats a length": b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    "bare line feeds": b"X: y\nContent-Length: 5\n\nhello",
    "a field over two lines": b"X: y\r\n z\r\nContent-Length: 5\r\n\r\nhello",
    "no fields at all": b"\r\nhello",
}


@pytest.mark.parametrize("rest", ODD.values(), ids=ODD)
def test_odd_framing_gives_right_bytes_or_is_refused(origin: Origin, store_dir: Path, rest: bytes) -> None:
    found = outcome(origin.serve("/a", b"hello", always=[Raw(b"HTTP/1.1 200 OK\r\n" + rest)]), store_dir)
    assert found.data == b"hello" if found.error is None else isinstance(found.error, NetError)


BROKEN = {
    "no HTTP": b"SSH-2.0-OpenSSH_9\r\n",
    "HTTP 0.9": b"hello",
    "headers without end": b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 50_000,
    "no status": b"HTTP/1.1\r\n\r\n",
    "status 99": b"HTTP/1.1 099 What\r\nContent-Length: 5\r\n\r\nhello",
    "status 700": b"HTTP/1.1 700 What\r\nContent-Length: 5\r\n\r\nhello",
    "204": b"HTTP/1.1 204 No Content\r\n\r\n",
    "304 unasked": b"HTTP/1.1 304 Not Modified\r\n\r\n",
    "nothing": b"",
    "half a header": b"HTTP/1.1 200 OK\r\nConte",
    "bad chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nzz\r\n",
    "chunk without end": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello",
    "huge chunk": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\nhello",
}


@pytest.mark.parametrize("answer", BROKEN.values(), ids=BROKEN)
def test_an_answer_that_breaks_http_is_told_and_no_end(origin: Origin, store_dir: Path, answer: bytes) -> None:
    found = outcome(origin.serve("/a", b"hello", always=[Raw(answer)]), store_dir)
    assert isinstance(found.error, NetError)
    assert b"hello".startswith(found.data)


@pytest.mark.parametrize("answer", BROKEN.values(), ids=BROKEN)
def test_an_answer_that_breaks_http_in_the_place_of_the_rest_heals_or_is_told(
    origin: Origin, store_dir: Path, answer: bytes
) -> None:
    found = outcome(origin.serve("/a", DATA, faults=[CloseAt(BREAK), Raw(answer)]), store_dir)
    assert found.data == DATA if found.error is None else isinstance(found.error, NetError | ResourceChanged)
    assert DATA.startswith(found.data)
    assert found.error is None or found.kept == found.data


STRAY = b"HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 7-11/5000\r\nContent-Length: 5\r\n\r\nstray"


@pytest.mark.parametrize("stray", [STRAY, b"\r\n", b"\r\nnonsense\r\n\r\n"])
def test_an_answer_to_another_question_on_a_used_connection_is_asked_for_anew(
    origin: Origin, store_dir: Path, stray: bytes
) -> None:
    """What a proxy sends without having been asked waits for the next request, and all later answers are one behind."""
    with opened(origin.serve("/a", DATA), store_dir) as stream:
        assert within(stream.read) == DATA
        heals(origin.serve("/b", DATA, always=[when(reused, Raw(stray))]), store_dir)
    assert [each.range for each in origin.requests("/b")][:2] == [None, None]


def test_an_answer_to_another_question_on_a_new_connection_is_told(origin: Origin, store_dir: Path) -> None:
    tells(InvalidResponse, origin.serve("/b", DATA, always=[Raw(STRAY)]), store_dir)
    assert len(origin.requests("/b")) <= 2
