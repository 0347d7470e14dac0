"""A source as a Python file: `io.RawIOBase` for threads.

Must not know: where the bytes come from. The position belongs to this object alone; two threads that read one stream
must agree between themselves, as with any file, but `close` is safe from anywhere at any time.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

from kithara_file.clock import CancelToken, Deadline
from kithara_file.errors import KitharaError, StreamClosed, Woken
from kithara_file.ranges import ByteRange
from kithara_file.stream.handle import Handle, step_of_all
from kithara_file.stream.source import Source, StreamType

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

C = TypeVar("C")
R = TypeVar("R")

LINE_BYTES = 4096
"""How much is looked at for the end of a line at a time."""


class Stream(Handle, io.RawIOBase):
    """A seekable file over bytes that may still be on their way.

    `readinto` returns 0 only at a proven end. An error is sticky: every later read raises it again until a `seek` or
    `retry`, because libraries that take files swallow an exception once and would take the next result for the end.
    A read that fails leaves the position where it was. Errors are `OSError`s, `StreamClosed` is a `ValueError`.
    """

    def __init__(self, source: Source, cancel: CancelToken | None = None) -> None:
        Handle.__init__(self, source, cancel)
        self._waiting: CancelToken | None = None
        self._woken = False
        self.gathers = False
        """True while a buffer above makes one read of several of this stream, which have one deadline."""
        self.until: Deadline | None = None
        """That deadline, once one of them has had to wait."""

    @classmethod
    def open(cls, kind: type[StreamType[C]], config: C) -> Stream:
        """Open `config` by the protocol `kind`; return once the first answer is in. Raises its typed errors."""
        return cls._of(kind.open(config))

    @classmethod
    async def aopen(cls, kind: type[StreamType[C]], config: C) -> Stream:
        """Do what `open` does without blocking the running loop; cancelling gives the open up."""
        return cls._of(await kind.aopen(config))

    @classmethod
    def _of(cls, opened: object) -> Stream:
        try:
            return opened.stream()  # type: ignore[attr-defined,no-any-return]
        finally:
            opened.close()  # type: ignore[attr-defined]

    # -- reading -----------------------------------------------------------------------------------------------------

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """Read what is there, at least one byte, waiting for it if need be; 0 at the proven end."""
        self._check()
        view = memoryview(buffer).cast("B")
        if not view:
            return 0
        start = self._position
        count = self._read_at(start, view, None)
        self._pass(start, count)
        return count

    def _read_at(self, start: int, view: memoryview, deadline: Deadline | None) -> int:
        source = self._source
        try:
            while not (count := source.read_at(start, view)):
                deadline = deadline or self._patience()
                if self._wait(ByteRange(start, start + len(view)), deadline) is None:
                    break
            source.consumed(start, count)
        except (KitharaError, TimeoutError) as error:
            self._fail(error)
        return count

    def _wait(self, wanted: ByteRange, deadline: Deadline) -> ByteRange | None:
        waiting = self._waiting = CancelToken()
        unlink = self._cancel.on_cancel(lambda: waiting.cancel(self._cancel.reason))
        try:
            if self._woken:
                waiting.cancel(Woken())  # it came before this wait could be seen
            return self._source.wait_range(wanted, deadline, waiting)
        except Woken:
            self._woken = False
            raise
        finally:
            self._waiting = None
            unlink()

    def _patience(self) -> Deadline:
        if not self.gathers:
            return super()._patience()
        self.until = self.until or super()._patience()
        return self.until

    def wake(self) -> None:
        """End the read that waits in another thread, or else the next that would, with `Woken`: a seek is to come.

        Such a read leaves the position where it was and does not stick; a seek takes a wake back that met no read.
        """
        self._woken = True
        if (waiting := self._waiting) is not None:
            waiting.cancel(Woken())

    def read(self, size: int | None = -1, /) -> bytes:
        """Return `size` bytes, fewer only when the end comes first; all that is left when negative."""
        self._check()
        if size is None or size < 0:
            return self.readall()
        start = self._position
        data = self._read_from(start, size, self._patience())
        self._pass(start, len(data))
        return data

    def _read_from(self, start: int, size: int, deadline: Deadline) -> bytes:
        buffer = bytearray(size)
        view, filled = memoryview(buffer), 0
        while filled < size and (count := self._read_at(start + filled, view[filled:], deadline)):
            filled += count
        view.release()
        del buffer[filled:]
        return bytes(buffer)

    def readall(self) -> bytes:
        """Return all bytes from here to the proven end."""
        self._check()
        parts: list[bytes] = []
        start = at = self._position
        deadline = self._patience()
        while part := self._read_from(at, step_of_all(self._source.length, at), deadline):
            parts.append(part)
            at += len(part)
        self._pass(start, at - start)
        return b"".join(parts) if len(parts) != 1 else parts[0]

    def readline(self, size: int | None = -1, /) -> bytes:
        """Return a line with its end, or up to `size` bytes of it; one that fails leaves the position."""
        self._check()
        start, line, deadline = self._position, bytearray(), self._patience()
        most = sys.maxsize if size is None or size < 0 else size
        piece = memoryview(bytearray(LINE_BYTES))
        while len(line) < most and not line.endswith(b"\n"):
            count = self._read_at(start + len(line), piece[: most - len(line)], deadline)
            if not count:
                break
            line += b"".join(bytes(piece[:count]).partition(b"\n")[:2])
        self._pass(start, len(line))
        return bytes(line)

    def readlines(self, hint: int = -1, /) -> list[bytes]:
        """Return the lines from here on: all, or until they are `hint` bytes; one that fails leaves the position."""
        start = self._position
        try:
            return super().readlines(hint)
        except BaseException:
            self._position = start
            raise

    # -- moving ------------------------------------------------------------------------------------------------------

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        """Move to `offset` and forget a sticky error; fetches nothing yet.

        Past the end is allowed and reads `b""`; before 0 is `OSError(EINVAL)`. `SEEK_END` waits for the length.
        """
        self._check(sticky=False)
        base = self._base(whence)
        self._woken = False
        return self._move(offset, self._end() if base is None else base)

    def _end(self) -> int:
        known = self._source.length
        if known is not None:
            return known
        try:
            return self._source.wait_length(self._patience(), self._cancel)
        except (KitharaError, TimeoutError) as error:
            self._fail(error, sticky=False)

    # -- the end -----------------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Let go: a read blocked in another thread raises `StreamClosed`; the last to close ends the download."""
        self._close(wait=True)

    def interrupt(self) -> None:
        """End every wait of this stream with `StreamClosed`, now and from now on, as the first half of closing it."""
        self._cancel.cancel(StreamClosed())

    def _close(self, *, wait: bool) -> None:
        if self.closed:
            return
        self.interrupt()
        self._source.close(wait=wait)
        super().close()  # last: who was interrupted comes here again

    def drop(self) -> None:
        """Close without waiting for anything, as a finalizer must, which may run anywhere."""
        self._close(wait=False)

    def __del__(self) -> None:
        # A dropped stream ends its download as a closed one does.
        if hasattr(self, "_source"):
            self.drop()


class BufferedStream(io.BufferedReader):
    """`io.BufferedReader` over a `Stream` whose reads may block, fail and be given up.

    Another thread can close it while a read is blocked, and a read that fails or is interrupted leaves the position
    where it was: the base class drops what it has gathered so far, and the next read would go on behind that.
    """

    raw: Stream

    def __init__(self, raw: Stream, buffer_size: int = io.DEFAULT_BUFFER_SIZE) -> None:
        super().__init__(raw, buffer_size)

    def wake(self) -> None:
        """End the read that waits in another thread; see `Stream.wake`."""
        self.raw.wake()

    def close(self) -> None:
        """Wake a blocked read first: the base class waits for its own lock, which that read holds."""
        if self.raw is not None:  # detached
            self.raw.interrupt()
        super().close()

    def __del__(self) -> None:
        with suppress(ValueError, AttributeError):
            self.raw.drop()

    def read(self, size: int | None = -1, /) -> bytes:
        """Return `size` bytes, fewer only when the end comes first; all that is left when negative."""
        return whole(self, self.raw, super().read, size)

    def read1(self, size: int = -1, /) -> bytes:
        """Return up to `size` bytes by at most one read of the stream."""
        return whole(self, self.raw, super().read1, size)

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """Fill `buffer`, but for the end, and return how many bytes that were."""
        return whole(self, self.raw, super().readinto, buffer)

    def readline(self, size: int | None = -1, /) -> bytes:
        """Return a line with its end, or up to `size` bytes of it."""
        return whole(self, self.raw, super().readline, size)

    def readlines(self, hint: int = -1, /) -> list[bytes]:
        """Return the lines from here on: all, or until they are `hint` bytes."""
        return whole(self, self.raw, super().readlines, hint)

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        """Move; see `Stream.seek`."""
        if self.closed:
            raise StreamClosed
        return super().seek(offset, whence)


def whole(buffer: io.BufferedReader, stream: Stream, read: Callable[..., R], *arguments: object) -> R:
    """Let `buffer` over `stream` read: all or nothing, and within the time of one read."""
    start = buffer.tell()
    stream.gathers, stream.until = True, None
    try:
        return read(*arguments)
    except BaseException as error:
        with suppress(ValueError):  # closed meanwhile
            sticky = stream.error
            buffer.seek(start)
            stream.error = sticky
        if isinstance(error, ValueError) and stream.closed:
            raise StreamClosed from None  # the base class stumbles over its buffer, which is gone
        raise
    finally:
        stream.gathers = False
