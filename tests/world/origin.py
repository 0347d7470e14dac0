"""A loopback HTTP/1.1 origin that misbehaves on request: what tests hold in their hands.

One thread with one event loop of its own; usable from any test, sync or async. See the package for examples.
Must not know: what a fault does (`faults`), how a reply goes out (`delivery`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from threading import Thread
from types import TracebackType
from typing import Any, Self, TypeVar

from tests.world.answer import Version
from tests.world.body import Body, BytesBody, as_body
from tests.world.certificates import Certificate
from tests.world.faults import Redirect, Status
from tests.world.link import Link
from tests.world.log import PATIENCE, Exchange, RequestLog
from tests.world.message import Reply, Request
from tests.world.script import Item, Script
from tests.world.server import Server

T = TypeVar("T")
_NOTHING_HERE = Script(Version(body=BytesBody(b""), etag=None), always=[Status(404, text=b"nothing here\n")])


class Origin:
    """An HTTP server on loopback, and what was asked of it.

    `tls=True` or a `Certificate` makes it HTTPS (`ca_file` is what a client has to trust). `link` shapes the line.
    Entering starts it; leaving ends every connection, joins the thread within 5 s each, and raises what went wrong
    inside, as an ExceptionGroup.
    """

    def __init__(self, *, host: str = "127.0.0.1", link: Link | None = None, tls: bool | Certificate = False) -> None:
        self.host = host
        self.log = RequestLog()
        self._certificate = Certificate.for_loopback() if tls is True else tls or None
        self._scripts: dict[str, Script] = {}
        context = self._certificate.context if self._certificate else None
        self._server = Server(host, self._answer, self.log, link or Link(), context)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: Thread | None = None

    # What is there

    def serve(
        self,
        path: str,
        body: bytes | Path | Body,
        *,
        etag: str | None = '"v1"',
        last_modified: str | None = None,
        media_type: str = "application/octet-stream",
        headers: Mapping[str, str] | None = None,
        ranges: bool = True,
        always: Iterable[Item] = (),
        faults: Iterable[Item] = (),
    ) -> str:
        """Put a body at a path and return its URL.

        `faults` has one item per request to come, after which the answers are right; `always` is for every request.
        With a query in `path` only requests with that query find it. `ranges=False`: `Accept-Ranges: none`, and truly.
        """
        version = Version(
            body=as_body(body),
            etag=etag,
            last_modified=last_modified,
            media_type=media_type,
            headers=tuple((headers or {}).items()),
            ranges=ranges,
        )
        self._scripts[path] = Script(version, always, faults)
        return self.url(path)

    def replace(
        self, path: str, body: bytes | Path | Body, *, etag: str | None, last_modified: str | None = None
    ) -> None:
        """Put another version at a path; replies on their way keep the bytes of the old one."""
        script = self._scripts[path]
        script.version = replace(script.version, body=as_body(body), etag=etag, last_modified=last_modified)

    def redirect(self, path: str, to: str, status: int = 302) -> str:
        """Send whoever asks for `path` to `to`, which goes out as it is; return the URL of `path`."""
        return self.serve(path, b"", always=[Redirect(to, status)])

    def next(self, path: str, *items: Item) -> None:
        """Let the next requests of a path meet these, one item each."""
        self._scripts[path].add(items)

    def always(self, path: str, *items: Item) -> None:
        """Let each request of a path from now on meet all of these; none: it is well again."""
        self._scripts[path].always(items)

    @property
    def port(self) -> int:
        """The port, chosen at the start and kept until the end."""
        return self._server.port

    def url(self, path: str = "/", host: str | None = None) -> str:
        """Return the URL of a path, under another name for this machine if one is given."""
        name = host or self.host
        shown = f"[{name}]" if ":" in name else name
        return f"{'https' if self._certificate else 'http'}://{shown}:{self.port}{path}"

    @property
    def ca_file(self) -> Path:
        """The certificate that a client of a TLS origin has to trust, as a PEM file."""
        if self._certificate is None:
            raise ValueError("this origin speaks no TLS")
        return self._certificate.ca_file

    # What was asked

    def requests(self, path: str | None = None) -> tuple[Exchange, ...]:
        """Return the requests of a path, or all."""
        return self.log.requests(path)

    def bytes_sent(self, path: str | None = None) -> int:
        """Return the body bytes that the kernel took for a path, or for all."""
        return self.log.bytes_sent(path)

    @property
    def connections(self) -> int:
        """How many connections were ever accepted."""
        return self.log.connections

    def wait_for(self, condition: Callable[[RequestLog], T], timeout: float = PATIENCE) -> T:
        """Wait for a condition on the log; TimeoutError shows the log."""
        return self.log.wait_for(condition, timeout)

    def wait_requests(self, path: str, count: int = 1, timeout: float = PATIENCE) -> tuple[Exchange, ...]:
        """Wait until the path was asked for that often; return those requests."""
        return self.wait_for(lambda log: log.requests(path)[count - 1 :] and log.requests(path), timeout)

    def wait_stalled(self, path: str, timeout: float = PATIENCE) -> Exchange:
        """Wait until a reply of the path is stalled; return it."""
        return self.log.wait_state(path, "stalled", timeout=timeout)

    def wait_blocked(self, path: str, seconds: float = 0.1, timeout: float = PATIENCE) -> Exchange:
        """Wait until a reply of the path has not been read for `seconds` (the kernel takes no more); return it."""
        return self.log.wait_state(path, "blocked", seconds, timeout)

    def wait_ended(self, path: str, count: int = 1, timeout: float = PATIENCE) -> None:
        """Wait until that many requests of the path are over."""
        self.wait_for(lambda log: sum(one.ended is not None for one in log.requests(path)) >= count, timeout)

    def wait_disconnected(self, timeout: float = PATIENCE) -> None:
        """Wait until no connection is open."""
        self.wait_for(lambda log: log.open_connections == 0, timeout)

    # What happens to it

    def release(self, path: str) -> None:
        """Let the stalled replies of a path go on; those that have begun and not stalled yet will not stall."""
        self._do(self._server.release(lambda request: path in {request.target, request.path}))

    def shape(self, link: Link) -> None:
        """Change the line, for what is sent from now on (its `send_buffer`: for new connections)."""
        self._do(self._server.relink(link))

    def drop_connections(self, *, reset: bool = False) -> None:
        """End every open connection now."""
        self._do(self._server.drop(reset=reset))

    def go_down(self) -> None:
        """Refuse connections and end those that are open, as a stopped server does."""
        self._do(self._server.shut())

    def come_back(self) -> None:
        """Listen again, on the same port."""
        self._do(self._server.listen())

    # Its life

    def start(self) -> Self:
        """Listen on a free port and serve in a thread."""
        self._loop = asyncio.SelectorEventLoop()
        self._thread = Thread(target=self._loop.run_forever, name="origin", daemon=True)
        self._thread.start()
        self._do(self._server.listen())
        return self

    def stop(self) -> None:
        """End every connection and the thread; doing so twice is once."""
        loop, thread = self._loop, self._thread
        if loop is None or thread is None:
            return
        self._do(self._server.shut())
        self._loop = self._thread = None
        loop.call_soon_threadsafe(loop.stop)
        thread.join(PATIENCE)
        loop.close()
        if self._server.mishaps:
            raise ExceptionGroup("the origin itself failed", self._server.mishaps)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def __repr__(self) -> str:
        return f"<Origin {self.host}:{self.port} {len(self._scripts)} paths · {len(self.log.requests())} requests>"

    def _answer(self, request: Request) -> Reply:
        script = self._scripts.get(request.target) or self._scripts.get(request.path) or _NOTHING_HERE
        return script.answer(request)

    def _do(self, act: Coroutine[Any, Any, None]) -> None:
        """Do something on the origin's thread, and wait until it is done."""
        if self._loop is None:
            act.close()
            raise RuntimeError("the origin is not started")
        asyncio.run_coroutine_threadsafe(act, self._loop).result(PATIENCE)
