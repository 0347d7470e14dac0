"""The seams of the stream: the source it reads, and the kind of protocol that opens one.

Must not know: networks, stores, sessions.
"""

from __future__ import annotations

from typing import Any, Protocol, TypeVar

from kithara_file.clock import CancelToken, Deadline
from kithara_file.ranges import ByteRange
from kithara_file.storage.resource import Descriptor

C_contra = TypeVar("C_contra", contravariant=True)


class Source(Protocol):
    """Random-access bytes for one reader, some of which may still have to come."""

    @property
    def name(self) -> str:
        """What to show as the file's name; carries no credentials."""

    @property
    def length(self) -> int | None:
        """Bytes in all; None while nobody has told."""

    @property
    def read_timeout(self) -> float | None:
        """The longest one read may block, in seconds."""

    def descriptor(self) -> Descriptor | None:
        """Return a new file descriptor of the bytes, if they are in one complete file."""

    def read_at(self, start: int, buffer: memoryview) -> int:
        """Fill `buffer` with what is present from `start` on; return how many bytes, 0 when the first is missing."""

    def wait_range(self, wanted: ByteRange, deadline: Deadline, cancel: CancelToken) -> ByteRange | None:
        """Wait for the first byte of `wanted`; return the readable prefix, None at the proven end."""

    async def await_range(self, wanted: ByteRange, deadline: Deadline, cancel: CancelToken) -> ByteRange | None:
        """Do the same in a task of any event loop."""

    def wait_length(self, deadline: Deadline, cancel: CancelToken) -> int:
        """Wait until the length is known."""

    async def await_length(self, deadline: Deadline, cancel: CancelToken) -> int:
        """Do the same in a task of any event loop."""

    def seeking(self, position: int) -> None:
        """Hear that the next read begins at `position`."""

    def consumed(self, start: int, count: int) -> None:
        """Hear that `count` bytes from `start` on were handed to the reader; 0: it is at the end."""

    def close(self, *, wait: bool) -> None:
        """Let go; with `wait`, return when nothing of this source runs any more (bounded). Idempotent."""


class Opened(Protocol):
    """What a `StreamType` opens: something that gives readers."""

    def source(self, cancel: CancelToken) -> Source:
        """Return a new, independent reader."""

    def close(self) -> None:
        """Let go of it; readers that were given stay."""


class StreamType(Protocol[C_contra]):
    """A protocol that can be opened as a stream, such as `File`."""

    @classmethod
    def open(cls, config: C_contra, /) -> Any:
        """Return an `Opened` once the first answer is in; blocks."""

    @classmethod
    async def aopen(cls, config: C_contra, /) -> Any:
        """Do the same without blocking the running loop."""
