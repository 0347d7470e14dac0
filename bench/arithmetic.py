"""Rows about the pure parts."""

from __future__ import annotations

import subprocess
import sys
import time

from bench.measure import SLOW, Outcome, Row, at_most, race, repeat, timed
from kithara_file.ranges import ByteRange, Coverage
from kithara_file.session.plan import decide
from kithara_file.session.view import Fetch, Playhead, View

MIB = 1 << 20


def deciding() -> Outcome:
    """Measure `decide` with 1 000 fragments and 8 readers."""
    coverage = Coverage(ByteRange(at * MIB, at * MIB + MIB // 2) for at in range(1000))
    heads = tuple(Playhead(at * 100 * MIB + 17, 16 * MIB) for at in range(8))
    fetches = (Fetch(1, 0, MIB // 2, None, sequential=True), Fetch(2, 500 * MIB, 500 * MIB + MIB // 2, 501 * MIB))
    demands = (300 * MIB + MIB // 2,)
    view = View(1000 * MIB, coverage, fetches, demands=demands, playheads=heads)
    return Outcome((repeat(lambda: _each(lambda: decide(view), 2000), " µs"),))


def adding() -> Outcome:
    """Measure `Coverage.add` at 10 000 fragments."""
    coverage = Coverage(ByteRange(at * 100, at * 100 + 50) for at in range(10_000))
    places = iter(range(10**9))

    def one() -> None:
        at = next(places) * 7919 % 10_000 * 100
        coverage.add(at + 60, at + 70)
        coverage.remove(at + 60, at + 70)

    return Outcome((repeat(lambda: _each(one, 20_000) / 2, " µs"),))


def seeking() -> Outcome:
    """Measure the search for the next gap at 10 000 fragments."""
    coverage = Coverage(ByteRange(at * 100, at * 100 + 50) for at in range(10_000))
    return Outcome((repeat(lambda: _each(lambda: coverage.gap(500_020, 10**6), 50_000), " µs"),))


def _each(work: object, times: int) -> float:
    begun = time.perf_counter()
    for _ in range(times):
        work()  # type: ignore[operator]
    return (time.perf_counter() - begun) / times * 1e6


def importing() -> Outcome:
    """Compare ``import kithara_file`` with the import of what it stands on, both in new processes."""

    def process(code: str) -> float:
        return timed(lambda: subprocess.run([sys.executable, "-c", code], check=True))

    taken = race(lambda: process("import kithara_file"), lambda: process("import asyncio, pycurl, ssl"), rounds=15)
    first = repeat(lambda: process("from kithara_file import open_file"), " s").figure
    return Outcome((taken.share("theirs"),), (f"what `open_file` needs is loaded when it is asked for, in {first}",))


MOVED = (
    "Most of it is the `memmove` of 80 KB that makes room in the midst of 10 000 spans, which takes this machine "
    "3.5 µs in its slow hours and 1.5 µs in its quick ones; at the end of a span, where a download is, it is 0.4 µs."
)

ROWS = (
    Row("decide", "`decide` with 1 000 fragments, 8 readers", "", (at_most(50, " µs"),), deciding, why=SLOW),
    Row("coverage-add", "`Coverage.add`, 10 000 fragments", "", (at_most(3, " µs"),), adding, why=MOVED),
    Row("coverage-gap", "the next gap, 10 000 fragments", "", (at_most(2, " µs"),), seeking, why=SLOW),
    Row("import", "`import kithara_file`", "`import asyncio, pycurl, ssl`", (at_most(1.3, of="time"),), importing),
)
