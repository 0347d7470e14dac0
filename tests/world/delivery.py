"""How a reply goes out: its waits, its pieces, its breaks, one after the other.

Must not know: why the reply is as it is, paths, scripts.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from tests.world.body import pieces
from tests.world.link import Pacer
from tests.world.log import Exchange
from tests.world.message import Act, Reply, Request
from tests.world.wire import Wire


class Severed(Exception):
    """The reply ends here by its own will, with the connection."""


class Delivery:
    """One reply on its way."""

    def __init__(self, reply: Reply, wire: Wire, exchange: Exchange, pacer: Pacer) -> None:
        self._reply = reply
        self._wire = wire
        self._exchange = exchange
        self._pacer = pacer
        self._released = False

    @property
    def request(self) -> Request:
        """What it answers."""
        return self._exchange.request

    async def run(self, first_byte_at: float) -> None:
        """Send everything; Severed when the connection is over, ClientGone when the client left before the end."""
        self._exchange.answering(self._reply)
        await self._wire.pause(first_byte_at - asyncio.get_running_loop().time() + self._reply.seconds_before_head)
        await self._do(self._reply.before_head)
        self._exchange.enter("sending")
        await self._wire.send(self._reply.head())
        await self._send_body()
        await self._do(self._reply.after)

    def release(self) -> None:
        """End the stall it is in, and pass over those to come."""
        self._released = True
        self._wire.wake()

    def sent(self, count: int) -> None:
        """Note bytes of the body (the meter of its wire)."""
        self._exchange.sent(count)

    def blocked(self, *, now: bool) -> None:
        """Note that the client does not read, or reads again (the meter of its wire)."""
        self._exchange.enter("blocked" if now else "sending")

    async def _send_body(self) -> None:
        for start, stop, act in self._legs():
            for piece in pieces(self._reply.body, start, stop):
                await self._send_piece(memoryview(piece))
            await self._do(act)
        if self._reply.framing == "chunked":
            await self._wire.send(b"0\r\n\r\n")

    def _legs(self) -> Iterator[tuple[int, int, Act | None]]:
        """Yield the stretches of the body between the reply's stops, and what is done at the end of each."""
        at, end = self._reply.start, self._reply.stop
        for one in self._reply.stops:
            stop = self._reply.start + one.at
            if stop > end:
                break
            yield at, stop, one.act
            at = stop
        yield at, end, None

    async def _send_piece(self, view: memoryview) -> None:
        while view:
            step = self._step(len(view))
            await self._wait_turn(step)
            await self._send_step(view[:step])
            view = view[step:]

    def _step(self, most: int) -> int:
        if self._reply.drip:
            most = min(most, self._reply.drip[0])
        if self._reply.framing == "chunked":
            most = min(most, self._reply.chunk_bytes)
        return self._pacer.step(most)

    async def _wait_turn(self, count: int) -> None:
        seconds = self._pacer.reserve(count)
        if self._reply.drip:
            seconds = max(seconds, self._reply.drip[1])
        if seconds:
            await self._wire.pause(seconds)
        else:
            await asyncio.sleep(0)  # others on this loop come to their turn though this client is quick

    async def _send_step(self, view: memoryview) -> None:
        if self._reply.framing != "chunked":
            await self._wire.send(view, self)
            return
        await self._wire.send(f"{len(view):x}\r\n".encode())
        await self._wire.send(view, self)
        await self._wire.send(b"\r\n")

    async def _do(self, act: Act | None) -> None:
        if act == "stall":
            await self._stall()
        elif act is not None:
            self._wire.close(reset=act == "reset")
            raise Severed

    async def _stall(self) -> None:
        self._exchange.enter("stalled")
        await self._wire.hold(lambda: self._released)
        self._exchange.enter("sending")
