"""A client on a plain socket, which reports what came and how it ended.

No HTTP library is used: it would mend or refuse the very things that are to be seen.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tests.world import Origin
from tests.world.message import find

PATIENCE = 30.0


@dataclass(frozen=True, slots=True)
class Seen:
    """All bytes of a connection, and its end: "fin", "reset", or "open" when the body was complete."""

    data: bytes
    end: str

    @property
    def status(self) -> int:
        return int(self.data.split(b" ", 2)[1])

    @property
    def body(self) -> bytes:
        return self.data.partition(b"\r\n\r\n")[2]

    def headers(self, name: str) -> list[str]:
        lines = self.data.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")[1:]
        pairs = [line.split(": ", 1) for line in lines]
        return [value for key, value in pairs if key.lower() == name.lower()]

    def header(self, name: str) -> str | None:
        return find(tuple((name, value) for value in self.headers(name)), name)


@contextmanager
def connected(origin: Origin) -> Iterator[socket.socket]:
    """Open a connection to an origin."""
    with socket.create_connection((origin.host, origin.port), PATIENCE) as sock:
        yield sock


def send_get(sock: socket.socket, path: str, headers: dict[str, str] | None = None, method: str = "GET") -> None:
    """Send one request."""
    lines = [
        f"{method} {path} HTTP/1.1",
        "Host: here",
        *(f"{name}: {value}" for name, value in (headers or {}).items()),
    ]
    sock.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())


def receive(sock: socket.socket) -> Seen:
    """Read one reply, or to the end of the connection when the reply does not say how long it is."""
    data = bytearray()
    while not _complete(data):
        try:
            piece = sock.recv(65536)
        except ConnectionResetError:
            return Seen(bytes(data), "reset")
        if not piece:
            return Seen(bytes(data), "fin")
        data += piece
    return Seen(bytes(data), "open")


def get(origin: Origin, path: str, headers: dict[str, str] | None = None, method: str = "GET") -> Seen:
    """Ask once, on a connection of its own."""
    with connected(origin) as sock:
        send_get(sock, path, headers, method)
        if method == "HEAD":
            return Seen(sock.recv(65536), "open")
        return receive(sock)


def _complete(data: bytearray) -> bool:
    head, blank, body = bytes(data).partition(b"\r\n\r\n") if len(data) < 4096 else data.partition(b"\r\n\r\n")
    lengths = [line.split(b": ")[1] for line in head.split(b"\r\n") if line.lower().startswith(b"content-length: ")]
    if blank and len(lengths) == 1:
        return len(body) >= int(lengths[0]) >= 0
    return b"transfer-encoding: chunked" in head.lower() and body.endswith(b"0\r\n\r\n")
