"""Each fault, seen on a plain socket."""

from __future__ import annotations

import gzip
import time

import pytest

from tests.unit.world.witness import connected, get, receive, send_get
from tests.world import (
    BytesBody,
    Chunked,
    CloseAt,
    CloseDelimited,
    ConnectionClose,
    DelayHeaders,
    Drip,
    Encoded,
    Gzip,
    HangUp,
    Header,
    Html,
    IgnoreConditions,
    IgnoreIfRange,
    IgnoreRange,
    Item,
    Multipart,
    NeverAnswer,
    Origin,
    OtherRange,
    PatternBody,
    Raw,
    Redirect,
    RefuseRange,
    ResetAt,
    SayLength,
    SayRange,
    StallAt,
    Status,
    Then,
    Version,
    another,
    flapping,
    plain,
    ranged,
    reused,
    when,
)

BODY = PatternBody(100_000)[:]
MIDDLE = {"Range": "bytes=1000-1999"}


# Breaks


def test_close_ends_in_order_after_exactly_so_many_bytes(origin: Origin) -> None:
    origin.serve("/a", BODY, faults=[CloseAt(512)])
    seen = get(origin, "/a")
    assert (seen.body, seen.end, seen.header("Content-Length")) == (BODY[:512], "fin", "100000")
    assert get(origin, "/a").body == BODY


def test_reset_ends_with_a_reset(origin: Origin) -> None:
    origin.serve("/a", BODY, faults=[ResetAt(512)])
    seen = get(origin, "/a")
    assert seen.end == "reset"
    assert BODY.startswith(seen.body[:512])
    assert origin.bytes_sent("/a") == 512


def test_every_reply_ends_after_so_many_bytes(origin: Origin) -> None:
    origin.serve("/a", BODY, always=[CloseAt(40_000)])
    got = bytearray()
    while len(got) < len(BODY):
        got += get(origin, "/a", {"Range": f"bytes={len(got)}-"}).body
    assert bytes(got) == BODY
    assert len(origin.requests("/a")) == 3


def test_stop_beyond_the_end_does_nothing_and_at_the_end_cuts_after_the_last_byte(origin: Origin) -> None:
    origin.serve("/a", b"12345", faults=[CloseAt(6), (Chunked(), CloseAt(5))])
    assert get(origin, "/a").end == "open"
    assert get(origin, "/a").body == b"5\r\n12345\r\n"


def test_stall_sends_so_much_and_then_nothing(origin: Origin) -> None:
    origin.serve("/a", BODY, faults=[StallAt(100)])
    with connected(origin) as sock:
        send_get(sock, "/a")
        assert origin.wait_stalled("/a").bytes_sent == 100


def test_drip_takes_its_time(origin: Origin) -> None:
    origin.serve("/a", b"12345", faults=[Drip(1, 0.01)])
    began = time.monotonic()
    assert get(origin, "/a").body == b"12345"
    assert time.monotonic() - began >= 0.05


def test_headers_are_delayed(origin: Origin) -> None:
    origin.serve("/a", BODY, faults=[DelayHeaders(0.05)])
    began = time.monotonic()
    assert get(origin, "/a").body == BODY
    assert time.monotonic() - began >= 0.05


def test_no_answer_ever_until_released(origin: Origin) -> None:
    origin.serve("/a", BODY, faults=[NeverAnswer()])
    with connected(origin) as sock:
        send_get(sock, "/a")
        origin.wait_stalled("/a")
        sock.settimeout(0.02)
        with pytest.raises(TimeoutError):
            sock.recv(1)


@pytest.mark.parametrize("reset,end", [(False, "fin"), (True, "reset")])
def test_connection_ends_instead_of_an_answer(origin: Origin, reset: bool, end: str) -> None:
    origin.serve("/a", BODY, faults=[HangUp(reset=reset)])
    seen = get(origin, "/a")
    assert (seen.data, seen.end) == (b"", end)


def test_stale_keep_alive_connection_is_reset_on_its_second_use(origin: Origin) -> None:
    origin.serve("/a", b"12345", always=[when(reused, HangUp(reset=True))])
    with connected(origin) as sock:
        send_get(sock, "/a")
        assert receive(sock).body == b"12345"
        send_get(sock, "/a")
        assert receive(sock).end == "reset"
    assert get(origin, "/a").body == b"12345"


def test_connection_is_closed_after_a_complete_body_though_nothing_said_so(origin: Origin) -> None:
    origin.serve("/a", b"12345", faults=[Then("close")])
    with connected(origin) as sock:
        send_get(sock, "/a")
        assert receive(sock).header("Connection") is None
        assert sock.recv(1) == b""


# Statuses


def test_failures_come_first_and_then_the_right_answer(origin: Origin) -> None:
    origin.serve(
        "/a", BODY, faults=[Status(503, retry_after=2), Status(429, retry_after="Thu, 01 Jan 1970 00:00:00 GMT")]
    )
    seen = [get(origin, "/a") for _ in range(3)]
    assert [one.status for one in seen] == [503, 429, 200]
    assert [one.header("Retry-After") for one in seen] == ["2", "Thu, 01 Jan 1970 00:00:00 GMT", None]


def test_range_is_refused_though_it_exists(origin: Origin) -> None:
    origin.serve("/a", BODY, faults=[RefuseRange(), RefuseRange("*")])
    seen = [get(origin, "/a", MIDDLE) for _ in range(2)]
    assert [(one.status, one.header("Content-Range")) for one in seen] == [(416, "bytes */100000"), (416, "bytes */*")]


def test_redirects_go_out_as_they_are(origin: Origin) -> None:
    origin.redirect("/old", "../new", 308)
    origin.serve("/a", BODY, faults=[Redirect("file:///etc/passwd")])
    seen = get(origin, "/old")
    assert (seen.status, seen.header("Location")) == (308, "../new")
    assert get(origin, "/a").header("Location") == "file:///etc/passwd"


def test_page_of_a_captive_portal(origin: Origin) -> None:
    origin.serve("/a", BODY, faults=[Html()])
    seen = get(origin, "/a", MIDDLE)
    assert (seen.status, seen.header("Content-Type"), seen.header("ETag")) == (200, "text/html; charset=utf-8", None)


def test_raw_bytes(origin: Origin) -> None:
    origin.serve("/a", BODY, faults=[Raw(b"\x00nonsense")])
    assert (got := get(origin, "/a")).data == b"\x00nonsense"
    assert got.end == "fin"


# Ranges


def test_range_is_ignored(origin: Origin) -> None:
    origin.serve("/a", BODY, faults=[IgnoreRange()])
    seen = get(origin, "/a", MIDDLE)
    assert (seen.status, seen.body) == (200, BODY)


def test_if_range_is_ignored(origin: Origin) -> None:
    origin.serve("/a", BODY, etag='"new"', faults=[IgnoreIfRange()])
    seen = get(origin, "/a", {**MIDDLE, "If-Range": '"old"'})
    assert (seen.status, seen.header("ETag")) == (206, '"new"')


@pytest.mark.parametrize("start,stop", [(7, 7), (-7, 0), (0, -100), (0, 100), (50, 0)])
def test_another_range_is_answered_and_said_truly(origin: Origin, start: int, stop: int) -> None:
    origin.serve("/a", BODY, faults=[OtherRange(start, stop)])
    seen = get(origin, "/a", MIDDLE)
    assert seen.body == BODY[1000 + start : 2000 + stop]
    assert seen.header("Content-Range") == f"bytes {1000 + start}-{1999 + stop}/100000"


@pytest.mark.parametrize(
    "lie,said",
    [
        (SayRange(start=5, stop=5), ["bytes 1005-2004/100000"]),
        (SayRange(stop=-1), ["bytes 1000-1998/100000"]),
        (SayRange(total=7), ["bytes 1000-1999/7"]),
        (SayRange(total="*"), ["bytes 1000-1999/*"]),
        (Header("Content-Range"), []),
        (Header("Content-Range", "garbage"), ["garbage"]),
    ],
)
def test_right_bytes_come_under_a_wrong_content_range(origin: Origin, lie: Item, said: list[str]) -> None:
    origin.serve("/a", BODY, faults=[lie])
    seen = get(origin, "/a", MIDDLE)
    assert (seen.body, seen.headers("Content-Range")) == (BODY[1000:2000], said)


def test_range_comes_as_multipart(origin: Origin) -> None:
    origin.serve("/a", BODY, faults=[Multipart()])
    seen = get(origin, "/a", MIDDLE)
    assert (seen.status, seen.header("Content-Range")) == (206, None)
    assert (seen.header("Content-Type") or "").startswith("multipart/byteranges; boundary=")
    assert b"Content-Range: bytes 1000-1999/100000\r\n\r\n" + BODY[1000:2000] in seen.body


# Headers and framing


@pytest.mark.parametrize(
    "lie,said",
    [
        (SayLength(by=10), ["15"]),
        (SayLength(by=-2), ["3"]),
        (SayLength(5, 7), ["5", "7"]),
        (SayLength("-1"), ["-1"]),
        (SayLength(1 << 60), [str(1 << 60)]),
    ],
)
def test_wrong_length_is_said_and_the_connection_closed_after_the_body(
    origin: Origin, lie: Item, said: list[str]
) -> None:
    origin.serve("/a", b"12345", faults=[lie])
    seen = get(origin, "/a")
    assert (seen.headers("Content-Length"), seen.body) == (said, b"12345")


def test_condition_is_ignored(origin: Origin) -> None:
    origin.serve("/a", BODY, etag='"v1"', faults=[IgnoreConditions()])
    assert [get(origin, "/a", {"If-None-Match": '"v1"', "Connection": "close"}).status for _ in range(2)] == [200, 304]


def test_chunks_with_and_without_their_end(origin: Origin) -> None:
    origin.serve("/a", b"1234567890", faults=[Chunked(4), (Chunked(4), CloseAt(6))])
    whole, cut = get(origin, "/a"), get(origin, "/a")
    assert whole.header("Content-Length") is None
    assert whole.body == b"4\r\n1234\r\n4\r\n5678\r\n2\r\n90\r\n0\r\n\r\n"
    assert (cut.body, cut.end) == (b"4\r\n1234\r\n2\r\n56\r\n", "fin")


def test_end_of_the_connection_is_the_end_of_the_body(origin: Origin) -> None:
    origin.serve("/a", BODY, faults=[CloseDelimited()])
    seen = get(origin, "/a")
    assert seen.data.startswith(b"HTTP/1.0 200 ")
    assert (seen.body, seen.end, seen.header("Content-Length")) == (BODY, "fin", None)


def test_connection_close_is_said_and_done(origin: Origin) -> None:
    origin.serve("/a", b"12345", faults=[ConnectionClose()])
    with connected(origin) as sock:
        send_get(sock, "/a")
        assert receive(sock).header("Connection") == "close"
        assert sock.recv(1) == b""


# Content and versions


def test_body_comes_encoded_though_nobody_asked(origin: Origin) -> None:
    origin.serve("/a", BODY, faults=[Gzip(), Encoded("br", b"\x0b\x02\x80")])
    zipped, other = get(origin, "/a", MIDDLE), get(origin, "/a")
    assert (zipped.status, zipped.header("Content-Encoding")) == (200, "gzip")
    assert gzip.decompress(zipped.body) == BODY
    assert (other.header("Content-Encoding"), other.body) == ("br", b"\x0b\x02\x80")


def test_two_mirrors_answer_in_turn(origin: Origin) -> None:
    one, two = (Version(body=BytesBody(name), etag=f'"{name.decode()}"') for name in (b"a", b"b"))
    origin.serve("/a", b"", always=[flapping(one, two)])
    assert [(seen.body, seen.header("ETag")) for seen in (get(origin, "/a") for _ in range(3))] == [
        (b"a", '"a"'),
        (b"b", '"b"'),
        (b"a", '"a"'),
    ]


def test_same_validator_with_another_length(origin: Origin) -> None:
    origin.serve("/a", b"12345", etag='"v1"', faults=[None, another(BytesBody(b"1234567"), '"v1"')])
    seen = [get(origin, "/a") for _ in range(2)]
    assert [(one.header("ETag"), len(one.body)) for one in seen] == [('"v1"', 5), ('"v1"', 7)]


@pytest.mark.parametrize("etag", ['W/"weak"', '"strong"', None])
def test_validators_are_said_as_given(origin: Origin, etag: str | None) -> None:
    origin.serve("/a", b"x", etag=etag, last_modified="Thu, 01 Jan 1970 00:00:00 GMT" if etag else None)
    seen = get(origin, "/a")
    assert (seen.header("ETag"), seen.header("Last-Modified") is None) == (etag, etag is None)


# Scripts


def test_items_may_depend_on_the_request(origin: Origin) -> None:
    origin.serve("/a", BODY, always=[when(plain, CloseAt(10)), when(ranged, (OtherRange(stop=-1), Header("X", "y")))])
    assert get(origin, "/a").body == BODY[:10]
    seen = get(origin, "/a", MIDDLE)
    assert (len(seen.body), seen.header("X")) == (999, "y")


def test_more_faults_can_be_added_and_all_be_healed(origin: Origin) -> None:
    origin.serve("/a", b"12345", always=[Status(500)])
    origin.next("/a", None, Status(502))
    assert [get(origin, "/a").status for _ in range(3)] == [500, 502, 500]
    origin.always("/a")
    assert get(origin, "/a").status == 200
