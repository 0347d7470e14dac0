"""Words of the command line become a configuration, and no message gives a header's value away."""

from __future__ import annotations

from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from kithara_file.cli.options import Source, header, joined, moment, source_options, span
from kithara_file.cli.span import Span
from kithara_file.clock import CancelToken


@pytest.mark.parametrize(
    "text,pair",
    [
        ("Accept: audio/*", ("Accept", "audio/*")),
        ("X:1:2", ("X", "1:2")),
        ("X-Empty:", ("X-Empty", "")),
    ],
)
def test_a_header_is_a_name_and_a_value(text: str, pair: tuple[str, str]) -> None:
    assert header(text) == pair


@pytest.mark.parametrize("text", ["hush", ":hush", "a b: hush", "é: hush", "A: hush\nB: c"])
def test_what_is_no_header_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(click.BadParameter) as caught:
        header(text)
    assert "hush" not in str(caught.value)


def test_a_range_is_read_or_refused() -> None:
    assert span("5-9") == Span(5, 10)
    with pytest.raises(click.BadParameter, match="A-B"):
        span("nonsense")


def test_repeated_headers_become_one_list() -> None:
    assert joined([("Accept", "a"), ("Cookie", "x=1"), ("accept", "b"), ("cookie", "y=2")]) == {
        "Accept": "a, b",
        "Cookie": "x=1; y=2",
    }


def test_every_option_reaches_the_configuration(tmp_path: Path) -> None:
    cancel = CancelToken()
    source = Source(tmp_path, (("A", "1"),), True, "high", "key", tmp_path / "ca.pem")
    config = source.config("https://host/a", look_ahead_bytes=9, cancel=cancel)
    assert (config.store, config.headers, config.offline_mode) == (tmp_path, {"A": "1"}, True)
    assert (config.name, config.cache_key, config.ca_file) == ("high", "key", str(tmp_path / "ca.pem"))
    assert (config.look_ahead_bytes, config.cancel) == (9, cancel)


def test_the_cache_directory_may_come_from_the_environment(tmp_path: Path) -> None:
    seen: list[object] = []

    @click.command
    @source_options
    def command(**options: object) -> None:
        seen.append(options["cache_dir"])

    CliRunner().invoke(command, [], env={"KITHARA_CACHE_DIR": str(tmp_path)})
    CliRunner().invoke(command, ["--cache-dir", "other"], env={"KITHARA_CACHE_DIR": str(tmp_path)})
    assert seen == [tmp_path, Path("other")]


@pytest.mark.parametrize(
    "text,seconds",
    [("0", 0.0), ("93.5", 93.5), ("1:33.5", 93.5), ("01:02:03", 3723.0), ("90:00", 5400.0), ("1000", 1000.0)],
)
def test_a_time_is_read_as_people_write_it(text: str, seconds: float) -> None:
    assert moment(text) == seconds


@pytest.mark.parametrize("text", ["", "-1", "1:60", "1:75", "1:2:3:4", "1e3", "nan", "1:", ":5", "a", "1:61:00"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(click.BadParameter, match="is no time"):
        moment(text)
