"""Rows about bytes that are in the cache already."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import BinaryIO

from bench.measure import (
    OURS,
    SLOW,
    Contest,
    Figure,
    Outcome,
    Row,
    Sample,
    at_least,
    at_most,
    contest,
    race,
    repeat,
    timed,
)
from bench.places import MIB, nginx_with
from bench.rivals import Contender, Worker, places_of, workers
from bench.serving import rclone
from kithara_file import File, FileConfig, open_file

SIZE = 256 * MIB


@contextmanager
def committed() -> Iterator[tuple[str, Path, Path]]:
    """Yield a URL that is complete in a store, a folder with that store, and the same bytes as a plain file."""
    with nginx_with(SIZE) as (url, folder, server):
        with File.open(FileConfig(url, store=folder / "store")) as session:
            session.wait_complete(120)
        yield url, folder, server.folder / "big.bin"


def compare(work: Callable[[BinaryIO], None]) -> Outcome:
    """Race `work` over a cached file with the same over builtin `open`."""
    with committed() as (url, folder, plain):

        def ours() -> float:
            with open_file(url, store=folder / "store", revalidate="never") as file:
                return timed(lambda: work(file))

        def theirs() -> float:
            with plain.open("rb") as file:
                return timed(lambda: work(file))

        theirs(), ours()
        return Outcome((race(ours, theirs, rounds=9).speed("theirs"),))


def sequential(file: BinaryIO) -> None:
    """Read all of it, 64 KiB at a time."""
    while file.read(64 * 1024):
        pass


def scattered(file: BinaryIO) -> None:
    """Read 4 KiB at 20 000 places."""
    places = random.Random(1)
    for _ in range(20_000):
        file.seek(places.randrange(SIZE - 4096))
        file.read(4096)


def single(file: BinaryIO) -> None:
    """Read 2 MiB, one byte at a time."""
    read = file.read
    for _ in range(2 * MIB):
        read(1)


def scattering() -> Outcome:
    """Compare random reads with builtin `open`, and let other caches that are full of the file read as well."""
    outcome = compare(scattered)
    return Outcome(outcome.found, ("side by side: 2 000 reads, opening included",), side_by_side().rivals)


CACHES = {
    OURS: Contender("kithara", {"revalidate": "never"}, inside=True),
    "builtin `open`": Contender("builtin", inside=True),
    "fsspec filecache": Contender("fsspec", {"kind": "filecache"}),
    "fsspec blockcache": Contender("fsspec", {"kind": "blockcache"}),
}


def side_by_side() -> Contest:
    """Let each cache be filled, and then read 2 000 places."""
    rolling = random.Random(2)
    places = places_of([rolling.randrange(SIZE - 4096) for _ in range(2000)], 4096)
    whole = places_of(range(0, SIZE, MIB), MIB)
    with nginx_with(SIZE) as (url, folder, server), workers(CACHES) as made:

        def run(name: str, worker: Worker) -> Sample:
            target = str(server.folder / "big.bin") if name == "builtin `open`" else url
            words = {"url": target, "folder": str(folder)}
            if name not in filled:
                filled.add(name)
                worker.ask("reads", places=whole, **words)
            return Sample(worker.ask("reads", places=places, **words)["seconds"])

        filled: set[str] = set()
        contenders: dict[str, Callable[[], Sample]] = {name: partial(run, name, each) for name, each in made.items()}
        with rclone(url.removesuffix("big.bin"), folder / "rclone") as base, workers({"rclone": HTTP}) as other:
            through = {"url": f"{base}/big.bin", "folder": str(folder)}
            other["rclone"].ask("reads", places=whole, **through)
            contenders["rclone vfs"] = lambda: Sample(other["rclone"].ask("reads", places=places, **through)["seconds"])
            return contest(contenders, rounds=3)


HTTP = Contender("http_client", inside=True)


def opening() -> Outcome:
    """Measure opening a cached file, in milliseconds."""
    with committed() as (url, folder, plain):
        closing: list[float] = []

        def one() -> float:
            spent = closed = 0.0
            for _ in range(50):
                begun = time.perf_counter()
                file = open_file(url, store=folder / "store", revalidate="never")
                spent += time.perf_counter() - begun
                closed += timed(file.close)
            closing.append(closed / 50 * 1000)
            return spent / 50 * 1000

        def plainly() -> float:
            begun = time.perf_counter()
            for _ in range(50):
                plain.stat()
                plain.open("rb").close()
            return (time.perf_counter() - begun) / 50 * 1000

        with open_file(url, store=folder / "store", revalidate="never"):  # as in a program at work, where it is warm
            shared = repeat(one, " ms").figure
        closing.clear()
        alone = repeat(one, " ms")
        theirs = repeat(plainly, " ms").figure
    notes = (f"closing {Figure(closing, ' ms')}", f"beside another reader {shared}", f"`open` and a stat {theirs}")
    return Outcome((alone,), notes)


BUILTIN = "builtin `open`"
PYTHON = (
    "Each read below the buffer, and each seek, passes some lines of Python, about 0.3 µs: they make sure that a close "
    "in another thread, a signal handler or a file that was cut short never gives wrong bytes. And what came over the "
    "network lies in the page cache in blocks of 256 KiB at best, which are read a tenth slower than those of a file "
    "that was written at once."
)
ROWS = (
    Row(
        "cached-sequential",
        "cached, sequential 64 KiB reads",
        BUILTIN,
        (at_least(0.95, "speed"),),
        partial(compare, sequential),
        why=PYTHON,
    ),
    Row(
        "cached-random",
        "cached, random 4 KiB through `open_file`",
        BUILTIN,
        (at_least(0.7, "speed"),),
        scattering,
        why=PYTHON,
    ),
    Row(
        "cached-single",
        "cached, 1-byte reads",
        BUILTIN,
        (at_least(0.9, "speed"),),
        partial(compare, single),
        why="The rounds differ by more than what is looked for: the buffer that is read from is Python's own in both.",
    ),
    Row("open-cached", "open a cached file", "", (at_most(0.5, " ms"),), opening, why=SLOW),
)
