"""What the operating system's complaints are called here: a table, used at this room's door.

Must not know: what is done about any of them.
"""

from __future__ import annotations

import os
from errno import EACCES, EDQUOT, EFBIG, EISDIR, ELOOP, ENOENT, ENOSPC, ENOTDIR, ENXIO, EPERM, ESPIPE

from kithara_file.errors import DiskFull, StorageError, reason_of

NOT_OURS = {ENOENT, ENOTDIR, EISDIR, ELOOP, ENXIO, ESPIPE}
"""The file is gone, or something else has its name: there is nothing to reopen, and no reason not to begin anew."""


class FileMissing(StorageError, FileNotFoundError):
    """No such file; also a `FileNotFoundError`, for code that knows only the builtin ones."""


class FileRefused(StorageError, PermissionError):
    """Not allowed; also a `PermissionError`."""


class NotAFile(StorageError, IsADirectoryError):
    """A directory where a file was meant; also an `IsADirectoryError`."""


_KINDS: dict[int | None, type[StorageError]] = {
    ENOSPC: DiskFull,
    EDQUOT: DiskFull,
    EFBIG: DiskFull,
    ENOENT: FileMissing,
    EACCES: FileRefused,
    EPERM: FileRefused,
    EISDIR: NotAFile,
}


def named(error: OSError, doing: str, path: str | os.PathLike[str]) -> StorageError:
    """Return `error` under its name here, to be raised from it."""
    kind = _KINDS.get(error.errno, StorageError)
    where = os.fspath(path)
    fault = kind(f"Cannot {doing} {where}: {error.strerror or reason_of(error)}", errno=error.errno, path=where)
    fault.__cause__ = error
    return fault
