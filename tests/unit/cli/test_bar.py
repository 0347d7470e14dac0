"""The bar tells the truth about what is present."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from rich.table import Table

from kithara_file.cli.bar import CoverageBar, shares
from kithara_file.ranges import Coverage

SPANS = st.lists(st.tuples(st.integers(0, 200), st.integers(1, 80)), max_size=8)


def drawn(bar: CoverageBar, width: int = 10, encoding: str = "utf-8") -> str:
    """Return the bar as text."""
    out = io.TextIOWrapper(io.BytesIO(), encoding=encoding, newline="")
    console = Console(file=out, width=width, color_system=None, force_terminal=True)
    console.print(bar)
    out.seek(0)
    return out.read().rstrip("\n")


def bar_of(spans: list[tuple[int, int]], length: int | None) -> CoverageBar:
    """Return a bar with this coverage."""
    bar = CoverageBar()
    bar.update(Coverage.of(spans), length)
    return bar


@given(spans=SPANS, length=st.integers(1, 300), cells=st.integers(1, 60))
def test_each_cell_has_the_share_of_its_bytes(spans: list[tuple[int, int]], length: int, cells: int) -> None:
    coverage = Coverage.of((start, min(length, start + size)) for start, size in spans)
    present = [offset in coverage for offset in range(length)]
    for cell, share in enumerate(shares(coverage, length, cells)):
        part = present[length * cell // cells : length * (cell + 1) // cells]
        assert share == (sum(part) / len(part) if part else 1.0)


@pytest.mark.parametrize(
    "spans,length,picture",
    [
        ([], 1000, "░░░░░░░░░░"),
        ([(0, 1000)], 1000, "██████████"),
        ([(0, 300), (900, 1000)], 1000, "███░░░░░░█"),
        ([(0, 999)], 1000, "█████████▓"),
        ([(500, 501)], 1000, "░░░░░▒░░░░"),
        ([], None, "░░░░░░░░░░"),
        ([], 0, "██████████"),
    ],
)
def test_present_and_missing_parts_are_drawn_where_they_are(
    spans: list[tuple[int, int]], length: int | None, picture: str
) -> None:
    assert drawn(bar_of(spans, length)) == picture


def test_letters_take_the_place_of_blocks_where_blocks_cannot_be_written() -> None:
    assert drawn(bar_of([(0, 300), (450, 490)], 1000), encoding="ascii") == "###.-....."


def test_cells_that_grew_since_the_last_drawing_are_told_apart() -> None:
    bar = bar_of([(0, 200)], 1000)
    assert not any(grown for _, grown in bar.cells(10))
    bar.update(Coverage.of([(0, 200), (700, 800)]), 1000)
    assert [cell for cell, (_, grown) in enumerate(bar.cells(10)) if grown] == [7]
    bar.update(Coverage.of([(0, 200), (700, 800)]), 1000)
    assert not any(grown for _, grown in bar.cells(10))


def test_a_bar_fits_into_the_column_that_it_is_given() -> None:
    table = Table.grid(expand=True)
    table.add_column()
    table.add_column(ratio=1)
    table.add_row("name ", bar_of([(0, 500)], 1000))
    console = Console(file=io.StringIO(), width=25, color_system=None)
    with console.capture() as capture:
        console.print(table)
    assert capture.get() == "name ██████████░░░░░░░░░░\n"


@pytest.mark.parametrize("playhead,cell", [(0.0, 0), (0.5, 5), (1.0, 9), (1.5, 9)])
@pytest.mark.parametrize("encoding,mark", [("utf-8", "┃"), ("ascii", "|")])
def test_where_somebody_listens_is_marked(playhead: float, cell: int, encoding: str, mark: str) -> None:
    bar = CoverageBar()
    bar.update(Coverage.of([(0, 100)]), 100, playhead)
    assert drawn(bar, encoding=encoding).index(mark) == cell
