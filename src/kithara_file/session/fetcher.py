"""One request in flight, from its start to its end: opens the body, lands its chunks, rests when told to.

Must not know: why it was started, what is wanted beside it. It tells its crew (the session) what happened, in order.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Protocol

from kithara_file.errors import KitharaError, StorageError, public_url, reason_of
from kithara_file.net.client import WHOLE, Chunk, Client, NotModified, Response, Want
from kithara_file.net.remote import Remote, Validator
from kithara_file.ranges import ByteRange, Coverage
from kithara_file.session.landing import Mismatch, cut, joined, unproven
from kithara_file.session.view import Fetch, Start

_log = logging.getLogger(__name__)


class Crew(Protocol):
    """Whoever a fetcher works for. Every method is called on the loop."""

    def answered(self, fetcher: Fetcher, answer: Response | NotModified, seconds: float) -> None:
        """Judge the answer; raises what ends the fetch."""

    def landed(self, fetcher: Fetcher, chunk: Chunk, seconds: float) -> None:
        """Put the chunk in its place; raises what ends the fetch."""

    def ended(self, fetcher: Fetcher, error: KitharaError | Mismatch | None) -> None:
        """Hear that the fetch is over: cleanly, or by `error`. Not called for one that was stopped."""


class Fetcher:
    """Carries out one `Start`."""

    def __init__(self, number: int, start: Start, want: Want, same_as: Validator | None) -> None:
        self.id = number
        self.start = start
        self.want = want
        self.same_as = same_as
        self.position = start.start
        self.end = start.end
        self.url = ""
        """Where it was asked for."""
        self.client: Client | None = None
        """Who asked."""
        self.compare = False
        """True when the answer did not prove its version: what it overlaps of held bytes is compared."""
        self.whole = False
        """True when the body is the whole representation: then its clean end is the proven end of the resource."""
        self.unnamed = False
        """True when its answer did not say which version it is of, and had to be refused for that."""
        self.brought = Coverage()
        """The new bytes: it may run over others that are held."""
        self.remote: Remote | None = None
        """What its answer told; None before there is one, and for an answer without a body."""
        self._flows = asyncio.Event()
        self._flows.set()
        self._asked_since: float | None = None
        self._resting_since: float | None = None
        self._hurried = False
        self._kept: Chunk | None = None
        self._response: Response | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def landed(self) -> int:
        """How many new bytes it has brought."""
        return self.brought.total

    @property
    def answered(self) -> bool:
        """True once it has a body."""
        return self.remote is not None

    @property
    def view(self) -> Fetch:
        """This fetch as the planner sees it; a prefix which is only compared or skipped is not work of its own."""
        begun = self.start.start
        resting, asked = self._resting_since, self._asked_since
        return Fetch(self.id, begun, max(begun, self.position), self.end, self.start.sequential, resting, asked)

    def accept(self, answer: Response, *, compare: bool) -> None:
        """Take in what the body is: from where, to where, and whether it has to be compared."""
        self.remote, self._asked_since = answer.remote, None
        self.position = answer.start
        self.compare = compare
        # A part which was not asked for does not tell of the whole when it ends.
        self.whole = answer.start == 0 and answer.end == answer.remote.length
        if self.want is WHOLE or answer.start < self.want.start or self._ignored(answer):
            self.start, self.end = Start(0, None, sequential=True), None  # a range that was ignored
        ends = [each for each in (self.end, answer.end) if each is not None]
        self.end = min(ends, default=None)

    def _ignored(self, answer: Response) -> bool:
        """Tell whether a range from 0 on is answered by more than that."""
        more = isinstance(self.want, ByteRange) and (answer.end is None or answer.end > self.want.end)
        return self.whole and more

    def provable(self, chunk: Chunk, present: Coverage) -> Chunk | None:
        """Return what may land now that `chunk` has come; None while it is kept until what is behind it is compared.

        What is kept when the body breaks off is absent still, so that it is asked for once more.
        """
        if not self.compare:
            return chunk
        chunk = joined(self._kept, chunk)
        self._kept = chunk if unproven(present, chunk, self.end) else None
        return chunk if self._kept is None else None

    def go(self, url: str, client: Client, crew: Crew) -> None:
        """Begin, in a task of its own on the running loop."""
        self.url, self.client = url, client
        self._asked_since = asyncio.get_running_loop().time()
        self._task = asyncio.get_running_loop().create_task(self._run(url, client, crew), name=f"fetch {self.want}")

    @property
    def resting(self) -> bool:
        """True while its socket is left unread."""
        return self._resting_since is not None

    def stop(self) -> asyncio.Task[None] | None:
        """Give the request up; return the task to wait for, if it still has to end."""
        task, self._task = self._task, None
        if task is not None and not task.done() and task is not asyncio.current_task():
            task.cancel()
            return task
        return None

    def rest(self, resting: bool, now: float) -> None:
        """Leave the socket unread, or go on reading it."""
        if resting and self._resting_since is None:
            self._resting_since = now
            self._flows.clear()
        elif not resting and self._resting_since is not None:
            self._resting_since = None
            self._flows.set()

    def hurry(self, wanted: bool) -> None:
        """Hand chunks over however small, because somebody waits; or gather again."""
        if wanted != self._hurried:
            self._hurried = wanted
            if self._response is not None:
                self._response.hurry(wanted)

    async def _run(self, url: str, client: Client, crew: Crew) -> None:
        error: KitharaError | Mismatch | None = None
        try:
            await self._carry_out(url, client, crew)
        except (KitharaError, Mismatch) as failure:
            error = failure
        except Exception as fault:  # noqa: BLE001 - a fault of ours must reach the readers, not leave them waiting
            _log.exception("! %r failed", self)
            error = StorageError(f"Cannot go on fetching {public_url(url)}: {reason_of(fault)}")
        if self._task is not None:  # stopped meanwhile: whoever stopped it knows
            crew.ended(self, error)

    async def _carry_out(self, url: str, client: Client, crew: Crew) -> None:
        clock = asyncio.get_running_loop().time
        asked = clock()
        answer = await client.open(url, self.want, self.same_as)
        if isinstance(answer, NotModified):
            crew.answered(self, answer, clock() - asked)
            return
        try:
            self._response = answer
            answer.hurry(self._hurried)
            crew.answered(self, answer, clock() - asked)
            await self._read(answer, crew)
        finally:
            await answer.aclose()

    async def _read(self, answer: Response, crew: Crew) -> None:
        clock = asyncio.get_running_loop().time
        body = aiter(answer)
        since = clock()
        # A body that ends where we want is read to its own end, which leaves its connection to the next fetch.
        while self._task is not None and not (answer.end != self.end is not None and self.position >= self.end):
            if self._resting_since is not None:
                await self._flows.wait()
                since = clock()
            try:
                chunk = await anext(body)
            except StopAsyncIteration:
                return
            if self.end is not None:
                chunk = cut(chunk, self.end)
            now = clock()
            crew.landed(self, chunk, now - since)
            since = now

    def __repr__(self) -> str:
        return (
            f"<Fetcher {self.id} {self.want} at {self.position}{' resting' if self._resting_since is not None else ''}>"
        )
