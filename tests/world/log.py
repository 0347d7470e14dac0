"""What was asked of an origin and what it really sent; and the way to wait for such a thing.

Written by the origin's thread, read by tests: one Condition, told of every change, so that no test has to sleep.
Must not know: sockets, faults, why something was sent.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Condition
from typing import Literal, TypeVar

from tests.world.message import Headers, Reply, Request

T = TypeVar("T")
State = Literal["waiting", "sending", "blocked", "stalled", "ended"]
PATIENCE = 30.0


class Exchange:
    """One request and what became of it. Fields change while it runs; times are of `time.monotonic()`."""

    def __init__(self, request: Request, news: Condition) -> None:
        self.request = request
        self.status: int | None = None
        """The status answered; None before the answer, 0 for raw bytes."""
        self.start = 0
        """Where in the served body the reply began."""
        self.bytes_sent = 0
        """Bytes of the body (without chunk framing) that the kernel took."""
        self.state: State = "waiting"
        self.began = time.monotonic()
        self.ended: float | None = None
        self.closed_early = False
        """True when the client went away before all was sent."""
        self._since = self.began
        self._news = news

    @property
    def method(self) -> str:
        """The method."""
        return self.request.method

    @property
    def target(self) -> str:
        """The raw target, query included."""
        return self.request.target

    @property
    def headers(self) -> Headers:
        """All headers as sent."""
        return self.request.headers

    @property
    def connection(self) -> int:
        """The number of its connection, from 1."""
        return self.request.connection

    @property
    def range(self) -> str | None:
        """The Range header as sent."""
        return self.request.range

    @property
    def if_range(self) -> str | None:
        """The If-Range header as sent."""
        return self.request.if_range

    @property
    def if_none_match(self) -> str | None:
        """The If-None-Match header as sent."""
        return self.request.if_none_match

    def header(self, name: str) -> str | None:
        """Return a header of the request."""
        return self.request.header(name)

    @property
    def blocked(self) -> bool:
        """True while the kernel takes no more, because the client does not read."""
        return self.state == "blocked"

    @property
    def stalled(self) -> bool:
        """True while a `StallAt` or `NeverAnswer` holds the reply."""
        return self.state == "stalled"

    @property
    def span(self) -> tuple[int, int]:
        """Where in the served body the bytes sent so far lie: start, stop."""
        return self.start, self.start + self.bytes_sent

    def seconds_in(self, state: State) -> float:
        """Return for how long it has been in this state now, 0.0 when it is in another one."""
        return time.monotonic() - self._since if self.state == state else 0.0

    def answering(self, reply: Reply) -> None:
        """Note what will be answered."""
        with self._news:
            self.status, self.start = reply.status, reply.start
            self._news.notify_all()

    def sent(self, count: int) -> None:
        """Note body bytes that the kernel took."""
        with self._news:
            self.bytes_sent += count
            self._news.notify_all()

    def enter(self, state: State) -> None:
        """Note what it is doing now."""
        with self._news:
            self.state, self._since = state, time.monotonic()
            self._news.notify_all()

    def end(self, *, closed_early: bool) -> None:
        """Note that nothing more will happen."""
        with self._news:
            self.state, self.ended, self.closed_early = "ended", time.monotonic(), closed_early
            self._news.notify_all()

    def __repr__(self) -> str:
        asked = f"{self.method} {self.target}" + (f" [{self.range}]" if self.range else "")
        early = " closed early" if self.closed_early else ""
        return f"<Exchange #{self.connection} {asked} → {self.status}, {self.bytes_sent} bytes, {self.state}{early}>"


class RequestLog:
    """All exchanges and connections of one origin."""

    def __init__(self) -> None:
        self.news = Condition()
        self._exchanges: list[Exchange] = []
        self._open: set[int] = set()
        self._connections = 0

    @property
    def connections(self) -> int:
        """How many connections were ever accepted."""
        return self._connections

    @property
    def open_connections(self) -> int:
        """How many of them are still open."""
        return len(self._open)

    def requests(self, path: str | None = None) -> tuple[Exchange, ...]:
        """Return the exchanges of a path in the order of arrival; its query may be left out. None: of all paths."""
        with self.news:
            return tuple(one for one in self._exchanges if path in {None, one.target, one.request.path})

    def bytes_sent(self, path: str | None = None) -> int:
        """Return how many body bytes went out for a path, all requests together."""
        return sum(one.bytes_sent for one in self.requests(path))

    def wait_for(self, condition: Callable[[RequestLog], T], timeout: float = PATIENCE) -> T:
        """Wait until the condition returns something true and return that; TimeoutError shows the log."""
        with self.news:
            found = self.news.wait_for(lambda: condition(self), timeout)
        if not found:
            raise TimeoutError(f"nothing such within {timeout} s:\n{self}")
        return found

    def wait_state(self, path: str, state: State, seconds: float = 0.0, timeout: float = PATIENCE) -> Exchange:
        """Wait until some exchange of the path has been in that state for `seconds` without a break; return it."""
        deadline = time.monotonic() + timeout
        with self.news:
            while True:
                spells = {one.seconds_in(state): one for one in self.requests(path) if one.state == state}
                longest = max(spells, default=None)
                if longest is not None and longest >= seconds:
                    return spells[longest]
                left = deadline - time.monotonic()
                if left <= 0:
                    raise TimeoutError(f"no {path} {state} for {seconds} s within {timeout} s:\n{self}")
                self.news.wait(left if longest is None else min(left, seconds - longest))

    def begin(self, request: Request) -> Exchange:
        """Note a request."""
        with self.news:
            exchange = Exchange(request, self.news)
            self._exchanges.append(exchange)
            self.news.notify_all()
        return exchange

    def connected(self) -> int:
        """Note a new connection and return its number, from 1."""
        with self.news:
            self._connections += 1
            self._open.add(self._connections)
            self.news.notify_all()
            return self._connections

    def disconnected(self, connection: int) -> None:
        """Note that a connection is gone."""
        with self.news:
            self._open.discard(connection)
            self.news.notify_all()

    def clear(self) -> None:
        """Forget the exchanges that have ended, so that a test can count from here."""
        with self.news:
            self._exchanges = [one for one in self._exchanges if one.ended is None]

    def __str__(self) -> str:
        lines = [repr(one) for one in self.requests()]
        return "\n".join([f"{self._connections} connections, {len(self._open)} open", *lines])
