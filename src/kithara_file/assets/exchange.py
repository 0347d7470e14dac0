"""Whole files out of the store and into it.

Must not know: where the bytes were fetched, how an asset is found.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from kithara_file.assets.disk import told
from kithara_file.assets.entry import Entry
from kithara_file.errors import AssetError, StorageError
from kithara_file.net.remote import Remote
from kithara_file.storage import platform
from kithara_file.storage.copying import copy_file
from kithara_file.storage.streaming import StreamingResource
from kithara_file.storage.system import OpenFile, sync_folder

_AT_ONCE = 1024 * 1024


def export(entry: Entry, source: Path, target: Path) -> None:
    """Put the complete bytes of `entry`, which lie at `source`, at `target`: all of them, or `target` as it was.

    Blocks are shared where the file system can do that. Raises `AssetError` when they are not complete, `StorageError`.
    """
    resource = entry.resource
    if resource is None or not resource.committed or resource.length is None:
        raise AssetError(f"{entry.key.url} is not complete in the store")
    with told("export to", target), _beside(target) as descriptor:
        original = OpenFile.readable(source)
        if not resource.lies_at(source) or original.size < resource.length:
            raise AssetError(f"{entry.key.url} was replaced while it was exported")
        copy_file(original.fd, descriptor, resource.length)
        os.fsync(descriptor)


@contextlib.contextmanager
def _beside(target: Path) -> Iterator[int]:
    """Give a new file in the folder of `target`, which takes its name in the end and vanishes on failure."""
    part = target.with_name(f".kithara-{secrets.token_hex(6)}.part")
    descriptor = os.open(part, os.O_CREAT | os.O_EXCL | os.O_RDWR | platform.PLAIN, 0o666)
    try:
        try:
            yield descriptor
        finally:
            os.close(descriptor)
        part.replace(target)
        sync_folder(target.parent)
    except BaseException:
        with contextlib.suppress(OSError):
            part.unlink()
        raise


def adopt(entry: Entry, path: Path, remote: Remote, digest: str | None = None) -> None:
    """Store the bytes of the local file `path` in `entry`, as the version `remote`, and commit them.

    Raises `CorruptResource` when they have another `digest`, and `StorageError`; then what was stored before is stored
    still.
    """
    with told("read", path):
        source = OpenFile.readable(path)
        length = source.size
    with entry.replacing(replace(remote, length=length), digest) as resource:
        _land(source, length, entry, resource)
        entry.commit()


def _land(source: OpenFile, length: int, entry: Entry, resource: StreamingResource) -> None:
    left = 0
    for at in range(0, length, _AT_ONCE):
        data = _part(source, at, min(_AT_ONCE, length - at))
        resource.write_at(at, data)
        if resource.fault is not None:
            raise resource.fault.again()
        left -= len(data)
        if left < 0:
            left = entry.make_room() or length


def _part(source: OpenFile, at: int, size: int) -> bytes:
    buffer = bytearray(size)
    with told("read", source.path):
        got = source.read_into(memoryview(buffer), at)
    if got < size:
        raise StorageError(f"{source.path} became shorter while it was read", path=str(source.path))
    return bytes(buffer)
