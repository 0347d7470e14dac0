"""A line in user space before any TCP server, in a process of its own: rate, delay, and a count of what crossed it.

Knows no HTTP and no TLS, so that every round trip of theirs pays: whatever is sent arrives half an RTT later, and what
a client says first waits one RTT more, for the handshake of TCP that loopback makes free. Down the line goes `rate`
(bytes/s), for all connections together or for each. When a client leaves, the server hears of it half an RTT later;
what it sends until then has crossed.
"""

from __future__ import annotations

import asyncio
import json
import selectors
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

_STEP_SECONDS = 0.001
_PACKET = 1460
_LATENESS = 0.002
_ROOM = 64 * 1024
_HOST = "127.0.0.1"
_REST_SECONDS = 0.15


@dataclass(slots=True)
class Pace:
    """Gives out moments at which bytes may leave."""

    rate: float | None
    free: float = 0.0

    @property
    def step(self) -> int:
        """How many bytes leave at once."""
        return _ROOM if self.rate is None else max(_PACKET, int(self.rate * _STEP_SECONDS))

    def leaves_at(self, count: int, now: float) -> float:
        """Return when these bytes have left; a timer that was late is made up for."""
        if self.rate is None:
            return now
        self.free = max(self.free, now - _LATENESS) + count / self.rate
        return max(now, self.free)


@dataclass(slots=True)
class Line:
    """Connections to one server through one line."""

    server: int
    rtt: float
    rate: float | None
    each: bool
    connections: int = 0
    carried: int = 0
    shared: Pace = field(init=False)
    tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def __post_init__(self) -> None:
        """Make the pace that all share."""
        self.shared = Pace(self.rate)

    async def open(self) -> int:
        """Listen on another port and return it."""
        listener = await asyncio.start_server(self._begin, _HOST, 0, limit=_ROOM, backlog=1024)
        port: int = listener.sockets[0].getsockname()[1]
        return port

    def _begin(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(self._connect(reader, writer))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        loop = asyncio.get_running_loop()
        self.connections += 1
        greeted = loop.time() + self.rtt
        from_server, to_server = await asyncio.open_connection(_HOST, self.server, limit=_ROOM)
        _ready(writer)
        _ready(to_server)
        pace = Pace(self.rate) if self.each else self.shared
        await asyncio.gather(
            self._carry(reader, to_server, Pace(None), greeted),
            self._carry(from_server, writer, pace, 0.0, counted=True),
        )

    async def _carry(
        self,
        source: asyncio.StreamReader,
        target: asyncio.StreamWriter,
        pace: Pace,
        not_before: float,
        *,
        counted: bool = False,
    ) -> None:
        """Carry one direction until its source ends, then end its target."""
        loop = asyncio.get_running_loop()
        way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(4 + int(self.rtt / 2 / _STEP_SECONDS))
        giving = loop.create_task(_give(way, target))
        data = b"-"
        while data:
            data = b""
            with suppress(OSError):
                data = await source.read(pace.step)
            leaves = max(pace.leaves_at(len(data), loop.time()), not_before)
            await asyncio.sleep(leaves - loop.time())
            self.carried += len(data) if counted else 0
            await way.put((leaves + self.rtt / 2, data))
        await giving


async def _give(way: asyncio.Queue[tuple[float, bytes]], target: asyncio.StreamWriter) -> None:
    """Hand over what arrives, each at its moment; to one who has left, nothing, but the line stays as busy."""
    loop = asyncio.get_running_loop()
    while True:
        arrives, data = await way.get()
        await asyncio.sleep(arrives - loop.time())
        if not data:
            target.close()
            return
        if not target.is_closing():
            with suppress(OSError):
                target.write(data)
                await target.drain()


def _ready(writer: asyncio.StreamWriter) -> None:
    """Let nothing be kept on the way: neither small pieces back, nor more than a little of what is not read."""
    sock = writer.get_extra_info("socket")
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _ROOM)
    writer.transport.set_write_buffer_limits(0)


async def _answer(line: Line, word: str) -> dict[str, int]:
    if word == "open":
        return {"port": await line.open()}
    return {"connections": line.connections, "carried": line.carried}


def serve(server: int, rtt: float, rate: float, each: bool) -> None:
    """Answer the words on stdin, until there are none."""
    line = Line(server, rtt, rate or None, each)
    # Its timers are as fine as the clock; those of epoll are whole milliseconds, rounded up.
    loop = asyncio.SelectorEventLoop(selectors.SelectSelector())
    threading.Thread(target=loop.run_forever, daemon=True).start()
    for word in sys.stdin:
        reply = asyncio.run_coroutine_threadsafe(_answer(line, word.strip()), loop).result()
        print(json.dumps(reply), flush=True)


@dataclass(frozen=True, slots=True)
class Shaped:
    """A running line, seen from the side of who measures."""

    url: str
    rtt: float
    process: subprocess.Popen[str]

    def fresh(self, path: str | None = None) -> str:
        """Return the URL under a port of its own: nobody has a connection to it, nor anything cached of it."""
        parts = urlsplit(self.url)
        return parts._replace(netloc=f"{_HOST}:{self._ask('open')['port']}", path=path or parts.path).geturl()

    def connections(self) -> int:
        """Return how many connections there ever were."""
        return self._ask("count")["connections"]

    def crossed(self) -> Callable[[], float]:
        """Return what tells how many MiB have crossed the line down since now, once nothing crosses it any more."""
        begun = self._ask("count")["carried"]

        def since() -> float:
            before, now = -1, self._ask("count")["carried"]
            while before != now:
                time.sleep(_REST_SECONDS)
                before, now = now, self._ask("count")["carried"]
            return (now - begun) / (1 << 20)

        return since

    def _ask(self, word: str) -> dict[str, int]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(word + "\n")
        self.process.stdin.flush()
        reply: dict[str, int] = json.loads(self.process.stdout.readline())
        return reply


@contextmanager
def shaped(url: str, *, rtt: float, rate: float | None = None, each: bool = False) -> Iterator[Shaped]:
    """Yield a line to the server of `url`."""
    arguments = [str(urlsplit(url).port), str(rtt), str(rate or 0), str(int(each))]
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.line", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parent.parent,
    )
    try:
        yield Shaped(url, rtt, process)
    finally:
        process.kill()
        process.communicate()


if __name__ == "__main__":
    serve(int(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3]), sys.argv[4] == "1")
