"""Open a media URL as a file: the short way in.

Must not know: anything but how the rooms below are put together.
"""

from __future__ import annotations

import io
import os
from operator import index
from typing import Any

from kithara_file.config import FileConfig
from kithara_file.errors import ConfigError
from kithara_file.session.file import File
from kithara_file.stream.aio import AsyncStream
from kithara_file.stream.quick import buffer_of
from kithara_file.stream.stream import Stream


def open_file(
    url: str | os.PathLike[str], buffering: int = io.DEFAULT_BUFFER_SIZE, **options: Any
) -> io.BufferedReader:
    """Open `url` (http, https, file, or a path) as a seekable `io.BufferedReader` with a buffer of `buffering` bytes.

    As for Python's `open`, -1 means the default size; for no buffer there is `Stream.open(File, config)`.
    Returns once the headers are in; the rest downloads while it is read, and a seek beyond it fetches a range of its
    own. Every field of `FileConfig` is a keyword. Raises `KitharaError`s: those of the network and the disk are
    `OSError`s too, a URL or option that cannot be used is a `ValueError`.
    """
    size = _buffer_size(buffering)
    return buffer_of(Stream.open(File, FileConfig(url, **options)), size)


def _buffer_size(buffering: int) -> int:
    """Return how large a buffer is asked for. Raises `ConfigError`, before anything is opened for an answer."""
    try:
        size = index(buffering)
    except TypeError as error:
        raise ConfigError(f"buffering is a number of bytes, not {type(buffering).__name__}") from error
    if size == 0:
        raise ConfigError("buffering cannot be 0 here: Stream.open(File, FileConfig(url)) reads without a buffer")
    if size < -1:
        raise ConfigError(f"buffering cannot be {size}: it is a number of bytes, or -1 for the default")
    return io.DEFAULT_BUFFER_SIZE if size == -1 else size


async def aopen_file(url: str | os.PathLike[str], **options: Any) -> AsyncStream:
    """Open `url` for reading in a task of any event loop; otherwise as `open_file`."""
    return await AsyncStream.open(File, FileConfig(url, **options))
