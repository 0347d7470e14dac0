"""How outcomes are told: lines of a terminal, and the page ``docs/benchmarks.md``.

Must not know: how anything is measured.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import time
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path

import pycurl

from bench.install import PACKAGES
from bench.measure import Found, Goal, Outcome, Row
from bench.rivals import OUTSIDE

Result = Outcome | str
"""What came of a row; a text says why there is nothing."""

_VERSIONS = {
    "curl": ("curl", "--version"),
    "nginx": ("nginx", "-v"),
    "ffmpeg": ("ffmpeg", "-version"),
    "mpv": ("mpv", "--version"),
    "rclone": ("rclone", "version"),
}
LEFT_OUT = "not measured: the run was ended before"


def told(row: Row, result: Result) -> str:
    """Return what a terminal shows of a row."""
    if isinstance(result, str):
        return f"{row.name:20} – {result}"
    lines = [
        f"{row.name:20} {found.figure!s:>30}  {goal or ''!s:22} {_verdict(goal, found)}"
        for goal, found in _pairs(row, result)
    ]
    lines += [f"{'':20}   {note}" for note in result.notes]
    lines += [f"{'':20}   {each.name:22} {each.reason or each.seconds} {each.mib or ''}" for each in result.rivals]
    return "\n".join(lines)


def page(results: Mapping[Row, Result], head: str) -> str:
    """Return the whole page, below its head."""
    parts = (head, _table(results), _side_by_side(results), _short(results))
    return "\n\n".join(each for each in parts if each) + "\n"


def _head() -> str:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        "# Benchmarks\n\n"
        "Written by `make bench`. Medians with the least and the greatest in brackets; a ratio is of one round, in "
        "which all took their turn. Everything is on one machine, over loopback; slow lines are made in user space, "
        "and there each round trip costs, those of handshakes too. What falls short stands here as well, with why."
        "\n\n"
        f"{platform.system()} {platform.release()} {platform.machine()}, {os.cpu_count()} cores, {memory:.0f} GiB; "
        f"Python {platform.python_version()}, which counts to ten million in {_pace():.1f} s here; "
        f"{', '.join(versions())}."
    )


def _pace() -> float:
    """Return the seconds in which Python counts to ten million here: what is Python's own in a row grows with it."""
    begun, number = time.perf_counter(), 0
    while number < 10_000_000:
        number += 1
    return time.perf_counter() - begun


def versions() -> list[str]:
    """Return the versions of all that takes part."""
    return [*pycurl.version.split()[:2], f"av {metadata.version('av')}", *_programs(), *_outside()]


def _programs() -> list[str]:
    found = []
    for name, words in _VERSIONS.items():
        path = shutil.which(words[0]) or shutil.which(words[0], path="/usr/sbin")
        if path is None:
            continue
        run = subprocess.run([path, *words[1:]], capture_output=True, text=True, check=False)
        numbers = [
            each for each in (run.stdout + run.stderr).replace("/", " ").split() if each.strip("v")[:1].isdigit()
        ]
        found.append(f"{name} {numbers[0] if numbers else ''}".strip())
    return found


def _outside() -> list[str]:
    if not OUTSIDE.exists():
        return []
    words = (str(OUTSIDE), "-m", "pip", "--disable-pip-version-check", "list", "--format=freeze")
    run = subprocess.run(words, capture_output=True, text=True, check=False)
    pairs = (each.split("==") for each in run.stdout.split() if "==" in each)
    return [f"{name} {version}" for name, version in pairs if name in PACKAGES]


def _table(results: Mapping[Row, Result]) -> str:
    heading = "| row | against | target | measured | met | ours | theirs | notes | command |\n" + "|---" * 9 + "|\n"
    return heading + "\n".join(line for row, result in results.items() for line in _lines(row, result))


def _lines(row: Row, result: Result) -> list[str]:
    command = f"`make bench ROW={row.name}`"
    if isinstance(result, str):
        target = ", ".join(map(str, row.goals))
        return [_cells(row.title, row.against, target, "", "**no**" if row.goals else "", "", "", result, command)]
    lines = []
    for number, (goal, found) in enumerate(_pairs(row, result)):
        first = number == 0
        facts = (goal or "", found.figure, _verdict(goal, found), found.ours or "", found.theirs or "")
        notes = "; ".join(result.notes) if first else ""
        lines.append(
            _cells(row.title if first else "", row.against if first else "", *facts, notes, command if first else "")
        )
    return lines


def _pairs(row: Row, outcome: Outcome) -> list[tuple[Goal | None, Found]]:
    return list(zip(row.goals or (None,) * len(outcome.found), outcome.found, strict=True))


def _verdict(goal: Goal | None, found: Found) -> str:
    return "" if goal is None else "yes" if goal.met(found.figure) else "**no**"


def _cells(*cells: object) -> str:
    return "| " + " | ".join(str(each).replace("|", "\\|") for each in cells) + " |"


def _side_by_side(results: Mapping[Row, Result]) -> str:
    lines = []
    for row, result in results.items():
        if isinstance(result, str) or not result.rivals:
            continue
        for number, each in enumerate(result.rivals):
            figures = (each.reason,) if each.reason else (each.seconds, each.mib or "")
            lines.append(_cells(row.title if number == 0 else "", each.name, *figures, *[""] * (2 - len(figures))))
    heading = "## Side by side\n\n| row | who | seconds | crossed the line |\n" + "|---" * 4 + "|\n"
    return heading + "\n".join(lines) if lines else ""


def _short(results: Mapping[Row, Result]) -> str:
    lines = [
        f"- **{row.name}**: {row.why or 'not explained yet.'}" for row, result in results.items() if falls(row, result)
    ]
    return "## What falls short, and why\n\n" + "\n".join(lines) if lines else ""


def falls(row: Row, result: Result) -> bool:
    """Tell whether a row has goals that it does not reach."""
    if isinstance(result, str):
        return bool(row.goals) and result != LEFT_OUT
    return any(goal is not None and not goal.met(found.figure) for goal, found in _pairs(row, result))


def write(path: Path, results: Mapping[Row, Result]) -> None:
    """Write the page."""
    path.write_text(page(results, _head()), encoding="utf-8")
