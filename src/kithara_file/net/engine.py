"""libcurl driven by an asyncio loop: the loop watches the sockets and the clock, libcurl does the rest.

The bottom of the room: it moves transfers and knows none of their meaning. Must not know: HTTP, URLs, errors of ours.

libcurl forbids most calls from inside its own callbacks, so nothing here runs foreign code there: a callback notes what
happened and wakes a future, and whoever waits runs in a later turn of the loop.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Hashable
from functools import cache, partial
from itertools import islice
from typing import Protocol

import pycurl

from kithara_file.net.idle import Idle

IDLE_SECONDS = 5.0
"""How long connections are kept for reuse while nothing is transferred."""
MAX_CONNECTIONS = 32
"""How many connections are kept for reuse."""
ROOM = 64 * 1024 * 1024
"""Bytes that all transfers together may gather, and as many again libcurl; each is let have its share."""
LEAST_SHARE = 64 * 1024
KEPT_MEMORY = 8 * 1024 * 1024
"""What a burst of a fast body takes of memory, twice."""

AT_ONCE = 4
"""From so many sockets is read before those who wait have had a turn: each may bring much in one go, and what all hold
together stays small."""

MANY = 8
"""When half of at least so many transfers have gone, what they held is worth giving back."""

HTTP_1 = frozenset({pycurl.CURL_HTTP_VERSION_1_0, pycurl.CURL_HTTP_VERSION_1_1})
_READS = (pycurl.POLL_IN, pycurl.POLL_INOUT)
_WRITES = (pycurl.POLL_OUT, pycurl.POLL_INOUT)


@cache
def _keep_memory() -> None:
    """Have glibc keep what a burst has used.

    Until it has seen a large block come and go it gives that back to the system each time, and every page of the next
    burst is a fault: 80 000 in 1 GiB, and 3 000 after this. Once is enough; the next such block is made of what was
    kept, and takes a millisecond to be cleared.
    """
    bytes(KEPT_MEMORY)


class Job(Protocol):
    """What the engine runs: one easy handle, told when it is over."""

    @property
    def handle(self) -> pycurl.Curl:
        """The handle, set up and not in use; from `start` on it belongs to the engine, which closes it."""

    @property
    def connected(self) -> bool:
        """True once its connection stood."""

    @property
    def place(self) -> Hashable:
        """Where it goes to: those of one place can use each other's connections."""

    def offer(self) -> bool:
        """Hear that a connection to its place has come free; tell whether that may be of use to it."""

    def finished(self, code: int, message: str) -> None:
        """Learn that libcurl is through with the handle: `code` 0, or an error with its message."""


class Engine:
    """Runs transfers on `loop`, any number at once; belongs to the thread of that loop.

    Costs nothing until the first transfer. Connections are kept for reuse, and let go of after `idle_seconds` without
    a transfer, or at once by `rest`.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        *,
        idle_seconds: float = IDLE_SECONDS,
        relieved: Callable[[], object] = lambda: None,
    ) -> None:
        """Run on `loop`; `relieved` is called when much of the memory that transfers held has come free."""
        self._loop = loop
        self._idle_seconds = idle_seconds
        self._relieved = relieved
        self._most = 0
        self._multi: pycurl.CurlMulti | None = None
        self._jobs: dict[pycurl.Curl, Job] = {}
        self._watched: dict[int, int] = {}
        self._ready: dict[int, Callable[[], object]] = {}
        self._at_rest = Idle()
        self._timer: asyncio.Handle | None = None
        self._idle: asyncio.TimerHandle | None = None
        self._inside = False
        self._resting = False
        self._unresolved = False
        self._doomed: list[Job] = []
        self._closed = False

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The loop everything runs on."""
        return self._loop

    @property
    def running(self) -> int:
        """How many transfers there are."""
        return len(self._jobs)

    @property
    def share(self) -> int:
        """How many bytes one transfer may hold, given how many there are."""
        return max(LEAST_SHARE, ROOM // (len(self._jobs) or 1))

    def start(self, job: Job) -> None:
        """Begin a transfer; its callbacks run in later turns of the loop."""
        if self._closed:
            raise RuntimeError("the engine is closed")
        multi = self._multi = self._multi or self._open()
        self._resting = False
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None
        if self._at_rest.spoke(job.place):
            job.handle.setopt(pycurl.FRESH_CONNECT, 1)
        multi.add_handle(job.handle)
        self._jobs[job.handle] = job
        self._most = max(self._most, len(self._jobs))

    def remove(self, job: Job) -> None:
        """End a transfer at once, closing the connection when its answer is not complete; idempotent.

        From inside a callback of libcurl it is only noted, and done as soon as libcurl has returned.
        """
        if self._inside:
            self._doomed.append(job)
        elif self._take_out(job):
            job.handle.close()
            self._settle()

    def resume(self, job: Job) -> None:
        """Go on with a transfer whose write callback asked for a pause; may deliver bytes before it returns."""
        if job.handle in self._jobs:
            self._inside = True
            try:
                job.handle.pause(pycurl.PAUSE_CONT)
            finally:
                self._inside = False
            self._reap()

    def listen(self, fd: int, read: Callable[[], object]) -> None:
        """Have `read` called whenever `fd` has something to read and its turn has come."""
        self._loop.add_reader(fd, self._readable, fd, read)

    def ignore(self, fd: int) -> None:
        """Read no more from `fd`."""
        self._ready.pop(fd, None)
        self._loop.remove_reader(fd)

    def rest(self) -> None:
        """Close the connections that are kept for reuse, now or with the end of the last transfer that runs."""
        self._resting = bool(self._jobs)
        if not self._jobs and self._multi is not None:
            multi, self._multi = self._multi, None
            self._at_rest.clear()
            self._cancel_timer()
            for fd in list(self._watched):
                self._forget(fd)
            self._free(multi)
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None

    def close(self) -> None:
        """End every transfer (each job hears of it as aborted) and every connection; idempotent."""
        self._closed = True
        for job in list(self._jobs.values()):
            self._take_out(job)
            job.finished(pycurl.E_ABORTED_BY_CALLBACK, "the engine was closed")
            job.handle.close()
        self.rest()

    def _free(self, multi: pycurl.CurlMulti) -> None:
        if self._unresolved:
            # libcurl waits there for the threads that ask name servers, each of which may be silent for many seconds.
            self._unresolved = False
            threading.Thread(target=multi.close, name="kithara-file name server", daemon=True).start()
        else:
            multi.close()

    def _take_out(self, job: Job) -> bool:
        if self._multi is None or self._jobs.pop(job.handle, None) is None:
            return False
        self._unresolved |= not job.connected
        self._multi.remove_handle(job.handle)
        return True

    def _open(self) -> pycurl.CurlMulti:
        _keep_memory()
        multi = pycurl.CurlMulti()
        multi.setopt(pycurl.M_SOCKETFUNCTION, self._watch)
        multi.setopt(pycurl.M_TIMERFUNCTION, lambda ms: self._set_timer(multi, ms))
        multi.setopt(pycurl.M_PIPELINING, pycurl.PIPE_MULTIPLEX)
        multi.setopt(pycurl.M_MAXCONNECTS, MAX_CONNECTIONS)
        return multi

    def _watch(self, what: int, fd: int, multi: object, _data: object) -> None:
        if multi is not self._multi:
            return  # it is being freed, perhaps in another thread
        before = self._watched.get(fd, pycurl.POLL_NONE)
        if what == pycurl.POLL_REMOVE:
            self._forget(fd)
            return
        self._watched[fd] = what
        self._at_rest.use(fd)
        if what in _READS and before not in _READS:
            self.listen(fd, partial(self._act, fd, pycurl.CSELECT_IN))
        elif what not in _READS and before in _READS:
            self.ignore(fd)
        if what in _WRITES and before not in _WRITES:
            self._loop.add_writer(fd, self._act, fd, pycurl.CSELECT_OUT)
        elif what not in _WRITES and before in _WRITES:
            self._loop.remove_writer(fd)

    def _forget(self, fd: int) -> None:
        if self._watched.pop(fd, None) is not None and not self._loop.is_closed():
            self.ignore(fd)
            self._loop.remove_writer(fd)

    def _set_timer(self, multi: pycurl.CurlMulti, milliseconds: int) -> None:
        if multi is not self._multi or self._loop.is_closed():
            return
        self._cancel_timer()
        if milliseconds == 0:
            self._timer = self._loop.call_soon(self._timed_out, multi)
        elif milliseconds > 0:
            self._timer = self._loop.call_later(milliseconds / 1000, self._timed_out, multi)

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _timed_out(self, multi: pycurl.CurlMulti) -> None:
        self._timer = None
        if multi is self._multi:
            self._act(pycurl.SOCKET_TIMEOUT, 0)

    def _readable(self, fd: int, read: Callable[[], object]) -> None:
        if not self._ready:
            self._loop.call_soon(self._read_some)
        self._ready[fd] = read

    def _read_some(self) -> None:
        """Read from a few of the sockets that have something, and go on when what they brought was taken."""
        try:
            for fd in list(islice(self._ready, AT_ONCE)):
                if fd in self._ready:
                    self._ready.pop(fd)()
        finally:
            if self._ready:
                self._loop.call_soon(self._read_some)

    def _act(self, fd: int, events: int) -> None:
        if self._multi is None:
            return
        self._inside = True
        try:
            self._multi.socket_action(fd, events)
        finally:
            self._inside = False
        self._reap()

    def _reap(self) -> None:
        """Take leave of what is through, and of what was given up from inside a callback."""
        doomed, self._doomed = self._doomed, []
        for job in doomed:
            self.remove(job)
        if self._multi is None:
            return
        waiting = 1
        while waiting:
            waiting, good, bad = self._multi.info_read()
            for handle, code, message in [*((each, 0, "") for each in good), *bad]:
                kept, version = handle.getinfo(pycurl.ACTIVESOCKET), handle.getinfo(pycurl.INFO_HTTP_VERSION)
                self._multi.remove_handle(handle)
                job = self._jobs.pop(handle)
                self._unresolved |= not job.connected
                job.finished(code, message)
                handle.close()
                if kept == pycurl.SOCKET_BAD:
                    continue
                if version in HTTP_1:
                    self._at_rest.keep(kept, job.place)
                self._offer(job)
        self._settle()

    def _offer(self, done: Job) -> None:
        """Offer the connection that `done` leaves to one that waits for an answer on a connection of its own.

        There are servers which hear nobody else as long as they have a connection, and would be waited for in vain.
        """
        for job in self._jobs.values():
            if job.place == done.place and job.offer():
                return

    def _settle(self) -> None:
        if self._most >= MANY and len(self._jobs) <= self._most // 2:
            self._most = len(self._jobs)
            self._relieved()
        if self._resting and not self._jobs:
            self.rest()
        elif not self._jobs and self._idle is None and not self._closed:
            self._idle = self._loop.call_later(self._idle_seconds, self.rest)

    def __repr__(self) -> str:
        state = "closed" if self._closed else "resting" if self._multi is None else "open"
        return f"<Engine {state} · {len(self._jobs)} running · {len(self._watched)} sockets watched>"
