"""The seam of storage: a resource, and the demand of a reader that is blocked on it.

Must not know: where bytes come from, who decides to fetch them, where the files of the store lie.

One thread *writes* (the loop of the session that owns the resource): `announce`, `write_at`, `commit`, `fail`,
`refuse`, `demands`, and looking at the live `coverage`. Any thread *reads*: all the rest.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from kithara_file.clock import CancelToken, Deadline
from kithara_file.errors import KitharaError, StorageError
from kithara_file.ranges import ByteRange, Coverage
from kithara_file.storage.claims import Claims


class Demand:
    """What one reader is blocked on right now: state that a plan looks at, not a message that could be lost."""

    __slots__ = ("error", "wanted")

    def __init__(self, wanted: ByteRange | None) -> None:
        self.wanted = wanted
        """The bytes waited for (the first of them is missing); None: the length, which is not known yet."""
        self.error: KitharaError | None = None
        """Set by `Resource.refuse`; the waiting reader raises it."""

    def __repr__(self) -> str:
        return f"<Demand {self.wanted or 'length'}{' refused' if self.error else ''}>"


@dataclass(slots=True, weakref_slot=True, eq=False)
class Descriptor:
    """An open file that held every byte when it was given out, with a position of its own; the taker closes it."""

    number: int
    intact: bool = True
    """False, for good, once bytes of the file are known to be lost, and before any of them is written again."""


class Resource(Protocol):
    """Random-access bytes that know which of them are present, and who waits for the others."""

    on_demand: Callable[[], None]
    """Called, without any lock held and from any thread, after a demand has appeared; must only wake somebody."""

    @property
    def length(self) -> int | None:
        """Bytes in all; None while nobody has told."""

    @property
    def committed(self) -> bool:
        """True once complete and durable: the bytes never change any more."""

    @property
    def fault(self) -> StorageError | None:
        """Why bytes no longer reach the disk; None while all is well."""

    @property
    def coverage(self) -> Coverage:
        """What is present, live: for the writing thread only."""

    def snapshot(self) -> Coverage:
        """Return an independent copy of the coverage."""

    # -- the writing thread ------------------------------------------------------------------------------------------

    def announce(self, length: int) -> None:
        """Tell the length; wakes those who wait for it, and those who wait beyond it (they are at a proven end)."""

    def write_at(self, start: int, *pieces: bytes) -> None:
        """Put `pieces` one after another from `start` on, then let the coverage grow, then wake whom they serve."""

    def catch_up(self) -> None:
        """Take over what other processes have landed since, and wake whom it serves. Cheap when there is none."""

    @property
    def claims(self) -> Claims | None:
        """What is being fetched, by us and by others who share the bytes; None where nobody can share them."""

    def take_back(self, *ranges: ByteRange) -> None:
        """Make bytes absent, for other processes too, because they turned out not to be of this version."""

    def flush(self) -> None:
        """Make the claims of everything landed durable against the death of this process (journal what is pending)."""

    def write_back(self) -> None:
        """Have what has landed go to the disk soon, so that `commit` is quick. May block: never call it on a loop."""

    def commit(self) -> None:
        """Make the complete resource durable against a power cut. Blocks on the disk: never call it on a loop."""

    def fail(self, error: KitharaError) -> None:
        """Raise `error` in every present and future wait for bytes that are missing. Final."""

    def refuse(self, error: KitharaError, *demands: Demand) -> None:
        """Raise `error` in exactly these waits; a later wait for the same bytes is a new demand."""

    def demands(self) -> tuple[Demand, ...]:
        """Return who waits now, longest first."""

    # -- any thread --------------------------------------------------------------------------------------------------

    def descriptor(self) -> Descriptor | None:
        """Return a new file descriptor of the bytes; None unless they are committed to one file."""

    def read_at(self, start: int, buffer: memoryview) -> int:
        """Fill `buffer` with the bytes present from `start` on; return how many, 0 when the first is missing."""

    def wait_range(self, wanted: ByteRange, deadline: Deadline, cancel: CancelToken) -> ByteRange | None:
        """Wait until the first byte of `wanted` is present; return the readable prefix, None at the proven end.

        Present bytes are returned whatever else went wrong. Raises the error of `fail` or `refuse`, the token's reason
        when cancelled, and `TimeoutError` when the deadline passes.
        """

    async def await_range(self, wanted: ByteRange, deadline: Deadline, cancel: CancelToken) -> ByteRange | None:
        """Do what `wait_range` does, in a task of any event loop; cancelling the task takes the demand back."""

    def wait_length(self, deadline: Deadline, cancel: CancelToken) -> int:
        """Wait until the length is known."""

    async def await_length(self, deadline: Deadline, cancel: CancelToken) -> int:
        """Do what `wait_length` does, in a task of any event loop."""

    def close(self) -> None:
        """Flush and let the file go. Idempotent; reads after it raise `StreamClosed`."""
