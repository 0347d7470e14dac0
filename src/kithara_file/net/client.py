"""The seam of the network: one method that opens a body, and what it returns.

Must not know: which engine moves the bytes, what is stored, who reads.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from kithara_file.net.remote import Remote, Validator
from kithara_file.ranges import ByteRange, OpenRange


class Whole(Enum):
    """The wish for the whole representation by a plain GET, with no Range."""

    WHOLE = "whole"

    def __str__(self) -> str:
        return "all"


WHOLE = Whole.WHOLE

Want = ByteRange | OpenRange | Whole
"""A range asks with Range (and If-Range); `WHOLE` asks without (and with If-None-Match)."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """Bytes as they arrived, and the offset of the first of them in the resource."""

    start: int
    pieces: tuple[bytes, ...]
    size: int

    @property
    def end(self) -> int:
        """The offset after the last byte."""
        return self.start + self.size


@dataclass(frozen=True, slots=True)
class NotModified:
    """The answer 304: what is stored is the current version, and stays fresh as `remote` says."""

    remote: Remote


class Response(Protocol):
    """An answer whose body can be read, once, by one task.

    Not reading is back-pressure: a bounded amount is buffered, then the socket is left unread.
    """

    @property
    def remote(self) -> Remote:
        """What this answer tells of the far end."""

    @property
    def start(self) -> int:
        """The offset of the body's first byte; 0 when the origin ignored the Range."""

    @property
    def end(self) -> int | None:
        """Where this body promises to end (exclusive); None when only its end will tell."""

    def hurry(self, wanted: bool) -> None:
        """Hand over the next bytes however few (somebody waits for them), or gather larger chunks again."""

    def __aiter__(self) -> AsyncIterator[Chunk]:
        """Yield chunks in order, without a hole; stop at the proven end of this body.

        Raises `BodyBroken` when it ends too early, after everything that came has been yielded. Cancelling a pending
        step loses nothing.
        """

    async def aclose(self) -> None:
        """Give the body up; the connection is kept only when nothing of the body is left on it. Idempotent."""


class Client(Protocol):
    """Opens bodies."""

    async def open(self, url: str, want: Want, same_as: Validator | None) -> Response | NotModified:
        """Send one GET for `want` and return when the headers are in.

        `same_as` is the version whose bytes are held: with a range it becomes If-Range, with `WHOLE` If-None-Match or
        If-Modified-Since (only then the answer can be `NotModified`). Raises a `NetError`; cancelling frees the
        connection before this returns.
        """
