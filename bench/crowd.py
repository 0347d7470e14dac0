"""Rows about many at once, and what they cost."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from itertools import count
from pathlib import Path

from bench.measure import OURS, Figure, Found, Outcome, Row, Sample, at_least, at_most, contest
from bench.places import GIB, MIB, fill, forget, nginx_with, site

STREAMS = 256
SESSIONS = 2000
ONE = "one stream"


def inside(what: str, *arguments: str) -> dict[str, float]:
    """Measure something from within a process of its own."""
    run = subprocess.run(
        [sys.executable, "-m", "bench.inside", what, *arguments],
        cwd=Path(__file__).parent.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    if run.returncode:
        raise RuntimeError(run.stderr.strip().splitlines()[-1] if run.stderr.strip() else f"exit {run.returncode}")
    found: dict[str, float] = json.loads(run.stdout)
    return found


def peak_memory() -> Outcome:
    """Measure the peak memory above import of reading 1 GiB through."""
    with nginx_with(GIB) as (url, folder, _):
        peaks = []
        for _ in range(3):
            peaks.append(inside("peak", url, str(folder / "store"))["mib"])
            forget(folder / "store")
        return Outcome((Found(Figure(peaks, " MiB")),))


def many_streams() -> Outcome:
    """Compare 256 streams of 10 MiB with one of 512 MiB that is read the same way."""
    with site() as (server, folder):
        fill(server.folder / "s0", 10 * MIB)
        for number in range(1, STREAMS):
            os.link(server.folder / "s0", server.folder / f"s{number}")
        fill(server.folder / "one0", GIB // 2)
        numbers, facts = count(), []

        def run(name: str, streams: int, size: int) -> Sample:
            store = folder / f"store{next(numbers)}"
            found = inside("crowd", str(store), server.url(f"/{name}"), str(streams))
            forget(store)
            if streams > 1:
                facts.append(found)
            return Sample(found["seconds"] / size * GIB)

        contenders = {OURS: lambda: run("s", STREAMS, STREAMS * 10 * MIB), ONE: lambda: run("one", 1, GIB // 2)}
        taken = contest(contenders)
    threads = Figure([each["threads"] for each in facts])
    memory = Figure([each["mib"] for each in facts], " MiB")
    return Outcome((taken.speed(ONE), Found(threads), Found(memory)), ("seconds are for 1 GiB",))


def idle_sessions() -> Outcome:
    """Measure what a session costs that rests."""
    with site() as (server, folder):
        with fill(server.folder / "s0", 0).open("r+b") as file:
            file.truncate(2 * MIB)
        for number in range(1, SESSIONS + 100):
            os.link(server.folder / "s0", server.folder / f"s{number}")
        # Once: it is memory, and waiting for so many to rest takes its time.
        found = inside("idle", str(folder / "store"), server.url("/s"), str(SESSIONS))
    figures = (Found(Figure([found["kib"]], " KiB")), Found(Figure([found["threads"]])))
    alive = f"{found['alive']:.0f} KiB after `malloc_trim`: the rest is memory that is free and not given back"
    return Outcome(figures, (alive, f"closing all takes {found['closing']:.2f} s"))


ROWS = (
    Row("peak-memory", "peak memory above import, 1 GiB read through", "", (at_most(80, " MiB"),), peak_memory),
    Row(
        "many-streams",
        "256 streams at once, 10 MiB each",
        "one stream's throughput",
        (at_least(0.7, "throughput"), at_most(4, " threads"), at_most(200, " MiB")),
        many_streams,
        why="Each stream takes 45 to 55 ms of the machine, where 10 MiB of the one stream take 17. It makes a folder "
        "and five files, commits and closes them; its steps are smaller, for each one's share of memory is; and "
        "libcurl hands over 16 KiB at a time, past which the one stream is read.",
    ),
    Row(
        "idle-sessions",
        "2 000 idle paused sessions, each",
        "",
        (at_most(40, " KiB"), at_most(0, " threads")),
        idle_sessions,
    ),
)
