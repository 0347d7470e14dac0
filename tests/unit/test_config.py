"""Unit tests of the knobs: their defaults, what they refuse, and what they become."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from dataclasses import FrozenInstanceError, fields
from pathlib import Path
from typing import Any

import pytest

from kithara_file.config import KIB, MIB, FileConfig, Policy, Retry, StoreLike, Timeouts
from kithara_file.errors import ConfigError

URL = "https://host/song.flac"


@pytest.mark.parametrize(
    "build",
    [
        lambda: FileConfig(""),
        lambda: FileConfig(URL.encode()),  # type: ignore[arg-type]
        lambda: FileConfig(URL, revalidate="sometimes"),  # type: ignore[arg-type]
        lambda: FileConfig(URL, read_timeout=0),
        lambda: FileConfig(URL, read_timeout=-1),
        lambda: FileConfig(URL, look_ahead_bytes=0),
        lambda: FileConfig(URL, look_ahead_bytes=-1),
        lambda: FileConfig(URL, max_fetches=0),
        lambda: FileConfig(URL, connections=0),
        lambda: FileConfig(URL, headers={"": "v"}),
        lambda: FileConfig(URL, headers={"a b": "v"}),
        lambda: FileConfig(URL, headers={"a:b": "v"}),
        lambda: FileConfig(URL, headers={"a\n": "v"}),
        lambda: FileConfig(URL, headers={"ä": "v"}),
        lambda: FileConfig(URL, headers={"a": "v\r\nEvil: 1"}),
        lambda: FileConfig(URL, headers={"a": "v\n"}),
        lambda: FileConfig(URL, headers={"a": "b\0c"}),
        lambda: FileConfig(URL, headers={"a": "\ud800"}),
        lambda: FileConfig(URL, digest=""),
        lambda: FileConfig(URL, digest="sha256"),
        lambda: FileConfig(URL, digest="sha256:" + 63 * "0"),
        lambda: FileConfig(URL, digest="sha256:" + 64 * "g"),
        lambda: FileConfig(URL, digest="crc32:00000000"),
        lambda: Timeouts(connect=0),
        lambda: Timeouts(headers=-1),
        lambda: Timeouts(idle=0),
        lambda: Timeouts(connect=math.nan),
        lambda: Timeouts(headers=math.nan),
        lambda: Timeouts(idle=math.nan),
        lambda: Retry(retries=-1),
        lambda: Retry(max_failures=0),
        lambda: Retry(first_delay=-0.1),
        lambda: Retry(jitter=-0.1),
        lambda: Retry(max_delay=math.nan),
        lambda: Retry(jitter=math.nan),
        lambda: Retry(max_retry_after=math.nan),
        lambda: Policy(look_ahead_bytes=0),
        lambda: Policy(max_fetches=0),
        lambda: Policy(gap_bytes=0),
        lambda: Policy(max_gaps=0),
    ],
)
def test_what_cannot_be_meant_is_refused_where_it_is_built(build: Callable[[], Any]) -> None:
    with pytest.raises(ConfigError):
        build()


@pytest.mark.parametrize("url", [f" {URL}", f"{URL}\n", f"\t{URL}\r\n", URL])
def test_blanks_around_a_url_are_no_part_of_it(url: str) -> None:
    assert FileConfig(url) == FileConfig(URL)


@pytest.mark.parametrize("path", [" song.flac", "song.flac ", Path(" song.flac "), " http", "a http://b"])
def test_blanks_around_a_path_are_part_of_it(path: str | Path) -> None:
    assert FileConfig(path).url == path


def test_nothing_but_the_url_is_needed_or_taken_by_position() -> None:
    FileConfig(URL)
    with pytest.raises(TypeError):
        FileConfig(URL, "name")  # type: ignore[call-arg]


def test_a_configuration_does_not_change() -> None:
    with pytest.raises(FrozenInstanceError):
        FileConfig(URL).detach = True  # type: ignore[misc]


def test_its_repr_tells_no_secret() -> None:
    config = FileConfig("https://user:secret@host/a?token=secret", headers={"Authorization": "secret"})
    assert repr(config) == "<FileConfig https://host/a>"


def test_a_path_is_a_url_too(tmp_path: Path) -> None:
    assert repr(FileConfig(tmp_path / "song.flac")) == f"<FileConfig {tmp_path}/song.flac>"


@pytest.mark.parametrize(
    "ahead, windows",
    [
        (16 * MIB, (MIB, 256 * KIB)),
        (None, (MIB, 256 * KIB)),
        (512 * KIB, (512 * KIB, 256 * KIB)),
        (1, (1, 1)),
    ],
)
def test_no_window_is_larger_than_the_look_ahead(ahead: int | None, windows: tuple[int, int]) -> None:
    policy = FileConfig(URL, look_ahead_bytes=ahead).policy
    assert policy.look_ahead_bytes == ahead
    assert (policy.initial_window, policy.seek_window) == windows


def test_the_planner_gets_the_slots() -> None:
    assert FileConfig(URL, max_fetches=5).policy.max_fetches == 5
    assert FileConfig(URL, connections=4).policy == Policy(connections=4, max_fetches=4)


def test_the_default_policy_is_that_of_the_default_configuration() -> None:
    assert FileConfig(URL).policy == Policy()


def test_delays_double_up_to_their_limit() -> None:
    retry = Retry(first_delay=0.1, max_delay=5.0)
    assert [retry.delay(failures) for failures in range(9)] == pytest.approx([0, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5, 5])
    assert retry.delay(10_000) == 5.0


def test_a_store_is_whatever_has_a_root(tmp_path: Path) -> None:
    class Store:
        root = tmp_path

    assert isinstance(Store(), StoreLike)
    assert not isinstance(str(tmp_path), StoreLike)


def test_two_configurations_share_no_headers() -> None:
    assert FileConfig(URL).headers is not FileConfig(URL).headers
    assert "headers" in {each.name for each in fields(FileConfig)}


@pytest.mark.parametrize("spelling", ["sha256:" + 64 * "a", "SHA-256:" + 64 * "A", "sha-256:" + 32 * "Aa"])
def test_a_digest_has_one_spelling(spelling: str) -> None:
    assert FileConfig(URL, digest=spelling).promised == "sha256:" + 64 * "a"
    assert FileConfig(URL).promised is None


@pytest.mark.parametrize(
    "kind,given", [(Timeouts, {"connect": None}), (Retry, {"retries": 1.5}), (Retry, {"jitter": "a"})]
)
def test_numbers_are_numbers(kind: type[Timeouts | Retry], given: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=r"is a (whole )?number"):
        kind(**given)


@pytest.mark.parametrize(
    "given,told",
    [
        ({"timeouts": 5}, "timeouts are a Timeouts"),
        ({"timeouts": None}, "timeouts are a Timeouts"),
        ({"retry": 3}, "retry is a Retry"),
        ({"headers": None}, "headers are a mapping"),
        ({"headers": [("Cookie", "secret")]}, "headers are a mapping"),
        ({"headers": {"Cookie": b"secret"}}, "header 'Cookie' and its value must be text"),
        ({"headers": {b"Cookie": "secret"}}, "must be text"),
        ({"look_ahead_bytes": "secret"}, "look_ahead_bytes is a number of bytes or None, not str"),
        ({"look_ahead_bytes": 1.5}, "look_ahead_bytes is a number of bytes or None, not float"),
        ({"max_fetches": 1.5}, "max_fetches is a whole number, not float"),
        ({"connections": None}, "connections is a whole number, not NoneType"),
        ({"read_timeout": "3"}, "read_timeout is a number of seconds or None, not str"),
        ({"store": 5}, "store is an AssetStore, a directory or None, not int"),
        ({"name": 5}, "name is text or None, not int"),
        ({"digest": 5}, "digest is text or None, not int"),
        ({"cancel": threading.Event()}, "cancel is a CancelToken or None, not Event"),
        ({"refresh_url": "http://host/b?secret"}, "refresh_url is a function or None"),
    ],
)
def test_what_other_libraries_take_is_refused_in_a_sentence(given: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigError, match=told) as refused:
        FileConfig("http://host/a", **given)
    assert "secret" not in str(refused.value)
