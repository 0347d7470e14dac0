"""Whole files into the store, several at a time, and from there to where the user wants them.

Must not know: terminals, click. Who watches is told of beginnings and ends and may look at any time.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Protocol

from kithara_file.cli.save import save
from kithara_file.clock import CancelToken, Clock, Deadline, SystemClock
from kithara_file.config import FileConfig
from kithara_file.errors import KitharaError
from kithara_file.ranges import Coverage
from kithara_file.session.file import File, FileSession

FRAME_SECONDS = 0.1
"""How often a watcher may draw."""
GRACE_SECONDS = 0.7
"""How long an interrupted download may take to let go of its files."""


class Watcher(Protocol):
    """Who shows how it goes; called by one thread only."""

    def frame(self, running: Sequence[Download]) -> None:
        """Draw: a moment has passed."""

    def ended(self, download: Download) -> None:
        """Tell how a download ended."""


@dataclass(eq=False)
class Download:
    """One file on its way. Its facts are written by the thread that runs it, and may be read by any."""

    label: str
    config: FileConfig
    target: Path | None
    """Where to put the file; None: it stays in the store."""
    cancel: CancelToken
    clock: Clock = field(default_factory=SystemClock)
    session: FileSession | None = None
    error: KitharaError | OSError | None = None
    done: bool = False
    """True once it is whole and where it should be."""
    present: int = 0
    length: int | None = None
    network_bytes: int = 0
    seconds: float = 0.0

    def run(self) -> None:
        """Carry it out; what goes wrong is kept in `error`."""
        begun = self.clock.monotonic()
        try:
            with File.open(self.config) as session:
                self.session = session
                try:
                    session.wait_complete()
                finally:
                    self._note(session)
                if self.target is not None:
                    save(session, self.config, self.target, self.cancel)
            self.done = True
        except (KitharaError, OSError) as error:
            self.error = error
        finally:
            self.seconds = self.clock.monotonic() - begun

    def _note(self, session: FileSession) -> None:
        facts = session.statistics()
        self.present, self.length, self.network_bytes = facts.present_bytes, facts.length, facts.network_bytes

    def look(self) -> tuple[Coverage, int | None]:
        """Return what is here by now, and of how much."""
        session = self.session
        return (Coverage(), None) if session is None else (session.coverage, session.length)


def download_all(downloads: Sequence[Download], jobs: int, watcher: Watcher, cancel: CancelToken) -> None:
    """Carry out `downloads`, at most `jobs` at a time, in their order; return when all have ended.

    After `cancel` those that have not begun never do, and the others get a moment to end: `error` and `done` then tell
    which have not. Threads that are still held up by the system are left to themselves.
    """
    waiting = deque(downloads)
    ended: SimpleQueue[Download] = SimpleQueue()
    running: list[Download] = []
    grace: Deadline | None = None
    while running or (waiting and not cancel.cancelled):
        while waiting and len(running) < jobs and not cancel.cancelled:
            running.append(_start(waiting.popleft(), ended))
        if (one := _next(ended)) is not None:
            running.remove(one)
            watcher.ended(one)
        watcher.frame(running)
        if cancel.cancelled:
            grace = grace or Deadline.after(GRACE_SECONDS)
            if grace.passed:
                return


def _start(download: Download, ended: SimpleQueue[Download]) -> Download:
    def work() -> None:
        try:
            download.run()
        finally:
            ended.put(download)

    # A daemon, for a thread that is stuck in a system call must not keep an interrupted program alive.
    threading.Thread(target=work, name=f"get {download.label}", daemon=True).start()
    return download


def _next(ended: SimpleQueue[Download]) -> Download | None:
    try:
        return ended.get(timeout=FRAME_SECONDS)
    except Empty:
        return None
