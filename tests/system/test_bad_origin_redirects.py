"""Redirects: followed as far as they are sound, from the original URL each time; secrets stay at home."""

from __future__ import annotations

from pathlib import Path

import pytest

from kithara_file import InvalidResponse, NetError, ResourceChanged
from tests.system.bad_origin import BREAK, DATA, changes, heals, outcome
from tests.world import CloseAt, Item, Origin, Raw, Redirect, Request, StallAt, Status
from tests.world.fixtures import MakeOrigin

pytestmark = pytest.mark.system

SECRETS = {"Authorization": "Bearer hush", "Cookie": "session=hush", "X-Api-Key": "hush"}


def chain(origin: Origin, hops: int, status: int = 302) -> str:
    origin.serve("/0", DATA)
    for hop in range(hops):
        origin.redirect(f"/{hop + 1}", f"/{hop}", status)
    return origin.url(f"/{hops}")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_five_hops_are_followed(origin: Origin, store_dir: Path, status: int) -> None:
    heals(chain(origin, 5, status), store_dir)


@pytest.mark.parametrize("hops,right", [(10, True), (11, False)])
def test_ten_hops_are_enough(origin: Origin, store_dir: Path, hops: int, *, right: bool) -> None:
    found = outcome(chain(origin, hops), store_dir)
    assert found.data == (DATA if right else b"")
    assert right or isinstance(found.error, InvalidResponse)


def test_a_loop_is_told(origin: Origin, store_dir: Path) -> None:
    origin.redirect("/a", "/b")
    origin.redirect("/b", "/a")
    found = outcome(origin.url("/a"), store_dir)
    assert isinstance(found.error, InvalidResponse)
    assert len(origin.requests()) <= 11


def test_a_url_that_leads_to_itself_is_told(origin: Origin, store_dir: Path) -> None:
    assert isinstance(outcome(origin.redirect("/a", "/a"), store_dir).error, InvalidResponse)


@pytest.mark.parametrize("to", ["b", "./b", "../dir/b", "/dir/b", "//{host}/dir/b", "?q=b", "/dir/b#part"], ids=str)
def test_relative_targets_are_resolved(origin: Origin, store_dir: Path, to: str) -> None:
    origin.serve("/dir/b", DATA)
    origin.serve("/dir/a?q=b", DATA)
    heals(origin.redirect("/dir/a", to.format(host=f"127.0.0.1:{origin.port}")), store_dir)


def test_secrets_stay_at_home(make_origin: MakeOrigin, store_dir: Path) -> None:
    home, abroad = make_origin(), make_origin()
    url = home.redirect("/a", abroad.serve("/b", DATA, faults=[CloseAt(BREAK)]))
    heals(url.replace("://", "://user:hush@"), store_dir, headers={"X-Api-Key": "hush", "Cookie": "session=hush"})
    for each in home.requests():
        assert each.header("Authorization")
        assert each.header("Cookie") == "session=hush"
    assert len(abroad.requests()) == 2
    for each in abroad.requests():
        assert "hush" not in str(each.headers)
        assert each.header("Authorization") is None


def test_secrets_go_along_within_home(origin: Origin, store_dir: Path) -> None:
    origin.serve("/b", DATA)
    heals(origin.redirect("/a", "/b"), store_dir, headers=SECRETS)
    assert all(each.header("Authorization") == "Bearer hush" for each in origin.requests())


def test_secrets_come_back_with_the_way_home(make_origin: MakeOrigin, store_dir: Path) -> None:
    home, abroad = make_origin(), make_origin()
    home.serve("/c", DATA)
    heals(home.redirect("/a", abroad.redirect("/b", home.url("/c"))), store_dir, headers=SECRETS)
    assert "hush" not in str(abroad.requests()[0].headers)


def test_another_name_of_the_same_machine_is_another_host(origin: Origin, store_dir: Path) -> None:
    origin.serve("/b", DATA)
    heals(origin.redirect("/a", origin.url("/b", host="localhost")), store_dir, headers=SECRETS)
    assert origin.requests("/b")[0].header("Cookie") is None


@pytest.mark.parametrize(
    "to",
    [
        "file:///etc/passwd",
        "FILE:/etc/passwd",
        "ftp://127.0.0.1/a",
        "gopher://127.0.0.1/a",
        "data:,hello",
        "javascript:alert(1)",
        "app+internal://secret",
        "dict://127.0.0.1:1/x",
        "unix:/var/run/docker.sock",
    ],
)
def test_a_target_outside_of_http_is_refused(origin: Origin, store_dir: Path, to: str) -> None:
    found = outcome(origin.redirect("/a", to), store_dir)
    assert isinstance(found.error, InvalidResponse)
    assert found.data == b""


@pytest.mark.parametrize(
    "to", ["", "http://", "http://[::1", "http:///b", "http://a b/", "//", "http://127.0.0.1:99999/"]
)
def test_a_target_that_is_none_is_refused(origin: Origin, store_dir: Path, to: str) -> None:
    found = outcome(origin.redirect("/a", to), store_dir)
    assert isinstance(found.error, NetError)
    assert found.data == b""


def test_a_resume_begins_at_the_original_url_since_targets_expire(origin: Origin, store_dir: Path) -> None:
    tickets = iter(range(100))

    def ticket(_: Request) -> Item:
        number = next(tickets)
        origin.serve(f"/real?ticket={number}", DATA, faults=[CloseAt(BREAK), *[Status(403)] * 9])
        return Redirect(f"/real?ticket={number}")

    heals(origin.serve("/a", b"", always=[ticket]), store_dir)
    assert len(origin.requests("/a")) >= 2
    assert all(each.status in {200, 206} for each in origin.requests("/real"))


def test_a_resume_that_leads_elsewhere_is_compared(origin: Origin, store_dir: Path) -> None:
    origin.serve("/one", DATA, faults=[StallAt(BREAK)])
    origin.serve("/two", DATA[::-1], etag='"v2"')
    url = origin.serve("/a", b"", faults=[Redirect("/one"), *[Redirect("/two")] * 9])
    changes(ResourceChanged, origin, url, store_dir)


def test_the_headers_of_a_redirect_tell_nothing_of_its_target(origin: Origin, store_dir: Path) -> None:
    origin.serve("/b", DATA)
    raw = (
        b'HTTP/1.1 302 Found\r\nLocation: /b\r\nETag: "no"\r\nContent-Type: text/html\r\n'
        b"Content-Length: 5\r\nContent-Encoding: gzip\r\n\r\nmoved"
    )
    heals(origin.serve("/a", b"", always=[Raw(raw)]), store_dir)
