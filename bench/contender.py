"""Whoever fetches, each in its own words, behind two forms: save a URL to a file, or read places of it.

Runs as a process of its own, under the Python that has the contender: takes jobs as lines of JSON and answers with what
they took. Stands alone: it imports nothing of the bench, and each contender only when it is asked for. The clock runs
from before the contender opens anything to after it has let go of it; what is imported is imported before.
"""

from __future__ import annotations

import asyncio
import http.client
import io
import json
import os
import shutil
import sys
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

KIB = 1024
MIB = 1024 * KIB


class Reader(Protocol):
    """Reads anywhere."""

    def __call__(self, at: int, size: int) -> bytes:
        """Return `size` bytes from `at` on."""


def _of_file(file: Any) -> Reader:
    def read(at: int, size: int) -> bytes:
        file.seek(at)
        data: bytes = file.read(size)
        return data

    return read


# -- readers -----------------------------------------------------------------------------------------------------------


@contextmanager
def read_kithara(url: str, folder: Path, options: dict[str, Any]) -> Iterator[Reader]:
    """Read through a new cache."""
    with import_module("kithara_file").open_file(url, store=folder / "store", **options) as file:
        yield _of_file(file)


@contextmanager
def read_builtin(url: str, _folder: Path, _options: dict[str, Any]) -> Iterator[Reader]:
    """Read a path."""
    with open(url, "rb") as file:
        yield _of_file(file)


@contextmanager
def read_pyav(url: str, _folder: Path, options: dict[str, Any]) -> Iterator[Reader]:
    """Read with FFmpeg's own HTTP inside PyAV: as raw sound of one byte a frame, so that a seek goes to a byte."""
    container = import_module("av").open(url, format="u8", options={"sample_rate": "48000", **options})
    stream = container.streams.audio[0]

    def read(at: int, size: int) -> bytes:
        container.seek(at, stream=stream, backward=True, any_frame=True)
        found = bytearray()
        for packet in container.demux(stream):
            found += bytes(packet)
            if len(found) >= size or not packet.size:
                break
        return bytes(found[:size])

    with closing(container):
        yield read


@contextmanager
def read_requests(url: str, _folder: Path, options: dict[str, Any]) -> Iterator[Reader]:
    """Ask for each place, on one kept connection."""
    with import_module("requests").Session() as session:
        session.trust_env = False

        def read(at: int, size: int) -> bytes:
            with session.get(url, headers={"Range": f"bytes={at}-{at + size - 1}"}, verify=options.get("ca")) as reply:
                data: bytes = reply.content
                return data

        yield read


@contextmanager
def read_http_client(url: str, _folder: Path, _options: dict[str, Any]) -> Iterator[Reader]:
    """Ask for each place, on one kept connection of the standard library."""
    parts = urlsplit(url)
    with closing(http.client.HTTPConnection(parts.hostname or "", parts.port)) as connection:

        def read(at: int, size: int) -> bytes:
            connection.request("GET", parts.path, headers={"Range": f"bytes={at}-{at + size - 1}"})
            return connection.getresponse().read()

        yield read


@contextmanager
def read_obstore(url: str, _folder: Path, _options: dict[str, Any]) -> Iterator[Reader]:
    """Ask for each place."""
    obstore, (base, path) = import_module("obstore"), _split(url)
    store = import_module("obstore.store").HTTPStore.from_url(base, client_options={"allow_http": True})
    yield lambda at, size: bytes(obstore.get_range(store, path, start=at, length=size))


@contextmanager
def read_fsspec(url: str, folder: Path, options: dict[str, Any]) -> Iterator[Reader]:
    """Read with one of fsspec's caches: ``http``, ``blockcache``, ``filecache``."""
    kind = options.pop("kind")
    where = {} if kind == "http" else {"target_protocol": "http", "cache_storage": str(folder / kind)}
    with import_module("fsspec").filesystem(kind, skip_instance_cache=True, **where).open(url, **options) as file:
        yield _of_file(file)


@contextmanager
def read_smart_open(url: str, _folder: Path, _options: dict[str, Any]) -> Iterator[Reader]:
    """Read with smart_open."""
    with import_module("smart_open").open(url, "rb") as file:
        yield _of_file(file)


Rest = Callable[[], None]
"""What is still to be waited for when the clock has stopped, so that it does not weigh on the next contender."""

# -- savers ------------------------------------------------------------------------------------------------------------


def save_kithara(url: str, out: Path, options: dict[str, Any]) -> Rest:
    """Read all through a new cache, in steps as long as the others'; the commit may go on behind the close."""
    buffer = memoryview(bytearray(MIB))
    with import_module("kithara_file").open_file(url, store=out, **options) as file:
        while file.readinto(buffer):
            pass
    return lambda: save_whole_kithara(url, out, options)


def save_whole_kithara(url: str, out: Path, options: dict[str, Any]) -> None:
    """Fetch all into a new cache, with nobody reading."""
    package = import_module("kithara_file")
    with package.File.open(package.FileConfig(url, store=out, look_ahead_bytes=None, **options)) as session:
        session.wait_complete(600)


def save_aiohttp(url: str, out: Path, _options: dict[str, Any]) -> None:
    """Write each chunk as it comes."""
    aiohttp = import_module("aiohttp")

    async def run() -> None:
        async with aiohttp.ClientSession() as session, session.get(url) as reply:
            with open(out, "wb") as file:  # noqa: ASYNC230 - as its users do
                async for chunk in reply.content.iter_chunked(MIB):
                    file.write(chunk)

    asyncio.run(run())


def save_requests(url: str, out: Path, _options: dict[str, Any]) -> None:
    """Write each chunk as it comes."""
    with import_module("requests").get(url, stream=True) as reply, open(out, "wb") as file:
        file.writelines(reply.iter_content(MIB))


def save_http_client(url: str, out: Path, _options: dict[str, Any]) -> None:
    """Read 1 MiB at a time from the standard library's client."""
    parts = urlsplit(url)
    with closing(http.client.HTTPConnection(parts.hostname or "", parts.port)) as connection, open(out, "wb") as file:
        connection.request("GET", parts.path)
        reply, buffer = connection.getresponse(), memoryview(bytearray(MIB))
        while count := reply.readinto(buffer):
            file.write(buffer[:count])


def save_fsspec(url: str, out: Path, _options: dict[str, Any]) -> None:
    """Get it as a file."""
    import_module("fsspec").filesystem("http", skip_instance_cache=True).get_file(url, str(out))


def save_smart_open(url: str, out: Path, _options: dict[str, Any]) -> None:
    """Copy from its file object."""
    with import_module("smart_open").open(url, "rb") as source, open(out, "wb") as file:
        shutil.copyfileobj(source, file, MIB)


def save_yt_dlp(url: str, out: Path, _options: dict[str, Any]) -> None:
    """Use its downloader, without its search for what a page may hold."""
    options = {"quiet": True, "noprogress": True, "logger": _Silent()}
    with import_module("yt_dlp").YoutubeDL(options) as outer:
        loader = import_module("yt_dlp.downloader.http").HttpFD(outer, outer.params)
        loader.download(str(out), {"url": url, "id": "1", "title": "1", "ext": "bin"})


class _Silent:
    def debug(self, _: str) -> None: ...

    warning = error = info = debug


def save_obstore(url: str, out: Path, _options: dict[str, Any]) -> None:
    """Write each chunk as it comes."""
    base, path = _split(url)
    store = import_module("obstore.store").HTTPStore.from_url(base, client_options={"allow_http": True})
    with open(out, "wb") as file:
        file.writelines(import_module("obstore").get(store, path).stream(min_chunk_size=MIB))


def save_copy(url: str, out: Path, _options: dict[str, Any]) -> None:
    """Copy a path: what no network can beat."""
    with open(url, "rb") as source, open(out, "wb") as file:
        shutil.copyfileobj(source, file, MIB)


def _split(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}", parts.path.lstrip("/")


READERS: dict[str, Callable[[str, Path, dict[str, Any]], AbstractContextManager[Reader]]] = {
    name.removeprefix("read_"): value for name, value in globals().items() if name.startswith("read_")
}
SAVERS: dict[str, Callable[[str, Path, dict[str, Any]], Rest | None]] = {
    name.removeprefix("save_"): value for name, value in globals().items() if name.startswith("save_")
}
NEEDS = {
    "kithara": ["kithara_file"],
    "whole_kithara": ["kithara_file"],
    "pyav": ["av"],
    "fsspec": ["fsspec", "aiohttp", "fsspec.implementations.http", "fsspec.implementations.cached"],
    "yt_dlp": ["yt_dlp", "yt_dlp.downloader.http"],
    "obstore": ["obstore", "obstore.store"],
    **{name: [name] for name in ("aiohttp", "requests", "smart_open")},
}


# -- jobs --------------------------------------------------------------------------------------------------------------


def reads(who: str, url: str, folder: str, places: list[tuple[int, int]], options: dict[str, Any]) -> dict[str, Any]:
    """Open, read all places in their order, close; the checksum is of all that was read."""
    total, moments = 0, []
    begun = time.perf_counter()
    with READERS[who](url, Path(folder), options) as read:
        for at, size in places:
            asked = time.perf_counter()
            total = zlib.crc32(read(at, size), total)
            moments.append(time.perf_counter() - asked)
    return {"seconds": time.perf_counter() - begun, "crc": total, "moments": moments}


def save(who: str, url: str, out: str, options: dict[str, Any], *, burn: bool = False) -> dict[str, Any]:
    """Save all of it, beside a thread that does nothing but hold the interpreter where `burn` says so."""
    stop = threading.Event()
    thread = threading.Thread(target=_burn, args=(stop,), daemon=True)
    if burn:
        thread.start()
    begun, cpu = time.perf_counter(), time.process_time()
    try:
        rest = SAVERS[who](url, Path(out), options)
        taken = {"seconds": time.perf_counter() - begun, "cpu": time.process_time() - cpu}
        if rest is not None:
            rest()
        return taken
    finally:
        stop.set()
        if burn:
            thread.join()


def _burn(stop: threading.Event) -> None:
    number = 0
    while not stop.is_set():
        for _ in range(10_000):
            number += 1


JOBS: dict[str, Callable[..., dict[str, Any]]] = {"reads": reads, "save": save}


def main() -> None:
    """Do the jobs on stdin; the answers have stdout for themselves."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    sys.stdout = io.TextIOWrapper(os.fdopen(1, "wb", closefd=False))
    for line in sys.stdin:
        job = json.loads(line)
        try:
            for each in NEEDS.get(job["who"], ()):
                import_module(each)
            answer = JOBS[job.pop("job")](**job)
        except Exception as error:  # noqa: BLE001 - whatever a contender raises is its result
            answer = {"error": f"{type(error).__name__}: {error}".splitlines()[0][:200]}
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
