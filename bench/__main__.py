"""Run the rows (all, or those named) and write the table: ``python -m bench [ROW...]``."""

from __future__ import annotations

import os
import platform
import sys
from pathlib import Path

import pycurl

from bench import arithmetic, cached, download, store
from bench.measure import Outcome, Row

ROWS: tuple[Row, ...] = (*download.ROWS, *cached.ROWS, *store.ROWS, *arithmetic.ROWS)
TABLE = Path(__file__).parent.parent / "docs" / "benchmarks.md"


def line(row: Row, outcome: Outcome) -> str:
    """Return the row of the table."""
    verdict = "yes" if row.met(outcome) else "**no**"
    theirs = str(outcome.theirs) if outcome.theirs else ""
    notes = "; ".join(outcome.notes)
    cells = (
        row.title,
        row.against,
        row.target,
        f"{outcome.figure}",
        verdict,
        f"{outcome.ours}",
        theirs,
        notes,
        f"`make bench ROW={row.name}`",
    )
    return f"| {' | '.join(cells)} |"


def header() -> str:
    """Return what stands above the table: the machine and the versions."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        "# Benchmarks\n\n"
        "Written by `make bench`. Medians with the least and the greatest in brackets; a ratio is what we took against "
        "what the other took in the same run, alternating.\n\n"
        f"{platform.system()} {platform.release()} {platform.machine()}, {os.cpu_count()} cores, {memory:.0f} GiB; "
        f"Python {platform.python_version()}, {pycurl.version.split()[0]} with {pycurl.version.split()[1]}.\n\n"
        "| row | against | target | measured | met | ours | theirs | notes | command |\n"
        "|---|---|---|---|---|---|---|---|---|\n"
    )


def main(names: list[str]) -> int:
    """Run what is named, everything by default; only a full run writes the table."""
    unknown = set(names) - {row.name for row in ROWS}
    if unknown:
        print(f"no such row: {', '.join(sorted(unknown))}; there are {', '.join(row.name for row in ROWS)}")
        return 2
    lines = []
    for row in ROWS:
        if names and row.name not in names:
            continue
        outcome = row.run()
        lines.append(line(row, outcome))
        print(
            f"{row.name:20} {outcome.figure!s:>28}  target {row.target:10} {'ok' if row.met(outcome) else 'SHORT'}",
            *outcome.notes,
        )
    if not names:
        TABLE.write_text(header() + "\n".join(lines) + "\n", encoding="utf-8")
        print(f"written: {TABLE}")
    return 0


if __name__ == "__main__":
    sys.exit(main([each for each in sys.argv[1:] if each]))
