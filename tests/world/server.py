"""Who listens: the part of an origin that lives on its loop's thread.

Accepts connections, holds one conversation on each, and can let them all go. Every method runs on that thread.
Must not know: paths, scripts, faults.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable
from itertools import count

from tests.world.delivery import Delivery, Severed
from tests.world.link import Link, Pacer
from tests.world.log import RequestLog
from tests.world.message import Reply, Request, parse_request, plain_reply
from tests.world.wire import ClientGone, TlsWire, Wire

_BACKLOG = 4096


class Server:
    """Connections to one address, answered by one function."""

    def __init__(
        self, host: str, answer: Callable[[Request], Reply], log: RequestLog, link: Link, tls: ssl.SSLContext | None
    ) -> None:
        self.port = 0
        self.link = link
        self.mishaps: list[Exception] = []
        self._host = host
        self._answer = answer
        self._log = log
        self._tls = tls
        self._shared = Pacer(lambda: self.link)
        self._listener: socket.socket | None = None
        self._talks: dict[asyncio.Task[None], Wire] = {}
        self._deliveries: set[Delivery] = set()

    async def listen(self) -> None:
        """Accept connections from now on; on the same port as before, if there was one."""
        listener = socket.socket(socket.AF_INET6 if ":" in self._host else socket.AF_INET)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setblocking(False)
        listener.bind((self._host, self.port))
        listener.listen(_BACKLOG)
        self.port = listener.getsockname()[1]
        self._listener = listener
        asyncio.get_running_loop().add_reader(listener, self._accept, listener)

    async def shut(self) -> None:
        """Refuse connections and end those that are open."""
        if self._listener:
            asyncio.get_running_loop().remove_reader(self._listener)
            self._listener.close()
            self._listener = None
        await self.drop(reset=False)

    async def drop(self, *, reset: bool) -> None:
        """End every open connection and wait until its conversation is over."""
        for task, wire in self._talks.items():
            wire.close(reset=reset)
            task.cancel()
        await asyncio.gather(*self._talks, return_exceptions=True)

    async def release(self, matches: Callable[[Request], bool]) -> None:
        """Let the stalled replies to such requests go on."""
        for delivery in self._deliveries:
            if matches(delivery.request):
                delivery.release()

    async def relink(self, link: Link) -> None:
        """Change the line."""
        self.link = link

    def _accept(self, listener: socket.socket) -> None:
        try:
            sock, _ = listener.accept()
        except OSError:  # the client gave up between the two
            return
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.link.send_buffer is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, self.link.send_buffer)
        wire = TlsWire(sock, self._tls) if self._tls else Wire(sock)
        task = asyncio.get_running_loop().create_task(self._talk(wire, self._log.connected()))
        self._talks[task] = wire
        task.add_done_callback(self._talks.pop)

    async def _talk(self, wire: Wire, connection: int) -> None:
        accepted = asyncio.get_running_loop().time()
        pacer = Pacer(lambda: self.link) if self.link.per_connection else self._shared
        try:
            await wire.open()
            for nth in count():
                if not await self._converse(wire, pacer, connection, nth, accepted):
                    break
        except (ClientGone, Severed):
            pass
        except Exception as error:  # noqa: BLE001 - a bug of this origin; told when it is stopped
            self.mishaps.append(error)
        finally:
            wire.close()
            self._log.disconnected(connection)

    async def _converse(self, wire: Wire, pacer: Pacer, connection: int, nth: int, accepted: float) -> bool:
        """Answer one request; False when there will be no other on this connection."""
        head = await wire.read_head()
        if head is None:
            return False
        asked = asyncio.get_running_loop().time()
        try:
            request = parse_request(head, connection, nth)
        except ValueError:
            await wire.send(plain_reply(400).head())
            return False
        await self._deliver(request, wire, pacer, self.link.answers_at(asked, accepted, nth))
        return (request.header("Connection") or "").lower() != "close"

    async def _deliver(self, request: Request, wire: Wire, pacer: Pacer, first_byte_at: float) -> None:
        exchange = self._log.begin(request)
        closed_early = False
        try:
            delivery = Delivery(self._answer(request), wire, exchange, pacer)
            self._deliveries.add(delivery)
            try:
                await delivery.run(first_byte_at)
            finally:
                self._deliveries.discard(delivery)
        except ClientGone:
            closed_early = True
            raise
        finally:
            exchange.end(closed_early=closed_early)
