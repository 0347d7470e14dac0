"""Rows about a slow line: the first bytes, far seeks, probes, scrubbing."""

from __future__ import annotations

import random
import shutil
import subprocess
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path

from bench.line import Shaped, shaped
from bench.measure import OURS, Figure, Found, Outcome, Rival, Row, Sample, at_least, at_most, contest, timed
from bench.places import MIB, fill, site
from bench.rivals import OUR_OWN, READERS, TUNED, Contender, Place, Worker, places_of, program, workers
from bench.serving import rclone
from kithara_file import open_file

SIZE = 200 * MIB
RTT = 0.05
RATE = 5e6
KIB = 1024
LOOK_AHEAD = MIB
GLANCE = 0.3


@dataclass(frozen=True, slots=True)
class Far:
    """A file of 200 MiB at the end of a line."""

    line: Shaped
    folder: Path
    """For what is written."""
    file: Path
    """What the origin serves."""
    ca_file: str | None

    def crc(self, places: list[Place]) -> int:
        """Return the checksum of places, as who reads them right must find it."""
        total = 0
        with self.file.open("rb") as source:
            for at, size in places:
                source.seek(at)
                total = zlib.crc32(source.read(size), total)
        return total


@contextmanager
def far(rtt: float = RTT, rate: float = RATE, *, tls: bool = False, http2: bool = False) -> Iterator[Far]:
    """Yield such a file."""
    with site(tls=tls, http2=http2) as (server, folder):
        file = fill(server.folder / "far.bin", SIZE)
        with shaped(server.url("/far.bin"), rtt=rtt, rate=rate) as line:
            yield Far(line, folder, file, str(server.ca_file) if tls else None)


def far_seek(*, tls: bool = False, http2: bool = False, earlier: int = 1) -> Outcome:
    """Measure the first byte after a far seek, in round trips, and how many connections the seeks began.

    After each seek 64 KiB are read, and `GLANCE` passes, as when a person looks for a place.
    """
    with far(tls=tls, http2=http2) as there:
        with open_file(there.line.fresh(), store=there.folder, ca_file=there.ca_file) as file:
            places = iter(range(5 * MIB, 195 * MIB, 7 * MIB))

            def one(pause: float) -> float:
                time.sleep(pause)
                file.seek(next(places))
                seconds = timed(lambda: file.read(1))
                file.read(64 * KIB)
                return seconds / there.line.rtt

            file.read(64 * KIB)
            for _ in range(earlier):
                one(GLANCE)
            before = there.line.connections()
            figure = Figure([one(GLANCE) for _ in range(7)], " RTT")
            begun = Figure([float(there.line.connections() - before)])
            hurried = Figure([one(0.0) for _ in range(7)], " RTT")
        return Outcome((Found(figure), Found(begun)), (f"without a pause between the seeks {hurried}",))


def first_bytes() -> Outcome:
    """Compare open and the first 64 KiB with curl's own time for them, its process not counted."""
    near = [(0, 64 * KIB)]
    with far() as there, workers({OURS: OUR_OWN, **READERS}) as made:

        def curl() -> Sample:
            words = [program("curl"), "-s", "-f", "-r", "0-65535", "-o", "/dev/null", "-w", "%{time_total}"]
            run = subprocess.run([*words, there.line.fresh()], check=True, capture_output=True, text=True)
            return Sample(float(run.stdout))

        run = _readers(there, made, near, weigh=False)
        taken = contest({**run, "curl": curl}, fewer=dict.fromkeys(READERS, 3))
        return Outcome((taken.share("curl"),), rivals=taken.rivals)


def probing() -> Outcome:
    """Measure what crosses the line beyond head, tail and head again, when the window may fill at the end."""
    places = [(0, 64 * KIB), (SIZE - 64 * KIB, 64 * KIB), (64 * KIB, 64 * KIB)]
    needed = sum(size for _, size in places) / MIB
    over: list[float] = []
    with far() as there:
        for number in range(7):
            crossed = there.line.crossed()
            with open_file(there.line.fresh(), store=there.folder / str(number), look_ahead_bytes=LOOK_AHEAD) as file:
                for at, size in places:
                    file.seek(at)
                    file.read(size)
                over.append(crossed() - needed)  # it comes to rest when the window is full
    return Outcome((Found(Figure(over, " MiB")),))


def scattered(count_of: int = 20) -> Outcome:
    """Compare 20 reads of 4 KiB all over the file, in time and in what crosses the line."""
    rolling = random.Random(1)
    places = places_of([rolling.randrange(SIZE - 4 * KIB) for _ in range(count_of)], 4 * KIB)
    others = {name: each for name, each in READERS.items() if not name.startswith("fsspec")} | TUNED
    with far() as there, workers({OURS: OUR_OWN, **others}) as made:
        beside = [each for each in others if each != "PyAV http"]
        run = _readers(there, made, places)
        run["rclone vfs"] = _through_rclone(there, places)
        taken = contest(run, fewer=dict.fromkeys((*beside, "rclone vfs"), 2))
    found = (taken.share("PyAV http"), taken.share("PyAV http", "mib", " MiB"))
    return Outcome(found, rivals=(*taken.rivals, _slow("fsspec http"), _slow("fsspec blockcache")))


def _slow(name: str) -> Rival:
    return Rival(name, reason="left out: takes 20 s and more, for each place costs a block of 5 MiB")


def scrubbing() -> Outcome:
    """Compare 200 seeks of somebody who drags a slider of 600 pixels back and forth, 16 KiB at each."""
    there_and_back = [*range(100, 500, 8), *range(500, 100, -8)] * 2
    places = places_of([pixel * SIZE // 600 for pixel in there_and_back], 16 * KIB)
    with far(rtt=0.02, rate=20e6) as there, workers({OURS: OUR_OWN, **READERS, **TUNED}) as made:
        made.pop("fsspec http")
        run = _readers(there, made, places)
        run["rclone vfs"] = _through_rclone(there, places)
        heat = contest(run, rounds=1)
        best = heat.best(but=TUNED)
        taken = contest({OURS: run[OURS], best: run[best]})
    note = f"the best peer is {best}; the others had one round"
    beside = (each for each in heat.rivals if each.name not in taken.samples)
    return Outcome(
        (taken.speed(best), taken.speed(best, "mib", " MiB")), (note,), (*taken.rivals, *beside, _slow("fsspec http"))
    )


def _readers(
    there: Far, made: dict[str, Worker], places: list[Place], *, weigh: bool = True
) -> dict[str, Callable[[], Sample]]:
    """Return everybody as contenders that read these places, each time as if they had never met the origin."""
    crc, numbers = there.crc(places), count()

    def run(worker: Worker) -> Sample:
        folder = there.folder / f"reader{next(numbers)}"
        folder.mkdir()
        crossed = there.line.crossed()
        answer = worker.ask("reads", url=there.line.fresh(), folder=str(folder), places=places)
        if answer["crc"] != crc:
            raise AssertionError("read other bytes than there are")
        shutil.rmtree(folder)
        return Sample(answer["seconds"], mib=crossed() if weigh else 0.0)

    return {name: partial(run, each) for name, each in made.items()}


def _through_rclone(there: Far, places: list[Place]) -> Callable[[], Sample]:
    """Return a contender that reads from ``rclone serve http`` with its cache full, begun anew for each round."""
    numbers = count()

    def run() -> Sample:
        crossed = there.line.crossed()
        with (
            rclone(there.line.fresh("/"), there.folder / f"rclone{next(numbers)}") as base,
            workers({"rclone": Contender("http_client")}) as made,
        ):
            answer = made["rclone"].ask("reads", url=f"{base}/far.bin", folder=str(there.folder), places=places)
        if answer["crc"] != there.crc(places):
            raise AssertionError("read other bytes than there are")
        return Sample(answer["seconds"], mib=crossed())

    return run


NO_NEW = at_most(0, " connections", "begun")

ROWS = (
    Row(
        "far-seek",
        "far seek, 5 MB/s, 50 ms, warm: first byte",
        "one round trip",
        (at_most(1.15, " RTT"), NO_NEW),
        far_seek,
        why="The round trip of the line is 50 ms; the rest, 6 to 8 ms, is the timers of the line, the server and "
        "Python, and the machine is slower in some hours: the row had 1.13 in two runs of the same day.",
    ),
    Row(
        "far-seek-tls",
        "the same over TLS, after ten earlier seeks",
        "one round trip",
        (at_most(1.2, " RTT"), NO_NEW),
        partial(far_seek, tls=True, earlier=10),
    ),
    Row(
        "far-seek-h2",
        "the same over TLS and HTTP/2",
        "one round trip",
        (at_most(1.2, " RTT"), NO_NEW),
        partial(far_seek, tls=True, http2=True, earlier=10),
    ),
    Row(
        "first-bytes",
        "open → first 64 KiB, cold, 5 MB/s, 50 ms",
        "`curl -r 0-65535`, its process not counted",
        (at_most(1.1, of="time"),),
        first_bytes,
        why="Two round trips and the transfer are the same for both; the rest, some milliseconds, is a new cache on "
        "the disk and Python's.",
    ),
    Row(
        "head-tail-head",
        "head, tail, head of 200 MiB, 64 KiB each: over-fetch",
        "look-ahead of 1 MiB",
        (at_most(LOOK_AHEAD / MIB + 1, " MiB"),),
        probing,
        why="Half a mebibyte is read; the rest is what the kernel takes in while the socket of the resting download is "
        "left unread, which on a line without losses grows to some mebibytes.",
    ),
    Row(
        "random-reads",
        "20 random 4 KiB reads over 200 MiB, 5 MB/s, 50 ms",
        "PyAV's own http",
        (at_most(1.0, of="time"), at_most(1.0, of="bytes")),
        scattered,
    ),
    Row(
        "scrubbing",
        "200 seeks, scrubbing back and forth over 200 MiB, 20 MB/s, 20 ms",
        "best peer",
        (at_least(2, "speed"), at_least(2, "fewer bytes")),
        scrubbing,
        why="Half of the 200 places are new, 51 of them far from all that is here, and each costs a round trip: were "
        "nothing else to cost time, it would be 1.9. The best peer reads on from most places and waits as often.",
    ),
)
