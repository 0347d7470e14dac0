"""Answers that are used, those that are refused, where redirects lead, and who learns whose secrets."""

from __future__ import annotations

import pytest

from kithara_file.errors import (
    ConnectFailed,
    InvalidResponse,
)
from kithara_file.net.engine import Engine
from kithara_file.net.http import HttpClient
from kithara_file.ranges import ByteRange
from tests.unit.net.loopback import DATA, body, fetch, opened, refused, run
from tests.world.faults import (
    Encoded,
    Fault,
    HangUp,
    Header,
    Multipart,
    OtherRange,
    Raw,
    Redirect,
    SayLength,
    SayRange,
)
from tests.world.fixtures import MakeOrigin
from tests.world.origin import Origin


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
        Raw(b"HTTP/1.1 200 OK\r\n" + (b"X: " + b"y" * 1000 + b"\r\n") * 400 + b"\r\n"),
        Raw(b"HTTP/1.1 200 OK\r\nX: " + b"y" * 150_000 + b"\r\n\r\n"),
        Raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding : chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n"),
        Raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
        Raw(b"HTTP/1.1 204 No Content\r\n\r\n", then=None),
    ],
    ids=lambda fault: repr(fault)[:60],
)
def test_what_is_no_proper_answer_is_refused(origin: Origin, fault: Fault) -> None:
    assert "cannot be used" in refused(origin.serve("/a", DATA, faults=[fault]), InvalidResponse)


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
