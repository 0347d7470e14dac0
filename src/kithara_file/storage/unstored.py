"""A resource that its store could not begin: it is read past the cache, through a window of memory.

Must not know: which step of the beginning failed, or what else the store keeps.
"""

from __future__ import annotations

from pathlib import Path

from kithara_file.errors import StorageError
from kithara_file.ranges import Coverage
from kithara_file.storage.journal import NoJournal
from kithara_file.storage.streaming import MEMORY_BYTES, StreamingResource
from kithara_file.storage.system import OpenFile


class UnstoredResource(StreamingResource):
    """The `StreamingResource` of a disk that has taken nothing from the very beginning; `fault` says why.

    So whoever minds a disk that fails on the way minds this one too: bytes that land are kept as far as the window
    goes, the oldest are dropped and become absent, and `commit` raises the fault. Making one raises `fault` where
    no file may be opened any more.
    """

    def __init__(self, fault: StorageError, *, length: int | None = None, memory_bytes: int = MEMORY_BYTES) -> None:
        try:
            nowhere = OpenFile.nowhere(Path(fault.filename or ""))
        except OSError as error:  # no file may be opened any more, not even this one
            raise fault from error
        super().__init__(nowhere, NoJournal(), length=length, coverage=Coverage(), memory_bytes=memory_bytes)
        self._bypass(fault)

    def lies_at(self, data: Path) -> bool:
        """Return False: there is no file."""
        _ = data
        return False
