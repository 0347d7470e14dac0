"""What a file for threads and a file for asyncio have in common: a place, a token, and an error that sticks.

Must not know: how anything is read or waited for.
"""

from __future__ import annotations

import errno
import os
from operator import index
from typing import NoReturn

from kithara_file.clock import CancelToken, Deadline
from kithara_file.errors import KitharaError, NetTimeout, StreamClosed, Woken
from kithara_file.stream.source import Source

BLIND_STEP = 1 << 20
"""How much of a file of unknown length is read at a time where all of it is wanted."""
LARGEST_STEP = 64 << 20
"""The same for one of known length: an origin may announce more than there is memory, and break off soon after."""


def step_of_all(length: int | None, position: int) -> int:
    """Return how much to read at `position` next, by who wants all there is; at least one byte, to see the end."""
    return max(1, min(BLIND_STEP if length is None else length - position, LARGEST_STEP))


class Handle:
    """The facts and rules of an open file; `closed` is told by the class that can be closed."""

    closed: bool
    error: KitharaError | None
    """What the last read failed with, until a `seek` or `retry`."""
    _position: int

    def __init__(self, source: Source, cancel: CancelToken | None = None) -> None:
        self._source = source
        self._position = 0
        self._cancel = cancel or CancelToken()
        self.error = None

    @property
    def name(self) -> str:
        """The URL without user info, query and fragment, or the path."""
        return self._source.name

    @property
    def mode(self) -> str:
        """Always ``rb``."""
        return "rb"

    @property
    def length(self) -> int | None:
        """Bytes in all; None while nobody has told."""
        return self._source.length

    def tell(self) -> int:
        """Return the position; costs nothing."""
        self._check(sticky=False)
        return self._position

    def readable(self) -> bool:
        """Return True."""
        self._check(sticky=False)
        return True

    def seekable(self) -> bool:
        """Return True: also over an origin without ranges, where a far seek waits for the download."""
        self._check(sticky=False)
        return True

    def retry(self) -> None:
        """Forget a sticky error, so that the next read tries again."""
        self.error = None

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        """Refuse to be copied or pickled, as `io.FileIO` does: the end of a copy would be ours."""
        msg = f"cannot pickle {type(self).__name__!r} object"
        raise TypeError(msg)

    # -- rules -------------------------------------------------------------------------------------------------------

    def _move(self, offset: int, base: int) -> int:
        position = base + index(offset)
        if position < 0:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        self.error = None
        self._source.seeking(position)
        self._position = position  # last: where a signal handler raises before, a buffer above has not moved either
        return position

    def _pass(self, start: int, count: int) -> None:
        """Go on to behind the `count` bytes read at `start`; a seek that came while they were waited for stays."""
        if self._position == start:
            self._position = start + count

    def _base(self, whence: int) -> int | None:
        """Return where an offset counts from; None: from the end."""
        if whence not in (os.SEEK_SET, os.SEEK_CUR, os.SEEK_END):
            msg = f"whence cannot be {whence!r}"
            raise ValueError(msg)
        return {os.SEEK_SET: 0, os.SEEK_CUR: self._position}.get(whence)

    def _patience(self) -> Deadline:
        return Deadline.after(self._source.read_timeout)

    def _fail(self, error: KitharaError | TimeoutError, *, sticky: bool = True) -> NoReturn:
        """Raise what a wait that ended with `error` failed with, and let it stick."""
        told = self._told(error)
        if sticky and not isinstance(told, Woken):
            self.error = told.again()  # its traceback leads back here: a dropped file would wait for the collector
        try:
            if told is error:
                raise error
            raise told from error
        finally:
            del error, told  # so that they and this frame do not hold each other

    def _told(self, error: KitharaError | TimeoutError) -> KitharaError:
        if not isinstance(error, KitharaError):
            return NetTimeout(url=self.name, stage="body", seconds=self._source.read_timeout or 0.0)
        reason = self._cancel.reason
        # Who gives up closes things under the reads that are under way: the cause is told, not what it led to.
        return error if reason is None or isinstance(error, type(reason)) else reason.again()

    def _check(self, *, sticky: bool = True) -> None:
        if self.closed:
            raise StreamClosed
        if sticky and self.error is not None:
            raise self.error.again()

    def __repr__(self) -> str:
        state = "closed" if self.closed else f"at {self._position} of {self._source.length}"
        return f"<{type(self).__name__} {self.name} {state}>"
