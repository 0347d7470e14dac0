"""What a faultless origin answers, by table."""

from __future__ import annotations

import pytest

from tests.world import BytesBody, Request, Version, http_date
from tests.world.answer import right_answer
from tests.world.body import pieces

BODY = bytes(range(100))
DATE, LATER = http_date(1_000_000), http_date(2_000_000)
VERSION = Version(body=BytesBody(BODY), etag='"v1"', last_modified=DATE)


def asked(headers: dict[str, str], version: Version = VERSION) -> tuple[int, bytes, str | None]:
    reply = right_answer(version, Request("GET", "/", tuple(headers.items())))
    return reply.status, b"".join(pieces(reply.body, reply.start, reply.stop)), reply.header("Content-Range")


@pytest.mark.parametrize(
    "wanted,start,stop",
    [
        ("bytes=0-9", 0, 10),
        ("bytes=90-", 90, 100),
        ("bytes=-5", 95, 100),
        ("bytes=-500", 0, 100),
        ("bytes=99-500", 99, 100),
    ],
)
def test_range_is_answered_with_206(wanted: str, start: int, stop: int) -> None:
    assert asked({"Range": wanted}) == (206, BODY[start:stop], f"bytes {start}-{stop - 1}/100")


@pytest.mark.parametrize("wanted", ["bytes=5-4", "bytes=-", "lines=1-2", "bytes=0-1,5-6", "nonsense"])
def test_range_that_is_none_is_answered_with_all(wanted: str) -> None:
    assert asked({"Range": wanted}) == (200, BODY, None)


@pytest.mark.parametrize("wanted", ["bytes=100-", "bytes=500-600", "bytes=-0"])
def test_range_beyond_the_end_is_refused(wanted: str) -> None:
    assert asked({"Range": wanted})[::2] == (416, "bytes */100")


@pytest.mark.parametrize(
    "etag,said,status",
    [
        ('"v1"', '"v1"', 206),
        ('"v2"', '"v1"', 200),
        ('W/"v1"', 'W/"v1"', 200),
        ('"v1"', DATE, 206),
        ('"v1"', LATER, 200),
    ],
)
def test_if_range_holds_only_for_the_same_strong_validator(etag: str, said: str, status: int) -> None:
    version = Version(body=BytesBody(BODY), etag=etag, last_modified=DATE)
    assert asked({"Range": "bytes=1-2", "If-Range": said}, version)[0] == status


@pytest.mark.parametrize(
    "header,value,status",
    [
        ("If-None-Match", '"v1"', 304),
        ("If-None-Match", 'W/"v1"', 304),
        ("If-None-Match", '"v0", "v1"', 304),
        ("If-None-Match", "*", 304),
        ("If-None-Match", '"v2"', 200),
        ("If-Modified-Since", DATE, 304),
        ("If-Modified-Since", LATER, 304),
        ("If-Modified-Since", http_date(0), 200),
    ],
)
def test_condition_is_answered_with_304_when_nothing_changed(header: str, value: str, status: int) -> None:
    assert asked({header: value})[0] == status


def test_version_without_ranges_answers_all_and_says_none() -> None:
    version = Version(body=BytesBody(BODY), ranges=False)
    reply = right_answer(version, Request("GET", "/", (("Range", "bytes=1-2"),)))
    assert (reply.status, reply.header("Accept-Ranges")) == (200, "none")


def test_head_has_the_length_and_no_body() -> None:
    reply = right_answer(VERSION, Request("HEAD", "/", ()))
    assert (reply.header("Content-Length"), reply.length) == ("100", 0)
