"""What the tests of the command have in common: running it in this process, on files of this machine."""

from __future__ import annotations

import io
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from rich.console import Console

from kithara_file.cli.download import Download
from kithara_file.clock import CancelToken
from kithara_file.config import FileConfig

DATA = bytes(range(256)) * 40
MALFORMED = ("http://[::1/x", f"http://host:{'9' * 5000}/x", "file://[::1/x", "file:///tmp/a%00b")


@dataclass(frozen=True)
class Said:
    """How a run ended and what it said."""

    code: int
    out: str
    err: str


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> Said:
    """Run the command in this process."""
    from kithara_file.cli.app import run as run_command  # noqa: PLC0415 - after pytest has taken stderr

    code = run_command([str(each) for each in arguments])
    sys.stdout.flush()
    told = capsys.readouterr()
    return Said(code, told.out, told.err)


def local_file(folder: Path, name: str = "song.bin", data: bytes = DATA) -> Path:
    """Write a file and return its path."""
    path = folder / name
    path.write_bytes(data)
    return path


def download(source: Path | str, target: Path | None, cancel: CancelToken | None = None) -> Download:
    """Return the download of a local file."""
    cancel = cancel or CancelToken()
    config = FileConfig(source, look_ahead_bytes=None, cancel=cancel)
    return Download(Path(source).name, config, target, cancel)


def console(width: int = 100, *, terminal: bool = False) -> Console:
    """Return a console that keeps what is written."""
    return Console(file=io.StringIO(), width=width, color_system=None, force_terminal=terminal)


def written(on: Console) -> str:
    """Return what was written."""
    file = on.file
    assert isinstance(file, io.StringIO)
    return file.getvalue()
