"""The coverage of a file as a row of cells: what is here, what is missing, what just came in.

Must not know: sessions, downloads. `shares` is pure; `CoverageBar` draws it wherever rich draws.
"""

from __future__ import annotations

from rich.console import Console, ConsoleOptions, RenderResult
from rich.measure import Measurement
from rich.segment import Segment
from rich.style import Style

from kithara_file.ranges import Coverage

_BLOCKS = ("░", "▒", "▓", "█")
_LETTERS = (".", "-", "+", "#")
"""Nothing, less than half, more than half, all."""

_ABSENT = Style(color="bright_black")
_PRESENT = Style(color="cyan")
_GROWING = Style(color="bright_yellow")
_COMPLETE = Style(color="green")
_PLAYED = Style(color="bright_white")
_PLAYHEAD = ("┃", "|")


def shares(coverage: Coverage, length: int, cells: int) -> list[float]:
    """Return for each of `cells` equal parts of a file how much of it is present, from 0.0 to 1.0.

    1.0 means every byte. Costs as much as there are ranges and cells, however long the file is.
    """
    edges = [length * number // cells for number in range(cells + 1)]
    present = [0] * cells
    for each in coverage:
        for cell in range(each.start * cells // length, cells):
            if edges[cell] >= each.end:
                break
            present[cell] += max(0, min(each.end, edges[cell + 1]) - max(each.start, edges[cell]))
    widths = (edges[cell + 1] - edges[cell] for cell in range(cells))
    return [here / width if width else 1.0 for here, width in zip(present, widths, strict=True)]


class CoverageBar:
    """Draws coverage as wide as there is room; cells that grew since the drawing before are lit up.

    One object draws one file for as long as it is shown. Give it news with `update`.
    """

    def __init__(self, width: int | None = None) -> None:
        """Draw `width` cells; None: as many as fit."""
        self._width = width
        self._coverage = Coverage()
        self._length: int | None = None
        self._playhead: float | None = None
        self._before: list[float] = []
        self._drawn: list[float] = []

    def update(self, coverage: Coverage, length: int | None, playhead: float | None = None) -> None:
        """Show this from now on; what was drawn last becomes what growth is measured against.

        `playhead`, from 0.0 to 1.0, is where somebody listens, if anybody does.
        """
        self._coverage, self._length, self._playhead = coverage, length, playhead
        self._before = self._drawn

    def cells(self, width: int) -> list[tuple[int, bool]]:
        """Return for each cell its level, 0 (nothing) to 3 (all), and whether it has grown."""
        if not self._length:
            level = 3 if self._length == 0 else 0
            return [(level, False)] * width
        drawn = shares(self._coverage, self._length, width)
        before = self._before if len(self._before) == width else drawn
        self._drawn = drawn
        return [(_level(now), now > then) for now, then in zip(drawn, before, strict=True)]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        width = min(self._width or options.max_width, options.max_width)
        marks = _LETTERS if options.ascii_only else _BLOCKS
        cells = self.cells(width)
        whole = all(level == 3 for level, _ in cells)
        head = None if self._playhead is None else min(width - 1, int(width * self._playhead))
        for number, (level, grown) in enumerate(cells):
            if number == head:
                yield Segment(_PLAYHEAD[options.ascii_only], _PLAYED)
            elif head is not None and number < head and level:
                yield Segment(marks[level], _PLAYED)
            else:
                yield Segment(marks[level], _COMPLETE if whole else _style(level, grown=grown))
        yield Segment.line()

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        return Measurement(self._width, self._width) if self._width else Measurement(4, options.max_width)


def _level(share: float) -> int:
    if share >= 1.0:
        return 3
    return 0 if share <= 0.0 else 1 if share < 0.5 else 2


def _style(level: int, *, grown: bool) -> Style:
    if grown:
        return _GROWING
    return _PRESENT if level else _ABSENT
