"""A source as a file for asyncio: the surface of `Stream`, with every wait awaited.

Must not know: where the bytes come from. Works in any event loop, not only the runtime's.
"""

from __future__ import annotations

import errno
import os
from collections.abc import AsyncIterator
from operator import index
from typing import Self, TypeVar

from kithara_file.clock import CancelToken, Deadline
from kithara_file.errors import KitharaError, NetTimeout, StreamClosed
from kithara_file.ranges import ByteRange
from kithara_file.stream.source import Source, StreamType

C = TypeVar("C")

ITERATION_STEP = 64 * 1024


class AsyncStream:
    """A seekable file over bytes that may still be on their way; see `Stream` for what is promised."""

    def __init__(self, source: Source, cancel: CancelToken | None = None) -> None:
        self._source = source
        self._position = 0
        self._cancel = cancel or CancelToken()
        self._closed = False
        self.error: KitharaError | None = None
        """What the last read failed with, until a `seek` or `retry`."""

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
        count = await self._read_at(self._position, view, Deadline.after(self._source.read_timeout))
        self._position += count
        return count

    async def _read_at(self, start: int, view: memoryview, deadline: Deadline) -> int:
        source = self._source
        try:
            while not (count := source.read_at(start, view)):
                if await source.await_range(ByteRange(start, start + len(view)), deadline, self._cancel) is None:
                    break
            source.consumed(start, count)
        except KitharaError as error:
            self.error = error
            raise
        except TimeoutError as error:
            self.error = self._too_late()
            raise self.error from error
        return count

    async def read(self, size: int = -1) -> bytes:
        """Return `size` bytes, fewer only when the end comes first; all that is left when negative."""
        self._check()
        if size < 0:
            size = max(0, await self._length() - self._position)
        buffer = bytearray(size)
        view, filled = memoryview(buffer), 0
        deadline = Deadline.after(self._source.read_timeout)
        while filled < size and (count := await self._read_at(self._position + filled, view[filled:], deadline)):
            filled += count
        self._position += filled
        view.release()
        del buffer[filled:]
        return bytes(buffer)

    async def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move to `offset` and forget a sticky error; `SEEK_END` waits for the length."""
        self._check(sticky=False)
        if whence == os.SEEK_END:
            base = await self._length()
        elif whence in (os.SEEK_SET, os.SEEK_CUR):
            base = self._position if whence == os.SEEK_CUR else 0
        else:
            msg = f"whence cannot be {whence!r}"
            raise ValueError(msg)
        position = base + index(offset)
        if position < 0:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        self.error = None
        self._position = position
        self._source.seeking(self._position)
        return self._position

    async def _length(self) -> int:
        known = self._source.length
        if known is not None:
            return known
        try:
            return await self._source.await_length(Deadline.after(self._source.read_timeout), self._cancel)
        except TimeoutError as error:
            if isinstance(error, KitharaError):
                raise
            raise self._too_late() from error

    def tell(self) -> int:
        """Return the position."""
        self._check(sticky=False)
        return self._position

    def retry(self) -> None:
        """Forget a sticky error, so that the next read tries again."""
        self.error = None

    @property
    def name(self) -> str:
        """The URL without user info, query and fragment, or the path."""
        return self._source.name

    @property
    def length(self) -> int | None:
        """Bytes in all; None while nobody has told."""
        return self._source.length

    @property
    def closed(self) -> bool:
        """True after `close`."""
        return self._closed

    def readable(self) -> bool:
        """Return True."""
        self._check(sticky=False)
        return True

    def seekable(self) -> bool:
        """Return True."""
        self._check(sticky=False)
        return True

    async def close(self) -> None:
        """Let go: a pending read raises `StreamClosed`; the last reader's downloads stop. Idempotent."""
        self._close()

    def _close(self) -> None:
        if not self._closed:
            self._closed = True
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

    def _check(self, *, sticky: bool = True) -> None:
        if self._closed:
            raise StreamClosed
        if sticky and self.error is not None:
            raise self.error.again()

    def _too_late(self) -> NetTimeout:
        return NetTimeout(url=self.name, stage="body", seconds=self._source.read_timeout or 0.0)

    def __repr__(self) -> str:
        return f"<AsyncStream {self.name} {'closed' if self._closed else f'at {self._position} of {self.length}'}>"
