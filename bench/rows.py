"""All rows, in the order of the page."""

from __future__ import annotations

from bench import arithmetic, cached, crowd, download, seeking, sound, store
from bench.measure import Row

# Those that write much come late: the disk is busy with that for a while.
ROWS: tuple[Row, ...] = (
    *arithmetic.ROWS,
    *seeking.ROWS,
    *sound.ROWS,
    *cached.ROWS,
    *download.ROWS,
    *crowd.ROWS,
    *store.ROWS,
)


def named(name: str) -> Row:
    """Return one row."""
    return next(each for each in ROWS if each.name == name)
