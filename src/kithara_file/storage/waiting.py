"""Who waits, and when is a wait over: what every resource has in common, whatever holds its bytes.

This is a condition variable taken apart. Each demand brings its own waker, so that only those are woken whom a landing
serves, and threads and tasks wait in one queue. A demand stands in the queue *before* the state is looked at, so a
wake-up that comes between the look and the sleep, from another thread or from the garbage collector in this one, finds
the waker and is remembered by it. None can be lost, so none needs repair by polling.

Must not know: where bytes are kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from enum import Enum
from typing import Literal, TypeVar

from kithara_file.clock import CancelToken, Deadline
from kithara_file.errors import KitharaError, StorageError, StreamClosed
from kithara_file.ranges import ByteRange, Coverage
from kithara_file.storage import platform
from kithara_file.storage.claims import Claims
from kithara_file.storage.resource import Demand, Descriptor
from kithara_file.storage.waking import TaskDemand, ThreadDemand, Waiter

_T = TypeVar("_T")


class Answer(Enum):
    """The answer of a look that found nothing to return and nothing to raise."""

    NOT_YET = "not yet"


NOT_YET: Literal[Answer.NOT_YET] = Answer.NOT_YET


def _nobody() -> None:
    """Stand for the `on_demand` of a resource that nobody feeds."""


class Waitable:
    """The length, the coverage and the queue of demands of one resource; its kinds add the bytes.

    The lock covers arithmetic: no byte is moved and nobody is called while it is held. It is re-entrant because the
    garbage collector may close a stream, and so come back here, in a thread that holds it.
    """

    def __init__(self, length: int | None = None, coverage: Coverage | None = None, *, committed: bool = False) -> None:
        self.on_demand: Callable[[], None] = _nobody
        self._lock = platform.lock_of_forks()
        self._demands: dict[Waiter, None] = {}
        self._length = length
        self._coverage = coverage or Coverage()
        self._committed = committed
        self._closed = False
        self._failure: KitharaError | None = None

    @property
    def length(self) -> int | None:
        """Bytes in all; None while nobody has told."""
        return self._length

    @property
    def committed(self) -> bool:
        """True once complete and durable."""
        return self._committed

    @property
    def fault(self) -> StorageError | None:
        """Why bytes no longer reach the disk; None while all is well, and where there is no disk."""
        return None

    @property
    def closed(self) -> bool:
        """True after `close`."""
        return self._closed

    @property
    def coverage(self) -> Coverage:
        """What is present, live: for the writing thread only."""
        return self._coverage

    @property
    def complete(self) -> bool:
        """True when the length is known and every byte is present."""
        with self._lock:
            return self._length is not None and self._coverage.covers(0, self._length)

    @property
    def progress(self) -> str:
        """What is present of how much, for people."""
        return f"{self._coverage.total} of {'?' if self._length is None else self._length} bytes"

    def snapshot(self) -> Coverage:
        """Return an independent copy of the coverage."""
        with self._lock:
            return self._coverage.copy()

    @property
    def claims(self) -> Claims | None:
        """Return None: these bytes are ours alone."""
        return None

    def write_back(self) -> None:
        """Do nothing: there is no disk."""

    def catch_up(self) -> None:
        """Do nothing: nobody else lands bytes here."""

    def descriptor(self) -> Descriptor | None:
        """Return None: there is no file, or not one that is complete."""
        return None

    # -- what ends waits ---------------------------------------------------------------------------------------------

    def announce(self, length: int) -> None:
        """Tell the length; wakes those who wait for it, and those who wait beyond it (they are at a proven end).

        Raises `ValueError` when it contradicts the length told before or the bytes present: two versions met here.
        """
        with self._lock:
            if self._length not in (None, length) or self._coverage.next_present(length) is not None:
                raise ValueError(f"the length cannot be {length}: it was {self._length}, with {self._coverage!r}")
            self._length = length
            served = [each for each in self._demands if each.wanted is None or each.wanted.start >= length]
        _wake(served)

    def fail(self, error: KitharaError) -> None:
        """Raise `error` in every present and future wait for bytes that are missing. Final."""
        with self._lock:
            self._failure = self._failure or error
            served = tuple(self._demands)
        _wake(served)

    def refuse(self, error: KitharaError, *demands: Demand) -> None:
        """Raise `error` in exactly these waits; a later wait for the same bytes is a new demand."""
        with self._lock:
            served = [each for each in self._demands if any(each is refused for refused in demands)]
            for each in served:
                each.error = error
                del self._demands[each]  # who has been told demands nothing any more, even before they wake
        _wake(served)

    def demands(self) -> tuple[Demand, ...]:
        """Return who waits now, longest first."""
        if not self._demands:  # the common case of a look that comes with every chunk
            return ()
        with self._lock:
            return tuple(self._demands)

    def _land(self, start: int, end: int) -> None:
        """Let the coverage grow over bytes that are in place, and wake whom they serve: the only function that does."""
        with self._lock:
            self._coverage.add(start, end)
            if not self._demands:
                return
            served = [each for each in self._demands if each.wanted is not None and start <= each.wanted.start < end]
        _wake(served)

    def _shut(self) -> bool:
        """End every wait with `StreamClosed`; return False when that was done before."""
        with self._lock:
            if self._closed:
                return False
            self._closed = True
            served = tuple(self._demands)
        _wake(served)
        return True

    # -- waits -------------------------------------------------------------------------------------------------------

    def wait_range(self, wanted: ByteRange, deadline: Deadline, cancel: CancelToken) -> ByteRange | None:
        """Wait until the first byte of `wanted` is present; return the readable prefix, None at the proven end.

        Present bytes are returned whatever else went wrong. Raises the error of `fail` or `refuse`, the token's reason
        when cancelled, `StreamClosed`, and `TimeoutError` when the deadline passes.
        """
        found = self._readable(wanted)
        return found if found is not NOT_YET else self._block(wanted, lambda: self._readable(wanted), deadline, cancel)

    async def await_range(self, wanted: ByteRange, deadline: Deadline, cancel: CancelToken) -> ByteRange | None:
        """Do what `wait_range` does, in a task of any event loop; cancelling the task takes the demand back."""
        return await self._ablock(wanted, lambda: self._readable(wanted), deadline, cancel)

    def wait_length(self, deadline: Deadline, cancel: CancelToken) -> int:
        """Wait until the length is known; raises as `wait_range` does."""
        return self._block(None, self._told, deadline, cancel)

    async def await_length(self, deadline: Deadline, cancel: CancelToken) -> int:
        """Do what `wait_length` does, in a task of any event loop."""
        return await self._ablock(None, self._told, deadline, cancel)

    def _readable(self, wanted: ByteRange) -> ByteRange | Literal[Answer.NOT_YET] | None:
        start = wanted.start
        with self._lock:
            if self._closed:
                raise StreamClosed
            end, length = self._coverage.end_of_run(start), self._length
        if end >= wanted.end:
            return wanted
        if end > start:
            return ByteRange(start, end)
        return None if length is not None and start >= length else NOT_YET

    def _told(self) -> int | Literal[Answer.NOT_YET]:
        if self._closed:
            raise StreamClosed
        return NOT_YET if self._length is None else self._length

    def _block(
        self,
        wanted: ByteRange | None,
        look: Callable[[], _T | Literal[Answer.NOT_YET]],
        deadline: Deadline,
        cancel: CancelToken,
    ) -> _T:
        if (found := look()) is not NOT_YET:
            return found
        demand = ThreadDemand(wanted)
        with self._demanding(demand, deadline, cancel):
            while (found := look()) is NOT_YET:
                self._check(demand, deadline, cancel)
                demand.sleep(deadline.remaining())
        return found

    async def _ablock(
        self,
        wanted: ByteRange | None,
        look: Callable[[], _T | Literal[Answer.NOT_YET]],
        deadline: Deadline,
        cancel: CancelToken,
    ) -> _T:
        if (found := look()) is not NOT_YET:
            return found
        demand = TaskDemand(wanted)
        with self._demanding(demand, deadline, cancel):
            while (found := look()) is NOT_YET:
                self._check(demand, deadline, cancel)
                await demand.sleep(deadline.remaining())
        return found

    @contextmanager
    def _demanding(self, demand: Waiter, deadline: Deadline, cancel: CancelToken) -> Iterator[None]:
        self._check(demand, deadline, cancel)  # a wait that is over before it began shall not start a fetch
        with ExitStack() as leaving:
            leaving.callback(self._forget, demand)
            with self._lock:
                self._demands[demand] = None
            leaving.callback(cancel.on_cancel(demand.wake))
            self.on_demand()
            yield

    def _forget(self, demand: Waiter) -> None:
        with self._lock:
            self._demands.pop(demand, None)

    def _check(self, demand: Demand, deadline: Deadline, cancel: CancelToken) -> None:
        """Raise the reason why this wait is over, the most lasting one first."""
        for reason in (cancel.reason, self._failure, demand.error):
            if reason is not None:
                raise reason.again()
        if deadline.passed:
            what = "the length" if demand.wanted is None else f"byte {demand.wanted.start}"
            raise TimeoutError(f"Waited in vain for {what}")


def _wake(served: Iterable[Waiter]) -> None:
    for each in served:
        each.wake()
