"""URLs go out byte for byte, and come back out of us without what they carry in secret."""

from __future__ import annotations

import logging
import urllib.parse
from collections.abc import Callable
from pathlib import Path

import pytest

from kithara_file import File, FileConfig, KitharaError, Stream, open_file
from tests.system.kit import SOON, TWICE
from tests.world import CloseAt, Origin, PatternBody, Redirect, Status
from tests.world.fixtures import MakeOrigin

pytestmark = pytest.mark.system

BODY = PatternBody(300_000, seed=51)


@pytest.mark.parametrize(
    "target",
    [
        "/plain",
        "/with%20space/%C3%A9t%C3%A9.flac",
        "/lower%2fcase%2Fslash",
        "/a//b///c",
        "/dots/../and/./more",
        "/semi;colon=1,2+3!$&'()*@:~",
        "/query?b=2&a=1&a=%20&empty=&&x",
        "/query?slash=/../&q=?",
        "/percent%25%41",
        "/brackets[1]?x[]=2",
        "/?",
        "/trailing.",
        "/" + "long" * 1500,
    ],
)
def test_a_url_goes_out_as_it_is(origin: Origin, store_dir: Path, target: str) -> None:
    origin.serve(target, BODY)
    with open_file(origin.url(target), store=store_dir) as file:
        assert file.read(100) == BODY[:100]
        file.seek(-100, 2)
        assert file.read() == BODY[-100:]
    assert {each.target for each in origin.requests()} == {target}


def test_a_unicode_url_goes_out_as_utf8(origin: Origin, store_dir: Path) -> None:
    raw = urllib.parse.quote("/été/歌.flac")
    origin.serve(raw, BODY)
    with open_file(origin.url("/été/歌.flac"), store=store_dir) as file:
        assert file.read() == BODY[:]
    (request,) = origin.requests()
    assert urllib.parse.unquote(request.target) == "/été/歌.flac"


def test_a_fragment_stays_at_home(origin: Origin, store_dir: Path) -> None:
    url = origin.serve("/song", BODY)
    with open_file(url + "#t=10", store=store_dir) as file:
        assert file.read() == BODY[:]
    with open_file(url, store=store_dir, offline_mode=True) as file:
        assert file.read() == BODY[:]
    assert {each.target for each in origin.requests()} == {"/song"}


def test_what_differs_in_the_query_is_another_file(origin: Origin, store_dir: Path) -> None:
    other = PatternBody(300_000, seed=52)
    one, two = origin.serve("/song?q=1", BODY), origin.serve("/song?q=2", other)
    with open_file(one, store=store_dir) as first, open_file(two, store=store_dir) as second:
        assert (first.read(), second.read()) == (BODY[:], other[:])


def test_a_cache_key_is_one_file_whatever_the_signature(origin: Origin, store_dir: Path) -> None:
    url = origin.serve("/song", BODY, headers={"Cache-Control": "max-age=60"})
    for signature in "abc":
        with open_file(f"{url}?sig={signature}", store=store_dir, cache_key="song") as file:
            assert file.read() == BODY[:]
    assert len(origin.requests()) == 1


def test_userinfo_is_sent_as_credentials(origin: Origin, store_dir: Path) -> None:
    url = origin.serve("/song", BODY).replace("://", "://me:p%40ss@")
    with open_file(url, store=store_dir) as file:
        assert file.read(3) == BODY[:3]
    assert origin.requests()[0].header("Authorization") == "Basic bWU6cEBzcw=="


def test_headers_and_their_secrets_stay_with_the_first_origin(make_origin: MakeOrigin, store_dir: Path) -> None:
    home, abroad = make_origin(), make_origin()
    target = abroad.serve("/song", BODY)
    url = home.serve("/song", b"", always=[Redirect(target)])
    with open_file(url, store=store_dir, headers={"X-Mine": "1", "Authorization": "Bearer hush"}) as file:
        file.seek(-10, 2)
        assert file.read() == BODY[-10:]
    assert {each.header("X-Mine") for each in home.requests()} == {"1"}
    for each in abroad.requests():
        assert each.header("X-Mine") is None
        assert each.header("Authorization") is None


def test_the_name_shows_no_credentials(origin: Origin, store_dir: Path) -> None:
    url = origin.serve("/quiet/song.flac", BODY, media_type="audio/flac")
    secret = url.replace("://", "://user:hush@") + "?token=hush#hush"
    with File.open(FileConfig(secret, store=store_dir)) as session, session.stream() as stream:
        assert stream.name == session.name == url
        assert session.media_type == "audio/flac"
        assert stream.mode == "rb"
        for thing in (stream, session, session._session, FileConfig(secret)):  # noqa: SLF001
            assert "hush" not in repr(thing)
    with open_file(secret, store=store_dir) as file:
        assert file.name == url


def opened(url: str, store: Path) -> None:
    with open_file(url, store=store, retry=TWICE, headers={"Authorization": "Bearer hush"}) as file:
        file.read()
        file.seek(-100, 2)
        file.read()


def completed(url: str, store: Path) -> None:
    with File.open(FileConfig(url, store=store, headers={"Cookie": "hush"})) as session:
        session.wait_complete(SOON)


@pytest.mark.parametrize("use", [opened, completed])
@pytest.mark.parametrize("fault", [None, CloseAt(100_000), Status(403), Status(500)])
def test_no_log_error_or_file_tells_a_secret(
    origin: Origin,
    store_dir: Path,
    caplog: pytest.LogCaptureFixture,
    use: Callable[[str, Path], None],
    fault: CloseAt | Status | None,
) -> None:
    url = origin.serve("/quiet/song.flac", BODY, always=[fault])
    secret = url.replace("://", "://user:hush@") + "?token=hush#hush"
    error = None
    with caplog.at_level(logging.DEBUG, logger="kithara_file"):
        try:
            use(secret, store_dir)
        except KitharaError as failure:
            error = failure
    assert (error is None) is not isinstance(fault, Status)
    while error is not None:
        assert "hush" not in f"{error} {error!r} {error.__dict__} {getattr(error, '__notes__', '')}"
        error = error.__cause__  # type: ignore[assignment]
    assert "hush" not in caplog.text
    assert all(each.name.startswith("kithara_file") for each in caplog.records)
    for path in store_dir.rglob("*"):
        assert "hush" not in path.name
        if path.is_file():
            assert b"hush" not in path.read_bytes(), path


def test_debug_lines_carry_a_gutter(origin: Origin, store_dir: Path, caplog: pytest.LogCaptureFixture) -> None:
    url = origin.serve("/song", BODY, faults=[CloseAt(1000)])
    with caplog.at_level(logging.DEBUG, logger="kithara_file"), open_file(url, store=store_dir) as file:
        file.read()
    lines = [each.getMessage() for each in caplog.records if each.name.startswith("kithara_file")]
    assert lines
    assert all(each[:2] in ("> ", "< ", "= ", "? ", "! ") for each in lines), lines
    assert {each[0] for each in lines} >= {">", "<", "!"}


@pytest.mark.parametrize("place", ["path", "text", "file", "localhost", "percent"])
def test_a_local_file_is_read_where_it_is(tmp_path: Path, store_dir: Path, place: str) -> None:
    path = tmp_path / "my song é.wav"
    path.write_bytes(BODY[:])
    quoted = urllib.parse.quote(str(path))
    urls: dict[str, str | Path] = {
        "path": path,
        "text": str(path),
        "file": f"file://{quoted}",
        "localhost": f"file://localhost{quoted}",
        "percent": f"FILE://{quoted}",
    }
    with Stream.open(File, FileConfig(urls[place], store=store_dir)) as stream:
        assert stream.read(100) == BODY[:100]
        assert stream.seek(-10, 2) == BODY.length - 10
        assert stream.read() == BODY[-10:]
        assert stream.name == str(path)
    assert not store_dir.exists()
