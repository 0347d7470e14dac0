"""All rows, in the order of the page."""

from __future__ import annotations

from bench import arithmetic, cached, crowd, download, seeking, sound, store
from bench.measure import Row

ROWS: tuple[Row, ...] = (
    *arithmetic.ROWS,
    *cached.ROWS,
    *store.ROWS,
    *download.ROWS,
    *seeking.ROWS,
    *crowd.ROWS,
    *sound.ROWS,
)


def named(name: str) -> Row:
    """Return one row."""
    return next(each for each in ROWS if each.name == name)
