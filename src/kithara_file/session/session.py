"""The running life of one resource: look, decide, act.

The hall where the rooms meet; it has no policy of its own. All of it runs on the loop but the part "from any thread".
It may be woken late, twice or for nothing and is still right, because each step looks at what is.
"""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import Future
from dataclasses import replace
from random import random
from typing import TYPE_CHECKING, Protocol, TypeVar

from kithara_file.clock import Clock, SystemClock
from kithara_file.config import FileConfig
from kithara_file.errors import Cancelled, KitharaError, OfflineMiss, ResourceChanged, public_url
from kithara_file.events import CacheBypassed, DownloadComplete, EndOfStream, EventBus, FetchStarted, Landed, Phase
from kithara_file.net.client import Chunk, Client, NotModified, Response
from kithara_file.ranges import ByteRange
from kithara_file.session.failures import Failures, finish
from kithara_file.session.fetcher import Fetcher
from kithara_file.session.holding import Holding
from kithara_file.session.judge import Judge
from kithara_file.session.landing import land
from kithara_file.session.link import Link
from kithara_file.session.notices import Notices
from kithara_file.session.plan import decide
from kithara_file.session.reader import Reader
from kithara_file.session.statistics import Statistics
from kithara_file.session.trouble import Trouble
from kithara_file.session.view import Plan, View

if TYPE_CHECKING:
    from collections.abc import Callable

    from kithara_file.clock import CancelToken
    from kithara_file.net.remote import Remote
    from kithara_file.storage.resource import Demand, Resource

T = TypeVar("T")
_log = logging.getLogger(__name__)

FLUSH_SECONDS = 0.05
"""The journal lags behind the bytes by at most this long, so that a crash or another process misses little."""


class Background(Protocol):
    """Where a session runs."""

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The loop of every session."""

    def call(self, function: Callable[..., object], *args: object) -> None:
        """Run `function` on the loop soon; from any thread, also from a finalizer."""

    async def on_disk(self, work: Callable[[], T]) -> T:
        """Run blocking work off the loop."""

    @property
    def alive(self) -> bool:
        """False when nothing that is called will run: in the child of a fork, and at the end of the interpreter."""

    @property
    def here(self) -> bool:
        """True on the thread of the loop."""


class House(Protocol):
    """Who counts the holders of a session."""

    def hold(self, session: Session, holder: object) -> None:
        """Let `holder` hold the session too."""

    def leave(self, session: Session, holder: object, *, wait: bool) -> None:
        """Take `holder` off; the last one ends the session."""

    def end(self, session: Session, *, wait: bool) -> None:
        """Shut the session down, whoever holds it."""


class Session:
    """Fetches one resource for all its readers."""

    def __init__(
        self,
        config: FileConfig,
        url: str,
        holding: Holding,
        client: Client,
        background: Background,
        house: House,
        clock: Clock | None = None,
    ) -> None:
        self.config = config
        self.url = url
        self.shown_url = public_url(url)
        self.holding = holding
        self.client = client
        self.background = background
        self.house = house
        self.clock = clock or SystemClock()
        self.events = EventBus()
        self.notices = Notices(self.events)
        self.link = Link()
        self.trouble = Trouble(config.retry, random)
        self.judge = Judge(self, holding)
        self.failures = Failures(self)
        self.readers: frozenset[Reader] = frozenset()
        self.fetchers: dict[int, Fetcher] = {}
        self.opened: Future[None] = Future()
        """Done when the first answer is in, or none is needed."""
        self.completed: Future[None] = Future()
        """Done when everything is committed; its exception is why that was given up."""
        self.closed: Future[None] = Future()
        """Done when nothing of this session runs any more."""
        self.everything = False
        """True while somebody wants the whole resource, whatever the readers' look-ahead is."""
        self.over = False
        self.dead = False
        """True when the remote has changed under its readers: whoever opens it next gets a new session."""
        self.network_bytes = 0
        self._numbers = 0
        self._poked = False
        self._wake: asyncio.TimerHandle | None = None
        self._flush: asyncio.TimerHandle | None = None
        self._committing: asyncio.Task[None] | None = None
        self._policy = config.policy
        self._bulk = replace(config.policy, look_ahead_bytes=None)

    # -- from any thread ---------------------------------------------------------------------------------------------

    @property
    def resource(self) -> Resource:
        """The bytes of the current version; there are some once `opened` is done."""
        resource = self.holding.resource
        if resource is None:
            raise Cancelled("The session ended before it knew its resource")
        return resource

    @property
    def phase(self) -> Phase:
        """Where the download stands."""
        if self.holding.resource is not None and self.holding.resource.committed:
            return Phase.COMPLETE
        return Phase.GAP_FILLING if self.judge.sequential_done else Phase.SEQUENTIAL

    def poke(self) -> None:
        """Decide again soon."""
        if not self._poked:
            self._poked = True
            self.background.call(self.step)

    def read_to(self, position: int, *, end: bool) -> None:
        """Hear how far a reader has come."""
        self.notices.read(position, self.holding.length, self.clock.monotonic())
        if end:
            self.events.publish(EndOfStream(position))
        self.poke()

    @property
    def remote(self) -> Remote | None:
        """What is known of the version held."""
        return self.holding.remote

    def reader(self, config: FileConfig, cancel: CancelToken) -> Reader:
        """Return a new reader, which holds the session until it is closed."""
        reader = Reader(self, config, cancel)
        self.house.hold(self, reader)
        self.readers |= {reader}
        self.poke()
        return reader

    def leave(self, holder: object, *, wait: bool) -> None:
        """Take leave of a reader or handle; the last one ends the session unless it is to go on alone."""
        self.readers -= {holder}
        self.house.leave(self, holder, wait=wait)
        self.poke()

    def stays(self) -> bool:
        """Tell whether the download goes on with nobody left, to end by itself."""
        if not self.config.detach or self.over or self.dead or self.completed.done():
            return False
        self.want_everything().add_done_callback(lambda _: self.house.leave(self, None, wait=False))
        return True

    def want_everything(self) -> Future[None]:
        """Lift every look-ahead; return a future that is done when all is committed, or was given up."""
        if self.completed.done() and self.completed.exception() is not None and not self.over:
            self.completed = Future()
            self.background.call(self.trouble.forgive)
        self.everything = True
        self.poke()
        return self.completed

    def cancel(self) -> None:
        """End a download that goes on with nobody left."""
        if not self.readers:
            self.house.end(self, wait=False)

    # -- look, decide, act -------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin: ask the origin what has to be asked before the first read."""
        if self.holding.resource is not None:
            self.holding.resource.on_demand = self.poke
        if not self.judge.must_ask():
            finish(self.opened, None)
        elif self.holding.complete:
            self.launch(self.judge.revalidation(self._number()))
        self.step()

    def step(self) -> None:
        """Look at what is, decide what should be, and make it so."""
        self._poked = False
        if self.over:
            return
        demands = self.holding.resource.demands() if self.holding.resource is not None else ()
        if self.config.offline_mode:
            self._miss(demands)
        else:
            self._act(decide(self.look(demands)))

    def look(self, demands: tuple[Demand, ...]) -> View:
        """Return all that the decision may depend on."""
        holding, policy = self.holding, self._bulk if self.everything else self._policy
        return View(
            length=holding.length,
            coverage=self.judge.coverage,
            fetches=tuple(each.view for each in self.fetchers.values()),
            demands=self._opening() + self.judge.missing(demands),
            playheads=tuple(each.playhead for each in self.readers),
            seekable=self.judge.seekable,
            sequential_done=self.judge.sequential_done,
            paused=self.trouble.paused,
            policy=policy,
            now=self.clock.monotonic(),
            not_before=self.trouble.not_before,
            ride=self.link.ride(policy.ride_bytes),
            little=self.link.little,
        )

    def _opening(self) -> tuple[int, ...]:
        """Return the demand that opening makes: for the first missing byte, whose answer proves the version."""
        return () if self.opened.done() or self.holding.complete else (self.judge.frontier,)

    def _act(self, plan: Plan) -> None:
        now = self.clock.monotonic()
        for number in plan.stop:
            self.fetchers.pop(number).stop()
        for each in self.fetchers.values():
            each.rest(each.id in plan.rest, now)
        for start in plan.start:
            self.launch(self.judge.fetcher(self._number(), start))
        hurried = bool(self.holding.resource is None or self.holding.resource.demands())
        for each in self.fetchers.values():
            each.hurry(hurried and each.id not in plan.rest)
        self._wake_at(plan.wake_at, now)
        if plan.complete and self._committing is None and self.holding.resource is not None:
            self._committing = self.background.loop.create_task(self._commit())
        self.notices.phase(self.phase)

    def launch(self, fetcher: Fetcher) -> None:
        """Set one fetch off."""
        self.fetchers[fetcher.id] = fetcher
        self.events.publish(FetchStarted(fetcher.start.start, fetcher.start.end))
        fetcher.go(self.url, self.client, self)

    def _number(self) -> int:
        self._numbers += 1
        return self._numbers

    def _wake_at(self, moment: float | None, now: float) -> None:
        if self._wake is not None:
            self._wake.cancel()
        loop = self.background.loop
        self._wake = None if moment is None else loop.call_later(max(0.0, moment - now), self.step)

    def _miss(self, demands: tuple[Demand, ...]) -> None:
        for each in demands:
            start = each.wanted.start if each.wanted is not None else self.judge.frontier
            end = each.wanted.end if each.wanted is not None else None
            self.resource.refuse(OfflineMiss(url=self.url, start=start, end=end), each)

    # -- what fetchers tell ------------------------------------------------------------------------------------------

    def answered(self, fetcher: Fetcher, answer: Response | NotModified, seconds: float) -> None:
        """Judge an answer; from then on the session is open."""
        self.link.answered(seconds)
        self.judge.answer(fetcher, answer)
        if self.holding.resource is not None:
            self.holding.resource.on_demand = self.poke
        self.settle_opening()
        self.step()

    def landed(self, fetcher: Fetcher, chunk: Chunk, seconds: float) -> None:
        """Put a chunk in its place and decide again."""
        resource = self.resource
        new = land(resource, chunk, compare=fetcher.compare)
        fetcher.position = chunk.end
        fetcher.landed += new
        self.network_bytes += chunk.size
        self.link.landed(chunk.size, seconds)
        if new:
            self.failures.landed()
            self._flush = self._flush or self.background.loop.call_later(FLUSH_SECONDS, self._flush_now)
        self.judge.reached(fetcher)
        self.notices.landed(resource.coverage.total, resource.length, self.clock.monotonic())
        self.step()

    def ended(self, fetcher: Fetcher, error: KitharaError | None) -> None:
        """Take leave of a fetch, and see what that means for the others."""
        self.fetchers.pop(fetcher.id, None)
        if fetcher.landed:
            self.events.publish(Landed(ByteRange(fetcher.start.start, fetcher.start.start + fetcher.landed)))
        self.failures.end(fetcher, error)
        self.step()

    def mismatched(self, fetcher: Fetcher) -> ResourceChanged:
        """Return the error for a body that differs from the bytes held."""
        return self.judge.changed(fetcher.remote)

    def somebody_read(self) -> bool:
        """Tell whether bytes of the version held were handed to a reader."""
        return any(each.has_consumed for each in self.readers)

    def serves(self, demand: Demand) -> bool:
        """Tell whether a fetch that is flying will bring what `demand` waits for."""
        (offset,) = self.judge.missing((demand,)) or (0,)
        return any(each.position <= offset < (each.end or offset + 1) for each in self.fetchers.values())

    def drop_fetchers(self, *, but: Fetcher | None) -> None:
        """Stop every fetch but one."""
        for each in [each for each in self.fetchers.values() if each is not but]:
            self.fetchers.pop(each.id).stop()

    def settle_opening(self, error: KitharaError | None = None) -> None:
        """Let whoever opens go on, or tell them why they cannot."""
        finish(self.opened, error)

    def _flush_now(self) -> None:
        self._flush = None
        if self.holding.resource is not None:
            self.holding.resource.flush()

    # -- the end -----------------------------------------------------------------------------------------------------

    async def _commit(self) -> None:
        resource = self.resource
        error: KitharaError | None = None
        if not resource.committed:
            try:
                await self.background.on_disk(self.holding.commit)
            except KitharaError as failure:
                error = failure
                self.events.publish(CacheBypassed(failure))
        if error is None:
            length = resource.length or 0
            self.notices.landed(length, length, self.clock.monotonic(), last=True)
            self.notices.phase(Phase.COMPLETE)
            self.events.publish(DownloadComplete(length))
        finish(self.completed, error)

    def retire(self) -> None:
        """Take in that this session can do no more for anybody."""
        self.dead = True

    async def shut(self) -> None:
        """Stop everything, keep what has landed, and let go. Idempotent."""
        if self.over:
            return
        self.over = True
        for timer in (self._wake, self._flush):
            if timer is not None:
                timer.cancel()
        self.failures.close()
        stopping = [task for each in self.fetchers.values() if (task := each.stop()) is not None]
        self.fetchers.clear()
        error = Cancelled("The session was closed")
        self.settle_opening(error)
        if self.holding.resource is not None:
            self.holding.resource.fail(error)
        await asyncio.gather(*stopping, return_exceptions=True)
        if self._committing is not None:
            await asyncio.gather(self._committing, return_exceptions=True)
        finish(self.completed, error)
        try:
            await self.background.on_disk(self.holding.close)
        except KitharaError as failure:
            _log.warning("! closing %s: %s", self.shown_url, failure)
        finally:
            self.events.close()
            finish(self.closed, None)

    def statistics(self) -> Statistics:
        """Return a snapshot; from any thread."""
        resource, fetchers = self.holding.resource, list(self.fetchers.values())
        return Statistics(
            phase=self.phase,
            length=self.holding.length,
            present_bytes=resource.snapshot().total if resource is not None else 0,
            network_bytes=self.network_bytes,
            fetches_started=self._numbers,
            fetches_flying=len(fetchers),
            fetches_resting=sum(each.view.resting_since is not None for each in fetchers),
            readers_waiting=len(resource.demands()) if resource is not None else 0,
            failures=self.trouble.failures,
            round_trip_seconds=self.link.round_trip,
            bytes_per_second=self.link.rate,
        )

    def __repr__(self) -> str:
        known, present = self.holding.length, self.judge.coverage.total
        share = f"{100 * present // known} %" if known else f"{present} bytes"
        return f"<Session {self.shown_url} {share} · {len(self.fetchers)} fetching>"
