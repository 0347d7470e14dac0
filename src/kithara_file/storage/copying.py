"""One file into another, as cheaply as this machine and these two files allow.

Must not know: what the files are for. Errors leave as `OSError`.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from errno import EDQUOT, EIO, ENOSPC

_ioctl: Callable[[int, int, int], object] | None
try:
    from fcntl import ioctl as _ioctl
except ModuleNotFoundError:  # pragma: no cover - Windows
    _ioctl = None

_FICLONE = 0x40049409
_AT_ONCE = 256 * 1024 * 1024
_FULL = {ENOSPC, EDQUOT, EIO}
"""What no other way of copying would mend."""


def copy_file(source: int, target: int, length: int) -> None:
    """Copy the first `length` bytes between two descriptors that stand at 0; blocks are shared where that is possible.

    By a clone of the whole, by the kernel, by reading and writing: whatever this machine and these two files allow.
    """
    if os.fstat(source).st_size != length or not _cloned(source, target):
        done = _copied_by_kernel(source, target, length)
        os.lseek(source, done, os.SEEK_SET)
        os.lseek(target, done, os.SEEK_SET)
        _copied_by_hand(source, target, length - done)


def _cloned(source: int, target: int) -> bool:
    if _ioctl is None:
        return False
    try:
        _ioctl(target, _FICLONE, source)
    except OSError:
        return False
    return True


def _copied_by_kernel(source: int, target: int, length: int) -> int:
    done = 0
    while done < length and hasattr(os, "copy_file_range"):
        try:
            count = os.copy_file_range(source, target, min(length - done, _AT_ONCE), done, done)
        except OSError as error:
            if error.errno in _FULL:
                raise
            break
        if not count:
            break
        done += count
    return done


def _copied_by_hand(source: int, target: int, left: int) -> None:
    while left > 0:
        data = memoryview(os.read(source, min(left, 1024 * 1024)))
        if not data:
            raise OSError(EIO, "The file became shorter while it was copied")
        left -= len(data)
        while data:
            data = data[os.write(target, data) :]
