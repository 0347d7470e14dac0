"""Rows about bytes on their way from an origin to the cache."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
import time
from itertools import count
from pathlib import Path

from bench.measure import Figure, Outcome, Row, race, repeat, timed
from bench.places import nginx_with, scratch
from kithara_file import open_file
from tests.world import Link, Origin, PatternBody

GIB = 1 << 30
MIB = 1 << 20


def drain(url: str, store: Path, ca_file: str | None = None) -> None:
    """Read `url` to its end through a new cache, as a player that never rests would, and commit it."""
    buffer = memoryview(bytearray(256 * 1024))
    with open_file(url, store=store, ca_file=ca_file) as file:
        while file.readinto(buffer):
            pass


def url_to_cache(*, tls: bool = False, http2: bool = False) -> Outcome:
    """Compare 1 GiB from nginx into the cache, with a reader draining it, with ``curl -o`` onto the same disk."""
    with nginx_with(GIB, tls=tls, http2=http2) as (url, folder, server):
        numbers = count()
        trust = str(server.ca_file) if tls else None
        curl = [
            "curl",
            "-s",
            *(["--cacert", trust] if trust else []),
            "-o",
            str(folder / "curl.out"),
            url,
        ]
        cpu: list[tuple[float, float]] = []

        def ours() -> float:
            store = folder / f"store{next(numbers)}"
            begun = time.process_time()
            seconds = timed(lambda: drain(url, store, trust))
            cpu.append((time.process_time() - begun, 0.0))
            _forget(store)
            return seconds

        def theirs() -> float:
            begun = _children()
            seconds = timed(lambda: subprocess.run(curl, check=True))
            cpu[-1] = (cpu[-1][0], _children() - begun) if cpu else (0.0, 0.0)
            _forget(folder / "curl.out")
            return seconds

        drain(url, folder / "warm", trust)
        _forget(folder / "warm")
        outcome = race(ours, theirs)
        ratios = [mine / other for mine, other in cpu if other]
        return Outcome(
            outcome.figure, outcome.ours, outcome.theirs, (f"CPU {Figure(ratios)}× of curl's",) if ratios else ()
        )


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _forget(path: Path) -> None:
    shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)
    os.sync()


_PEAK = """
import re, sys
import kithara_file
def peak():
    return int(re.search(r"VmHWM:\\s+(\\d+) kB", open("/proc/self/status").read())[1])
before = peak()
buffer = memoryview(bytearray(65536))
with kithara_file.open_file(sys.argv[1], store=sys.argv[2]) as file:
    while file.readinto(buffer):
        pass
print((peak() - before) / 1024)
"""


def peak_memory() -> Outcome:
    """Measure the peak memory above import of reading 1 GiB through, in a process of its own."""
    with nginx_with(GIB) as (url, folder, _):
        numbers = count()

        def one() -> float:
            store = folder / f"store{next(numbers)}"
            run = subprocess.run([sys.executable, "-c", _PEAK, url, store], check=True, capture_output=True, text=True)
            _forget(store)
            return float(run.stdout)

        return repeat(one, " MiB", rounds=3)


def far_seek() -> Outcome:
    """Measure the first byte after a far seek on a warm connection, in round trips of 50 ms at 5 MB/s."""
    rtt = 0.05
    link = Link(rate=5e6, rtt=rtt, send_buffer=64 * 1024)
    with scratch() as folder, Origin(link=link) as origin:
        url = origin.serve("/far.bin", PatternBody(200 * MIB, 1))
        with open_file(url, store=folder) as file:
            places = iter(range(20 * MIB, 190 * MIB, 17 * MIB))

            def one() -> float:
                file.seek(next(places))
                seconds = timed(lambda: file.read(1))
                file.raw.read(512 * 1024)  # let the fetch end, so that its connection is free
                return seconds / rtt

            one()
            return repeat(one, " RTT")


ROWS = (
    Row("url-to-cache", "1 GiB URL → cache, reader draining, loopback nginx", "`curl -o`", 0.85, url_to_cache),
    Row(
        "url-to-cache-tls",
        "the same over TLS 1.3",
        "`curl -o`",
        0.85,
        lambda: url_to_cache(tls=True),
    ),
    Row(
        "url-to-cache-h2",
        "the same over TLS and HTTP/2",
        "`curl -o`",
        0.85,
        lambda: url_to_cache(tls=True, http2=True),
    ),
    Row("peak-memory", "peak memory above import, 1 GiB read through", "", 80, peak_memory, at_most=True, unit=" MiB"),
    Row(
        "far-seek",
        "far seek, 5 MB/s, 50 ms, warm: first byte",
        "one round trip",
        1.15,
        far_seek,
        at_most=True,
        unit=" RTT",
    ),
)
