"""What every command has: where bytes come from, and an exit code for each way to end."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from kithara_file.cli.command import INTERRUPTED, with_source
from kithara_file.cli.options import Source


@pytest.fixture(autouse=True)
def loggers_stay() -> Iterator[None]:
    """Take back what a command does to the loggers of this process."""
    yield
    logger = logging.getLogger("kithara_file")
    logger.handlers.clear()
    logger.setLevel(logging.NOTSET)


def test_options_become_a_source(tmp_path: Path) -> None:
    got: list[Source] = []

    @click.command()
    @with_source
    def command(*, source: Source) -> None:
        got.append(source)

    CliRunner().invoke(command, ["--offline", "-H", "a: b", "--cache-dir", str(tmp_path), "--name", "x"])
    assert got == [Source(tmp_path, (("a", "b"),), True, "x")]


def test_an_interruption_is_a_code_and_not_a_traceback() -> None:
    @with_source
    def command(*, source: Source) -> None:
        raise KeyboardInterrupt

    with click.Context(click.Command("command")):
        code = command(cache_dir=None, headers=(), offline=False, name=None, cache_key=None, ca_file=None, verbose=0)
    assert code == INTERRUPTED
