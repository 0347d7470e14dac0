"""Where the benchmarks run: a scratch folder on the disk of the repository, a nginx over it, and a shaped origin."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.world.nginx import Nginx

MIB = 1 << 20


@contextmanager
def scratch() -> Iterator[Path]:
    """Yield an empty folder, on the same disk for everybody, and remove it."""
    folder = Path(tempfile.mkdtemp(prefix="kithara-bench-", dir=os.environ.get("BENCH_DIR")))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def fill(path: Path, size: int) -> Path:
    """Write `size` bytes that no file system can squeeze."""
    with path.open("wb") as file:
        for _ in range(0, size, MIB):
            file.write(os.urandom(min(MIB, size)))
    return path


@contextmanager
def nginx_with(size: int, *, tls: bool = False, http2: bool = False) -> Iterator[tuple[str, Path, Nginx]]:
    """Yield the URL of a file of `size` bytes on a real nginx, a scratch folder beside it, and the server."""
    with scratch() as folder:
        site = folder / "site"
        site.mkdir()
        fill(site / "big.bin", size)
        with Nginx(site, tls=tls, http2=http2) as server:
            yield server.url("/big.bin"), folder, server
