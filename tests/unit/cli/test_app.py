"""The commands say what they did by their exit codes, and what went wrong in one sentence."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

import kithara_file
from tests.unit.cli.kit import DATA, MALFORMED, local_file, run
from tests.unit.cli.sounds import tone


@pytest.fixture(autouse=True)
def loggers_stay() -> Iterator[None]:
    """Take back what a command does to the loggers of this process."""
    yield
    logger = logging.getLogger("kithara_file")
    logger.handlers.clear()
    logger.setLevel(logging.NOTSET)


def test_version_and_help_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert kithara_file.__version__ in run(capsys, "--version").out
    told = run(capsys, "--help")
    assert told.code == 0
    assert "Examples:" in told.out
    assert all(each in told.out for each in ("get", "cat", "info"))


@pytest.mark.parametrize(
    "arguments",
    [
        ["get"],
        ["nonsense"],
        ["get", "--jobs", "0", "a"],
        ["get", "--connections", "0", "a"],
        ["cat", "--range", "9-1", "a"],
        ["get", "-H", "nonsense", "a"],
        ["get", "-o", "-", "a"],
        ["get", "-o", "one", "a", "b"],
        ["get", "-o", "absent/one", "a"],
    ],
)
def test_wrong_usage_is_exit_code_2(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    told = run(capsys, *arguments)
    assert told.code == 2
    assert "Usage:" in told.err
    assert told.out == ""


def test_get_saves_under_the_path_that_was_given(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    told = run(capsys, "get", "-o", tmp_path / "copy", local_file(tmp_path))
    assert (told.code, told.out) == (0, "")
    assert (tmp_path / "copy").read_bytes() == DATA
    assert "saved as" in told.err


def test_get_makes_the_directory_and_names_files_by_their_urls(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    first = local_file(tmp_path)
    (tmp_path / "other").mkdir()
    second = local_file(tmp_path / "other", data=b"other")
    told = run(capsys, "get", "-q", "-o", f"{tmp_path}/out/new/", first, second, first)
    assert (told.code, told.err) == (0, "")
    assert (tmp_path / "out/new/song.bin").read_bytes() == DATA
    assert (tmp_path / "out/new/song-2.bin").read_bytes() == b"other"
    assert len(list((tmp_path / "out/new").iterdir())) == 2


def test_get_without_output_prints_where_the_file_is(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = local_file(tmp_path)
    assert run(capsys, "get", path).out == f"{path}\n"


def test_one_bad_file_is_exit_code_1_and_the_others_are_saved(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    told = run(capsys, "get", "-o", f"{tmp_path}/out/", tmp_path / "absent", local_file(tmp_path))
    assert told.code == 1
    assert f"kithara: Cannot open {tmp_path / 'absent'}" in told.err
    assert (tmp_path / "out/song.bin").exists()


@pytest.mark.parametrize("command", ["get", "cat", "info"])
@pytest.mark.parametrize("url", ["ftp://host/a", "http:///a", "/absent/file", *MALFORMED])
def test_what_cannot_be_opened_is_one_sentence(capsys: pytest.CaptureFixture[str], command: str, url: str) -> None:
    told = run(capsys, command, "--offline", url)
    assert told.code == 1
    assert told.out == ""
    assert told.err.startswith("kithara: ")
    assert told.err.count("\n") == 1


@pytest.mark.parametrize(
    "command",
    ["get", "cat --range 0-3", "info", "play --sink null --rate 50", "decode -o OUT.wav", "waveform -o OUT.png"],
)
def test_where_a_url_can_stand_a_path_can(capsys: pytest.CaptureFixture[str], tmp_path: Path, command: str) -> None:
    words = [each.replace("OUT", str(tmp_path / "out")) for each in command.split()]
    assert run(capsys, *words, tone(tmp_path)).code == 0


def test_the_help_excepts_the_cache_from_what_takes_paths(capsys: pytest.CaptureFixture[str]) -> None:
    assert "path can, but for kithara cache" in " ".join(run(capsys, "--help").out.split())


def test_info_is_a_table_or_json(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = local_file(tmp_path)
    assert "10.2 kB (10,240 bytes)" in run(capsys, "info", path).out
    assert json.loads(run(capsys, "info", "--json", path).out)["length"] == len(DATA)


def test_lines_of_a_table_are_not_folded_for_other_programs(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    name = "x" * 200
    assert name in run(capsys, "info", local_file(tmp_path, name)).out
