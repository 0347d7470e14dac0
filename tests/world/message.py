"""What is said on an HTTP/1.1 connection: a request as it was heard, a reply as it will be sent.

Values only. A `Reply` can describe every lie that an origin may tell; nothing here decides which one.
Must not know: sockets, time, paths, who asked.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Literal

from tests.world.body import Body, BytesBody

Headers = tuple[tuple[str, str], ...]
Act = Literal["stall", "close", "reset"]
Framing = Literal["length", "chunked", "close"]


@dataclass(frozen=True, slots=True)
class Request:
    """One request, as the client sent it. `target` is raw; header names keep their case."""

    method: str
    target: str
    headers: Headers
    connection: int = 0
    nth: int = 0
    """How many requests came before it on its connection: above 0 the connection was reused."""

    @property
    def path(self) -> str:
        """The target without its query."""
        return self.target.partition("?")[0]

    def header(self, name: str) -> str | None:
        """Return the first header of that name in any case, None when there is none."""
        return find(self.headers, name)

    def without(self, name: str) -> Request:
        """Return the request as an origin hears it which is deaf to that header."""
        return replace(self, headers=drop(self.headers, name))

    @property
    def range(self) -> str | None:
        """The Range header as sent."""
        return self.header("Range")

    @property
    def if_range(self) -> str | None:
        """The If-Range header as sent."""
        return self.header("If-Range")

    @property
    def if_none_match(self) -> str | None:
        """The If-None-Match header as sent."""
        return self.header("If-None-Match")


@dataclass(frozen=True, slots=True)
class Stop:
    """Something that happens once `at` bytes of a reply's body are sent."""

    at: int
    act: Act


@dataclass(frozen=True, slots=True)
class Reply:
    """What to send, and what to do on the way. `start..stop` is the part of `body` that is sent."""

    status: int
    body: Body = BytesBody(b"")  # noqa: RUF009 - immutable
    start: int = 0
    stop: int = 0
    headers: Headers = ()
    reason: str = ""
    version: str = "HTTP/1.1"
    framing: Framing = "length"
    chunk_bytes: int = 16 * 1024
    raw: bytes | None = None
    """Sent instead of status line and headers, byte for byte."""
    seconds_before_head: float = 0.0
    before_head: Act | None = None
    stops: tuple[Stop, ...] = ()
    drip: tuple[int, float] | None = None
    """Bytes per step, seconds per step."""
    after: Act | None = None
    """What is done once all is sent; None keeps the connection for the next request."""

    @property
    def length(self) -> int:
        """How many body bytes are sent when nothing stops it."""
        return self.stop - self.start

    def header(self, name: str) -> str | None:
        """Return the first header of that name, None when there is none."""
        return find(self.headers, name)

    def say(self, name: str, *values: str) -> Reply:
        """Return the reply with exactly these values of a header; none removes it."""
        return replace(self, headers=drop(self.headers, name) + tuple((name, value) for value in values))

    def stopping(self, at: int, act: Act) -> Reply:
        """Return the reply with one more stop."""
        return replace(self, stops=tuple(sorted((*self.stops, Stop(at, act)), key=lambda stop: stop.at)))

    def head(self) -> bytes:
        """Return status line and headers as they go onto the wire."""
        if self.raw is not None:
            return self.raw
        reason = self.reason or reason_of(self.status)
        lines = [f"{self.version} {self.status} {reason}", *(f"{name}: {value}" for name, value in self.headers)]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def plain_reply(status: int, text: bytes = b"", media_type: str = "text/plain") -> Reply:
    """Return a small complete reply."""
    headers = (("Content-Type", media_type), ("Content-Length", str(len(text))))
    return Reply(status, BytesBody(text), 0, len(text), headers)


def parse_request(head: bytes, connection: int, nth: int) -> Request:
    """Return the request of one head, without its blank line; ValueError when it is none."""
    first, *lines = head.decode("latin-1").split("\r\n")
    method, target, _version = first.split(" ")
    pairs = (line.partition(":") for line in lines)
    return Request(method, target, tuple((name.strip(), value.strip()) for name, _, value in pairs), connection, nth)


def find(headers: Headers, name: str) -> str | None:
    """Return the first value of a header, None when there is none."""
    return next((value for key, value in headers if key.lower() == name.lower()), None)


def drop(headers: Headers, name: str) -> Headers:
    """Return the headers without those of that name."""
    return tuple(pair for pair in headers if pair[0].lower() != name.lower())


def reason_of(status: int) -> str:
    """Return the usual words for a status."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Strange"
