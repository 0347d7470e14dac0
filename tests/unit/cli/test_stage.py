"""The line shows state, place, what is here, and what is played."""

from __future__ import annotations

import re

import pytest

from kithara_file.cli.bar import CoverageBar
from kithara_file.cli.stage import Dark, Moment, line, stage
from kithara_file.ranges import Coverage
from tests.unit.cli.kit import console, written


def drawn(moment: Moment, width: int = 80) -> str:
    on = console(width, terminal=True)
    on.print(line(moment, CoverageBar()))
    return written(on)


def test_the_playhead_stands_in_what_is_here() -> None:
    shown = drawn(Moment("playing", "song", 62.9, 125.0, Coverage.of([(0, 750)]), 1000, ("[2/3]", "80 %")))
    assert shown.startswith("playing 1:02 ")
    assert "┃█" in shown
    assert re.search("█▓?░", shown)
    assert " 2:05 [2/3]  80 %  song" in shown
    bar = shown.split()[2]
    assert bar.index("┃") / len(bar) == pytest.approx(0.5, abs=0.05)


def test_what_nobody_knows_is_not_made_up() -> None:
    shown = drawn(Moment("opening", "song"))
    assert "-:--" in shown
    assert "┃" not in shown


@pytest.mark.parametrize("width", [30, 50, 200])
def test_it_is_one_line_however_long_the_title_and_narrow_the_terminal(width: int) -> None:
    shown = drawn(Moment("paused", "a long title " * 30, 7.0, 9.0, Coverage(), 10), width)
    assert shown.count("\n") == 1
    assert len(shown) <= width + 1


def test_a_long_title_does_not_hide_that_the_sound_is_off() -> None:
    assert "[2/3]  muted  a long" in drawn(Moment("playing", "a long title " * 9, notes=("[2/3]", "muted")))


def test_a_title_cannot_steer_the_terminal() -> None:
    assert "\x1b" not in drawn(Moment("playing", "\x1b[2Jsong"))


def test_a_terminal_is_lit_and_anything_else_dark() -> None:
    on = console(terminal=True)
    with stage(on, quiet=False) as lit:
        lit.show(Moment("playing", "song", 1.0, 2.0))
    assert "song" in written(on)
    for dark, quiet in ((console(), False), (console(terminal=True), True)):
        with stage(dark, quiet=quiet) as stands:
            assert isinstance(stands, Dark)
            stands.show(Moment("playing", "song"))
        assert written(dark) == ""
