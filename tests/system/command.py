"""The command `kithara` as a user runs it: a process of its own, with pipes or with a terminal.

Must not know: what any test is about. Every wait has a deadline; leaving a block kills what still runs.
"""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from dataclasses import dataclass
from fcntl import ioctl
from pathlib import Path
from typing import Any, Self

from tests.system.kit import SOON

KITHARA = (sys.executable, "-m", "kithara_file.cli")
_ESCAPES = re.compile(r"\x1b(\[[0-9;?]*[A-Za-z]|\][^\x07]*\x07|[()][A-Z0-9])")


@dataclass(frozen=True)
class Ran:
    """What a run came to."""

    code: int
    out: bytes
    err: str


def environment(store: Path) -> dict[str, str]:
    """Return the environment of a command which keeps its cache in `store`."""
    kept = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "FORCE_COLOR", "COLUMNS")}
    return kept | {"KITHARA_CACHE_DIR": str(store), "TERM": "xterm-256color", "PYTHONWARNINGS": "error"}


def kithara(store: Path, *arguments: object) -> Ran:
    """Run the command to its end."""
    with Running(store, *arguments) as running:
        return running.end()


class Running:
    """The command while it runs, with pipes."""

    def __init__(self, store: Path, *arguments: object) -> None:
        self._process = subprocess.Popen(
            [*KITHARA, *map(str, arguments)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment(store),
        )

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self._process.send_signal(number)

    def end(self, within: float = SOON) -> Ran:
        """Wait for its end and return what it came to."""
        out, err = self._process.communicate(timeout=within)
        return Ran(self._process.returncode, out, err.decode())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate(timeout=SOON)


class Terminal:
    """The command while it runs on a terminal of its own."""

    def __init__(self, store: Path, *arguments: object, columns: int = 100) -> None:
        self._master, slave = pty.openpty()
        ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
        self.first_modes = self.modes
        self._said = ""
        command = [sys.executable, "-c", _ON_ITS_TERMINAL, *KITHARA, *map(str, arguments)]
        self._process = subprocess.Popen(
            command, stdin=slave, stdout=slave, stderr=slave, env=environment(store), start_new_session=True
        )
        os.close(slave)

    @property
    def said(self) -> str:
        """All that it wrote so far, without the escapes that move and paint."""
        return _ESCAPES.sub("", self._said)

    @property
    def modes(self) -> list[Any]:
        """How the terminal treats what is typed (termios)."""
        return termios.tcgetattr(self._master)

    def wait_for(self, pattern: str, within: float = SOON) -> str:
        """Read until it has written what matches `pattern`; return what matched."""
        deadline = time.monotonic() + within
        while (found := re.search(pattern, self.said)) is None:
            assert self._read(deadline - time.monotonic()), f"{pattern!r} was not among:\n{self.said}"
        return found[0]

    def type(self, keys: str) -> None:
        """Press keys."""
        os.write(self._master, keys.encode())

    def kill(self) -> None:
        """Kill it with signal 9."""
        self._process.kill()

    def end(self, within: float = SOON) -> int:
        """Wait for its end and return its exit code."""
        deadline = time.monotonic() + within
        while self._read(deadline - time.monotonic()):
            pass
        return self._process.wait(max(0.0, deadline - time.monotonic()))

    def _read(self, timeout: float) -> bool:
        ready, _, _ = select.select([self._master], [], [], max(0.0, timeout))
        try:
            piece = os.read(self._master, 65536) if ready else b""
        except OSError:  # Linux says EIO when nobody has the other end open any more
            piece = b""
        self._said += piece.decode(errors="replace")
        return bool(piece)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait(SOON)
        os.close(self._master)


_ON_ITS_TERMINAL = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.argv[1], sys.argv[1:])
"""
"""Makes the terminal the controlling one, so that Ctrl-C typed there becomes a signal here."""
