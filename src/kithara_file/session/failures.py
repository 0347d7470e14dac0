"""What a failed fetch means for those who wait: try again, another way, with another URL, or tell them.

Must not know: how a fetch is carried out, what is planned. Called on the loop.
"""

from __future__ import annotations

import logging
from math import inf
from typing import TYPE_CHECKING

from kithara_file.errors import (
    InvalidResponse,
    KitharaError,
    NetError,
    RangeNotSatisfiable,
    ResourceChanged,
    StatusError,
    StorageError,
    Unavailable,
)
from kithara_file.events import CacheBypassed, DownloadError, Error, RemoteChanged, ServedStale
from kithara_file.net.client import WHOLE
from kithara_file.net.vary import selects
from kithara_file.ranges import ByteRange, Coverage
from kithara_file.session.landing import Mismatch
from kithara_file.session.promise import finish

if TYPE_CHECKING:
    from kithara_file.session.fetcher import Fetcher
    from kithara_file.session.session import Session
    from kithara_file.storage.resource import Demand

_log = logging.getLogger(__name__)


class Failures:
    """Decides what follows from the end of a fetch."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def end(self, fetcher: Fetcher, error: KitharaError | Mismatch | None) -> None:
        """Take in that a fetch is over."""
        if error is None:
            self._ended_cleanly(fetcher)
        elif isinstance(error, Mismatch):
            self._retract(fetcher, error)
            self._changed(fetcher, self._session.judge.changed(fetcher.remote))
        elif isinstance(error, ResourceChanged):
            self._changed(fetcher, error)
        elif isinstance(error, RangeNotSatisfiable):
            self._beyond(fetcher, error)
        else:
            self._failed(fetcher, error)

    def _ended_cleanly(self, fetcher: Fetcher) -> None:
        session, holding = self._session, self._session.holding
        known = session.judge.coverage.end if holding.length is None else holding.length
        if fetcher.whole and fetcher.position < known:  # a whole that is too short for the bytes of our version
            self._changed(fetcher, session.judge.changed(fetcher.remote))
        elif fetcher.whole and holding.length is None:
            holding.announce(fetcher.position)
        elif fetcher.answered and not fetcher.whole and fetcher.position <= fetcher.start.start:
            self._failed(fetcher, InvalidResponse("a range without a byte", url=session.url, stage="body"))
        elif fetcher.answered and fetcher.want is WHOLE and not (fetcher.whole or fetcher.landed):
            reason = "a part where the whole was asked for"  # and the same part when it is asked again, for ever
            self._failed(fetcher, InvalidResponse(reason, url=session.url, stage="body"))

    def _retract(self, fetcher: Fetcher, error: Mismatch) -> None:
        """Take back what a fetch had landed before it met bytes that differ from those held: it is of their version."""
        resource = self._session.holding.resource
        if error.differs and fetcher.landed and resource is not None:
            resource.take_back(*fetcher.brought)

    def _changed(self, fetcher: Fetcher, error: ResourceChanged) -> None:
        session = self._session
        if fetcher.remote is not None and not session.judge.settled:
            try:
                session.judge.begin(fetcher.remote, None)
            except KitharaError as failure:
                self.give_up(failure)
            return
        session.dead = True  # before its readers wake: who has read nothing goes over to the next session
        session.events.publish(RemoteChanged(error.expected, error.found, restarted=False))
        session.flights.drop()
        if session.holding.resource is not None:
            session.holding.resource.fail(error)
        finish(session.opened, error)
        session.completion.give_up(error)

    def _beyond(self, fetcher: Fetcher, error: RangeNotSatisfiable) -> None:
        """Weigh a 416: it may tell the length, or a change, or that the origin cannot count (RFC 9110, 15.5.17).

        One that says no length proves no end: there are origins which refuse every range in this way. Nor does one that
        puts it between what is held and what was asked for: it may be that of another version, for a 416 seldom tells
        of which it speaks.
        """
        session, holding = self._session, self._session.holding
        open_ended = holding.resource is not None and holding.length is None
        held, asked = session.judge.coverage.end, fetcher.start.start
        if open_ended and error.length is not None and held <= error.length and error.length in (held, asked):
            holding.announce(error.length)
            finish(session.opened, None)  # this is an answer, and the last one that was wanted if nothing is missing
        else:
            session.judge.ignores_ranges = True  # the whole body tells whether it has changed, and brings the bytes
            self._failed(fetcher, error, again=True)

    def _failed(self, fetcher: Fetcher, error: KitharaError, *, again: bool = False) -> None:
        session = self._session
        if session.access.refused(fetcher, error):
            return
        if isinstance(error, InvalidResponse) and session.judge.go_round(fetcher):
            again = True
        elif not (again or self._worth_another_try(error)):
            self.give_up(error)
            return
        in_body = isinstance(error, NetError) and error.stage == "body"
        now = session.clock.monotonic()
        crowded = not (fetcher.answered or again) and session.crowd.refused(session.flights.views, now)
        # The client has retried the others; but one request less at once is another way to ask.
        tries = 1 if in_body or again or crowded else 1 + session.config.retry.retries
        _log.debug("! %s", error)
        at = fetcher.view.position
        opening = not session.opened.done() and not in_body and not again
        if session.trouble.failed(now, at, landed=fetcher.landed, tries=tries, told=_told(error)) or opening:
            self.give_up(error)
        else:
            session.events.publish(Error(error, recoverable=True))

    def _worth_another_try(self, error: KitharaError) -> bool:
        """Tell whether the same request may do better soon; not when the origin itself says that it will be long."""
        return error.recoverable and _told(error) <= self._session.config.retry.max_retry_after

    def landed(self, fetcher: Fetcher, new: list[ByteRange]) -> None:
        """Take in what a fetch has landed: what failed there is over."""
        for each in new:
            fetcher.brought.add(each.start, each.end)
            self._session.trouble.landed(fetcher.id, each)
        self._session.access.landed()

    def bypassed(self, fault: StorageError | None) -> None:
        """Take in that the disk takes no more: what lands is kept in a window of memory from now on."""
        session = self._session
        if fault is not None and not session.audience.cautious:
            session.audience.cautious = True
            session.events.publish(CacheBypassed(fault))
            session.completion.give_up(fault)

    def give_up(self, error: KitharaError) -> None:
        """Tell everybody whom no other fetch serves; a later demand is worth another try."""
        session = self._session
        session.trouble.give_up(session.flights.started)
        session.events.publish(Error(error, recoverable=False))
        session.events.publish(DownloadError(error))
        if not session.opened.done() and session.holding.resource is not None and self._may_serve_stale(error):
            session.events.publish(ServedStale(error))
            finish(session.opened, None)
        finish(session.opened, error)
        resource = session.holding.resource
        if resource is not None:
            stranded = [each for each in resource.demands() if not self._served(each)]
            resource.refuse(error, *stranded)
        session.completion.give_up(error)

    def _may_serve_stale(self, error: KitharaError) -> bool:
        """Tell whether the origin could not be asked, rather than that it said no, and has not forbidden to go on then.

        RFC 9111, 4.2.4 and RFC 5861, 4: stale is what a failing origin or line leaves, unless it was told otherwise.
        """
        session, held = self._session, self._session.holding.remote
        refused = isinstance(error, StatusError) and not isinstance(error, Unavailable)
        if not isinstance(error, NetError) or refused or held is None:
            return False
        return held.freshness.stands_in(session.clock.wall()) and selects(held.selected_by, session.config.headers)

    def _served(self, demand: Demand) -> bool:
        """Tell whether the planner lets `demand` ride; if it does not, it would ask again and again for nothing."""
        judge, flights = self._session.judge, self._session.flights
        ride = self._session.link.ride(self._session.config.policy.ride_bytes)
        within, present = (ride, judge.coverage) if judge.seekable else (inf, Coverage())
        return all(flights.bring(offset, within, present) for offset in judge.missing((demand,)))


def _told(error: KitharaError) -> float:
    """Return the seconds which the origin asks to wait, 0 when it says nothing."""
    return error.retry_after or 0.0 if isinstance(error, StatusError) else 0.0
