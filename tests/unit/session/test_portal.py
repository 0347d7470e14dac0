"""Which answers are pages, and who cannot have meant one."""

from __future__ import annotations

import pytest

from kithara_file.session.portal import expects_media, is_page, kind


@pytest.mark.parametrize(
    "media_type,page",
    [
        ("text/html", True),
        ("Text/HTML; charset=utf-8", True),
        ("application/xhtml+xml", True),
        ("text/plain", False),
        ("audio/flac", False),
        (None, False),
    ],
)
def test_a_page_is_known_by_its_type(media_type: str | None, *, page: bool) -> None:
    assert is_page(media_type) is page


@pytest.mark.parametrize(
    "url,means",
    [
        ("http://host/song.flac", True),
        ("http://host/a/SONG.MP3?page=1.html#x", True),
        ("https://user@host:1/film.mkv", True),
        ("http://host/song", False),
        ("http://host/song.flac.html", False),
        ("http://host/?song.flac", False),
        ("http://host/a#.wav", False),
        ("http://host/flac", False),
        ("http://radio.au", False),
        ("http://radio.au/", False),
    ],
)
def test_a_url_of_a_media_file_means_no_page(url: str, *, means: bool) -> None:
    assert expects_media(url, {}) is means


@pytest.mark.parametrize(
    "accept,means",
    [
        ("audio/*", True),
        ("audio/flac, Video/mp4;q=0.5", True),
        ("audio/*, */*;q=0.1", False),
        ("*/*", False),
        ("", False),
    ],
)
def test_who_accepts_only_media_means_no_page(accept: str, *, means: bool) -> None:
    assert expects_media("http://host/a", {"accept": accept}) is means


def test_a_type_is_compared_without_its_parameters() -> None:
    assert kind("Audio/FLAC ; rate=1") == "audio/flac"
    assert kind(None) is None
