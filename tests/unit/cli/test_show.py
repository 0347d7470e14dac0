"""Who watches sees how it goes; a log never writes across a bar, nor does anything but one line for each file."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from kithara_file import File
from kithara_file.cli.download import Download
from kithara_file.cli.show import Lines, log_to, outcome, say, watching
from tests.unit.cli.kit import console, download, local_file, written


@pytest.fixture
def ended(tmp_path: Path) -> Download:
    """Give a download of 10 240 bytes that is done."""
    one = download(local_file(tmp_path), tmp_path / "copy")
    one.run()
    return one


@pytest.mark.parametrize(
    "fetched,told",
    [
        (0, "song.bin: 10.2 kB, saved as "),
        (10_240, "song.bin: 10.2 kB in 2.0 s, saved as "),
        (100, "song.bin: 10.2 kB in 2.0 s (100 B fetched), saved as "),
    ],
)
def test_an_outcome_is_one_line(ended: Download, fetched: int, told: str) -> None:
    one = replace(ended, network_bytes=fetched, seconds=2.0)
    assert outcome(one) == f"{told}{ended.target}"


def test_each_end_is_a_line_where_there_is_no_terminal(ended: Download) -> None:
    on = console()
    with watching(on, quiet=False) as watcher:
        watcher.frame([ended])
        watcher.ended(ended)
    assert written(on) == f"song.bin: 10.2 kB, saved as {ended.target}\n"


def test_quiet_tells_failures_only(ended: Download, tmp_path: Path) -> None:
    bad = download(tmp_path / "absent", None)
    bad.run()
    on = console()
    with watching(on, quiet=True) as watcher:
        watcher.ended(ended)
        watcher.ended(bad)
    assert written(on).splitlines() == [f"kithara: Cannot open {tmp_path / 'absent'}: No such file or directory"]


def test_a_cancelled_download_is_not_told_of_as_a_failure(tmp_path: Path) -> None:
    bad = download(tmp_path / "absent", None)
    bad.run()
    bad.cancel.cancel()
    on = console()
    Lines(on).ended(bad)
    assert written(on) == ""


def test_a_terminal_shows_name_bar_share_and_bytes_while_it_runs(tmp_path: Path) -> None:
    one = download(local_file(tmp_path), None)
    on = console(terminal=True)
    with File.open(one.config) as session, watching(on, quiet=False) as watcher:
        watcher.frame([one])
        assert "song.bin" not in written(on)
        one.session = session
        watcher.frame([one])
        drawn = written(on)
        watcher.ended(one)
    for part in ("song.bin", "████", "100 %", "10.2/10.2 kB"):
        assert part in drawn


def test_a_line_is_written_as_it_is_however_long_and_odd() -> None:
    on = console(20)
    say(on, f"[bold]{'x' * 100}\x1b[2J")
    assert written(on) == f"[bold]{'x' * 100}\N{REPLACEMENT CHARACTER}[2J\n"


@pytest.mark.parametrize(
    "verbosity,told", [(0, ["warned"]), (1, ["asked", "warned"]), (2, ["asked", "warned", "decided"])]
)
def test_the_log_says_as_much_as_was_asked_for(verbosity: int, told: list[str], quiet_after: None) -> None:
    on = console()
    log_to(on, verbosity)
    logging.getLogger("kithara_file.net.http").debug("asked")
    logging.getLogger("kithara_file.assets").warning("warned")
    logging.getLogger("kithara_file.session").debug("decided")
    assert [line.split()[-1] for line in written(on).splitlines()] == told


@pytest.fixture
def quiet_after() -> Iterator[None]:
    """Put the loggers back as they were."""
    names = ("kithara_file", "kithara_file.net")
    before = [(name, logging.getLogger(name).handlers[:], logging.getLogger(name).level) for name in names]
    yield
    for name, handlers, level in before:
        logging.getLogger(name).handlers[:] = handlers
        logging.getLogger(name).setLevel(level)
