"""URLs that are odd but good: sent exactly as given, over whatever address they name."""

from __future__ import annotations

import socket
from base64 import b64encode
from pathlib import Path

import pytest

from kithara_file import ConfigError, ConnectFailed, File, InvalidKey
from tests.system.bad_origin import BREAK, DATA, config, heals, outcome, within
from tests.world import CloseAt, Origin
from tests.world.fixtures import MakeOrigin

pytestmark = pytest.mark.system

TARGETS = [
    "/plain",
    "/percent%20encoded%2Fslash%3Fmark",
    "/lower%c3%a9case%2f",
    "/Upper%C3%A9Case%2F",
    "/needless%41%7escape",
    "/a/../b/./c//d",
    "/trailing/",
    "/trailing.",
    "/trailing..",
    "/dots/...",
    "/semi;colon=1,2",
    "/?empty=&a=b&a=c&&",
    "/q?a?b/c%00d",
    "/plus+and+more?x=1+1",
    "/[brackets]{braces}|pipe^`",
    "/star*'()!$&",
    "/100%",
    "/bad%zzescape",
    "/back\\slash",
    "/colon:8080@at",
    '/"quotes"<>',
]


def served(origin: Origin, target: str) -> str:
    """Serve whatever is asked under that target, whose path the origin takes as it came."""
    return origin.serve(target, DATA, faults=[CloseAt(BREAK)])


@pytest.mark.parametrize("target", TARGETS)
def test_a_target_is_sent_exactly_as_given(origin: Origin, store_dir: Path, target: str) -> None:
    heals(served(origin, target), store_dir)
    assert {each.target for each in origin.requests()} == {target}


ESCAPED = {
    "/música/Żółć.flac": "/m%C3%BAsica/%C5%BB%C3%B3%C5%82%C4%87.flac",
    "/日本語?曲=一": "/%E6%97%A5%E6%9C%AC%E8%AA%9E?%E6%9B%B2=%E4%B8%80",
    "/mixed%20é": "/mixed%20%C3%A9",
    "/a b": "/a%20b",
    "/emoji/🎵": "/emoji/%F0%9F%8E%B5",
}


@pytest.mark.parametrize("path,target", ESCAPED.items())
def test_what_cannot_stand_in_a_request_is_encoded_and_nothing_else(
    origin: Origin, store_dir: Path, path: str, target: str
) -> None:
    served(origin, target)
    heals(origin.url(path), store_dir)
    assert {each.target for each in origin.requests()} == {target}


def test_a_fragment_is_not_sent(origin: Origin, store_dir: Path) -> None:
    heals(served(origin, "/a") + "#t=10/?x", store_dir)
    assert {each.target for each in origin.requests()} == {"/a"}


@pytest.mark.parametrize("target", ["", "?a=b"])
def test_a_url_without_a_path_asks_for_the_root(origin: Origin, store_dir: Path, target: str) -> None:
    served(origin, f"/{target}")
    heals(f"http://127.0.0.1:{origin.port}{target}", store_dir)


@pytest.mark.parametrize("size", [8 * 1024, 60_000])
def test_a_url_of_8_kib_and_more_works(origin: Origin, store_dir: Path, size: int) -> None:
    target = "/a?sig=" + "0123456789abcdef" * (size // 16)
    heals(served(origin, target), store_dir)
    assert {each.target for each in origin.requests()} == {target}


def test_a_path_of_8_kib_works(origin: Origin, store_dir: Path) -> None:
    heals(served(origin, "/" + "long/" * 1600 + "song.flac"), store_dir)


@pytest.mark.parametrize("user", ["user:pass", "user", "user:", ":pass", "us%40er:p%3Ass%2F", "üser:pä"])
def test_user_info_becomes_authorization_and_is_shown_to_nobody(origin: Origin, store_dir: Path, user: str) -> None:
    url = served(origin, "/a").replace("://", f"://{user}@")
    heals(url, store_dir)
    assert all((each.header("Authorization") or "").startswith("Basic ") for each in origin.requests())
    assert all("@" not in each.target for each in origin.requests())
    stored = b"".join(each.read_bytes() for each in store_dir.rglob("*.json"))
    assert user.encode() not in stored
    with within(lambda: File.open(config(url, store_dir))) as session:
        assert "@" not in session.name
        assert "@" not in repr(session)


def test_user_info_is_decoded_before_it_is_sent(origin: Origin, store_dir: Path) -> None:
    heals(served(origin, "/a").replace("://", "://us%40er:p%3Ass@"), store_dir)
    expected = "Basic " + b64encode(b"us@er:p:ss").decode()
    assert origin.requests()[0].header("Authorization") == expected


@pytest.mark.parametrize("name", ["localhost", "LOCALHOST", "LocalHost", "localhost.", "127.1", "0x7f.1"])
def test_a_host_is_found_however_it_is_written(origin: Origin, store_dir: Path, name: str) -> None:
    heals(served(origin, "/a").replace("127.0.0.1", name), store_dir)


@pytest.mark.parametrize("scheme", ["HTTP", "Http"])
def test_a_scheme_is_known_in_any_case(origin: Origin, store_dir: Path, scheme: str) -> None:
    heals(served(origin, "/a").replace("http", scheme, 1), store_dir)


def has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


@pytest.mark.skipif(not has_ipv6(), reason="this machine has no ::1")
@pytest.mark.parametrize("host", ["[::1]", "[0:0:0:0:0:0:0:1]", "localhost"])
def test_ipv6_works(make_origin: MakeOrigin, store_dir: Path, host: str) -> None:
    origin = make_origin(host="::1")
    heals(served(origin, "/a").replace("[::1]", host), store_dir)


@pytest.mark.parametrize(
    "url",
    [
        "http://",
        "http:///a",
        "http://[::1/a",
        "http://[zz]/a",
        "http://127.0.0.1:99999/a",
        "http://127.0.0.1:port/a",
        "http://ho st/a",
        "http://host\\@other/a",
        "http://a@b@c d/",
        "http://\ud800/",
    ],
    ids=ascii,
)
def test_a_url_that_names_no_place_is_told(store_dir: Path, url: str) -> None:
    assert isinstance(outcome(url, store_dir).error, ConnectFailed | ConfigError | InvalidKey)


@pytest.mark.parametrize("url", ["ftp://host/a", "gopher://host/a", "data:,hello", "javascript:1", "s3://bucket/a"])
def test_a_scheme_of_another_kind_is_refused_at_once(store_dir: Path, url: str) -> None:
    found = outcome(url, store_dir)
    assert isinstance(found.error, ConfigError)


def test_a_name_that_nobody_has_is_told(store_dir: Path) -> None:
    found = outcome("http://nobody.invalid/a", store_dir)
    assert isinstance(found.error, ConnectFailed)


def test_two_queries_are_two_resources(origin: Origin, store_dir: Path) -> None:
    heals(origin.serve("/a?id=1", DATA), store_dir)
    heals(origin.serve("/a?id=2", DATA[::-1]), store_dir, DATA[::-1])
    heals(origin.url("/a?id=1"), store_dir)
