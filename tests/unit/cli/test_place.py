"""A word is a directory or a path, as a user of cp would take it; what is neither is told before anything is done."""

from __future__ import annotations

from pathlib import Path

import click
import pytest

from kithara_file.cli.place import Place


def test_a_trailing_slash_means_a_directory_which_is_made(tmp_path: Path) -> None:
    place = Place.of(f"{tmp_path}/new/one/", 2)
    assert place.target("song") == tmp_path / "new/one/song"
    assert (tmp_path / "new/one").is_dir()


def test_a_directory_that_is_there_needs_no_slash(tmp_path: Path) -> None:
    assert Place.of(str(tmp_path), 2).target("song") == tmp_path / "song"


def test_anything_else_is_the_path_of_one_file(tmp_path: Path) -> None:
    assert Place.of(f"{tmp_path}/copy").target("song") == tmp_path / "copy"


@pytest.mark.parametrize(
    "output,count,told",
    [("-", 1, "kithara cat"), ("one", 2, "a directory: -o one/"), ("absent/one", 1, "there is no directory absent")],
)
def test_what_is_no_place_is_told(output: str, count: int, told: str, tmp_path: Path) -> None:
    with pytest.raises(click.UsageError, match=told):
        Place.of(output, count)
