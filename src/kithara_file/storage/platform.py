"""What one operating system has and another has not: the calls of Linux, and what stands in for them elsewhere.

Linux is what is tested for; on the others the same promises are kept by plainer means: a position and a mutex for reads
and writes at an offset, whole `fsync`, no flags that do not exist, and on Windows byte-range locks for whole-file ones.
The tests force each of these. Must not know: what any of it is used for.
"""

from __future__ import annotations

import errno
import os
import shutil
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from kithara_file.storage.forking import ForkLocks, Living

_fcntl: ModuleType | None
_msvcrt: Any
try:
    import fcntl as _fcntl
except ModuleNotFoundError:  # pragma: no cover - Windows
    _fcntl = None
try:
    import msvcrt as _msvcrt
except ModuleNotFoundError:
    _msvcrt = None

Buffer = bytes | memoryview

NOFOLLOW: int = getattr(os, "O_NOFOLLOW", 0)
CLOEXEC: int = getattr(os, "O_CLOEXEC", 0)
NONBLOCK: int = getattr(os, "O_NONBLOCK", 0)
BINARY: int = getattr(os, "O_BINARY", 0)
DIRECTORY: int = getattr(os, "O_DIRECTORY", 0)
PLAIN = CLOEXEC | BINARY
"""What every descriptor is opened with: children do not get it, and no byte is changed on the way."""

_SYNC_FILE_RANGE_WRITE = 2
_SLOTS = 64
"""So many can share a lock where a range can be locked by one only: each holds one byte, who is alone holds all."""
_TAKEN = {errno.EWOULDBLOCK, errno.EAGAIN, errno.EACCES, errno.EDEADLK}
FORK_SECONDS = 0.1
"""How long a fork waits for a lock; they cover arithmetic only, but a finalizer may wait in one for another."""
_turn = threading.Lock()


# -- reading and writing at an offset ----------------------------------------------------------------------------------


def preadv_by_position(fd: int, buffers: Sequence[memoryview], start: int) -> int:
    """Do what `os.preadv` does for one buffer, where there is only one position for all."""
    with _turn:
        os.lseek(fd, start, os.SEEK_SET)
        data = os.read(fd, len(buffers[0]))
    buffers[0][: len(data)] = data
    return len(data)


def pwritev_by_position(fd: int, buffers: Sequence[Buffer], start: int) -> int:
    """Do what `os.pwritev` does, where there is only one position for all; it may write less, as that may."""
    with _turn:
        os.lseek(fd, start, os.SEEK_SET)
        return os.write(fd, b"".join(buffers))


preadv: Callable[[int, Sequence[memoryview], int], int] = getattr(os, "preadv", preadv_by_position)
pwritev: Callable[[int, Sequence[Buffer], int], int] = getattr(os, "pwritev", pwritev_by_position)


def _most_buffers() -> int:
    try:
        return os.sysconf("SC_IOV_MAX")
    except (AttributeError, ValueError, OSError):
        return 16  # what POSIX promises at least


IOV_MAX: int = _most_buffers()


# -- the disk ----------------------------------------------------------------------------------------------------------

datasync: Callable[[int], None] = getattr(os, "fdatasync", os.fsync)


@cache
def _of_libc(name: str, *kinds: str) -> Callable[..., int] | None:
    """Return a call that Python has no name for, with arguments of these kinds of ctypes; None where there is none."""
    try:
        import ctypes  # noqa: PLC0415 - only long or many downloads want it

        call = getattr(ctypes.CDLL(None), name)
        call.argtypes = [getattr(ctypes, each) for each in kinds]
    except (ImportError, AttributeError, OSError, TypeError):
        return None
    return call  # type: ignore[no-any-return]


def begin_write_back(fd: int) -> None:
    """Have the dirty pages of a file go to the disk from now on; what fails then is told to who syncs."""
    call = _of_libc("sync_file_range", "c_int", "c_int64", "c_int64", "c_uint")
    if call is not None:
        call(fd, 0, 0, _SYNC_FILE_RANGE_WRITE)


def give_memory_back() -> None:
    """Return memory that is free to the system, where glibc would keep it; takes milliseconds."""
    call = _of_libc("malloc_trim", "c_size_t")
    if call is not None:
        call(0)


def sync_folder(path: Path) -> None:
    """Return when the names in this folder survive a power cut, where folders can be synced. Blocks on the disk."""
    if not DIRECTORY:
        return
    fd = os.open(path, os.O_RDONLY | DIRECTORY | CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def free_bytes(path: Path) -> int:
    """Return what the disk of `path` still takes from this user."""
    return shutil.disk_usage(path).free


def taken_bytes(status: os.stat_result) -> int:
    """Return what a file takes on its disk; its length, where it is not told how much of it is sparse."""
    blocks: int | None = getattr(status, "st_blocks", None)
    return status.st_size if blocks is None else blocks * 512


# -- locks -------------------------------------------------------------------------------------------------------------


def try_lock(fd: int, *, alone: bool) -> bool:
    """Hold the lock of a whole file, alone or together with others; return False when others do not let us."""
    if _fcntl is None:
        return _try_slots(fd, alone=alone)
    mode = _fcntl.LOCK_EX if alone else _fcntl.LOCK_SH
    return _taken(_fcntl.flock, fd, mode | _fcntl.LOCK_NB)


def unlock(fd: int) -> None:
    """Let the lock of a whole file go."""
    if _fcntl is not None:
        _fcntl.flock(fd, _fcntl.LOCK_UN)
        return
    # Which of the slots is ours is nowhere said; to let go of one that is not held is an error that means nothing.
    for at, size in ((0, _SLOTS), *((slot, 1) for slot in range(_SLOTS))):
        with suppress(OSError):
            _lock_bytes(fd, _msvcrt.LK_UNLCK, at, size)


def _try_slots(fd: int, *, alone: bool) -> bool:
    unlock(fd)  # as flock does when it changes what is held
    wanted = [(0, _SLOTS)] if alone else [(slot, 1) for slot in range(_SLOTS)]
    return any(_taken(_lock_bytes, fd, _msvcrt.LK_NBLCK, *place) for place in wanted)


def _lock_bytes(fd: int, mode: int, at: int, size: int) -> None:
    os.lseek(fd, at, os.SEEK_SET)
    _msvcrt.locking(fd, mode, size)


def _taken(take: Callable[..., object], *arguments: int) -> bool:
    try:
        take(*arguments)
    except OSError as error:
        if error.errno in _TAKEN:
            return False
        raise
    return True


# -- processes ---------------------------------------------------------------------------------------------------------


_locks: Living[Any] = Living()
_renewed: Living[Any] = Living(_turn)
_held = ForkLocks()


def lock_of_forks() -> threading.RLock:
    """Return a re-entrant lock that no child of a fork finds held, nor what it guards half changed.

    For locks of which nobody holds two: whoever forks takes them all for that moment.
    """
    made = threading.RLock()
    _locks.add(made)
    return made


def lock_renewed_by_forks() -> threading.RLock:
    """Return a re-entrant lock that no child of a fork finds held by a thread which it does not have.

    For locks that are held while the disk is waited for: no fork waits for these.
    """
    made = threading.RLock()
    _renewed.add(made)
    return made


def _take_all() -> None:
    _held.take(_locks, FORK_SECONDS)


def _renew_all() -> None:
    for each in [*_locks, *_renewed]:  # also those that could not be had: their holders are not in the child
        if each is _turn or not each._is_owned():  # noqa: SLF001 - a signal handler may fork where one is held
            each._at_fork_reinit()  # noqa: SLF001 - as `threading` does with its own


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_take_all, after_in_parent=_held.let_go, after_in_child=_held.let_go)
    os.register_at_fork(after_in_child=_renew_all)


def after_fork_in_child(work: Callable[[], None]) -> None:
    """Have `work` done first of all in every child that is forked, where there are forks."""
    register = getattr(os, "register_at_fork", None)
    if register is not None:
        register(after_in_child=work)
