"""What an answer means for the version we hold: begin, confirm, compare, start anew, or refuse.

Must not know: what to do after a failure, what is wanted next. Called on the loop.
"""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Protocol

from kithara_file.clock import Clock
from kithara_file.config import FileConfig
from kithara_file.errors import InvalidResponse, ResourceChanged
from kithara_file.events import EventBus, RemoteChanged
from kithara_file.net.client import WHOLE, NotModified, Response, Want
from kithara_file.net.remote import Remote
from kithara_file.net.vary import selects
from kithara_file.ranges import ByteRange, Coverage, OpenRange
from kithara_file.session.audience import Audience
from kithara_file.session.fetcher import Fetcher
from kithara_file.session.flights import Flights
from kithara_file.session.holding import Holding
from kithara_file.session.identity import Identity, describe, identify
from kithara_file.session.landing import OVERLAP
from kithara_file.session.portal import expects_media, is_page
from kithara_file.session.trouble import Trouble
from kithara_file.session.view import Start
from kithara_file.storage.resource import Demand

RESTARTS = 3
"""An origin that had another version each time is asked for whole bodies only; after twice as many, for none."""


class Bench(Protocol):
    """What the judge sees of the session."""

    config: FileConfig
    clock: Clock
    events: EventBus
    audience: Audience
    trouble: Trouble

    @property
    def url(self) -> str:
        """Where it is asked for."""

    @property
    def flights(self) -> Flights:
        """The fetches, which are all of the version held."""


class Judge:
    """Knows the version: asks for it, recognizes it, and replaces it."""

    def __init__(self, bench: Bench, holding: Holding) -> None:
        self._bench = bench
        self._holding = holding
        self.ignores_ranges = False
        """True once a range was answered with the whole body, or with nonsense."""
        self.doubtful = False
        """True once a part did not tell its version though ours has a name: from then on its beginning is compared."""
        self.restarts = 0
        """How often a version was replaced by another one before a reader had read of it."""
        self.sequential_done = False
        """True once the sequential download has reached the end, maybe with gaps behind it."""

    # -- what is asked -----------------------------------------------------------------------------------------------

    def must_ask(self) -> bool:
        """Tell whether the origin has to be asked before the first read (RFC 9111, 4)."""
        held, config = self._holding.remote, self._bench.config
        if config.offline_mode:
            return False
        if held is None or config.revalidate == "always" or not selects(held.selected_by, config.headers):
            return True
        return config.revalidate == "auto" and not held.freshness.fresh(self._bench.clock.wall())

    def revalidation(self, number: int) -> Fetcher:
        """Return the fetch which asks whether the complete resource is still current (RFC 9110, 13)."""
        held = self._holding.remote
        return Fetcher(number, Start(0, None, sequential=True), WHOLE, held.validator if held else None)

    def fetcher(self, number: int, start: Start) -> Fetcher:
        """Return the fetch that carries out `start`: a plain GET from nothing, else a range of the version held."""
        held = self._holding.remote
        if held is None or not self.seekable or (start.start == 0 and start.end is None and not self.coverage.total):
            return Fetcher(number, start, WHOLE, None)
        first = start.start
        if self.doubtful or not held.validator.strong:
            first = max(self.coverage.start_of_run(first), first - OVERLAP)
            last = start.end if start.end is None else min(self.coverage.end_of_run(start.end), start.end + OVERLAP)
            start = replace(start, end=last)
        want: Want = OpenRange(first) if start.end is None else ByteRange(first, start.end)
        return Fetcher(number, start, want, held.validator)

    # -- what is known -----------------------------------------------------------------------------------------------

    @property
    def coverage(self) -> Coverage:
        """What is present."""
        resource = self._holding.resource
        return Coverage() if resource is None else resource.coverage

    @property
    def frontier(self) -> int:
        """Where the bytes that are present from the beginning on end."""
        return self.coverage.end_of_run(0)

    @property
    def seekable(self) -> bool:
        """False when only a whole body can bring anything; origins that do not speak of ranges are tried once."""
        held = self._holding.remote
        return not self.ignores_ranges and (held is None or held.ranges or held.length is not None)

    @property
    def divisible(self) -> bool:
        """True when parts from different places can be told to be of one version."""
        held = self._holding.remote
        return held is not None and held.ranges and held.validator.strong and self.seekable and not self.doubtful

    def missing(self, demands: tuple[Demand, ...]) -> tuple[int, ...]:
        """Return the first missing byte of each demand."""
        wanted = (self.frontier if each.wanted is None else self._missing_of(each.wanted) for each in demands)
        return tuple(each for each in wanted if each is not None)

    def _missing_of(self, wanted: ByteRange) -> int | None:
        end = wanted.end if self._holding.length is None else min(wanted.end, self._holding.length)
        gap = self.coverage.gap(wanted.start, end)
        return None if gap is None else gap.start

    def reached(self, fetcher: Fetcher) -> None:
        """Note how far the sequential download has come."""
        length = self._holding.length
        if fetcher.start.sequential and length is not None and self.coverage.end_of_run(fetcher.position) >= length:
            self.sequential_done = True

    # -- what is answered --------------------------------------------------------------------------------------------

    def answer(self, fetcher: Fetcher, answer: Response | NotModified) -> None:
        """Take an answer in; raises `ResourceChanged` or `InvalidResponse` when its body must not be used."""
        held, found = self._holding.remote, answer.remote
        if isinstance(answer, NotModified):
            self._confirm(found)
            return
        proven = self._proven
        identity = Identity.CHANGED if held is None else identify(held, found, self.coverage.end, proven)
        ignored = fetcher.want is not WHOLE and answer.start != fetcher.want.start
        meant = None if held is None else held.media_type
        if identity is Identity.FOREIGN or (meant is None and is_page(found.media_type) and self._means_media()):
            reason = f"it is {found.media_type} where {meant or 'audio or video'} was expected"
            raise InvalidResponse(reason, url=self._bench.url)
        if identity is Identity.ABSURD:
            reason = f"it gives {found.length} bytes to the version of which {proven} are here"
            raise InvalidResponse(reason, url=self._bench.url)
        if identity is Identity.UNPROVEN and held is not None and _unnamed(held, found):
            identity = self._weighed(fetcher, answer.start)
        fetcher.accept(answer, compare=ignored or identity is Identity.UNPROVEN or not found.validator.strong)
        if identity is not Identity.CHANGED:
            if not (fetcher.compare and self._holding.complete):
                self._confirm(found, whole=ignored or fetcher.want is WHOLE)
            self.ignores_ranges = self.ignores_ranges or ignored
        elif self.settled:
            raise self.changed(found)
        else:
            self.begin(found, fetcher)

    def agreed(self, fetcher: Fetcher) -> None:
        """Take in that the body of `fetcher` is equal to all that it overlaps, if that was all there is."""
        if fetcher.remote is not None and fetcher.compare and self._holding.complete:
            self._confirm(fetcher.remote, whole=fetcher.want is WHOLE)

    @property
    def _proven(self) -> int | None:
        """How long the version held is, when all of it is and our request would be given it; else None.

        None of an empty one, too: it may be the mistake, and when it is replaced no byte is lost.
        """
        held, holding = self._holding.remote, self._holding
        ours = held is not None and holding.complete and selects(held.selected_by, self._bench.config.headers)
        return holding.length or None if ours else None

    def _confirm(self, found: Remote, *, whole: bool = False) -> None:
        """Take in an answer of the version held; only one that is `whole` has said all there is to say."""
        held = self._holding.remote
        told = found if whole or held is None else held.updated(found, self._bench.config.headers)
        self._holding.confirm(told)

    def _means_media(self) -> bool:
        config = self._bench.config
        return expects_media(os.fspath(config.url), config.headers)

    def _weighed(self, fetcher: Fetcher, start: int) -> Identity:
        """Return what an answer is that leaves its version out though ours has a name.

        It may be used when it begins with bytes that are held, for then they are compared before any is believed.
        """
        if not self.coverage.total:
            return Identity.CHANGED
        if self.coverage.end_of_run(start) > start:
            return Identity.UNPROVEN
        fetcher.unnamed = True
        raise InvalidResponse("it does not say of which version it is", url=self._bench.url)

    def go_round(self, fetcher: Fetcher) -> bool:
        """Ask in another way from now on, since the answer to a range was of no use; False when none is left."""
        if fetcher.want is WHOLE:
            return False
        first = fetcher.want.start
        comparable = fetcher.unnamed and self.coverage.start_of_run(first) < first
        self.doubtful = self.doubtful or comparable
        self.ignores_ranges = self.ignores_ranges or not comparable
        return True

    @property
    def settled(self) -> bool:
        """True when no other version may take the place of the one held: it was read, or changes would never end."""
        return self._bench.audience.has_read or self.restarts >= 2 * RESTARTS

    def changed(self, found: Remote | None) -> ResourceChanged:
        """Return the error for readers of the version held, when `found` is there instead."""
        held = self._holding.remote
        there = "other bytes" if found is None or held is None or found == held else describe(found)
        return ResourceChanged(url=self._bench.url, expected=describe(held) if held else "nothing", found=there)

    def begin(self, found: Remote, fetcher: Fetcher | None) -> None:
        """Hold `found` from now on; readers who have read nothing follow, and `fetcher` (of that version) goes on."""
        older, error = self._holding.resource, self.changed(found)
        self._holding.begin(found)
        self.restarts += older is not None
        self.ignores_ranges = self.restarts >= RESTARTS  # of mirrors that disagree, one alone can give all the bytes
        self.sequential_done = False
        self._bench.flights.drop(but=fetcher)
        if older is not None:
            self._bench.trouble.renew()
            older.fail(error)
            self._bench.events.publish(RemoteChanged(error.expected, error.found, restarted=True))


def _unnamed(held: Remote, found: Remote) -> bool:
    """Tell whether an answer leaves its version out though the origin has a name for ours (RFC 9110, 15.3.7)."""
    return held.validator.strong or (held.validator.etag is not None and found.validator.etag is None)
