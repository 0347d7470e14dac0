"""A child process that can be killed at any moment, and what it said until then.

    with Child('''
        from kithara_file import open_file
        with open_file(argv[0]) as f:
            print(len(f.read(65536)), flush=True)
            f.read()
    ''', url) as child:
        child.wait_line("65536")
        child.kill()                       # as `kill -9`; the killed process runs nothing more
        assert child.wait() == -9

Every wait has a deadline; leaving the block kills what still runs. Must not know: what the child does.
"""

from __future__ import annotations

import inspect
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from queue import Empty, Queue
from textwrap import dedent
from threading import Event, Thread
from types import TracebackType
from typing import IO, Self

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 30.0
_PROLOGUE = "from __future__ import annotations\nimport sys\nargv = sys.argv[1:]\n"


class Child:
    """A Python process that runs a snippet, in which `argv` is the list of the given arguments as text."""

    def __init__(self, snippet: str | Callable[..., object], *arguments: object) -> None:
        program = _PROLOGUE + _source(snippet, len(arguments))
        command = [sys.executable, "-c", program, *map(str, arguments)]
        self._process = subprocess.Popen(  # the reader threads below own the pipes
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT
        )
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        self.lines: list[str] = []
        self.errors: list[str] = []
        self._queue: Queue[str | None] = Queue()
        self._readers = (
            Thread(target=self._pump, args=(self._process.stdout, self._queue.put), name="child stdout", daemon=True),
            Thread(target=self._pump, args=(self._process.stderr, self._keep_error), name="child stderr", daemon=True),
        )
        for reader in self._readers:
            reader.start()

    @property
    def pid(self) -> int:
        """Its process number."""
        return self._process.pid

    def next_line(self, timeout: float = PATIENCE) -> str:
        """Return the next line of its stdout; EOFError when it ended without one, TimeoutError when it is silent."""
        try:
            line = self._queue.get(timeout=timeout)
        except Empty:
            raise TimeoutError(f"no line from the child within {timeout} s; {self.story()}") from None
        if line is None:
            self._queue.put(None)
            raise EOFError(f"the child ended; {self.story()}")
        self.lines.append(line)
        return line

    def wait_line(self, start: str = "", timeout: float = PATIENCE) -> str:
        """Read lines until one begins with `start`, and return it."""
        deadline = time.monotonic() + timeout
        while not (line := self.next_line(max(0.0, deadline - time.monotonic()))).startswith(start):
            pass
        return line

    def kill(self) -> None:
        """Kill it with signal 9, at once and from outside."""
        self._process.kill()

    def wait(self, timeout: float = PATIENCE) -> int:
        """Wait for its end, gather all its lines, return its exit status (negative: the signal)."""
        status = self._process.wait(timeout)
        for reader in self._readers:
            reader.join(timeout)
        while (line := self._queue.get(timeout=timeout)) is not None:
            self.lines.append(line)
        self._queue.put(None)
        return status

    def output(self, timeout: float = PATIENCE) -> str:
        """Wait for a successful end and return its stdout; AssertionError with its stderr otherwise."""
        status = self.wait(timeout)
        if status != 0:
            raise AssertionError(f"exit status {status}; {self.story()}")
        return "\n".join(self.lines)

    def story(self) -> str:
        """Return what it said, for messages."""
        return f"it said {self.lines!r}, and to stderr:\n" + "\n".join(self.errors)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()
        self.wait()

    def __repr__(self) -> str:
        return f"<Child {self.pid} {len(self.lines)} lines read, status {self._process.returncode}>"

    def _pump(self, pipe: IO[str], keep: Callable[[str | None], None]) -> None:
        with pipe:
            for line in pipe:
                keep(line.rstrip("\n"))
        keep(None)

    def _keep_error(self, line: str | None) -> None:
        if line is not None:
            self.errors.append(line)


def fork_holding(lock: AbstractContextManager[object]) -> int:
    """Fork in the midst of holding `lock`; return how the child ends that lets it go, as the parent does: 0."""
    status = 1
    try:
        with lock:
            child = os.fork()
        status = 0
    finally:
        if child == 0:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def fork_while_held(lock: AbstractContextManager[object], work: Callable[[], object]) -> int:
    """Fork while another thread holds `lock`; return how the child ends that does `work`: 0, or -14 when it hangs."""
    held, done = Event(), Event()

    def hold() -> None:
        with lock:
            held.set()
            done.wait(PATIENCE)

    holder = Thread(target=hold)
    holder.start()
    held.wait(PATIENCE)
    child = os.fork()
    if child == 0:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(5)
        status = 1
        try:
            work()
            status = 0
        finally:
            os._exit(status)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    done.set()
    holder.join(PATIENCE)
    return status


def run_child(snippet: str | Callable[..., object], *arguments: object, timeout: float = PATIENCE) -> str:
    """Run a snippet in a process of its own to its successful end and return its stdout."""
    with Child(snippet, *arguments) as child:
        return child.output(timeout)


def _source(snippet: str | Callable[..., object], arguments: int) -> str:
    """Return program text: the snippet itself, or a function's source and a call of it with the arguments as text.

    Such a function sees nothing of its module, so it imports what it needs; and it cannot be a lambda or a method.
    """
    if isinstance(snippet, str):
        return dedent(snippet)
    text = dedent(inspect.getsource(snippet))
    call = ", ".join(f"argv[{place}]" for place in range(arguments))
    return f"{text}\n{snippet.__name__}({call})"
