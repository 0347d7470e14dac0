"""Run the rows (all, or those named) and tell what they found: ``python -m bench [ROW...]``.

All of them together also write ``docs/benchmarks.md``.
"""

from __future__ import annotations

import signal
import sys
import time
from pathlib import Path

from bench.alone import measure
from bench.measure import Row
from bench.rows import ROWS
from bench.table import LEFT_OUT, Result, told, write

PAGE = Path(__file__).parent.parent / "docs" / "benchmarks.md"


def main(names: list[str]) -> int:
    """Run what is named, everything by default."""
    unknown = set(names) - {row.name for row in ROWS}
    if unknown:
        print(f"no such row: {', '.join(sorted(unknown))}; there are {', '.join(row.name for row in ROWS)}")
        return 2
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the row at work ends too, with its files
    results: dict[Row, Result] = {}
    begun = time.monotonic()
    for row in ROWS:
        if not names or row.name in names:
            started = time.monotonic()
            results[row] = measure(row.name)
            print(told(row, results[row]), f"[{time.monotonic() - started:.0f} s]", flush=True)
        if not names:  # after each, so that a run that is ended leaves what it has found
            write(PAGE, results | {each: LEFT_OUT for each in ROWS if each not in results})
    if not names:
        print(f"written in {(time.monotonic() - begun) / 60:.1f} minutes: {PAGE}")
    return 0


if __name__ == "__main__":
    sys.exit(main([each for each in sys.argv[1:] if each]))
