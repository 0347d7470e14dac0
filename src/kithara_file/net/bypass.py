"""The rest of a long body, read from the socket of its connection with libcurl standing by.

libcurl hands a body over 16 KiB at a time, each by a call into Python. On a plain connection it does no more than what
`recv` does, so a long body is taken from the socket itself, mebibytes at a time: the bytes are copied once less, and a
thread that burns the interpreter's lock is waited for once in so many. The transfer stays with libcurl, paused; its
connection ends with it, since libcurl cannot know that it could be used again.

Must not know: what the bytes are for, what the codes it tells mean to whoever reads.
"""

from __future__ import annotations

import os
import socket
from typing import Protocol

import pycurl

from kithara_file.net.engine import HTTP_1, Engine
from kithara_file.net.gather import MOST
from kithara_file.net.kernel import round_trip

MIB = 1024 * 1024
LEAST_LEFT = 4 * MIB
"""A body with less than this still to come is left to libcurl."""
SAVED = 0.0005
"""Seconds for each mebibyte, about. A round trip that takes longer makes the connection worth more."""
LEAST_READ = 64 * 1024
"""Less than this is not worth another call, nor is it worth asking for less."""

_USED_PROXY = getattr(pycurl, "USED_PROXY", None)  # since libcurl 8.7


class Owner(Protocol):
    """Whoever the bytes are for; called on the loop."""

    @property
    def room(self) -> int:
        """How many bytes it takes in now; with none the socket is left unread until the next `flow`."""

    def arrived(self, piece: bytes) -> None:
        """Take in what came."""

    def exhausted(self, code: int, message: str) -> None:
        """Hear that nothing more comes, with code 0 at the end of the body, else with one of libcurl's; close us."""


class Bypass:
    """Reads `left` bytes from the connection of `handle`, which is running, and from here on paused."""

    def __init__(self, engine: Engine, connection: socket.socket, handle: pycurl.Curl, left: int, owner: Owner) -> None:
        self._engine = engine
        self._socket = connection
        self._left = left
        self._owner = owner
        self._listening = False
        connection.setblocking(False)  # or else it has the program's default timeout
        handle.pause(pycurl.PAUSE_RECV)

    @classmethod
    def around(cls, engine: Engine, handle: pycurl.Curl, brought: int, owner: Owner) -> Bypass | None:
        """Take over from libcurl, which has `brought` all it has read of the body; None where that is not worth it.

        Nor where only libcurl can read what comes: behind TLS or a proxy, in chunks, or in HTTP/2. Nor among many:
        their shares are small, and they need the descriptors.
        """
        if engine.share < MOST or _USED_PROXY is None or handle.getinfo(_USED_PROXY):
            return None
        if handle.getinfo(pycurl.SCHEME).lower() != "http" or handle.getinfo(pycurl.INFO_HTTP_VERSION) not in HTTP_1:
            return None
        left = handle.getinfo(pycurl.CONTENT_LENGTH_DOWNLOAD_T) - brought
        fd = handle.getinfo(pycurl.ACTIVESOCKET)
        if left < LEAST_LEFT or round_trip(fd) > left / MIB * SAVED:
            return None
        try:
            connection = socket.socket(fileno=os.dup(fd))
        except OSError:  # no more files may be open, or libcurl has let go of it and is about to say so
            return None
        return cls(engine, connection, handle, left, owner)

    def flow(self) -> None:
        """Read what is there, and what comes as long as there is room."""
        if not self._listening:
            self._read()

    def _read(self) -> None:
        try:
            self._read_on()
        except BaseException:  # what was received may be lost, and nothing may follow it
            self._owner.exhausted(pycurl.E_RECV_ERROR, "Recv failure: interrupted")
            raise

    def _read_on(self) -> None:
        """Take what the kernel holds, and what comes meanwhile when that is much."""
        owner, much = self._owner, LEAST_READ
        while self._left and much >= LEAST_READ and owner.room > 0:
            try:
                piece = self._socket.recv(min(self._left, max(LEAST_READ, owner.room)))
            except BlockingIOError:
                break
            except (OSError, MemoryError) as error:
                owner.exhausted(pycurl.E_RECV_ERROR, f"Recv failure: {error}")
                return
            if not piece:
                owner.exhausted(pycurl.E_PARTIAL_FILE, "")
                return
            much = len(piece)
            self._left -= much
            owner.arrived(piece)
        if self._left:
            self._listen(owner.room > 0)
        else:
            owner.exhausted(pycurl.E_OK, "")

    def _listen(self, wanted: bool) -> None:
        if wanted and not self._listening:
            self._engine.listen(self._socket.fileno(), self._read)
        elif self._listening and not wanted:
            self._engine.ignore(self._socket.fileno())
        self._listening = wanted

    def close(self) -> None:
        """Let the socket go; idempotent."""
        self._listen(False)
        self._socket.close()

    def __repr__(self) -> str:
        return f"<Bypass {'listening' if self._listening else 'resting'} · {self._left} bytes left>"
