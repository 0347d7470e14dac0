"""Careful steps on the disk: what fails is told in one sentence, and no link planted in the store is followed.

Must not know: what the files are for.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

from kithara_file.errors import StorageError
from kithara_file.storage import platform
from kithara_file.storage.faults import named

_PRIVATE_FOLDER = 0o700
_PRIVATE_FILE = 0o600


@contextlib.contextmanager
def told(doing: str, path: Path) -> Iterator[None]:
    """Translate the operating system's error into a `StorageError` that says what could not be done, and where."""
    try:
        yield
    except StorageError:
        raise
    except OSError as error:
        raise named(error, doing, path) from error


def private_folder(path: Path, *, parents: bool = False) -> bool:
    """Make `path` a directory for its owner only, unless it is one; return True when it is new.

    A link in its place, wherever it points to, is `NotADirectoryError`: what would be written through it might lie
    outside of the store.
    """
    try:
        directory = stat.S_ISDIR(path.lstat().st_mode)
    except FileNotFoundError:
        path.mkdir(_PRIVATE_FOLDER, parents=parents, exist_ok=True)
        return True
    if not directory:
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(path))
    return False


def open_private(path: Path, flags: int = os.O_RDWR | os.O_CREAT) -> int:
    """Return a descriptor of the file `path`, which only its owner may use once it is made; never through a link."""
    return os.open(path, flags | platform.NOFOLLOW | platform.PLAIN, _PRIVATE_FILE)


def open_lock_file(path: Path) -> int:
    """Return a descriptor of the lock file `path`, made if it is missing; one to read where nothing may be written.

    That one can be locked too, so that a store on a read-only disk can still be read.
    """
    try:
        return open_private(path)
    except OSError as error:
        if error.errno not in (errno.EROFS, errno.EACCES):
            raise
        with contextlib.suppress(FileNotFoundError):
            return open_private(path, os.O_RDONLY)
        raise


def read_plain(path: Path, longest: int) -> bytes | None:
    """Return the content of a regular file; None for what is longer, not one, or cannot be read."""
    try:
        return read_regular(path, longest)
    except OSError:
        return None


def read_regular(path: Path, longest: int) -> bytes:
    """Return the content of a regular file. Raises `OSError`, also for what is longer or not one."""
    fd = os.open(path, os.O_RDONLY | platform.NOFOLLOW | platform.NONBLOCK | platform.PLAIN)
    try:
        status = os.fstat(fd)
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "Not a regular file", str(path))
        if status.st_size > longest:
            raise OSError(errno.EINVAL, "Too long", str(path))
        return os.read(fd, status.st_size)
    finally:
        os.close(fd)


def replace_file(path: Path, content: bytes) -> None:
    """Put `content` in the place of `path` at once for every reader, without waiting for the disk.

    After a power cut the file may be the old one, the new one, or empty: for what is checked when it is read again.
    """
    place = path.with_name(f"{path.name}.{os.getpid()}-{threading.get_ident()}.tmp")
    try:
        with open(open_private(place, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), "wb") as file:
            file.write(content)
        place.replace(path)
    except OSError:
        place.unlink(missing_ok=True)
        raise


def unlink(path: Path) -> None:
    """Take the name `path` away; it is all right when there is none."""
    path.unlink(missing_ok=True)


def stored_bytes(entry: os.stat_result) -> int:
    """Return what a file takes of a quota: its length, or less where it is sparse."""
    return min(entry.st_size, platform.taken_bytes(entry))
