"""How an origin misbehaves: small values, each one lie or one break, made to be combined.

A fault acts twice: `hear` changes the request before it is answered (an origin deaf to a header), `shape` changes the
right reply before it is sent. Faults given together are applied from left to right.

Breaks    CloseAt ResetAt StallAt Drip DelayHeaders NeverAnswer HangUp Then
Statuses  Status RefuseRange Redirect Html Raw
Ranges    IgnoreRange IgnoreIfRange OtherRange SayRange Multipart
Headers   Header IgnoreConditions SayLength
Framing   Chunked CloseDelimited ConnectionClose
Content   Gzip Encoded Serve

Positions count bytes of the body of *that* reply, not of the file.
Must not know: sockets, time, which request of a path it is (see `script`).
"""

from __future__ import annotations

import gzip
import re
from dataclasses import dataclass, replace
from typing import Literal

from tests.world.answer import Version, content_range, right_answer
from tests.world.body import Body, BytesBody, pieces
from tests.world.message import Act, Reply, Request, plain_reply

_CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(.*)")


@dataclass(frozen=True, slots=True)
class Fault:
    """Nothing wrong; the base of all faults."""

    def hear(self, request: Request) -> Request:
        """Return the request as the origin takes it."""
        return request

    def shape(self, reply: Reply, request: Request) -> Reply:
        """Return the reply as it will be sent."""
        return reply


# Breaks


@dataclass(frozen=True, slots=True)
class CloseAt(Fault):
    """End the connection in order (FIN) once `at` bytes of the body are sent."""

    at: int

    def shape(self, reply: Reply, request: Request) -> Reply:
        return reply.stopping(self.at, "close")


@dataclass(frozen=True, slots=True)
class ResetAt(Fault):
    """Reset the connection (RST) once `at` bytes are sent; of those the client sees as many as its kernel took."""

    at: int

    def shape(self, reply: Reply, request: Request) -> Reply:
        return reply.stopping(self.at, "reset")


@dataclass(frozen=True, slots=True)
class StallAt(Fault):
    """Say nothing more after `at` bytes, until `origin.release(path)` or until the client leaves."""

    at: int

    def shape(self, reply: Reply, request: Request) -> Reply:
        return reply.stopping(self.at, "stall")


@dataclass(frozen=True, slots=True)
class Drip(Fault):
    """Send `bytes` of the body every `seconds`."""

    bytes: int
    seconds: float

    def shape(self, reply: Reply, request: Request) -> Reply:
        return replace(reply, drip=(self.bytes, self.seconds))


@dataclass(frozen=True, slots=True)
class DelayHeaders(Fault):
    """Think for so long before the status line."""

    seconds: float

    def shape(self, reply: Reply, request: Request) -> Reply:
        return replace(reply, seconds_before_head=self.seconds)


@dataclass(frozen=True, slots=True)
class NeverAnswer(Fault):
    """Take the request and say nothing, until `origin.release(path)` or until the client leaves."""

    def shape(self, reply: Reply, request: Request) -> Reply:
        return replace(reply, before_head="stall")


@dataclass(frozen=True, slots=True)
class HangUp(Fault):
    """End the connection instead of an answer, in order or by a reset."""

    reset: bool = False

    def shape(self, reply: Reply, request: Request) -> Reply:
        return replace(reply, before_head="reset" if self.reset else "close")


@dataclass(frozen=True, slots=True)
class Then(Fault):
    """Do that after a complete body, though the reply promised to keep the connection."""

    act: Act

    def shape(self, reply: Reply, request: Request) -> Reply:
        return replace(reply, after=self.act)


# Statuses


@dataclass(frozen=True, slots=True)
class Status(Fault):
    """Answer with a status and a small text; `retry_after` in seconds or as an HTTP date (`http_date`)."""

    status: int
    retry_after: int | str | None = None
    text: bytes = b"no\n"

    def shape(self, reply: Reply, request: Request) -> Reply:
        answer = plain_reply(self.status, self.text)
        return answer if self.retry_after is None else answer.say("Retry-After", str(self.retry_after))


@dataclass(frozen=True, slots=True)
class RefuseRange(Fault):
    """Answer 416 to whatever was asked, with the true total or another one."""

    total: int | str | None = None

    def shape(self, reply: Reply, request: Request) -> Reply:
        if self.total is None and reply.status == 416:
            return reply  # its body is not the one that was asked for
        total = reply.body.length if self.total is None else self.total
        return plain_reply(416).say("Content-Range", f"bytes */{total}")


@dataclass(frozen=True, slots=True)
class Redirect(Fault):
    """Send the client elsewhere; `to` is written into Location as it is."""

    to: str
    status: int = 302

    def shape(self, reply: Reply, request: Request) -> Reply:
        return plain_reply(self.status).say("Location", self.to)


@dataclass(frozen=True, slots=True)
class Html(Fault):
    """Answer 200 with a page, whatever was asked, like a captive portal."""

    text: bytes = b"<!doctype html><title>Welcome</title><p>Please log in to the network.\n"

    def shape(self, reply: Reply, request: Request) -> Reply:
        return plain_reply(200, self.text, "text/html; charset=utf-8")


@dataclass(frozen=True, slots=True)
class Raw(Fault):
    """Send exactly these bytes and close, or stall, or reset, or (None) take the next request."""

    data: bytes
    then: Act | None = "close"

    def shape(self, reply: Reply, request: Request) -> Reply:
        return Reply(0, raw=self.data, after=self.then)


# Ranges


@dataclass(frozen=True, slots=True)
class Deaf(Fault):
    """Do not hear a header of the request."""

    names: tuple[str, ...]

    def hear(self, request: Request) -> Request:
        for name in self.names:
            request = request.without(name)
        return request


def IgnoreRange() -> Deaf:  # noqa: N802 - reads as a fault among faults
    """Answer 200 and the whole body to a Range."""
    return Deaf(("Range",))


def IgnoreIfRange() -> Deaf:  # noqa: N802 - reads as a fault among faults
    """Answer 206 although the validator in If-Range is an old one."""
    return Deaf(("If-Range",))


def IgnoreConditions() -> Deaf:  # noqa: N802 - reads as a fault among faults
    """Answer 200 where 304 would be right."""
    return Deaf(("If-None-Match", "If-Modified-Since"))


@dataclass(frozen=True, slots=True)
class OtherRange(Fault):
    """Answer a Range with another one, and say so truly: `start` and `stop` are moved by so many bytes.

    Shifted: `OtherRange(7, 7)`; shorter: `OtherRange(stop=-100)`; longer: `OtherRange(stop=100)`. A 200 stays as it is.
    """

    start: int = 0
    stop: int = 0

    def shape(self, reply: Reply, request: Request) -> Reply:
        if reply.status != 206:
            return reply
        total = reply.body.length
        stop = max(1, min(total, reply.stop + self.stop))
        start = max(0, min(stop - 1, reply.start + self.start))
        moved = replace(reply, start=start, stop=stop).say("Content-Range", content_range(start, stop, total))
        return moved.say("Content-Length", str(moved.length))


@dataclass(frozen=True, slots=True)
class SayRange(Fault):
    """Send the right bytes of a 206 under a wrong Content-Range, moved by so many bytes, or with another total.

    A text of any kind: `Header("Content-Range", "garbage")`; none at all: `Header("Content-Range")`.
    """

    start: int = 0
    stop: int = 0
    total: int | Literal["*"] | None = None

    def shape(self, reply: Reply, request: Request) -> Reply:
        found = _CONTENT_RANGE.match(reply.header("Content-Range") or "")
        if reply.status != 206 or not found:
            return reply
        first, last = int(found[1]) + self.start, int(found[2]) + self.stop
        total = found[3] if self.total is None else self.total
        return reply.say("Content-Range", f"bytes {first}-{last}/{total}")


@dataclass(frozen=True, slots=True)
class Multipart(Fault):
    """Answer a Range as multipart/byteranges with one part, the right one."""

    boundary: str = "THIS_SEPARATES"

    def shape(self, reply: Reply, request: Request) -> Reply:
        if reply.status != 206:
            return reply
        said = reply.header("Content-Range")
        opening = f"--{self.boundary}\r\nContent-Type: audio/mpeg\r\nContent-Range: {said}\r\n\r\n".encode()
        part = b"".join(pieces(reply.body, reply.start, reply.stop))
        whole = BytesBody(opening + part + f"\r\n--{self.boundary}--\r\n".encode())
        answer = replace(reply, body=whole, start=0, stop=whole.length).say("Content-Range")
        answer = answer.say("Content-Type", f"multipart/byteranges; boundary={self.boundary}")
        return answer.say("Content-Length", str(whole.length))


# Headers


@dataclass(frozen=True, slots=True, init=False)
class Header(Fault):
    """Say exactly these values of a header, none of them by default: `Header("ETag")` leaves it out."""

    name: str
    values: tuple[str, ...]

    def __init__(self, name: str, *values: str) -> None:
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "values", values)

    def shape(self, reply: Reply, request: Request) -> Reply:
        return reply.say(self.name, *self.values)


@dataclass(frozen=True, slots=True, init=False)
class SayLength(Fault):
    """Announce other lengths than the body has (`SayLength("-1")`, `SayLength(5, 7)`), send the body, then close.

    `SayLength(by=10)` announces that many more (or fewer) than there are.
    """

    values: tuple[int | str, ...]
    by: int

    def __init__(self, *values: int | str, by: int = 0) -> None:
        object.__setattr__(self, "values", values)
        object.__setattr__(self, "by", by)

    def shape(self, reply: Reply, request: Request) -> Reply:
        values = self.values or (reply.length + self.by,)
        return replace(reply.say("Content-Length", *map(str, values)), after="close")


# Framing


@dataclass(frozen=True, slots=True)
class Chunked(Fault):
    """Send chunks and no Content-Length; with `CloseAt` the terminator never comes."""

    chunk_bytes: int = 16 * 1024

    def shape(self, reply: Reply, request: Request) -> Reply:
        chunked = replace(reply, framing="chunked", chunk_bytes=self.chunk_bytes)
        return chunked.say("Content-Length").say("Transfer-Encoding", "chunked")


@dataclass(frozen=True, slots=True)
class CloseDelimited(Fault):
    """Send no length at all; the end of the connection is the end of the body."""

    version: str = "HTTP/1.0"

    def shape(self, reply: Reply, request: Request) -> Reply:
        bare = replace(reply, framing="close", version=self.version, after="close")
        return bare.say("Content-Length").say("Connection", "close")


@dataclass(frozen=True, slots=True)
class ConnectionClose(Fault):
    """Say `Connection: close` and do so after the reply."""

    def shape(self, reply: Reply, request: Request) -> Reply:
        return replace(reply.say("Connection", "close"), after="close")


# Content


@dataclass(frozen=True, slots=True)
class Encoded(Fault):
    """Answer 200 with these bytes, said to be the whole body in that encoding, whatever was accepted."""

    encoding: str
    data: bytes

    def shape(self, reply: Reply, request: Request) -> Reply:
        whole = replace(reply, status=200, body=BytesBody(self.data), start=0, stop=len(self.data))
        whole = whole.say("Content-Range").say("Content-Encoding", self.encoding)
        return whole.say("Content-Length", str(len(self.data)))


@dataclass(frozen=True, slots=True)
class Gzip(Fault):
    """Answer 200 with the whole body gzipped, whatever was accepted."""

    def shape(self, reply: Reply, request: Request) -> Reply:
        whole = b"".join(pieces(reply.body, 0, reply.body.length))
        return Encoded("gzip", gzip.compress(whole, 1, mtime=0)).shape(reply, request)


@dataclass(frozen=True, slots=True)
class Serve(Fault):
    """Answer as if another version lived at the path: one mirror of several, or a body just for this request."""

    version: Version

    def shape(self, reply: Reply, request: Request) -> Reply:
        return right_answer(self.version, request)


def another(body: Body, etag: str | None) -> Serve:
    """Return the fault of a mirror that has `body` under `etag`."""
    return Serve(Version(body=body, etag=etag))
