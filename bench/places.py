"""Where the benchmarks run: a scratch folder on the disk of the cache, a nginx over it, a line before that."""

from __future__ import annotations

import os
import resource
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import platformdirs

from tests.world.nginx import Nginx

MIB = 1 << 20
GIB = 1 << 30


def ground() -> Path:
    """Return the folder that everything is written below: on the disk that users have their cache on."""
    place = Path(os.environ.get("BENCH_DIR") or platformdirs.user_cache_dir("kithara-bench"))
    place.mkdir(parents=True, exist_ok=True)
    return place


@contextmanager
def scratch() -> Iterator[Path]:
    """Yield an empty folder, on the same disk for everybody, and remove it."""
    folder = Path(tempfile.mkdtemp(prefix="row-", dir=ground()))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def fill(path: Path, size: int) -> Path:
    """Write `size` bytes that no file system can squeeze."""
    with path.open("wb") as file:
        for at in range(0, size, MIB):
            file.write(os.urandom(min(MIB, size - at)))
    return path


def forget(path: Path) -> None:
    """Remove a file or folder, and let the disk come to rest: what one has written shall not slow down the next."""
    shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)
    os.sync()


@contextmanager
def nginx_with(size: int, *, tls: bool = False, http2: bool = False) -> Iterator[tuple[str, Path, Nginx]]:
    """Yield the URL of a file of `size` bytes on a real nginx, a scratch folder beside it, and the server."""
    with site(tls=tls, http2=http2) as (server, folder):
        fill(server.folder / "big.bin", size)
        yield server.url("/big.bin"), folder, server


@contextmanager
def site(*, tls: bool = False, http2: bool = False) -> Iterator[tuple[Nginx, Path]]:
    """Yield a nginx whose folder is still empty, and a scratch folder beside it."""
    with scratch() as folder:
        pages = folder / "site"
        pages.mkdir()
        with Nginx(pages, tls=tls, http2=http2, extra="autoindex on;") as server:
            yield server, folder


def cpu_of_children() -> float:
    """Return the CPU seconds of all children that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
