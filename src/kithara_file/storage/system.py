"""What storage asks of the operating system, and what this machine cannot do: the only door to file descriptors.

Must not know: ranges, resources, journals. Errors leave as `OSError`; `faults` gives them their names.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from errno import EACCES, EISDIR, EPERM, EROFS, ESPIPE
from functools import cache
from pathlib import Path
from typing import Self
from uuid import UUID, uuid4
from weakref import WeakSet

from kithara_file.storage import platform
from kithara_file.storage.platform import IOV_MAX, sync_folder

__all__ = ["IOV_MAX", "OpenFile", "after", "before", "blocks", "boot_id", "read_whole", "sync_folder", "write_new"]

BLOCK = 1024 * 1024
"""One write covers no more than a block of the file that begins at a multiple of this. The page cache then takes whole
blocks of memory, from which the file is read up to twice as fast as from pages; for those of 2 MiB it often has to make
room first, which takes as long again. A few writes are better than many beside a thread that burns the interpreter's
lock, which each of them gives away."""
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@cache
def boot_id() -> UUID:
    """Return what names the time since the machine was switched on: a page cache lives as long.

    Where nobody tells, it is a new name in each process, so that nothing is believed that was not verified.
    """
    try:
        return UUID(_BOOT_ID.read_text(encoding="ascii").strip())
    except (OSError, ValueError):
        return uuid4()


class OpenFile:
    """A descriptor that closes when its last user lets go of this object.

    Whoever is about to read holds a reference of its own, so a close in another thread can never hand the number to
    somebody else's file in the middle of a read; and that costs no lock, because references are counted anyway.
    """

    __slots__ = ("__weakref__", "fd", "path", "writable")

    def __init__(self, fd: int, path: Path, *, writable: bool) -> None:
        self.fd = fd
        self.path = path
        self.writable = writable

    def __del__(self, close: Callable[[int], None] = os.close) -> None:
        fd, self.fd = self.fd, -1  # a fork in the meantime must not take the number for ours
        close(fd)

    @classmethod
    def new(cls, path: Path, *, append: bool = False) -> Self:
        """Make a file that only its owner may read; whatever had the name must be gone. Never follows a link."""
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | platform.NOFOLLOW | platform.PLAIN
        flags |= os.O_APPEND if append else 0
        file = cls(os.open(path, flags, 0o600), path, writable=True)
        if not append:
            _claimable.add(file)
        return file

    @classmethod
    def existing(cls, path: Path, *, append: bool = False) -> Self:
        """Open a regular file to read and write, only to read where writing is not allowed. Never follows a link."""
        flags = platform.NONBLOCK | platform.PLAIN | platform.NOFOLLOW | (os.O_APPEND if append else 0)
        try:
            file = cls._regular(path, flags | os.O_RDWR, writable=True)
        except OSError as error:
            if error.errno not in (EACCES, EPERM, EROFS):
                raise
            return cls._regular(path, flags | os.O_RDONLY, writable=False)
        if not append:
            _claimable.add(file)
        return file

    @classmethod
    def readable(cls, path: Path) -> Self:
        """Open a regular file only to read it, through links too: it is the user's, who may name it as he likes."""
        return cls._regular(path, os.O_RDONLY | platform.NONBLOCK | platform.PLAIN, writable=False)

    @classmethod
    def nowhere(cls, path: Path) -> Self:
        """Stand for a file that could not be made at `path`: nothing is in it, and nothing can be written to it."""
        return cls(os.open(os.devnull, os.O_RDONLY | platform.PLAIN), path, writable=False)

    @classmethod
    def _regular(cls, path: Path, flags: int, *, writable: bool) -> Self:
        file = cls(os.open(path, flags), path, writable=writable)
        mode = os.fstat(file.fd).st_mode
        if stat.S_ISDIR(mode):
            raise OSError(EISDIR, os.strerror(EISDIR), str(path))
        if not stat.S_ISREG(mode):
            raise OSError(ESPIPE, "Not a regular file", str(path))
        return file

    def again(self, mode: int = os.O_RDONLY) -> int | None:
        """Return another descriptor of this very file, with a position of its own; None where none can be."""
        try:
            return os.open(f"/proc/self/fd/{self.fd}", mode | platform.PLAIN)
        except OSError:
            return None

    def part(self) -> None:
        """Be open on its own where it was open together with the parent of a fork, as far as that can be."""
        number = self.again(os.O_RDWR)
        if number is not None:
            with suppress(OSError):
                os.dup2(number, self.fd, inheritable=False)
            os.close(number)

    @property
    def size(self) -> int:
        """Where the file ends; in a sparse file this says nothing about what is in it.

        Asked before each write, and a seek is four times as quick as `fstat`. It moves the file's position, which only
        `append` looks at: who appends sees to it that nobody asks in between.
        """
        return os.lseek(self.fd, 0, os.SEEK_END)

    def shorten(self, size: int) -> None:
        """Take away what lies at `size` and after it, where that is allowed."""
        if self.writable and self.size > size:
            os.ftruncate(self.fd, size)

    @property
    def allocated(self) -> int:
        """Bytes of disk in use."""
        return platform.taken_bytes(os.fstat(self.fd))

    @property
    def inode(self) -> int:
        """What tells this file from one that took its name."""
        return os.fstat(self.fd).st_ino

    @property
    def stamp(self) -> tuple[int, int, int]:
        """What changes with every write to this file, by anybody: its times, in nanoseconds, and its size."""
        status = os.fstat(self.fd)
        return status.st_mtime_ns, status.st_ctime_ns, status.st_size

    def lies_at(self, path: Path) -> bool:
        """Tell whether `path` leads to this file."""
        try:
            return os.path.samestat(path.lstat(), os.fstat(self.fd))
        except FileNotFoundError:
            return False

    def read_into(self, buffer: memoryview, start: int) -> int:
        """Fill `buffer` from `start` on; return how many bytes, fewer only at the end of the file."""
        done = platform.preadv(self.fd, (buffer,), start)
        while 0 < done < len(buffer):
            more = platform.preadv(self.fd, (buffer[done:],), start + done)
            if more == 0:
                break
            done += more
        return done

    def write(self, start: int, pieces: Sequence[bytes | memoryview]) -> tuple[int, OSError | None]:
        """Write `pieces` one after another; return how many bytes are in place, and why not the rest."""
        done = 0
        try:
            self._check_writable()
            for block in blocks(pieces, start):
                end = done + sum(map(len, block))
                done += platform.pwritev(self.fd, block, start + done)
                while done < end:
                    rest = after(pieces, done)
                    done += platform.pwritev(self.fd, before(rest, end - done), start + done)
        except OSError as error:
            return done, error.with_traceback(None)  # which would hold this file open for as long as the error is kept
        return done, None

    def append(self, data: bytes | bytearray) -> tuple[int, int]:
        """Write at the end, whoever else appends; return how many bytes, and where they end."""
        self._check_writable()
        return os.write(self.fd, data), os.lseek(self.fd, 0, os.SEEK_CUR)

    def _check_writable(self) -> None:
        if not self.writable:
            raise OSError(EROFS, os.strerror(EROFS), str(self.path))

    def begin_write_back(self) -> None:
        """Have what was written go to the disk from now on, where the system can be told so. Promises nothing."""
        platform.begin_write_back(self.fd)

    def sync(self) -> None:
        """Return when what was written survives a power cut. Blocks on the disk."""
        platform.datasync(self.fd)

    def __repr__(self) -> str:
        return f"<OpenFile {self.path.name} {self.size} bytes>"


_claimable: WeakSet[OpenFile] = WeakSet()
"""Files on which ranges may be claimed. A claim belongs to the open file, which a forked child gets too: it would
outlive the parent for as long as the child lives, and others would wait for bytes that nobody brings. The child may go
on reading, so its copy is not closed: it is opened anew, and nothing is claimed through that."""


def _part_in_child() -> None:
    for each in list(_claimable):
        each.part()


platform.after_fork_in_child(_part_in_child)


def blocks(pieces: Sequence[bytes | memoryview], start: int) -> Iterator[list[bytes | memoryview]]:
    """Yield `pieces`, which begin at `start`, cut at the multiples of `BLOCK` (and at `IOV_MAX`), without copying."""
    block: list[bytes | memoryview] = []
    room = BLOCK - start % BLOCK
    for piece in pieces:
        left = piece
        while len(left) >= room:
            yield [*block, left if len(left) == room else memoryview(left)[:room]]
            left, block, room = memoryview(left)[room:], [], BLOCK
        if left:
            block.append(left)
            room -= len(left)
        if len(block) == IOV_MAX - 1:
            yield block
            block = []
    if block:
        yield block


def after(pieces: Sequence[bytes | memoryview], skip: int) -> list[bytes | memoryview]:
    """Return what is left of `pieces` when their first `skip` bytes are done with, without copying."""
    left: list[bytes | memoryview] = []
    for piece in pieces:
        if skip < len(piece):
            left.append(memoryview(piece)[skip:] if skip else piece)
        skip = max(0, skip - len(piece))
    return left


def before(pieces: Sequence[bytes | memoryview], size: int) -> list[bytes | memoryview]:
    """Return the first `size` bytes of `pieces`, without copying."""
    kept: list[bytes | memoryview] = []
    for piece in pieces:
        if size <= 0:
            break
        kept.append(piece if size >= len(piece) else memoryview(piece)[:size])
        size -= len(piece)
    return kept


def read_whole(path: Path, limit: int) -> bytes:
    """Return the bytes of a file, at most `limit`. Never follows a link."""
    with open(path, "rb", buffering=0, opener=_quietly) as file:
        return file.read(limit)


def write_new(path: Path, data: bytes) -> None:
    """Make a file that only its owner may read, and return when its bytes survive a power cut."""
    with open(path, "xb", opener=_quietly) as file:
        file.write(data)
        file.flush()
        platform.datasync(file.fileno())


def _quietly(path: str, flags: int) -> int:
    return os.open(path, flags | platform.NOFOLLOW | platform.NONBLOCK | platform.BINARY, 0o600)
