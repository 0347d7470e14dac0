"""What is measured from within a process of its own: its memory, its threads, the time since it began to work.

`python -m bench.inside WHAT ARGUMENTS…` prints what it found as JSON.
"""

from __future__ import annotations

import asyncio
import ctypes
import json
import re
import resource
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import kithara_file
from kithara_file import FileConfig, FileSession, Stream

MIB = 1 << 20
_STEP = 64 * 1024
_WARM = 20
_AT_ONCE = 50


def memory(field: str) -> float:
    """Return the MiB of a field of the process's status: VmRSS now, VmHWM at its highest."""
    found = re.search(rf"{field}:\s+(\d+) kB", Path("/proc/self/status").read_text(encoding="ascii"))
    assert found is not None
    return int(found[1]) / 1024


def peak(url: str, store: str) -> dict[str, float]:
    """Read a file through; the peak is that of this process alone, which is why it is one."""
    before = memory("VmHWM")
    buffer = memoryview(bytearray(65536))
    with kithara_file.open_file(url, store=store) as file:
        while file.readinto(buffer):
            pass
    return {"mib": memory("VmHWM") - before}


async def _drain(url: str, store: str) -> int:
    buffer, total = memoryview(bytearray(_STEP)), 0
    async with await kithara_file.aopen_file(url, store=store) as file:
        while count := await file.readinto(buffer):
            total += count
    return total


async def _drain_all(urls: list[str], store: str) -> tuple[float, int]:
    """Return the seconds, and the most threads that were seen."""
    most = threading.active_count()

    async def watch() -> None:
        nonlocal most
        while True:
            most = max(most, threading.active_count())
            await asyncio.sleep(0.01)

    watcher = asyncio.create_task(watch())
    begun = time.perf_counter()
    await asyncio.gather(*(_drain(each, store) for each in urls))
    watcher.cancel()
    return time.perf_counter() - begun, most


def crowd(store: str, base: str, count: str) -> dict[str, float]:
    """Read many files at once, in one event loop of ours."""
    before = memory("VmHWM")
    urls = [f"{base}{number}" for number in range(int(count))]
    seconds, threads = asyncio.run(_drain_all(urls, store))
    return {"seconds": seconds, "threads": threads, "mib": memory("VmHWM") - before}


def idle(store: str, base: str, count: str) -> dict[str, float]:
    """Open sessions with a reader that has read a little and rests; tell KiB and threads of each beyond the first."""
    _soften_limits()
    kept: list[tuple[FileSession, Stream]] = [_rest(f"{base}{number}", store) for number in range(_WARM)]
    time.sleep(6)  # after 5 s a resting download lets go of its connection
    before, threads = memory("VmRSS"), threading.active_count()
    last = _WARM + int(count)
    for first in range(_WARM, last, _AT_ONCE):
        kept += [_rest(f"{base}{number}", store) for number in range(first, min(first + _AT_ONCE, last))]
    time.sleep(7)
    grown = (memory("VmRSS") - before) * 1024 / int(count)
    ctypes.CDLL(None).malloc_trim(0)
    alive = (memory("VmRSS") - before) * 1024 / int(count)
    found = {"kib": grown, "alive": alive, "threads": (threading.active_count() - threads) / int(count)}
    begun = time.perf_counter()
    for session, stream in kept:
        stream.close()
        session.close(wait=False)
    return {**found, "closing": time.perf_counter() - begun}


def _rest(url: str, store: str) -> tuple[FileSession, Stream]:
    session = kithara_file.File.open(FileConfig(url, store=store, look_ahead_bytes=65536))
    stream = session.stream()
    stream.read(4096)
    return session, stream


def _soften_limits() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def first_sound(url: str, store: str, born: str) -> dict[str, float]:
    """Open a URL as sound and read the first block; tell the seconds since that, and since the process was begun."""
    from kithara_file.audio import Audio  # noqa: PLC0415

    begun = time.perf_counter()
    with kithara_file.open_file(url, store=store) as file, Audio(file) as audio:
        frames = len(audio.read(4096))
        seconds = time.perf_counter() - begun
    assert frames == 4096
    return {"seconds": seconds, "process": time.time() - float(born)}


WHAT: dict[str, Callable[..., dict[str, float]]] = {
    "peak": peak,
    "crowd": crowd,
    "idle": idle,
    "first_sound": first_sound,
}

if __name__ == "__main__":
    print(json.dumps(WHAT[sys.argv[1]](*sys.argv[2:])))
