"""A complete file from the store to a place of the user's: whole under its name, or not there at all.

Must not know: how the bytes came into the store, what is shown meanwhile.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from kithara_file.assets.keys import ResourceKey
from kithara_file.assets.layout import Layout
from kithara_file.assets.store import AssetStore
from kithara_file.clock import CancelToken
from kithara_file.config import FileConfig
from kithara_file.errors import KitharaError
from kithara_file.session.file import FileSession, local_path

_PIECE = 16 * 1024 * 1024
"""Copied between two looks at the cancel token."""

_NOT_THAT_WAY = {errno.EXDEV, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL, errno.EPERM, errno.EBADF, errno.ETXTBSY}
"""The kernel cannot copy between these two files by itself; reading and writing still can."""


def save(session: FileSession, config: FileConfig, target: Path, cancel: CancelToken) -> None:
    """Put the complete file of `session` at `target`, in the place of what may be there.

    It is written beside `target` and renamed, so that nobody ever sees half a file there. The kernel copies where it
    can (sharing blocks where the file system does that). A link is followed; what is no plain file, such as /dev/null,
    is written to. Raises `OSError`, and the token's reason when cancelled.
    """
    target = target.resolve()
    if target.exists() and not target.is_file():
        _into(target, session, cancel)
        return
    with beside(target) as descriptor:
        if not _copied_by_kernel(session, config, descriptor, cancel):
            _copied_by_hand(session, descriptor, cancel)
        os.fsync(descriptor)


@contextlib.contextmanager
def replacing(target: Path) -> Iterator[BinaryIO]:
    """Give a file to write which is at `target` when the block ends well, and nowhere else when it does not."""
    target = target.resolve()
    if target.exists() and not target.is_file():
        with _about(target), target.open("wb") as device:
            yield device
            device.flush()
        return
    with beside(target) as descriptor, open(descriptor, "w+b", closefd=False) as file:
        yield file
        file.flush()


def _into(device: Path, session: FileSession, cancel: CancelToken) -> None:
    with _about(device):
        descriptor = os.open(device, os.O_WRONLY | os.O_CLOEXEC)
        try:
            _copied_by_hand(session, descriptor, cancel)
        finally:
            os.close(descriptor)


@contextlib.contextmanager
def beside(target: Path) -> Iterator[int]:
    """Give a new file in the folder of `target`, which takes its name in the end and vanishes on failure.

    Where the system can, it has no name before that: of a killed program nothing is left. Raises `OSError`, which names
    `target`.
    """
    part = target.with_name(f".kithara-{secrets.token_hex(6)}.part")
    try:
        with _about(target):
            descriptor = _opened(part)
            try:
                yield descriptor
                if not os.fstat(descriptor).st_nlink:
                    os.link(_path_of(descriptor), part, src_dir_fd=descriptor)  # with this, links are followed
            finally:
                os.close(descriptor)
            part.replace(target)
    except BaseException:
        with contextlib.suppress(OSError):
            part.unlink()
        raise


def _opened(part: Path) -> int:
    """Return a new file in the folder of `part`: without a name where the system can give it one later, else `part`."""
    with contextlib.suppress(OSError, AttributeError):
        descriptor = os.open(part.parent, os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC, 0o666)
        if Path(_path_of(descriptor)).exists():
            return descriptor
        os.close(descriptor)
    return os.open(part, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o666)


def _path_of(descriptor: int) -> str:
    return f"/proc/self/fd/{descriptor}"


@contextlib.contextmanager
def _about(target: Path) -> Iterator[None]:
    """Let errors of the system name `target`, and not what is written in its place, or nothing at all."""
    try:
        yield
    except OSError as error:
        if isinstance(error, KitharaError) or error.errno is None or _is_elsewhere(target, error.filename):
            raise
        raise OSError(error.errno, os.strerror(error.errno), str(target)) from error


def _is_elsewhere(target: Path, name: object) -> bool:
    return isinstance(name, str) and Path(name).parent not in (target.parent, Path(_path_of(0)).parent)


def stored_at(config: FileConfig) -> Path:
    """Return where the bytes of `config` are: in the store, or the local file itself."""
    url = os.fspath(config.url)
    path = local_path(url)
    if path is not None:
        return Path(path)
    with _store(config) as store:
        key = ResourceKey.of(url, name=config.name, cache_key=config.cache_key)
        return Layout(store.root).asset(key.asset_id).resource(key.resource_hash).data


def _store(config: FileConfig) -> AssetStore:
    place = config.store  # a path first: it has a `root` too, which is another thing
    return AssetStore(place if place is None or isinstance(place, (str, os.PathLike)) else place.root)


def _copied_by_kernel(session: FileSession, config: FileConfig, descriptor: int, cancel: CancelToken) -> bool:
    try:
        original = os.open(stored_at(config), os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False  # it has no name: it may not be stored, or the disk was full
    try:
        return _is_the_same(session, config, original) and _kernel_copy(
            original, descriptor, session.length or 0, cancel
        )
    finally:
        os.close(original)


def _is_the_same(session: FileSession, config: FileConfig, original: int) -> bool:
    """Tell whether the open file is the committed version of `session`: another process may have begun a newer one."""
    url = os.fspath(config.url)
    if local_path(url) is not None:
        return True
    with (
        _store(config) as store,
        store.open(ResourceKey.of(url, name=config.name, cache_key=config.cache_key)) as entry,
    ):
        held, stored = session.remote, entry.remote
        if held is None or stored is None or not entry.committed:
            return False
        same = held.validator == stored.validator and entry.resource is not None
        if not same or entry.resource is None or entry.resource.length != session.length:
            return False
        # The name led to `original` before the entry was opened and still does, so that the entry has the same file.
        with contextlib.suppress(OSError):
            return os.path.samestat(os.fstat(original), stored_at(config).stat())
        return False


def _kernel_copy(original: int, descriptor: int, length: int, cancel: CancelToken) -> bool:
    done = 0
    while done < length:
        cancel.check()
        try:
            count = os.copy_file_range(original, descriptor, min(_PIECE, length - done))
        except OSError as error:
            if error.errno not in _NOT_THAT_WAY:
                raise
            count = 0
        if count == 0:
            os.ftruncate(descriptor, 0)
            os.lseek(descriptor, 0, os.SEEK_SET)
            return False
        done += count
    return True


def _copied_by_hand(session: FileSession, descriptor: int, cancel: CancelToken) -> None:
    buffer = bytearray(1024 * 1024)
    with session.stream() as stream, memoryview(buffer) as view:
        while count := stream.readinto(view):
            cancel.check()
            left = view[:count]
            while left:
                left = left[os.write(descriptor, left) :]
