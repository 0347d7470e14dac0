"""A complete resource behind Python's own file objects, for reads that cost what those of builtin `open` cost.

Must not know: where the file lies.

`io.BufferedReader` leaves a slow check out only when it and its raw file are of exactly Python's own types, which is a
third of a read of one byte; and a `readinto` written in Python costs a fifth of a read of 64 KiB. So both objects are
Python's, and what is ours hangs on the instances, where the interpreter looks first: a `readinto` that is the `send` of
a generator (to resume one is the cheapest way from C into Python and back), and the ends of both. A file that loses
bytes is read through its `CommittedStream` from then on, and reads that fail leave the position where it was; but the
one that meets the loss, if it fails, leaves it behind what the buffer had gathered.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Generator
from functools import partial
from typing import TYPE_CHECKING, NoReturn
from weakref import ref

from kithara_file.errors import StreamClosed
from kithara_file.stream.committed import CommittedStream
from kithara_file.stream.stream import BufferedStream, Stream, whole

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

    Pump = Generator[int, WriteableBuffer, None]

READS = ("read", "read1", "readinto", "readinto1", "readline", "readlines")
USES = (*READS, "peek", "seek", "tell", "readable", "seekable")


def buffer_of(stream: Stream, size: int) -> io.BufferedReader:
    """Return a buffer of `size` bytes over `stream`, as careful as that needs."""
    if not isinstance(stream, CommittedStream):
        return BufferedStream(stream, size)
    raw = io.FileIO(stream.fileno(), closefd=False)
    buffer: io.BufferedReader = io.BufferedReader(raw, size)
    _Hooks(stream, raw, buffer)
    return buffer


class _Hooks:
    """What hangs on a raw file and its buffer. It must not hold them, or they would not go when they are dropped."""

    def __init__(self, stream: CommittedStream, raw: io.FileIO, buffer: io.BufferedReader) -> None:
        self._stream = stream
        self._raw, self._buffer = ref(raw), ref(buffer)
        self._at = 0
        """Where the buffer believes the file to be."""
        self._moving = False
        """True while the descriptor is in use by a quick move."""
        self._doomed = False
        """True once the raw file is to be closed."""
        self._seek = self._seeking()
        self._pump = self._pumping()
        next(self._pump)
        vars(buffer).update(close=self.close_buffer)
        self._hang(name=stream.name, length=stream.length, error=None, retry=self.retry, close=self.close)
        self._hang(readinto=self._pump.send, read=self.read, readall=self.readall, seek=self._seek)
        self._hang(tell=stream.tell)  # of the same descriptor, and it knows when that is closed

    def _hang(self, **attributes: object) -> None:
        if (raw := self._raw()) is not None:
            vars(raw).update(attributes)

    # -- reading -----------------------------------------------------------------------------------------------------

    def _pumping(self) -> Pump:
        """Read into each buffer that is sent; what may not be bytes of the file, or is its end, is doubted.

        A signal handler may raise at any step. That ends a generator, and the buffer would go on to believe that
        nothing was read: so another one takes its place, where this one began.
        """
        stream, start = self._stream, -1
        readinto = io.FileIO.readinto.__get__(stream)
        file, length = stream.file, stream.length or 0
        try:
            buffer = yield 0
            while True:
                start = self._at
                try:
                    count = readinto(buffer)
                except OSError:
                    count = 0
                if count and file.intact and start + count <= length:
                    self._at = start + count
                    stream.untold += count
                    if stream.untold >= stream.enough:
                        stream.tell_source(self._at)
                else:
                    count = self._doubt(buffer, count)
                start = -1
                buffer = yield count
        except GeneratorExit:
            raise
        except BaseException:
            self._return_to(start)
            self._renew()
            raise

    def _renew(self) -> None:
        if not self._stream.closed and self._stream.file.intact and self._stream.error is None:
            self._pump = self._pumping()
            next(self._pump)
            self._hang(readinto=self._pump.send, seek=self._seek)

    def _return_to(self, start: int) -> None:
        """Take a step back that the buffer has not heard of; it would count from where it was before."""
        if start >= 0 and not self._stream.closed:
            self._at = start
            self._stream.move(start)

    def _note(self) -> None:
        with self._stream.reading:
            if not self._stream.closed:
                self._at = self._stream.tell()
        if not self._stream.file.intact:
            self._take_care()

    def _take_care(self) -> None:
        """Let reads of the buffer be all or nothing, as the rest may not come: from the next one on.

        Where the one under way began nobody knows but the base class, which tells nobody.
        """
        if (buffer := self._buffer()) is not None:
            vars(buffer).update((name, partial(self._whole, name)) for name in READS)

    def _whole(self, name: str, *arguments: object) -> object:
        if (buffer := self._buffer()) is None:
            raise StreamClosed
        try:
            return whole(buffer, self._stream, getattr(io.BufferedReader, name), buffer, *arguments)
        finally:
            self._hang(error=self._stream.error)

    def _doubt(self, buffer: WriteableBuffer, count: int) -> int:
        self._hang(readinto=self.readinto, seek=self.seek)
        self._stream.take_back(count)
        count = self.readinto(buffer)
        if self._stream.file.intact:  # this was the end, and nothing worse
            self._hang(readinto=self._pump.send, seek=self._seek)
        return count

    def readinto(self, buffer: WriteableBuffer) -> int:
        """Read carefully, as is done from the first doubt on."""
        try:
            return self._stream.readinto(buffer)
        finally:
            self._note()
            self._hang(error=self._stream.error)

    def read(self, size: int = -1) -> bytes:
        """Read for whoever goes past the buffer."""
        try:
            return self._stream.read(size)
        finally:
            self._note()

    def readall(self) -> bytes:
        """Read all that is left, as the buffer does for `read()`."""
        try:
            return self._stream.readall()
        finally:
            self._note()

    def _seeking(self) -> Callable[[int, int], int]:
        """Return the quick way to move, or to do nothing: the buffer hears of no move that a signal handler ends.

        A lock here would cost a sixth of a random read. So who closes meanwhile leaves it to this move to do so: each
        puts up a word of its own before it looks for the other's.
        """
        seek: Callable[[int], int] = io.FileIO.seek.__get__(self._stream)

        def quickly(offset: int, whence: int = 0) -> int:
            if whence:
                return self.seek(offset, whence)
            before = self._at
            self._moving = True
            try:
                if self._doomed:
                    return self.seek(offset)
                self._at = at = seek(offset)
                return at
            except BaseException:
                self._return_to(before)
                raise
            finally:
                self._moving = False
                if self._doomed:
                    self.close()

        return quickly

    def seek(self, offset: int, whence: int = 0) -> int:
        """Move, and forget a sticky error; the end is where the length says, whatever the file says."""
        before = self._at
        with self._stream.reading:
            try:
                self._hang(error=None)
                self._at = at = self._stream.seek(offset, whence)
                return at
            except BaseException:
                self._return_to(before)
                raise

    def retry(self) -> None:
        """Forget a sticky error."""
        self._hang(error=None)
        self._stream.retry()

    # -- the end -----------------------------------------------------------------------------------------------------

    def close_buffer(self) -> None:
        """Wake a blocked read first: the base class waits for its own lock, which that read holds."""
        self._stream.interrupt()
        buffer = self._buffer()
        if buffer is None or buffer._finalizing:  # type: ignore[attr-defined]  # noqa: SLF001 (a finalizer must not wait)
            self._stream.drop()
        if buffer is not None:
            io.BufferedReader.close(buffer)
            vars(buffer).update(dict.fromkeys(USES, self.refuse))

    def refuse(self, *_: object) -> NoReturn:
        """Stand for everything that could be done with the buffer before it was closed."""
        raise StreamClosed

    def close(self) -> None:
        """Close the raw file; while another thread reads or moves in it, the number of its descriptor stays taken."""
        self._doomed = True
        self._hang(readinto=self.readinto)
        if self._moving or self._pumps():
            self._stream.interrupt()
        else:
            self._stream.close()
        if (raw := self._raw()) is not None:
            io.FileIO.close(raw)

    def _pumps(self) -> bool:
        """End the quick way to read; tell whether a read is under way there."""
        try:
            self._pump.close()
        except ValueError:
            return True
        return False
