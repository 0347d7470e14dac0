"""Who stands beside us, under which Python or by which program, and how each is told what to do.

Must not know: what is measured.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from bench.measure import NotThere, Sample, timed
from bench.places import cpu_of_children, forget

HERE = Path(__file__).parent
OUTSIDE = HERE.parent / ".venv-bench" / "bin" / "python"
"""The Python with the rivals' packages: an environment of its own, so that ours stays as its users have it."""

Place = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Contender:
    """One who fetches: its name in `bench.contender`, and how it is set up."""

    who: str
    options: dict[str, Any] = field(default_factory=dict)
    inside: bool = False
    """True for what our own environment has."""


OUR_OWN = Contender("kithara", inside=True)
READERS = {
    "PyAV http": Contender("pyav", inside=True),
    "ffmpeg `cache:`": Contender("pyav", {"via": "cache:"}, inside=True),
    "fsspec http": Contender("fsspec", {"kind": "http"}),
    "fsspec blockcache": Contender("fsspec", {"kind": "blockcache"}),
    "smart_open": Contender("smart_open"),
    "requests": Contender("requests"),
    "obstore": Contender("obstore"),
}
"""Those who read anywhere, as they come."""

TUNED = {
    "kithara, look-ahead 64 KiB": Contender("kithara", {"look_ahead_bytes": 1 << 16}, inside=True),
    "PyAV http, one connection": Contender(
        "pyav", {"multiple_requests": "1", "initial_request_size": "16384"}, inside=True
    ),
    "fsspec http, 64 KiB blocks": Contender("fsspec", {"kind": "http", "block_size": 1 << 16}),
    "fsspec blockcache, 64 KiB blocks": Contender("fsspec", {"kind": "blockcache", "block_size": 1 << 16}),
}
"""The same, told what is good for small reads far apart: to stand beside, and to be no goal's measure."""

SAVERS = {
    "aiohttp": Contender("aiohttp"),
    "requests": Contender("requests"),
    "fsspec http": Contender("fsspec"),
    "smart_open": Contender("smart_open"),
    "yt-dlp": Contender("yt_dlp"),
    "obstore": Contender("obstore"),
}


class Worker:
    """A process that does jobs for one contender, one after the other."""

    def __init__(self, contender: Contender) -> None:
        self._contender = contender
        self._process: subprocess.Popen[str] | None = None

    def ask(self, job: str, **arguments: Any) -> dict[str, Any]:
        """Do a job and return the answer. Raises `NotThere` where it cannot be done."""
        process = self._process = self._process or self._start()
        assert process.stdin is not None
        assert process.stdout is not None
        contender = self._contender
        options = {**contender.options, **arguments.pop("options", {})}
        url = options.pop("via", "") + arguments.pop("url")
        words = {"job": job, "who": contender.who, "url": url, "options": options, **arguments}
        process.stdin.write(json.dumps(words) + "\n")
        process.stdin.flush()
        answer: dict[str, Any] = json.loads(process.stdout.readline() or '{"error": "the process died"}')
        if "error" in answer:
            raise NotThere(answer["error"])
        return answer

    def _start(self) -> subprocess.Popen[str]:
        python = sys.executable if self._contender.inside else str(OUTSIDE)
        if not Path(python).exists():
            raise NotThere("not installed: python -m bench.install")
        environment = {key: value for key, value in os.environ.items() if not key.lower().endswith("_proxy")}
        return subprocess.Popen(
            [python, str(HERE / "contender.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=environment,
        )

    def close(self) -> None:
        """Let it end."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()


@contextmanager
def workers(contenders: dict[str, Contender]) -> Iterator[dict[str, Worker]]:
    """Yield a worker for each; they end with the block."""
    with ExitStack() as stack:
        made = {name: Worker(each) for name, each in contenders.items()}
        for each in made.values():
            stack.callback(each.close)
        yield made


def saving(worker: Worker, url: str, out: Path, *, burn: bool = False, options: dict[str, Any] | None = None) -> Sample:
    """Let one save all of it, and remove what it saved."""
    answer = worker.ask("save", url=url, out=str(out), burn=burn, options=options or {})
    forget(out)
    return Sample(answer["seconds"], answer["cpu"])


def program(name: str) -> str:
    """Return the path of a program. Raises `NotThere`."""
    found = shutil.which(name)
    if found is None:
        raise NotThere(f"{name} is not installed: python -m bench.install")
    return found


def command(name: str, *arguments: str) -> Callable[[], Sample]:
    """Return what runs a program to its end, as a contender."""

    def run() -> Sample:
        import time  # noqa: PLC0415

        before = cpu_of_children()
        begun = time.perf_counter()
        subprocess.run([program(name), *arguments], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return Sample(time.perf_counter() - begun, cpu_of_children() - before)

    return run


def curl(url: str, out: Path, *more: str, sync: bool = False) -> Callable[[], Sample]:
    """Return what saves `url` with curl, waits for the disk if it is told to, and removes it."""
    run = command("curl", "-s", "-f", *more, "-o", str(out), url)

    def measured() -> Sample:
        sample = run()
        if sync:
            with out.open("rb") as file:
                sample = replace(sample, seconds=sample.seconds + timed(lambda: os.fdatasync(file.fileno())))
        forget(out)
        return sample

    return measured


def places_of(numbers: Sequence[int], size: int) -> list[Place]:
    """Return places of one size."""
    return [(at, size) for at in numbers]
