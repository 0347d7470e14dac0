"""The part of a file that a search for frames looks at: bytes from a place on, more of them as they are needed.

Must not know: what the bytes mean.
"""

from __future__ import annotations

from kithara_file.audio.door import Door

CHUNK = 16 * 1024


class Window:
    """Bytes of a file, of which those from index `at` on are still to be used."""

    def __init__(self, door: Door, offset: int) -> None:
        self._door = door
        self.data = b""
        self.at = 0
        self._begin = offset
        self._ended = False
        door.seek(offset)

    def go(self, offset: int) -> None:
        """Look at what begins at `offset` of the file; reads nothing yet."""
        self._door.seek(offset)
        self.data, self.at, self._begin, self._ended = b"", 0, offset, False

    @property
    def offset(self) -> int:
        """Where in the file `at` is."""
        return self._begin + self.at

    @property
    def left(self) -> int:
        """How many bytes are there from `at` on."""
        return len(self.data) - self.at

    def fill(self, size: int) -> bool:
        """Have `size` bytes from `at` on; False when the file ends before. Indices move, `offset` stays."""
        while self.left < size:
            more = b"" if self._ended else self._door.read(CHUNK)
            if not more:
                self._ended = True
                return False
            self._begin += self.at
            self.data = self.data[self.at :] + more
            self.at = 0
        return True

    def __repr__(self) -> str:
        return f"<Window on {self.left} bytes from {self.offset}>"
