"""A source as a file for asyncio: the surface of `Stream`, with every wait awaited.

Must not know: where the bytes come from. Works in any event loop, not only the runtime's.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from typing import Self, TypeVar

from kithara_file.clock import Deadline
from kithara_file.errors import KitharaError, StreamClosed
from kithara_file.ranges import ByteRange
from kithara_file.stream.handle import Handle, step_of_all
from kithara_file.stream.source import StreamType

C = TypeVar("C")

ITERATION_STEP = 64 * 1024


class AsyncStream(Handle):
    """A seekable file over bytes that may still be on their way; see `Stream` for what is promised."""

    closed = False
    """True after `close`."""

    @classmethod
    async def open(cls, kind: type[StreamType[C]], config: C) -> AsyncStream:
        """Open `config` by the protocol `kind`; return once the first answer is in."""
        opened = await kind.aopen(config)
        try:
            return opened.async_stream()  # type: ignore[no-any-return]
        finally:
            opened.close()

    async def readinto(self, buffer: bytearray | memoryview) -> int:
        """Read what is there, at least one byte; 0 at the proven end. Cancelling reads nothing."""
        self._check()
        view = memoryview(buffer).cast("B")
        if not view:
            return 0
        start = self._position
        count = await self._read_at(start, view, self._patience())
        self._pass(start, count)
        return count

    async def _read_at(self, start: int, view: memoryview, deadline: Deadline) -> int:
        source = self._source
        try:
            while not (count := source.read_at(start, view)):
                if await source.await_range(ByteRange(start, start + len(view)), deadline, self._cancel) is None:
                    break
            source.consumed(start, count)
        except (KitharaError, TimeoutError) as error:
            self._fail(error)
        return count

    async def read(self, size: int | None = -1) -> bytes:
        """Return `size` bytes, fewer only when the end comes first; all that is left when negative or None."""
        self._check()
        if size is None or size < 0:
            return await self.readall()
        start = self._position
        data = await self._read_from(start, size, self._patience())
        self._pass(start, len(data))
        return data

    async def _read_from(self, start: int, size: int, deadline: Deadline) -> bytes:
        buffer = bytearray(size)
        view, filled = memoryview(buffer), 0
        while filled < size and (count := await self._read_at(start + filled, view[filled:], deadline)):
            filled += count
        view.release()
        del buffer[filled:]
        return bytes(buffer)

    async def readall(self) -> bytes:
        """Return all bytes from here to the proven end."""
        self._check()
        parts: list[bytes] = []
        start = at = self._position
        deadline = self._patience()
        while part := await self._read_from(at, step_of_all(self._source.length, at), deadline):
            parts.append(part)
            at += len(part)
        self._pass(start, at - start)
        return b"".join(parts) if len(parts) != 1 else parts[0]

    async def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move to `offset` and forget a sticky error; `SEEK_END` waits for the length."""
        self._check(sticky=False)
        base = self._base(whence)
        return self._move(offset, await self._end() if base is None else base)

    async def _end(self) -> int:
        known = self._source.length
        if known is not None:
            return known
        try:
            return await self._source.await_length(self._patience(), self._cancel)
        except (KitharaError, TimeoutError) as error:
            self._fail(error, sticky=False)

    async def close(self) -> None:
        """Let go: a pending read raises `StreamClosed`; the last reader's downloads stop. Idempotent."""
        self._close()

    async def aclose(self) -> None:
        """Do what `close` does, under the name that `contextlib.aclosing` asks for."""
        self._close()

    def _close(self) -> None:
        if not self.closed:
            self.closed = True
            self._cancel.cancel(StreamClosed())
            self._source.close(wait=False)

    def __del__(self) -> None:
        if hasattr(self, "_source"):
            self._close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Yield the rest in pieces of at most 64 KiB."""
        while piece := await self.read(ITERATION_STEP):
            yield piece
