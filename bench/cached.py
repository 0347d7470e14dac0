"""Rows about bytes that are in the cache already."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from bench.measure import Figure, Outcome, Row, race, repeat, timed
from bench.places import fill, scratch
from kithara_file import File, FileConfig, open_file
from tests.world import Origin

MIB = 1 << 20
SIZE = 256 * MIB


@contextmanager
def committed() -> Iterator[tuple[str, Path, Path]]:
    """Yield a URL that is complete in a store, the store, and the same bytes as a plain file."""
    with scratch() as folder, Origin() as origin:
        plain = fill(folder / "plain.bin", SIZE)
        url = origin.serve("/plain.bin", plain, headers={"Cache-Control": "max-age=86400"})
        with File.open(FileConfig(url, store=folder / "store")) as session:
            session.wait_complete(120)
        yield url, folder / "store", plain


def compare(work: Callable[[BinaryIO], None]) -> Outcome:
    """Race `work` over a cached file with the same over builtin `open`."""
    with committed() as (url, store, plain):

        def ours() -> float:
            with open_file(url, store=store) as file:
                return timed(lambda: work(file))

        def theirs() -> float:
            with plain.open("rb") as file:
                return timed(lambda: work(file))

        theirs(), ours()
        return race(ours, theirs)


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


def opening() -> Outcome:
    """Measure opening a cached file, in milliseconds."""
    with committed() as (url, store, _):
        keep = open_file(url, store=store)  # as in a program at work, where the library is warm

        closing: list[float] = []

        def one() -> float:
            spent = closed = 0.0
            for _ in range(50):
                begun = time.perf_counter()
                file = open_file(url, store=store)
                spent += time.perf_counter() - begun
                closed += timed(file.close)
            closing.append(closed / 50 * 1000)
            return spent / 50 * 1000

        shared = repeat(one, " ms")
        keep.close()
        closing.clear()
        alone = repeat(one, " ms")
        notes = (f"closing {Figure(closing)} ms", f"beside another reader {shared.figure}")
        return Outcome(alone.figure, alone.ours, notes=notes)


ROWS = (
    Row("cached-sequential", "cached, sequential 64 KiB reads", "builtin `open`", 0.95, lambda: compare(sequential)),
    Row("cached-random", "cached, random 4 KiB through `open_file`", "builtin `open`", 0.7, lambda: compare(scattered)),
    Row("cached-single", "cached, 1-byte reads", "builtin `open`", 0.9, lambda: compare(single)),
    Row("open-cached", "open a cached file (closing it is in the notes)", "", 0.5, opening, at_most=True, unit=" ms"),
)
