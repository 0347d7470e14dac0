"""The three standard streams, as a shell may have left them: closed, full, read by nobody, or in a small alphabet.

Must not know: what is written.
"""

from __future__ import annotations

import errno
import io
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import BinaryIO, NoReturn, TextIO

from rich.console import Console

from kithara_file.errors import reason_of

_WIDE = 1000
"""Columns where no terminal sets a limit, so that no line is folded which another program reads."""


_SHOWN, _HIDDEN = b"\x1b[?25h", b"\x1b[?25l"
"""The cursor (DECTCEM)."""


class Screen(Console):
    """A console which tells by `BrokenPipeError` that nobody reads any more, as every other file does."""

    def on_broken_pipe(self) -> None:
        """Raise it once more; rich would end the program, and take standard output from those who write sound there."""
        self.quiet = True
        raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))


class _Closed(io.TextIOBase):
    """Standard output that was closed before the program began: it says so to whoever writes, where None says nothing.

    Python's own `print` and click's `echo` take None for a place where nobody wants to read what they say.
    """

    encoding = "utf-8"

    def write(self, _text: str, /) -> NoReturn:
        raise _is_closed()


def _is_closed() -> OSError:
    return OSError("standard output is closed")


def settle() -> None:
    """Make the standard streams safe to use; called once, before any other file is open.

    A descriptor that is closed would be given to the next file that is opened, one of the cache say, and whoever writes
    to "standard error" by its number would write there. What the alphabet of the output lacks is escaped, as Python
    does on standard error. Whatever is said on a standard output that is closed raises `OSError`.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free: this one
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
    elif sys.stdout is None:  # against what typeshed says
        sys.stdout = _Closed()


@contextmanager
def cursor_while_stopped(console: Console) -> Iterator[None]:
    """Show the cursor, which a moving line hides, while Ctrl-Z has stopped the program and a shell is typed into."""

    def stopped(number: int, _frame: FrameType | None) -> None:
        os.write(console.file.fileno(), _SHOWN)
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)  # it ends when somebody lets the program go on
        signal.signal(number, stopped)
        os.write(console.file.fileno(), _HIDDEN)

    stop = getattr(signal, "SIGTSTP", None)
    if stop is None or not console.is_terminal or signal.getsignal(stop) is not signal.SIG_DFL:
        yield
        return
    signal.signal(stop, stopped)
    try:
        yield
    finally:
        signal.signal(stop, signal.SIG_DFL)


def stdout() -> TextIO:
    """Return standard output. Raises `OSError` when it was closed before the program began."""
    if isinstance(sys.stdout, _Closed):
        raise _is_closed()
    return sys.stdout


def binary_stdout() -> BinaryIO:
    """Return standard output for bytes. Raises `OSError` when it is closed."""
    return stdout().buffer


def unbuffered_stdout() -> BinaryIO:
    """Return a file of its own on standard output, to be closed by the caller. Raises `OSError` when it is closed.

    Without a buffer: a thread that waits in one when the interpreter ends would break it.
    """
    return open(os.dup(stdout().fileno()), "wb", buffering=0)


def on_terminal() -> bool:
    """Tell whether standard output is a terminal."""
    return stdout().isatty()


def screen() -> Console:
    """Return a console on standard output, as wide as the terminal or any line. Raises `OSError` when it is closed."""
    return Screen(width=None if on_terminal() else _WIDE)


def complaint(error: Exception) -> str:
    """Return one sentence for `error`: the system's own words, without its numbers, and which file they are about."""
    if not isinstance(error, OSError) or error.strerror is None or type(error).__str__ is not OSError.__str__:
        return reason_of(error)
    names = [os.fsdecode(each) for each in (error.filename, error.filename2) if isinstance(each, (str, bytes))]
    return ": ".join([*names, error.strerror])
