"""Where the cache is when the user's own cannot be used, and he named none: a folder that ends with the process.

Who names a store wants that one and is told what is wrong with it. Who names none wants to read: a home that is
missing, read-only or somebody else's shall not keep him from it.

Must not know: what is kept there.
"""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
import threading
import weakref
from pathlib import Path

from kithara_file.errors import StorageError

_log = logging.getLogger(__name__)


class Refuge:
    """A private folder among the temporary files, made when first asked for and removed with its owner."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._path: Path | None = None

    def instead(self, fault: StorageError) -> Path:
        """Return the folder; raises `fault` when not even that can be made."""
        with self._lock:
            if self._path is None:
                try:
                    self._path = Path(tempfile.mkdtemp(prefix="kithara-file-"))
                except OSError:
                    raise fault from None
                weakref.finalize(self, _remove, self._path, os.getpid())
                _log.warning("! %s; what is fetched is kept in %s until this process ends", fault, self._path)
            return self._path


def _remove(path: Path, owner: int) -> None:
    if os.getpid() == owner:  # a forked child may end earlier
        shutil.rmtree(path, ignore_errors=True)
