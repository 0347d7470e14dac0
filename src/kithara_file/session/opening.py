"""The first contact: what has to be asked before the first read, and who asks.

Must not know: how an answer is judged, what is fetched later. Called on the loop.
"""

from __future__ import annotations

import asyncio
from math import inf
from typing import TYPE_CHECKING

from kithara_file.session.promise import finish

if TYPE_CHECKING:
    from kithara_file.session.fetcher import Fetcher
    from kithara_file.session.session import Session

TURN_SECONDS = 0.01
"""How soon to look again whether the process that asks first has an answer."""
PATIENCE_SECONDS = 5.0
"""How long to wait for that process; it may be stopped."""


class Opening:
    """Brings a session to where its version is known."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._since: float | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._later: asyncio.TimerHandle | None = None
        self._had = 0
        self._joined = False
        self._revalidating = False

    @property
    def busy(self) -> bool:
        """True while nothing is to be decided: another process asks, or we ask whether all that is here is current."""
        asking = self._revalidating and self._session.holding.complete  # what is begun anew is complete no more
        return self._timer is not None or (asking and not self._session.opened.done())

    @property
    def demand(self) -> tuple[int, ...]:
        """The demand that opening makes: for the first missing byte, whose answer proves the version."""
        return () if self._session.opened.done() else (self._session.judge.frontier,)

    def start(self) -> None:
        """Ask the origin what has to be asked, unless another process does."""
        session, self._timer = self._session, None
        if session.over:
            return
        if self._waits():
            self._timer = session.background.loop.call_later(TURN_SECONDS, self.start)
            return
        session.holding.listen(session.poke)
        self._had = session.judge.coverage.total
        if (self._joined and session.sharing.fits) or not session.judge.must_ask():
            finish(session.opened, None)
        session.step()

    def come_to(self, fetcher: Fetcher) -> None:
        """Take in how far the body that answers has come; what it overlaps of held bytes is compared first, all of it.

        Only then is it known that what is held is what the answer speaks of, so that it may be used as long as it says.
        """
        session = self._session
        if session.opened.done() or (fetcher.compare and fetcher.position in session.judge.coverage):
            return
        session.judge.agreed(fetcher)
        finish(session.opened, None)

    def goes_on(self) -> bool:
        """Tell whether there is nothing to decide yet; ask, or ask again, whether all that is here is current.

        What is complete wants no fetch, so that no plan would bring back a question which broke off.
        """
        session = self._session
        if not self.busy:
            return False
        if self._timer is None and not session.flights.views:
            wait = session.trouble.not_before - session.clock.monotonic()
            if wait <= 0:
                session.flights.add(session.judge.revalidation(session.flights.started + 1))
            elif wait < inf:
                self._again(wait)
        return True

    def _again(self, wait: float) -> None:
        if self._later is not None:
            self._later.cancel()
        self._later = self._session.background.loop.call_later(wait, self._session.step)

    def look(self) -> None:
        """Take what another process lands meanwhile for the answer: it has asked, and was told that this is current.

        When what it lands is another selection than ours, and complete, there is nothing left to fetch but to ask.
        """
        session = self._session
        if session.opened.done() or self.busy:
            return
        if session.sharing.fits and session.judge.coverage.total > self._had:
            finish(session.opened, None)
        else:
            self._revalidating = session.holding.complete

    def _waits(self) -> bool:
        """Tell whether to wait for another process, which asks first; join what it has stored once it has."""
        session, now = self._session, self._session.clock.monotonic()
        if session.holding.resource is not None or session.config.offline_mode:
            return False
        self._since = now if self._since is None else self._since
        if not session.holding.entry.take_turn() and now - self._since < PATIENCE_SECONDS:
            return True
        self._joined = session.holding.join()
        if self._joined:
            session.holding.entry.end_turn()
        return False

    def shut(self) -> None:
        """Wait no more."""
        for timer in filter(None, (self._timer, self._later)):
            timer.cancel()
        self._timer = self._later = None
