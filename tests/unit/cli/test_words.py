"""Numbers are told as people read them, and no URL makes a dangerous file name."""

from __future__ import annotations

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kithara_file.cli import words


@pytest.mark.parametrize(
    "count,told",
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (26_460_044, "26.5 MB"),
        (999_949, "999.9 kB"),
        (999_950, "1.0 MB"),
        (5e18, "5000.0 PB"),
    ],
)
def test_a_size_is_told_in_decimal_units(count: float, told: str) -> None:
    assert words.size(count) == told


def test_a_rate_is_a_size_a_second() -> None:
    assert words.rate(5e6) == "5.0 MB/s"


@pytest.mark.parametrize(
    "span,told",
    [
        (0.0, "0 ms"),
        (0.0354, "35 ms"),
        (0.9996, "1.0 s"),
        (5.34, "5.3 s"),
        (59.96, "1 min"),
        (125, "2 min 5 s"),
        (3600 * 3 + 60 * 20, "3 h 20 min"),
        (3600 * 5, "5 h"),
        (86400 * 12, "12 d"),
    ],
)
def test_a_length_of_time_is_told_in_its_own_unit(span: float, told: str) -> None:
    assert words.seconds(span) == told


@pytest.mark.parametrize("span,told", [(-1, "0:00"), (6.7, "0:07"), (750, "12:30"), (3723, "1:02:03")])
def test_time_left_counts_down_like_a_clock(span: float, told: str) -> None:
    assert words.clock(span) == told


@pytest.mark.parametrize(
    "part,whole,told",
    [(12_300_000, 26_460_044, "12.3/26.5 MB"), (3, 10, "3/10 B"), (1234, None, "1.2 kB"), (0, 0, "0/0 B")],
)
def test_progress_is_told_in_the_unit_of_the_whole(part: int, whole: int | None, told: str) -> None:
    assert words.progress(part, whole) == told


@pytest.mark.parametrize(
    "part,whole,told",
    [(0, 100, "0 %"), (1, 10**9, "<0.1 %"), (999_999, 10**6, "99.9 %"), (10, 10, "100 %"), (0, 0, "100 %")],
)
def test_a_share_never_rounds_to_all_or_to_nothing(part: int, whole: int, told: str) -> None:
    assert words.percent(part, whole) == told


@pytest.mark.parametrize(
    "url,name",
    [
        ("https://host/music/song%20one.flac?sign=1#t=3", "song one.flac"),
        ("https://host/caf%C3%A9.mp3", "café.mp3"),
        ("https://host/streams/one/", "one"),
        ("https://host/one.flac//?token=a/b", "one.flac"),
        ("https://host/", "host"),
        ("https://user:secret@host:8080", "host"),
        ("https://host/a/%2e%2e", "host"),
        ("https://host/..%2f..%2fetc%2fpasswd", "_._.._etc_passwd"),
        ("https://host/%2Ebashrc", "_bashrc"),
        ("https://host/a%00b%1b[31m%0a.mp3", "ab[31m.mp3"),
        ("https://host/a%5Cb", "a_b"),
        ("https://host/%E2%80%AEgnp.exe", "gnp.exe"),
        ("/music/100%20.flac", "100%20.flac"),
        ("song.flac", "song.flac"),
        ("..", "download"),
        ("http://[::1/x?token=hush", "download"),
    ],
)
def test_a_file_is_named_by_the_last_segment_of_its_url(url: str, name: str) -> None:
    assert words.file_name(url) == name


@given(st.text(max_size=300))
def test_no_url_names_a_file_outside_or_hidden_or_too_long(segment: str) -> None:
    name = words.file_name(f"https://host/{segment}")
    assert name
    assert "/" not in name
    assert "\\" not in name
    assert not name.startswith(".")
    assert all(each >= " " for each in name)
    assert len(name.encode()) <= 200


def test_a_long_name_keeps_its_suffix() -> None:
    assert words.file_name(f"https://host/{'é' * 300}.flac").endswith("é.flac")


def test_files_of_one_name_are_told_apart() -> None:
    assert list(words.distinct(["a.mp3", "b", "a.mp3", "a.mp3", "b", "a-2.mp3"])) == [
        "a.mp3",
        "b",
        "a-2.mp3",
        "a-3.mp3",
        "b-2",
        "a-2-2.mp3",
    ]


def test_many_files_of_one_name_are_told_apart_with_as_little_work_each_as_few() -> None:
    assert calls_to_tell_apart(1600) < 5 * calls_to_tell_apart(400)


def calls_to_tell_apart(count: int) -> int:
    """Return how many functions are called to tell so many files of one name apart."""
    calls = 0

    def watch(_frame: object, event: str, _about: object) -> None:
        nonlocal calls
        calls += event == "call"

    before = sys.getprofile()
    sys.setprofile(watch)
    try:
        names = list(words.distinct(["a.mp3"] * count))
    finally:
        sys.setprofile(before)
    assert names[-1] == f"a-{count}.mp3"
    return calls


def test_text_from_elsewhere_cannot_steer_a_terminal() -> None:
    assert words.plain("a\x1b[31m\nb é") == "a\N{REPLACEMENT CHARACTER}[31m\N{REPLACEMENT CHARACTER}b é"
