"""A page where audio was, as captive portals and expired logins answer: never mixed in, never taken for the audio."""

from __future__ import annotations

from pathlib import Path

import pytest

from kithara_file import InvalidResponse, ResourceChanged
from tests.system.bad_origin import BREAK, DATA, heals, outcome, tells
from tests.world import CloseAt, Header, Html, Item, Origin, Redirect, ranged, when

pytestmark = pytest.mark.system

PAGES: dict[str, Item] = {
    "a page": Html(),
    "a page with a tag": (Html(), Header("ETag", '"portal"')),
    "a page with a date": (Html(), Header("Last-Modified", "Tue, 09 May 1995 06:13:20 GMT")),
    "a page with ranges": (Html(), Header("Accept-Ranges", "bytes")),
    "a page as long as the audio": Html(b"<html>".ljust(len(DATA))),
    "xhtml": (Html(), Header("Content-Type", "application/xhtml+xml")),
}
pages = pytest.mark.parametrize("page", PAGES.values(), ids=PAGES)
NAMED = pytest.mark.parametrize("etag", ['"v1"', 'W/"v1"', None])


@pages
@NAMED
def test_a_page_in_the_place_of_the_rest_is_refused(
    origin: Origin, store_dir: Path, page: Item, etag: str | None
) -> None:
    url = origin.serve("/a", DATA, etag=etag, media_type="audio/flac", faults=[CloseAt(BREAK), *[page] * 20])
    found = tells(InvalidResponse, url, store_dir)
    assert found.data == DATA[:BREAK]
    assert "text/html" in str(found.error) or "xhtml" in str(found.error)


@pages
def test_a_page_in_the_place_of_the_rest_just_once_heals(origin: Origin, store_dir: Path, page: Item) -> None:
    heals(origin.serve("/a", DATA, media_type="audio/flac", faults=[CloseAt(BREAK), page]), store_dir)


@pages
def test_a_page_in_the_place_of_a_part_leaves_what_was_stored(origin: Origin, store_dir: Path, page: Item) -> None:
    url = origin.serve("/a", DATA, media_type="audio/flac", faults=[CloseAt(BREAK), *[page] * 20])
    tells(InvalidResponse, url, store_dir)
    origin.serve("/a", DATA, media_type="audio/flac")
    heals(url, store_dir)
    assert origin.requests("/a")[-1].range == f"bytes={BREAK}-{len(DATA) - 1}"


def test_a_redirect_to_a_page_is_refused(origin: Origin, store_dir: Path) -> None:
    origin.serve("/login", b"", always=[Html()])
    away = [Redirect("/login")] * 20
    url = origin.serve("/a", DATA, media_type="audio/flac", faults=[CloseAt(BREAK), *away])
    assert tells(InvalidResponse, url, store_dir).data == DATA[:BREAK]


@pages
@pytest.mark.parametrize("name", ["/song.flac", "/SONG.MP3?token=1", "/a/b.m4a"])
def test_a_page_at_the_url_of_a_song_is_refused_from_the_start(
    origin: Origin, store_dir: Path, page: Item, name: str
) -> None:
    url = origin.serve(name, DATA, media_type="audio/flac", faults=[page])
    found = outcome(url, store_dir)
    assert isinstance(found.error, InvalidResponse)
    assert found.data == b""
    heals(url, store_dir)


@pages
def test_a_page_in_answer_to_a_wish_for_audio_is_refused(origin: Origin, store_dir: Path, page: Item) -> None:
    url = origin.serve("/a", DATA, media_type="audio/flac", faults=[page])
    headers = {"Accept": "audio/*, video/mp4;q=0.5"}
    assert isinstance(outcome(url, store_dir, headers=headers).error, InvalidResponse)
    heals(url, store_dir, headers=headers)


@pytest.mark.parametrize("name", ["/index.html", "/a", "/song.flac.html", "/?song.flac"])
def test_a_page_that_was_asked_for_is_read(origin: Origin, store_dir: Path, name: str) -> None:
    url = origin.serve(name, DATA, media_type="text/html", faults=[CloseAt(BREAK)])
    heals(url, store_dir)
    heals(url, store_dir, headers={"Accept": "*/*"})


@pages
def test_a_page_when_asked_whether_the_stored_song_is_current_leaves_it(
    origin: Origin, store_dir: Path, page: Item
) -> None:
    url = origin.serve("/a", DATA, media_type="audio/flac")
    heals(url, store_dir)
    origin.next("/a", *[page] * 20)
    heals(url, store_dir, revalidate="always")


@pytest.mark.parametrize("etag", ['"v1"', None])
def test_another_type_of_the_same_bytes_does_not_disturb(origin: Origin, store_dir: Path, etag: str | None) -> None:
    other = when(ranged, Header("Content-Type", "audio/x-flac"))
    url = origin.serve("/a", DATA, etag=etag, media_type="audio/flac", faults=[CloseAt(BREAK)], always=[other])
    found = outcome(url, store_dir)
    assert found.data == DATA or isinstance(found.error, (InvalidResponse, ResourceChanged))


def test_a_type_that_is_told_only_later_does_not_disturb(origin: Origin, store_dir: Path) -> None:
    untyped = (Header("Content-Type"), CloseAt(BREAK))
    heals(origin.serve("/a", DATA, etag=None, media_type="audio/flac", faults=[untyped]), store_dir)
