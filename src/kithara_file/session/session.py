"""The running life of one resource: look, decide, act.

The hall where the rooms meet; it has no policy of its own. Everything runs on the loop but `poke`.
It may be woken late, twice or for nothing and is still right, because each step looks at what is.
"""

from __future__ import annotations

import asyncio
import logging
from random import random
from typing import TYPE_CHECKING

from kithara_file.clock import Clock, SystemClock
from kithara_file.errors import Cancelled, KitharaError, public_url
from kithara_file.events import EventBus, FetchStarted, Landed, Phase
from kithara_file.session import offline
from kithara_file.session.access import Access
from kithara_file.session.completion import Completion
from kithara_file.session.crowd import Crowd
from kithara_file.session.failures import Failures
from kithara_file.session.flights import Flights
from kithara_file.session.growth import Growth
from kithara_file.session.judge import Judge
from kithara_file.session.landing import Mismatch, land
from kithara_file.session.link import Link
from kithara_file.session.notices import Notices
from kithara_file.session.opening import Opening
from kithara_file.session.promise import Promise, finish
from kithara_file.session.sharing import Sharing
from kithara_file.session.trouble import Trouble
from kithara_file.session.view import View

if TYPE_CHECKING:
    from kithara_file.config import FileConfig
    from kithara_file.net.client import Chunk, Client, NotModified, Response
    from kithara_file.session.audience import Audience
    from kithara_file.session.fetcher import Fetcher
    from kithara_file.session.holding import Holding
    from kithara_file.session.seams import Background
    from kithara_file.storage.resource import Demand

_log = logging.getLogger(__name__)

FLUSH_SECONDS = 0.05
"""The journal lags behind the bytes by at most this long, so that a crash or another process misses little."""


class Session:
    """Fetches one resource for its audience."""

    def __init__(
        self,
        config: FileConfig,
        holding: Holding,
        client: Client,
        background: Background,
        audience: Audience,
        clock: Clock | None = None,
    ) -> None:
        self.config = config
        self.holding = holding
        self.background = background
        self.clock = clock or SystemClock()
        self.events = EventBus()
        self.notices = Notices(self.events, background, self.clock)
        self.link = Link()
        self.trouble = Trouble(config.retry, random)
        self.access = Access(self, config, client)
        self.sharing = Sharing(holding, config.headers)
        self.crowd = Crowd()
        self.flights = Flights(self._launch, self.sharing)
        self.judge = Judge(self, holding)
        self.failures = Failures(self)
        self.completion = Completion(self)
        self.growth = Growth(holding, background)
        self.opening = Opening(self)
        self.opened = Promise()
        """Done when the first answer is in, or none is needed."""
        self.over = self.dead = False
        """Dead: the remote has changed under its readers: the next to open it gets a new session."""
        self.audience = audience
        self._poked = False
        self._wake: asyncio.TimerHandle | None = None
        self._flush: asyncio.TimerHandle | None = None

    # -- from any thread ---------------------------------------------------------------------------------------------

    @property
    def url(self) -> str:
        """Where it is asked for at present."""
        return self.access.url

    def poke(self) -> None:
        """Decide again soon."""
        if self.background.forsaken:
            offline.strand(self)
        elif not self._poked:
            self._poked = True
            self.background.call(self.step)

    @property
    def phase(self) -> Phase:
        """Where the download stands."""
        if self.holding.resource is not None and self.holding.resource.committed:
            return Phase.COMPLETE
        return Phase.GAP_FILLING if self.judge.sequential_done else Phase.SEQUENTIAL

    # -- look, decide, act -------------------------------------------------------------------------------------------

    def step(self) -> None:
        """Look at what is, decide what should be, and make it so."""
        self._poked = False
        if self.over or self.dead:
            return
        resource = self.holding.resource
        if resource is not None:
            resource.catch_up()
            self.opening.look()
        if self.opening.goes_on():
            return
        demands = () if resource is None else resource.demands()
        if self.config.offline_mode:
            offline.step(self, demands, everything=self.audience.everything)
            return
        now = self.clock.monotonic()
        plan = self.sharing.decide(self.look(demands, now))
        self.notices.phase(self.phase)  # before the fetches of that phase are told
        hurry = bool(demands) or not self.opened.done()
        obeyed = self.flights.obey(plan, self.judge.fetcher, now, hurry=hurry)
        self._wake_at(plan.wake_at if obeyed else now, now)
        if plan.complete and resource is not None:
            self.completion.begin(resource)

    def look(self, demands: tuple[Demand, ...], now: float) -> View:
        """Return all that the decision may depend on."""
        policy = self.crowd.bounded(self.audience.policy, flying := self.flights.views, now)
        return View(
            length=self.holding.length,
            coverage=self.judge.coverage,
            fetches=flying,
            demands=self.opening.demand + self.judge.missing(demands),
            playheads=self.audience.playheads,
            seekable=self.judge.seekable,
            divisible=self.judge.divisible,
            sequential_done=self.judge.sequential_done and not self.audience.cautious,
            paused=self.trouble.paused,
            policy=policy,
            now=now,
            not_before=self.trouble.not_before,
            ride=self.link.ride(policy.ride_bytes),
            little=self.link.little,
        )

    def _launch(self, fetcher: Fetcher) -> None:
        self.events.publish(FetchStarted(fetcher.start.start, fetcher.start.end))
        fetcher.go(self.access.url, self.access.client, self)

    def _wake_at(self, moment: float | None, now: float) -> None:
        if self._wake is not None:
            self._wake.cancel()
        self._wake = None if moment is None else self.background.loop.call_later(max(0.0, moment - now), self.step)

    # -- what fetchers tell ------------------------------------------------------------------------------------------

    def answered(self, fetcher: Fetcher, answer: Response | NotModified, seconds: float) -> None:
        """Judge an answer; from then on the session is open."""
        self.link.answered(seconds)
        self.judge.answer(fetcher, answer)
        self.flights.accepted(fetcher)
        self.holding.entry.end_turn()
        self.holding.listen(self.poke)
        self.opening.come_to(fetcher)
        self.step()

    def landed(self, fetcher: Fetcher, chunk: Chunk, seconds: float) -> None:
        """Put a chunk in its place and decide again."""
        resource = self.holding.resource
        if resource is None:
            return
        self.link.landed(chunk.size, seconds)
        proven = fetcher.provable(chunk, resource.coverage)
        if proven is None:
            return
        new = land(resource, proven, compare=fetcher.compare)
        fetcher.position = proven.end
        if new:
            self.failures.landed(fetcher, new)
            self.growth.landed(sum(map(len, new)))
            self._flush = self._flush or self.background.loop.call_later(FLUSH_SECONDS, self._flush_now)
        self.failures.bypassed(resource.fault)
        self.judge.reached(fetcher)
        self.opening.come_to(fetcher)
        self.notices.landed(resource.coverage.total, resource.length, self.clock.monotonic())
        self.step()

    def ended(self, fetcher: Fetcher, error: KitharaError | Mismatch | None) -> None:
        """Take leave of a fetch, and see what that means for the others."""
        self.flights.forget(fetcher)
        for each in fetcher.brought:
            self.events.publish(Landed(each))
        self.failures.end(fetcher, error)
        self.step()

    def _flush_now(self) -> None:
        self._flush = None
        self.flights.flush()

    # -- the end -----------------------------------------------------------------------------------------------------

    async def shut(self) -> None:
        """Stop everything, keep what has landed, and let go. Idempotent."""
        if self.over:
            return
        ending = self.fall_silent()
        error = Cancelled("The session was closed")
        finish(self.opened, error)
        self.holding.fail(error)
        await asyncio.gather(*ending, return_exceptions=True)
        await self.completion.shut(error)
        await self.growth.shut()
        await self.background.on_disk(self._let_go)

    def fall_silent(self) -> list[asyncio.Task[None]]:
        """Stop everything, keep what has landed, and wake nobody; return the tasks which still have to end."""
        self.over = True
        for timer in filter(None, (self._wake, self._flush)):
            timer.cancel()
        self.access.close()
        self.opening.shut()
        self._flush_now()
        return self.flights.drop()

    def _let_go(self) -> None:
        try:
            self.holding.close()
        except (KitharaError, OSError) as failure:
            _log.warning("! closing %s: %s", public_url(self.url), failure)
        finally:
            self.events.close()

    def close_quietly(self) -> None:
        """Let go from the caller's thread, where nothing has ever run. Idempotent."""
        self._let_go()
        self.over = True

    def __repr__(self) -> str:
        known, present = self.holding.length, self.judge.coverage.total
        share = f"{100 * present // known} %" if known else f"{present} bytes"
        return f"<Session {public_url(self.url)} {share} · {self.flights!r}>"
