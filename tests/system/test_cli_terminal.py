"""On a terminal a person sees how far each file is, and Ctrl-C ends it all in good order."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.system.command import Terminal, kithara
from tests.system.kit import only
from tests.world import Origin, PatternBody, StallAt

pytestmark = pytest.mark.system

BODY = PatternBody(2_000_000, seed=61)


def test_bars_show_what_is_here_until_a_line_takes_their_place(origin: Origin, store_dir: Path, tmp_path: Path) -> None:
    url = origin.serve("/song.flac", BODY, faults=[StallAt(500_000)])
    with Terminal(store_dir, "get", url, "-o", tmp_path / "copy") as terminal:
        terminal.wait_for(r"song\.flac +█+[▒▓]?░+ +25 % +0\.5/2\.0 MB")
        origin.release("/song.flac")
        assert terminal.end() == 0
        assert "song.flac: 2.0 MB in " in terminal.said
    assert (tmp_path / "copy").read_bytes() == BODY[0 : BODY.length]


def test_ctrl_c_keeps_exactly_what_was_shown_and_the_same_command_goes_on(
    origin: Origin, store_dir: Path, tmp_path: Path
) -> None:
    url = origin.serve("/song.flac", BODY, faults=[StallAt(500_000)])
    with Terminal(store_dir, "get", url, "-o", tmp_path / "copy") as terminal:
        terminal.wait_for(r"0\.5/2\.0 MB")
        terminal.type("\x03")
        assert terminal.end() == 130
        assert "interrupted with 0.5/2.0 MB of song.flac kept" in terminal.said
        assert "Traceback" not in terminal.said
    assert kithara(store_dir, "get", url, "-o", tmp_path / "copy").code == 0
    again = origin.requests("/song.flac")[1]
    assert again.start >= 450_000, "what was shown as 0.5 MB is kept"
    assert again.bytes_sent == BODY.length - again.start


def test_what_was_shown_is_kept_even_by_kill_9(origin: Origin, store_dir: Path, tmp_path: Path) -> None:
    url = origin.serve("/song.flac", BODY, faults=[StallAt(1_500_000)])
    with Terminal(store_dir, "get", url, "-o", tmp_path / "copy") as terminal:
        terminal.wait_for(r"1\.5/2\.0 MB")
        terminal.kill()
        assert terminal.end() == -9
    assert kithara(store_dir, "get", url, "-o", tmp_path / "copy").code == 0
    assert (tmp_path / "copy").read_bytes() == BODY[0 : BODY.length]
    assert origin.bytes_sent("/song.flac") <= BODY.length + (1 << 20)


def test_what_is_here_is_drawn_at_its_place_and_a_narrow_terminal_is_not_overrun(
    origin: Origin, store_dir: Path
) -> None:
    url = origin.serve("/song.flac", BODY, always=[only((1_500_000, 1_800_000))])
    assert kithara(store_dir, "cat", "--range", "1500000-1799999", url).code == 0
    origin.always("/song.flac", StallAt(0))
    with Terminal(store_dir, "get", url, columns=60) as terminal:
        terminal.wait_for(r"0\.3/2\.0 MB")
        terminal.type("\x03")
        assert terminal.end() == 130
        lines = [line.rstrip() for line in re.split(r"[\r\n]+", terminal.said.replace("^C", "")) if "/2.0 MB" in line]
    drawn = [line for line in lines if "interrupted" not in line]
    assert drawn
    for line in drawn:
        assert len(line) <= 60
        assert re.match("song.flac ░{10,}[▒▓]?█+[▒▓]?░* ", line)
