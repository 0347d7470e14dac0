"""A file that can only be read onward, such as a pipe, as one that can be read anywhere.

What was read is kept, in memory and then in a temporary file, so that a seek back finds it; a seek ahead reads up to
there when it is read from. Must not know: what the bytes mean.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from tempfile import SpooledTemporaryFile
from typing import Any

IN_MEMORY = 1024 * 1024
STEP = 64 * 1024


def seekable(file: Any) -> bool:
    """Return whether a file can seek: what does not say so but has `seek` is believed to."""
    says = getattr(file, "seekable", None)
    return hasattr(file, "seek") if says is None else bool(says())


class Onward:
    """Reads `file` by `take`, which may return fewer bytes than asked for, none at the end."""

    def __init__(self, file: Any, take: Callable[[int], bytes]) -> None:
        self._file = file
        self._take = take
        self._kept = SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 - closed when nobody reads any more
        self._size = 0
        self._at = 0
        self.ended = False

    def read(self, size: int) -> bytes:
        """Return up to `size` bytes; none at the end."""
        while self._at > self._size and self._more(STEP):
            continue
        if self._at >= self._size:
            data = self._more(size) if self._at == self._size else b""
        else:
            self._kept.seek(self._at)
            data = self._kept.read(size)
        self._at += len(data)
        return data

    def _more(self, size: int) -> bytes:
        data = b"" if self.ended else self._take(size)
        self.ended = not data
        self._kept.seek(self._size)
        self._kept.write(data)
        self._size += len(data)
        return data

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move; reads nothing. Only from the begin or from here: nobody knows where the end is."""
        if whence == os.SEEK_END:
            raise io.UnsupportedOperation("The end of what can only be read onward is not known")
        self._at = offset + (self._at if whence == os.SEEK_CUR else 0)
        return self._at

    def tell(self) -> int:
        """Return the position."""
        return self._at

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __del__(self) -> None:
        self._kept.close()

    def __repr__(self) -> str:
        return f"<Onward {self._at} of {self._size} kept of {self._file!r}>"
