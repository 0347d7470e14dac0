"""That something is to be done yet, remembered by a file, so that whoever comes next knows of it.

Must not know: what is to be done.
"""

from __future__ import annotations

import os
from pathlib import Path

from kithara_file.assets.disk import open_private, unlink


class Reminder:
    """An empty file that is there or not. Where it cannot be made, this process remembers. Never raises."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._set_here = False
        self._stuck = False

    def set(self) -> None:
        """Remember it. Idempotent."""
        try:
            os.close(open_private(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL))
        except OSError:
            self._set_here = self._stuck or not os.path.lexists(self._path)

    def clear(self) -> None:
        """Remember it no longer. What cannot be removed is not looked at again, or else it would be done for ever."""
        self._set_here = False
        try:
            unlink(self._path)
        except OSError:
            self._stuck = True

    def __bool__(self) -> bool:
        return self._set_here or (not self._stuck and os.path.lexists(self._path))

    def __repr__(self) -> str:
        return f"<Reminder {self._path.name}{' set' if self else ''}>"
