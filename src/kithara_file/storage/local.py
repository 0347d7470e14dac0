"""A file of the user's as a resource: complete as it is, unless he knows better.

Must not know: who asks for it.
"""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

from kithara_file.errors import CorruptResource
from kithara_file.storage.faults import named
from kithara_file.storage.streaming import StreamingResource


def local_resource(path: Path, digest: str | None = None) -> StreamingResource:
    """Open a file only to read it.

    With `digest`, as in ``sha256:9f86d0…``, all of it is read first: other bytes are `CorruptResource`. Raises
    `StorageError` when it cannot be read.
    """
    with ExitStack() as undo:
        resource = StreamingResource.local(path)
        undo.callback(resource.close)
        if digest is not None:
            try:
                resource.check((digest,))
            except CorruptResource:
                raise
            except OSError as error:
                raise named(error, "read", path) from error
        undo.pop_all()
    return resource
