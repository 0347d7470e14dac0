"""What is seen while something plays: one moving line on a terminal, a line for each track elsewhere.

Must not know: players, keys, how anything is played.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

from rich.console import Console, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from kithara_file.cli import words
from kithara_file.cli.bar import CoverageBar
from kithara_file.cli.standard import cursor_while_stopped
from kithara_file.ranges import Coverage

_STYLES = {"playing": "green", "paused": "yellow", "waiting": "bold red", "opening": "cyan"}


@dataclass(frozen=True, slots=True)
class Moment:
    """What there is to be seen."""

    state: str
    """One of playing, paused, waiting (for the origin), opening."""
    title: str
    position: float = 0.0
    duration: float | None = None
    present: Coverage = field(default_factory=Coverage)
    length: int | None = None
    notes: tuple[str, ...] = ()


class Stage(Protocol):
    """Who shows it."""

    def show(self, moment: Moment) -> None:
        """Show it."""


class Dark:
    """Shows nothing."""

    def show(self, moment: Moment) -> None:
        """Show nothing."""


class Lit:
    """Draws one line: state, position in what is here of the file, duration, title."""

    def __init__(self, live: Live) -> None:
        self._live = live
        self._bar = CoverageBar()

    def show(self, moment: Moment) -> None:
        """Draw it."""
        self._live.update(line(moment, self._bar), refresh=True)


def line(moment: Moment, bar: CoverageBar) -> RenderableType:
    """Return one line as wide as the terminal; what does not fit is cut off the title, which stands last."""
    share = moment.position / moment.duration if moment.duration else None
    bar.update(moment.present, moment.length, share)
    end = "-:--" if moment.duration is None else words.clock(moment.duration)
    table = Table.grid(padding=(0, 1), expand=True)
    table.add_column(no_wrap=True, width=7)
    table.add_column(no_wrap=True, justify="right")
    table.add_column(ratio=3, min_width=8)
    table.add_column(no_wrap=True, justify="right")
    table.add_column(no_wrap=True, ratio=2, overflow="ellipsis")
    table.add_row(
        Text(moment.state, style=_STYLES[moment.state]),
        Text(words.clock(int(moment.position))),
        bar,
        Text(end),
        Text(words.plain("  ".join((*moment.notes, moment.title))), overflow="ellipsis", no_wrap=True),
    )
    return table


@contextmanager
def stage(console: Console, *, quiet: bool) -> Iterator[Stage]:
    """Give the stage that fits the place where it is watched."""
    if quiet or not console.is_terminal or console.is_dumb_terminal:
        yield Dark()
        return
    # What goes to standard output may be the sound itself.
    line_of = Live(console=console, auto_refresh=False, transient=True, redirect_stdout=False, redirect_stderr=False)
    with cursor_while_stopped(console), line_of as live:
        yield Lit(live)
