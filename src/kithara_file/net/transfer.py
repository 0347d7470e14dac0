"""One request in flight: its header lines, its bytes, its end, as things one task can wait for.

Must not know: what the answer means; which request it is. The callbacks run inside libcurl, beside whatever burns the
interpreter's lock: they append, add and compare, and wake.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable
from dataclasses import dataclass

import pycurl

from kithara_file.net.bypass import Bypass
from kithara_file.net.engine import Engine
from kithara_file.net.gather import KIB, STEP, Gather
from kithara_file.net.kernel import narrow, widen

LEAST_BUFFER = 64 * KIB
"""What libcurl reads at a time, at least. Each read costs a turn of the loop, so that beside a thread which burns the
interpreter's lock its own choice of 16 KiB brings 8 MB/s."""
PACKED_BUFFER = 16 * KIB
"""What it reads at a time of a body that it unpacks: all that comes of it is in memory at once."""
DRAIN_BYTES = 64 * KIB
"""An abandoned body with no more than this left is read to its end, so that its connection lives on."""
WANTED_BYTES = 2048 * KIB
"""A body without an end in sight which has brought so much is wanted: twice the first look-ahead of a reader."""
DRAIN_SECONDS = 0.03
"""Less than the 50 ms in which a closed stream has to be gone."""
SWITCH_SECONDS = 0.5
"""How long to wait for an answer on a connection of its own once another one to the same place has come free."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How libcurl ended a transfer: `code` 0 is success; `proxy_status` is what a proxy said to CONNECT, else 0."""

    code: int
    message: str = ""
    proxy_status: int = 0


class Transfer:
    """A `Job` whose answer is read by one task: `headers` once, then `take` until None."""

    def __init__(
        self,
        engine: Engine,
        handle: pycurl.Curl,
        place: Hashable,
        headers_seconds: float,
        *,
        loyal: bool = False,
        raw: bool = True,
        endless: bool = False,
    ) -> None:
        """Begin; a `loyal` one stays on its connection, whatever it is offered.

        `raw`: the bytes are those of the body, none was taken off. `endless`: nobody knows how much of it is wanted.
        """
        self._engine = engine
        self.place = place
        self._loop = engine.loop
        self._handle = handle
        self._headers_seconds = headers_seconds
        self._gather = Gather(self._loop.time())
        self._lines: list[bytes] = []
        self._waiter: asyncio.Future[None] | None = None
        self._alarm: asyncio.TimerHandle | None = None
        self._due = False
        self._paused = False
        self._unwanted = 0
        self._gone = False
        self._loyal = loyal
        self._raw = raw
        self._endless = endless
        self._narrowed = False
        self._bypass: Bypass | None = None
        self.fresh = False
        """True when a connection was made for it."""
        self.connected = False
        """True once its connection stood."""
        self.status = 0
        """The status of the final answer; 0 until its headers are complete."""
        self.late = False
        """True when the headers did not come within their time after the request had gone out."""
        self.framed = True
        """False when the answer came over a version of HTTP that leaves the end of its body to libcurl's word."""
        self.outdone = False
        """True when no answer came though another connection to the same place is free: ask again on that one."""
        self.outcome: Outcome | None = None
        """Set when the transfer is over."""
        self._listen_to(handle)
        engine.start(self)

    def _listen_to(self, handle: pycurl.Curl) -> None:
        step = max(LEAST_BUFFER, min(STEP, self._engine.share // 4)) if self._raw else PACKED_BUFFER
        handle.setopt(pycurl.BUFFERSIZE, step)
        handle.setopt(pycurl.HEADERFUNCTION, self._on_header)
        handle.setopt(pycurl.WRITEFUNCTION, self._on_body)
        handle.setopt(pycurl.PREREQFUNCTION, self._on_connected)
        handle.setopt(pycurl.SOCKOPTFUNCTION, self._on_socket)

    @property
    def handle(self) -> pycurl.Curl:
        """The easy handle."""
        return self._handle

    @property
    def lines(self) -> list[bytes]:
        """The header lines of the final answer, without its status line."""
        return self._lines

    # -- what the task calls

    async def headers(self) -> bool:
        """Wait for the headers; False when the transfer ended, or ran late or was outdone, without any."""
        while not (self.status or self.outcome or self.late or self.outdone):
            await self._wait()
        return self.status > 0

    async def take(self) -> tuple[tuple[bytes, ...], int] | None:
        """Wait for bytes and return their pieces and size; None at the end of any kind. Cancelling loses nothing."""
        self._gather.expect(self._engine.share)
        self._resume()
        if not (self.outcome or self._gone):
            self._fit_window()
            self._find_bypass()
        if self._bypass is not None:
            self._bypass.flow()
            await asyncio.sleep(0)  # what there was is here at once, and others want their turn
        while not (self.outcome or self._gone or self._gather.ripe or (self._due and self._gather.size)):
            await self._wait()
        if self._gone or not self._gather.size:
            return None
        self._disarm()
        self._due = False
        return self._gather.take(self._loop.time())

    def hurry(self, wanted: bool) -> None:
        """Hand over what comes at once, or gather."""
        self._gather.hurried = wanted
        if wanted and self._gather.size:
            self._ripen()

    def dismiss(self, left: int | None) -> None:
        """Give the answer up when `left` bytes of it are still to come (None: unknown); idempotent.

        A small rest is drained in the background for a moment, since a new connection costs more than it does.
        """
        unread = None if left is None or self._bypass is not None else left - self._gather.size
        if self.outcome is None and not self._gone and unread is not None and 0 <= unread <= DRAIN_BYTES:
            self._gone = True
            self._unwanted = unread
            self._arm(DRAIN_SECONDS, self.close)
            self._resume()
            self._wake()
        elif not self._gone:
            self.close()

    async def part(self, left: int | None) -> None:
        """Do what `dismiss` does, and return when the connection is free for the next request, or gone."""
        self.dismiss(left)
        try:
            while self._alarm is not None:  # which ends the drain, if its end does not come before
                await self._wait()
        finally:
            if self._alarm is not None:
                self.close()

    def close(self) -> None:
        """End the transfer at once; its connection is closed unless the answer was complete. Idempotent."""
        self._gone = True
        self._disarm()
        self._close_bypass()
        self._engine.remove(self)
        self._wake()

    # -- what libcurl calls

    def _on_socket(self, *_which: object) -> int:
        self.fresh = True
        return pycurl.SOCKOPT_OK

    def _on_connected(self, *_where: object) -> int:
        self.connected = True
        if not self._gone:
            self._arm(self._headers_seconds, self._run_late)
        return pycurl.PREREQFUNC_OK

    def _on_header(self, line: bytes) -> None:
        if self.status:
            return  # a trailer
        if line.startswith(b"HTTP/"):
            self._lines = [line]
        elif line.strip():
            self._lines.append(line)
        elif (status := _status(self._lines)) >= 200:
            self.status = status
            self.framed = self._lines.pop(0).startswith(b"HTTP/1")
            self._disarm()
            self._wake()

    def _on_body(self, piece: bytes) -> int | None:
        if self._gone:
            self._unwanted -= len(piece)
            return None if self._unwanted >= 0 else -1  # more than was promised: libcurl ends it
        if self._gather.room <= 0:
            self._paused = True
            return pycurl.WRITEFUNC_PAUSE
        self.arrived(piece)
        return None

    def offer(self) -> bool:
        """Hear from the engine that another connection to the same place has come free."""
        useful = self.fresh and not (self._loyal or self.status or self._gone)
        if useful:
            self._loyal = True
            self._loop.call_later(SWITCH_SECONDS, self._be_outdone)
        return useful

    def finished(self, code: int, message: str) -> None:
        """Learn from the engine that it is over."""
        self._close_bypass()
        proxy_status = int(self._handle.getinfo(pycurl.HTTP_CONNECTCODE)) if code else 0  # fails while it runs
        self.outcome = Outcome(code, message, proxy_status)
        self._disarm()
        self._wake()

    # -- what goes past libcurl

    def _fit_window(self) -> None:
        """Keep the room on the way small until the body has shown that it is wanted."""
        brought = self._gather.brought
        if self._narrowed and brought >= WANTED_BYTES:
            self._narrowed = False
            widen(self._handle.getinfo(pycurl.ACTIVESOCKET))
        elif self._endless and self.framed and brought < WANTED_BYTES:
            # A shorter one, or one of unknown length, may leave its connection to others while it is narrow.
            longer = self._handle.getinfo(pycurl.CONTENT_LENGTH_DOWNLOAD_T) > 2 * WANTED_BYTES
            self._narrowed = longer and narrow(self._handle.getinfo(pycurl.ACTIVESOCKET))
        self._endless = False

    def _find_bypass(self) -> None:
        """Leave libcurl out of the rest, where there is such a way and it holds nothing back."""
        if self._raw and not self._paused:
            self._raw = False
            self._bypass = Bypass.around(self._engine, self._handle, self._gather.brought, self)

    def _close_bypass(self) -> None:
        if self._bypass is not None:
            self._bypass.close()
            self._bypass = None

    @property
    def room(self) -> int:
        """How many more bytes should come before some are taken."""
        return self._gather.room

    def arrived(self, piece: bytes) -> None:
        """Take in what came, and wake who waits for it."""
        gather = self._gather
        first = not gather.size
        gather.put(piece)
        if gather.ripe:
            self._wake()
        elif first:
            self._first_byte()

    def exhausted(self, code: int, message: str) -> None:
        """Learn that the socket gives nothing more."""
        self.finished(code, message)
        self._engine.remove(self)

    # -- how the two meet

    def _first_byte(self) -> None:
        seconds = self._gather.patience(self._loop.time())
        if seconds and self.status:
            self._arm(seconds, self._ripen)
        else:
            self._ripen()

    def _ripen(self) -> None:
        self._due = True
        self._wake()

    def _run_late(self) -> None:
        if not self.status:
            self.late = True
            self._wake()

    def _be_outdone(self) -> None:
        self.outdone = not self.status
        self._wake()

    def _resume(self) -> None:
        if self._paused:
            self._paused = False
            self._engine.resume(self)

    def _arm(self, seconds: float, action: Callable[[], None]) -> None:
        self._disarm()
        self._alarm = self._loop.call_later(seconds, action)

    def _disarm(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def _wait(self) -> None:
        self._waiter = self._loop.create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def __repr__(self) -> str:
        state = "over" if self.outcome else "gone" if self._gone else "paused" if self._paused else "running"
        return f"<Transfer {state} · status {self.status or '-'} · {self._gather.size} bytes held>"


def _status(lines: list[bytes]) -> int:
    words = lines[0].split(None, 2) if lines else []
    return int(words[1]) if len(words) > 1 and words[1].isdigit() else 0
