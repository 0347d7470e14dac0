"""Programs that stand between a reader and an origin."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.measure import NotThere
from bench.rivals import program

PATIENCE = 10.0


@contextmanager
def rclone(base: str, cache: Path) -> Iterator[str]:
    """Yield the base URL of an ``rclone serve http`` before the folder at `base`, with all it reads kept in `cache`."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    words = [program("rclone"), "serve", "http", f":http,url='{base}':", "--addr", f"127.0.0.1:{port}"]
    words += ["--vfs-cache-mode", "full", "--cache-dir", str(cache), "--config", "/dev/null", "--read-only"]
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _await(port, process)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


def _await(port: int, process: subprocess.Popen[bytes]) -> None:
    """Wait until it listens."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), PATIENCE).close()
        except ConnectionRefusedError:
            time.sleep(0.02)
        else:
            return
    raise NotThere("rclone did not begin to listen")
