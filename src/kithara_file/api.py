"""Open a media URL as a file: the short way in.

Must not know: anything but how the rooms below are put together.
"""

from __future__ import annotations

import io
import os
from typing import Any

from kithara_file.config import FileConfig
from kithara_file.session.file import File
from kithara_file.stream.aio import AsyncStream
from kithara_file.stream.quick import buffer_of
from kithara_file.stream.stream import Stream


def open_file(
    url: str | os.PathLike[str], buffering: int = io.DEFAULT_BUFFER_SIZE, **options: Any
) -> io.BufferedReader:
    """Open `url` (http, https, file, or a path) as a seekable `io.BufferedReader` with a buffer of `buffering` bytes.

    Returns once the headers are in; the rest downloads while it is read, and a seek beyond it fetches a range of its
    own. Every field of `FileConfig` is a keyword. Raises `KitharaError`s: those of the network and the disk are
    `OSError`s too, a URL or option that cannot be used is a `ValueError`.
    """
    return buffer_of(Stream.open(File, FileConfig(url, **options)), buffering)


async def aopen_file(url: str | os.PathLike[str], **options: Any) -> AsyncStream:
    """Open `url` for reading in a task of any event loop; otherwise as `open_file`."""
    return await AsyncStream.open(File, FileConfig(url, **options))
