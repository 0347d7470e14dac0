"""A complete resource as a Python file: reads go to the kernel without a detour.

Must not know: where the file lies. Should the file lose bytes or fail while it is read, reads take the slow way from
then on, on which they are fetched again; a file that ends before its time is never taken for the end.
"""

from __future__ import annotations

import io
import os
from typing import TYPE_CHECKING

from kithara_file.clock import CancelToken, Deadline
from kithara_file.errors import StreamClosed
from kithara_file.storage import platform
from kithara_file.storage.resource import Descriptor
from kithara_file.stream.source import Source
from kithara_file.stream.stream import Stream

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

TELL_BYTES = 1 << 20
"""How much is read between two tellings of where the reader is; the first read is told at once.

From its first byte on a reader belongs to the version that it reads. Were that not told, another version could take the
place of this one, and the bytes that a file loses would be fetched from there.
"""


def stream_of(source: Source, cancel: CancelToken) -> Stream:
    """Return the fastest file object that `source` allows."""
    descriptor = source.descriptor()
    return Stream(source, cancel) if descriptor is None else CommittedStream(descriptor, source, cancel)


class CommittedStream(io.FileIO, Stream):
    """A `Stream` whose bytes are all on disk. `fileno` works; positions are FileIO's."""

    name = ""

    def __init__(self, descriptor: Descriptor, source: Source, cancel: CancelToken) -> None:
        """Take `descriptor` over."""
        # The number of a closed descriptor soon belongs to another file, and a read under way would be of that one.
        # Re-entrant, because a signal handler may close the file which it interrupts.
        self.reading = platform.lock_renewed_by_forks()
        """Held while the descriptor is in use."""
        io.FileIO.__init__(self, descriptor.number, "rb")
        Stream.__init__(self, source, cancel)
        self.name = source.name
        self.file = descriptor
        self.untold = 0
        """How many bytes the source has not heard of, here or in a buffer above."""
        self.enough = 1
        """How many of them it is told of."""

    @property
    def _position(self) -> int:
        with self.reading:
            return self.tell()

    @_position.setter
    def _position(self, position: int) -> None:
        with self.reading:
            if not self.closed:
                io.FileIO.seek(self, position)

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """Read what fits; 0 at the end. One that a signal handler ends by raising leaves the position where it was."""
        with self.reading:
            start = self.tell()
        try:
            return self._readinto(buffer, start)
        except BaseException:
            with self.reading:
                self._position = start
            raise

    def _readinto(self, buffer: WriteableBuffer, start: int) -> int:
        if self.file.intact and self.error is None:
            try:
                with self.reading:
                    count = io.FileIO.readinto(self, buffer)
            except OSError:
                count = 0
            except ValueError:
                self._check()  # closed meanwhile
                raise
            within = start + count <= (self.length or 0)  # the file may have grown since
            if count and within and self.file.intact:
                self.untold += count
                if self.untold >= self.enough:
                    self.tell_source(start + count)
                return count
            self.take_back(count)
        return Stream.readinto(self, buffer)

    def take_back(self, count: int) -> None:
        """Step back over `count` bytes that may not be those of the file, to read them the slow way.

        There a fault of the disk is met again, by those who know what follows from it, and an end is proven.
        """
        self._position -= count

    def read(self, size: int | None = -1, /) -> bytes:
        """Return `size` bytes, fewer only when the end comes first; all that is left when negative."""
        if not self.file.intact or self.error is not None:
            return Stream.read(self, size)
        try:
            with self.reading:
                start = io.FileIO.tell(self)
                try:
                    data = io.FileIO.read(self, size)
                except OSError:
                    data = b""
        except ValueError:
            self._check()  # closed meanwhile
            raise
        if self._is_whole(start, data, size):
            return data
        self._position = start
        return Stream.read(self, size)

    def _is_whole(self, start: int, data: bytes, size: int | None) -> bool:
        """Tell whether `data` is all of the `size` bytes at `start`, but for the end, and note that it was read."""
        end, length, ended = start + len(data), self.length or 0, len(data) != size
        if end > length or (ended and end != length) or not self.file.intact:
            return False
        self.untold += len(data)
        if self.untold >= self.enough or ended:
            self.tell_source(end)
        if ended:
            self._source.consumed(end, 0)
        return True

    def _read_from(self, start: int, size: int, deadline: Deadline) -> bytes:
        """Read a part of all that is left."""
        with self.reading:
            before = self.tell()
            try:
                io.FileIO.seek(self, start)
                data = io.FileIO.read(self, size)
            except OSError:
                data = b""
            finally:
                io.FileIO.seek(self, before)
        return data if self._is_whole(start, data, size) else super()._read_from(start, size, deadline)

    def readall(self) -> bytes:
        """Return all bytes from here to the end."""
        return Stream.readall(self)

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """Move, and forget a sticky error."""
        if whence:
            self._base(whence)  # for other errors than those of FileIO
        self.error = None
        if whence == os.SEEK_END and self.length is not None:  # which a file that was cut does not know any more
            offset, whence = max(self.length + offset, -1), os.SEEK_SET
        return self.move(offset, whence)

    def move(self, offset: int, whence: int = 0) -> int:
        """Do what FileIO's `seek` does, or nothing: a buffer above does not hear of a move that a signal has ended."""
        with self.reading:
            start = self.tell()
            try:
                return io.FileIO.seek(self, offset, whence)
            except BaseException:
                io.FileIO.seek(self, start)
                raise

    def tell(self) -> int:
        """Return the position. Takes no lock, because decoders ask all the time: another thread may close meanwhile."""
        try:
            return io.FileIO.tell(self)
        except (OSError, ValueError):
            if self.closed:
                raise StreamClosed from None
            raise

    def tell_source(self, position: int) -> None:
        """Let the source know what was read up to `position`."""
        count, self.untold, self.enough = self.untold, 0, TELL_BYTES
        if count:
            self._source.consumed(max(0, position - count), count)

    def _read_at(self, start: int, view: memoryview, deadline: Deadline | None) -> int:
        """Read the slow way, on which each read is told: in their order, so that an end is seen to be a new one."""
        self.tell_source(start)
        return super()._read_at(start, view, deadline)

    def _close(self, *, wait: bool) -> None:
        if not self.closed:
            self.interrupt()
            self._source.close(wait=wait)
            with self.reading:
                io.FileIO.close(self)  # last: who was interrupted comes here again

    close = Stream.close
    __del__ = Stream.__del__
    __repr__ = Stream.__repr__
