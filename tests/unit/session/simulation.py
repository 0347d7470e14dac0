"""A session in memory: obeys plans, lands bytes, moves readers; what `decide` would do to a real resource, in no time.

Must not know: how `decide` decides. It is the world that the laws of the planner are tried in.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from random import Random

from kithara_file.config import KIB, Policy, Retry
from kithara_file.ranges import Coverage
from kithara_file.session.plan import decide, window_after
from kithara_file.session.view import Fetch, Plan, Playhead, Start, View

Check = Callable[[View, Plan], None]


def nothing(view: View, plan: Plan) -> None:
    """Check nothing."""


def obey(view: View, plan: Plan) -> View:
    """Return `view` as it is the moment after `plan` was carried out."""
    kept = [
        replace(each, resting_since=_rested(each, view.now) if each.id in plan.rest else None)
        for each in view.fetches
        if each.id not in plan.stop
    ]
    unused = max((each.id for each in view.fetches), default=0) + 1
    begun = [fetch_of(start, unused + index) for index, start in enumerate(plan.start)]
    return replace(view, fetches=(*kept, *begun))


def fetch_of(start: Start, number: int) -> Fetch:
    """Return the fetch that `start` asks for, before its first byte."""
    return Fetch(number, start.start, start.start, start.end, start.sequential)


def _rested(fetch: Fetch, now: float) -> float:
    return now if fetch.resting_since is None else fetch.resting_since


@dataclass
class Reader:
    """Reads `(offset, count)` after `(offset, count)`, as much of each as is there, and waits for the rest."""

    reads: list[tuple[int, int]]
    policy: Policy
    position: int = 0
    run_start: int = 0
    first: int = 0
    left: int = 0
    """Bytes still to come of the read under way."""
    waiting_since: int | None = None

    def __post_init__(self) -> None:
        self.first = self.policy.initial_window

    @property
    def playhead(self) -> Playhead:
        return Playhead(self.position, window_after(self.position - self.run_start, self.first, self.limit))

    @property
    def limit(self) -> int | None:
        return self.policy.look_ahead_bytes

    @property
    def finished(self) -> bool:
        return not self.reads and not self.left

    def advance(self, coverage: Coverage, length: int, step: int) -> None:
        """Take what is present of the read under way; wait where nothing is."""
        if not self.left and self.reads:
            self.arrive(*self.reads.pop(0))
        self.left = max(0, min(self.left, length - self.position))
        taken = min(self.left, coverage.end_of_run(self.position) - self.position)
        self.position += taken
        self.left -= taken
        if not self.left or taken:
            self.waiting_since = None
        elif self.waiting_since is None:
            self.waiting_since = step

    def arrive(self, offset: int, count: int) -> None:
        if not self.run_start <= offset <= self.playhead.goal:
            self.run_start, self.first = offset, self.policy.seek_window
        self.position, self.left = offset, count


@dataclass
class World:
    """One resource of `length` bytes, its readers and what flies for them."""

    length: int
    reads: Sequence[Sequence[tuple[int, int]]] = ()
    policy: Policy = field(default_factory=Policy)
    coverage: Coverage = field(default_factory=Coverage)
    seekable: bool = True
    length_told: bool = True
    ride: int = 256 * KIB
    little: int = 32 * KIB
    check: Check = nothing
    random: Random = field(default_factory=lambda: Random(0))
    chunk: int = 256 * KIB
    failing: float = 0.0
    """How likely a fetch is to fail instead of landing a chunk."""
    retry: Retry = field(default_factory=Retry)

    def __post_init__(self) -> None:
        self.readers = [Reader(list(each), self.policy) for each in self.reads]
        self.fetches: list[Fetch] = []
        self.now, self.not_before, self.steps, self.failures = 0.0, 0.0, 0, 0
        self.done = self.complete = False
        self.landed = 0
        self.requests = 0
        self.failed = 0
        self.dropped = 0
        self.ids = 0
        self.log: list[Start] = []

    # -- look, decide, act ---------------------------------------------------------------------------------------------

    def view(self) -> View:
        waiting = sorted((each.waiting_since, each.position) for each in self.readers if each.waiting_since is not None)
        return View(
            length=self.length if self.length_told else None,
            coverage=self.coverage,
            fetches=tuple(self.fetches),
            demands=tuple(position for _, position in waiting),
            playheads=tuple(each.playhead for each in self.readers),
            seekable=self.seekable,
            divisible=self.seekable,
            sequential_done=self.done,
            policy=self.policy,
            now=self.now,
            not_before=self.not_before,
            ride=self.ride,
            little=self.little,
        )

    def act(self) -> Plan:
        view = self.view()
        plan = decide(view)
        self.check(view, plan)
        self.fetches = [
            replace(each, id=each.id if each.id <= self.ids else self._next_id()) for each in obey(view, plan).fetches
        ]
        self.dropped += len(plan.stop)
        self.requests += len(plan.start)
        self.log.extend(plan.start)
        self.complete = plan.complete
        return plan

    def _next_id(self) -> int:
        self.ids += 1
        return self.ids

    # -- what happens --------------------------------------------------------------------------------------------------

    def run(self, limit: int, until: Callable[[], bool] | None = None) -> None:
        """Let things happen until every reader has read all it wants; fail after `limit` steps."""
        over = until or (lambda: all(each.finished for each in self.readers))
        while not over():
            assert self.steps < limit, f"stuck after {limit} steps: {self.view()}"
            self.step()

    def step(self) -> None:
        self.steps += 1
        self.now += 0.01
        for reader in self.readers:
            reader.advance(self.coverage, self.length, self.steps)
        plan = self.act()
        flowing = [each for each in self.fetches if each.resting_since is None]
        if not flowing and plan.wake_at is not None:
            self.now = max(self.now, plan.wake_at)
        for each in flowing:
            self.bring(each)

    def bring(self, fetch: Fetch) -> None:
        """Land a chunk of `fetch`, or let it fail."""
        if self.random.random() < self.failing and self.failures < self.retry.max_failures - 1 and self.failed < 20:
            self.failed += 1
            self.failures += 1
            self.not_before = self.now + self.retry.delay(self.failures)
            self.fetches.remove(fetch)
            return
        end = self.length if fetch.end is None else min(fetch.end, self.length)
        self.fetches.remove(fetch)
        if fetch.position >= end:
            self.length_told = True
            self.done = self.done or (fetch.sequential and end == self.length)
            return
        at = min(end, fetch.position + self.random.randint(1, self.chunk))
        self.failures = 0
        self.landed += at - fetch.position
        self.coverage.add(fetch.position, at)
        self.fetches.append(replace(fetch, position=at))  # it ends when it is looked at next, as bodies do
        self.done = self.done or (fetch.sequential and self.length_told and self.coverage.end_of_run(at) >= self.length)
