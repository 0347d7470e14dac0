"""How downloads are shown: moving bars on a terminal, a line for each file that has ended elsewhere.

Must not know: how a download is carried out.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from rich.console import Console, RenderableType
from rich.progress import Progress, ProgressColumn, Task, TaskID
from rich.table import Column
from rich.text import Text

from kithara_file.cli import words
from kithara_file.cli.bar import CoverageBar
from kithara_file.cli.download import Download, Watcher
from kithara_file.cli.standard import complaint, cursor_while_stopped

_LABEL_WIDTH = 28


class Lines:
    """Tells of each end in one line, or with `quiet` only of bad ones."""

    def __init__(self, console: Console, *, quiet: bool = False) -> None:
        self._console = console
        self._quiet = quiet

    def frame(self, running: Sequence[Download]) -> None:
        """Show nothing."""

    def ended(self, download: Download) -> None:
        """Say how it ended; of what was interrupted the end of the program tells."""
        if download.done and not self._quiet:
            say(self._console, outcome(download))
        elif download.error is not None and not download.cancel.cancelled:
            say(self._console, f"kithara: {complaint(download.error)}")


class Bars:
    """Draws a bar for each running download, and writes the ends above them."""

    def __init__(self, console: Console) -> None:
        self._lines = Lines(console)
        self._tasks: dict[Download, tuple[TaskID, CoverageBar]] = {}
        self.progress = Progress(
            _Label(table_column=Column(no_wrap=True, max_width=_LABEL_WIDTH)),
            _Bar(table_column=Column(ratio=1, min_width=8)),
            _Share(table_column=Column(no_wrap=True, justify="right")),
            _Bytes(table_column=Column(no_wrap=True, justify="right")),
            _Rate(table_column=Column(no_wrap=True, justify="right", min_width=10)),
            _Left(table_column=Column(no_wrap=True, justify="right")),
            console=console,
            expand=True,
            auto_refresh=False,
            transient=True,
        )

    def frame(self, running: Sequence[Download]) -> None:
        """Draw what is here by now."""
        for each in running:
            if each.session is None:
                continue
            coverage, length = each.look()
            task, bar = self._tasks.get(each) or self._begin(each, coverage.total, length)
            bar.update(coverage, length)
            self.progress.update(task, completed=coverage.total, total=length)
        self.progress.refresh()

    def _begin(self, download: Download, present: int, length: int | None) -> tuple[TaskID, CoverageBar]:
        # What was here before counts as done from the start: nothing of it came at any rate.
        bar = CoverageBar()
        bar.update(download.look()[0], length)  # a new task is drawn at once
        task = self.progress.add_task(download.label, total=length, completed=present, bar=bar)
        self._tasks[download] = task, bar
        return task, bar

    def ended(self, download: Download) -> None:
        """Let the line take the place of the bar."""
        if download in self._tasks:
            self.progress.remove_task(self._tasks.pop(download)[0])
        self._lines.ended(download)


class _Label(ProgressColumn):
    def render(self, task: Task) -> RenderableType:
        return Text(task.description, overflow="ellipsis", no_wrap=True)


class _Bar(ProgressColumn):
    def render(self, task: Task) -> RenderableType:
        bar: CoverageBar = task.fields["bar"]
        return bar


class _Share(ProgressColumn):
    def render(self, task: Task) -> RenderableType:
        return Text("" if task.total is None else f"{100 * task.completed / max(1, task.total):.0f} %")


class _Bytes(ProgressColumn):
    def render(self, task: Task) -> RenderableType:
        return Text(words.progress(int(task.completed), None if task.total is None else int(task.total)))


class _Rate(ProgressColumn):
    def render(self, task: Task) -> RenderableType:
        return Text("" if not task.speed else words.rate(task.speed))


class _Left(ProgressColumn):
    def render(self, task: Task) -> RenderableType:
        return Text("" if task.time_remaining is None else words.clock(task.time_remaining))


def outcome(download: Download) -> str:
    """Return what a finished download was, in one line."""
    length = download.length or 0
    told = f"{download.label}: {words.size(length)}"
    if not download.network_bytes and length:
        told += " from the cache" if download.session is None or download.session.remote is not None else ""
    elif length:
        told += f" in {words.seconds(download.seconds)}"
        if (fetched := words.size(download.network_bytes)) != words.size(length):
            told += f" ({fetched} fetched)"
    return told if download.target is None else f"{told}, saved as {download.target}"


def forget_stdout() -> None:
    """Let what is still buffered go nowhere: the interpreter would try to write it at its end, and complain."""
    with suppress(OSError, ValueError, AttributeError), Path(os.devnull).open("wb") as nowhere:
        os.dup2(nowhere.fileno(), sys.stdout.buffer.fileno())


def say(console: Console, text: str) -> None:
    """Write one line, as it is."""
    console.print(words.plain(text), markup=False, highlight=False, soft_wrap=True)


@contextmanager
def watching(console: Console, *, quiet: bool) -> Iterator[Watcher]:
    """Give the watcher that fits the place where it is watched."""
    if quiet or not console.is_terminal or console.is_dumb_terminal:
        yield Lines(console, quiet=quiet)
        return
    bars = Bars(console)
    with cursor_while_stopped(console), bars.progress:
        yield bars


class _ToConsole(logging.Handler):
    """Writes through the console, so that no line is written across a moving bar."""

    def __init__(self, console: Console) -> None:
        super().__init__()
        self._console = console

    def emit(self, record: logging.LogRecord) -> None:
        try:
            say(self._console, self.format(record))
        except Exception:  # noqa: BLE001 - what logging does with its own failures is logging's to decide
            self.handleError(record)


def log_to(console: Console, verbosity: int) -> None:
    """Write warnings to `console`; with 1 also what is asked and answered, with 2 everything."""
    handler = _ToConsole(console)
    handler.setFormatter(logging.Formatter("%(message)s" if verbosity < 2 else "%(relativeCreated)6d ms  %(message)s"))
    root = logging.getLogger("kithara_file")
    root.handlers[:] = [handler]
    root.setLevel(logging.DEBUG if verbosity >= 2 else logging.WARNING)
    logging.getLogger("kithara_file.net").setLevel(logging.DEBUG if verbosity == 1 else logging.NOTSET)
