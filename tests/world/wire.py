"""One accepted connection, plain or TLS: read a request head, send under back-pressure, notice that the client left.

One coroutine uses a wire. Everything it may wait for (bytes in, room to send, a moment, a release) ends in `wake`,
after which it looks again: a wake-up that comes late, twice or for nothing does no harm.
Must not know: HTTP beyond the blank line, the log, faults.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

_HEAD_LIMIT = 256 * 1024
_TLS_PIECE = 64 * 1024


class ClientGone(Exception):
    """The client closed or reset the connection."""


class Meter(Protocol):
    """Who wants to know how sending goes."""

    def sent(self, count: int) -> None:
        """So many bytes are in the kernel's hands."""

    def blocked(self, *, now: bool) -> None:
        """The kernel takes no more, or takes some again."""


class _Deaf:
    def sent(self, count: int) -> None: ...

    def blocked(self, *, now: bool) -> None: ...


UNMETERED: Meter = _Deaf()


class Wire:
    """A plain TCP connection."""

    def __init__(self, sock: socket.socket) -> None:
        self._loop = asyncio.get_running_loop()
        self._sock = sock
        self._inbox = bytearray()
        self._parked: asyncio.Future[None] | None = None
        self.gone = False
        self._loop.add_reader(sock, self._readable)

    async def open(self) -> None:
        """Do what comes before the first request."""

    async def read_head(self) -> bytes | None:
        """Return the next request head without its blank line, None when the client has left."""
        while (at := self._inbox.find(b"\r\n\r\n")) < 0:
            if self.gone or len(self._inbox) > _HEAD_LIMIT:
                return None
            await self._park()
        head = bytes(self._inbox[:at])
        del self._inbox[: at + 4]
        return head

    async def send(self, data: bytes | memoryview, meter: Meter = UNMETERED) -> None:
        """Hand all of `data` to the kernel; ClientGone when nobody is there to take it."""
        view = memoryview(data)
        while view:
            count = await self._send_some(view, meter)
            meter.sent(count)
            view = view[count:]

    async def pause(self, seconds: float) -> None:
        """Wait that long; ClientGone as soon as the client leaves."""
        until = self._loop.time() + seconds
        await self.hold(lambda: self._loop.time() >= until, until)

    async def hold(self, over: Callable[[], bool], until: float | None = None) -> None:
        """Wait until `over()`, asked again at every `wake` and at the moment `until`; ClientGone as with `pause`."""
        while not over():
            if self.gone:
                raise ClientGone
            await self._park(until)

    def wake(self) -> None:
        """Let the coroutine of this wire look again. Only on the loop's thread."""
        if self._parked and not self._parked.done():
            self._parked.set_result(None)

    def close(self, *, reset: bool = False) -> None:
        """End the connection: in order, what was sent still arrives; by a reset, what was not taken is lost."""
        if self._sock.fileno() < 0:
            return
        self._loop.remove_reader(self._sock)
        self._loop.remove_writer(self._sock)
        if reset:
            self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._sock.close()

    async def _send_some(self, view: memoryview, meter: Meter) -> int:
        while True:
            if self.gone:
                raise ClientGone
            try:
                return self._sock.send(view)
            except BlockingIOError:
                await self._writable(meter)
            except OSError as error:
                raise ClientGone from error

    async def _writable(self, meter: Meter) -> None:
        meter.blocked(now=True)
        self._loop.add_writer(self._sock, self.wake)
        try:
            await self._park()
        finally:
            if self._sock.fileno() >= 0:
                self._loop.remove_writer(self._sock)
            meter.blocked(now=False)

    async def _park(self, until: float | None = None) -> None:
        """Wait for the next `wake`, or until a moment of the loop's clock."""
        self._parked = self._loop.create_future()
        timer = self._loop.call_at(until, self.wake) if until is not None else None
        try:
            await self._parked
        finally:
            if timer:
                timer.cancel()

    def _readable(self) -> None:
        try:
            data = self._sock.recv(64 * 1024)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        self._take(data)
        self.wake()

    def _take(self, data: bytes) -> None:
        if data:
            self._inbox += data
        else:
            self._leave()

    def _leave(self) -> None:
        self.gone = True
        self._loop.remove_reader(self._sock)


class TlsWire(Wire):
    """A TLS connection; the count of bytes sent is that of the plain ones whose ciphertext the kernel took."""

    def __init__(self, sock: socket.socket, context: ssl.SSLContext) -> None:
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        self._ready = False
        super().__init__(sock)

    async def open(self) -> None:
        """Shake hands; ClientGone when the client refuses."""
        while not self._ready:
            try:
                self._tls.do_handshake()
                self._ready = True
            except ssl.SSLWantReadError:
                await self._flush()
                await self._park()
            except ssl.SSLError as error:
                raise ClientGone from error
            if self.gone:
                raise ClientGone
        await self._flush()
        self._decipher()

    async def send(self, data: bytes | memoryview, meter: Meter = UNMETERED) -> None:
        """Encipher and hand over piece by piece."""
        view = memoryview(data)
        while view:
            count = self._tls.write(view[:_TLS_PIECE])
            await self._flush(meter)
            meter.sent(count)
            view = view[count:]

    def close(self, *, reset: bool = False) -> None:
        """End the connection; in order means with the alert that says so, as far as there is room for it."""
        if self._ready and not reset and not self.gone and self._sock.fileno() >= 0:
            with suppress(ssl.SSLError, OSError):
                self._tls.unwrap()
            with suppress(OSError):
                self._sock.send(self._outgoing.read())
        super().close(reset=reset)

    async def _flush(self, meter: Meter = UNMETERED) -> None:
        view = memoryview(self._outgoing.read())
        while view:
            view = view[await self._send_some(view, meter) :]

    def _take(self, data: bytes) -> None:
        if not data:
            self._leave()
            return
        self._incoming.write(data)
        if self._ready:
            self._decipher()

    def _decipher(self) -> None:
        try:
            while data := self._tls.read(64 * 1024):
                self._inbox += data
            self._leave()
        except ssl.SSLWantReadError:
            return
        except ssl.SSLError:
            self._leave()
