"""The file as the demultiplexer sees it: what it raised is remembered, and that it waits can be seen from outside.

FFmpeg turns an exception of its input into an error number, or takes it for the end; so that the caller gets the
file's own error, it is kept here. Must not know: what the bytes mean.
"""

from __future__ import annotations

import io
import os
import threading
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from kithara_file.audio.onward import Onward, seekable
from kithara_file.clock import Clock, SystemClock
from kithara_file.errors import StreamClosed, Woken

_T = TypeVar("_T")


class BinaryFile(Protocol):
    """What sound can be read from: any binary file object; one that cannot seek is read onward."""

    def read(self, size: int = ..., /) -> bytes:
        """Return up to `size` bytes; none at the end."""

    def seek(self, offset: int, whence: int = ..., /) -> int:
        """Move."""

    def tell(self) -> int:
        """Return the position."""

    def close(self) -> None:
        """Let go."""


SLOW_SECONDS = 0.005
"""A read that takes longer has waited for something."""


class Door:
    """Reads the file for one decoder, in one thread; `shut`, `busy` and `close_file` are for the others."""

    def __init__(self, file: BinaryFile, clock: Clock | None = None) -> None:
        _check_file(file)
        self.onward = not seekable(file)
        """True when the file cannot seek, so that nobody knows where its end is."""
        self._file: BinaryFile | Onward = Onward(file, _taker(file)) if self.onward else file
        self._take = self._file.read if self.onward else _taker(file)
        self._clock = clock or SystemClock()
        self.busy = False
        """True while a call of the file runs."""
        self._shut = self._dropped = False
        self._wanted = self._heeded = 0
        self.on_wait: Callable[[], None] = _nothing
        """Is called after a read for which the file made the decoder wait."""
        self.troubled = False
        """True while `raise_error` has something to raise."""
        self.error: BaseException | None = None
        """What the file raised last, until `forget`."""

    # -- what reads --------------------------------------------------------------------------------------------------

    def read(self, size: int) -> bytes:
        """Return what comes first, up to `size` bytes; none only at the end."""
        return self._call(self._take, size)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move; `SEEK_END` may wait for the length."""
        return self._call(self._file.seek, offset, whence)

    def _call(self, method: Callable[..., _T], *arguments: int) -> _T:
        self._check()
        since = self._clock.monotonic()
        self.busy = True
        try:
            while True:
                try:
                    return method(*arguments)
                except Woken:
                    if self._wanted > self._heeded:
                        raise
                    # It was meant for a seek that has been obeyed meanwhile.
        except BaseException as error:
            self.error = self.error or error
            self.troubled = True
            raise
        finally:
            self.busy = False
            if self._clock.monotonic() - since > SLOW_SECONDS:
                self.on_wait()

    def tell(self) -> int:
        """Return the position."""
        return self._file.tell()

    # -- what the decoder adds ---------------------------------------------------------------------------------------

    def read_at(self, offset: int, size: int) -> bytes:
        """Return `size` bytes from `offset` on, fewer only when the end comes first."""
        self.seek(offset)
        parts = []
        while size > 0 and (part := self.read(size)):
            parts.append(part)
            size -= len(part)
        return b"".join(parts)

    def length(self) -> int | None:
        """Return the length of the file, None when only its end could tell; moves to its end."""
        return None if self.onward else self.seek(0, os.SEEK_END)

    def raise_error(self) -> None:
        """Raise what the file raised, if it did and nobody was told."""
        self._check()
        if self.error is not None:
            raise self.error

    def heed(self, epoch: int) -> None:
        """Read for `epoch` from now on."""
        self._heeded = epoch

    def forget(self) -> None:
        """Forget an error, because what follows tries again."""
        self.error, self.troubled = None, self._shut

    # -- what other threads see and do -------------------------------------------------------------------------------

    def wake(self, epoch: int) -> None:
        """Let no read wait for bytes before `epoch` is heeded, where the file can be told so; what is there is read."""
        self._wanted = epoch
        getattr(self._file, "wake", bool)()

    def leave(self) -> None:
        """Hold nothing that the decoder has, which has ended, nor the file when that has been dropped.

        Both hold this door, PyAV for as long as cycles are not collected, and a download would run on meanwhile.
        """
        self.on_wait, self.error = _nothing, None
        if self._dropped:
            self._file = nothing = io.BytesIO()
            self._take = nothing.read1

    def shut(self) -> None:
        """Let no further call through to the file: they raise `StreamClosed`."""
        self._shut = self.troubled = True

    def drop(self) -> None:
        """Shut, and let the file go once the decoder has ended."""
        self._dropped = True
        self.shut()

    def close_file(self, timeout: float) -> None:
        """Close the file, waiting no longer than `timeout`: a foreign file may take a blocked read's lock for it."""
        closer = threading.Thread(target=self._close_file, name="kithara-audio-close", daemon=True)
        closer.start()
        closer.join(timeout)

    def _close_file(self) -> None:
        try:
            self._file.close()
        except Exception as error:  # noqa: BLE001 - whatever it is, it is the file's, and nobody waits for it
            self.error = self.error or error
            self.troubled = True

    def _check(self) -> None:
        if self._shut:
            raise StreamClosed

    def __repr__(self) -> str:
        return f"<Door to {self._file!r}{' waiting' if self.busy else ''}>"


class QuietDoor:
    """A door as FFmpeg gets it: what fails looks like the end, and the door remembers what it was.

    PyAV prints exceptions that FFmpeg makes nothing of, and cannot hand on a `KeyboardInterrupt`; so whoever calls
    FFmpeg asks the door afterwards (`raise_error`), also when all seems well: a packet may have been cut short.
    """

    def __init__(self, door: Door) -> None:
        self._door = door

    def read(self, size: int) -> bytes:
        """Return up to `size` bytes; none at the end, and after a failure."""
        try:
            return self._door.read(size)
        except BaseException:  # noqa: BLE001 - the door remembers it
            return b""

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move; return -1 after a failure, and when it cannot be known where the end is."""
        if whence == os.SEEK_END and self._door.onward:
            return -1
        try:
            return self._door.seek(offset, whence)
        except BaseException:  # noqa: BLE001 - the door remembers it
            return -1

    def tell(self) -> int:
        """Return the position."""
        return self._door.tell()


def reason(error: Exception) -> str:
    """Return what `error` says, without its number and the name that FFmpeg made up for the file."""
    return getattr(error, "strerror", None) or str(error)


def _nothing() -> None:
    """Do nothing."""


def _check_file(file: object) -> None:
    """Refuse what has no bytes to read; a path or a URL is the mistake that is made first."""
    if isinstance(file, io.TextIOBase) or not callable(getattr(file, "read", None)):
        msg = f"sound is read from a binary file object, not from {type(file).__name__}; see open_file"
        raise TypeError(msg)


def _taker(file: Any) -> Callable[[int], bytes]:
    """Return the way of reading that gives the first bytes soonest: one which may return fewer than asked for."""
    if isinstance(file, io.RawIOBase):
        return lambda size: _one_readinto(file, size)
    take: Callable[[int], bytes] = getattr(file, "read1", None) or file.read
    return take


def _one_readinto(file: io.RawIOBase, size: int) -> bytes:
    buffer = bytearray(size)
    count = file.readinto(buffer)
    return bytes(memoryview(buffer)[: count or 0])
