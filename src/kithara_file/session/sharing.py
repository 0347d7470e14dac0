"""One resource fetched by several processes: what others bring is waited for, what we bring is told to them.

Claims on the file say who is fetching what, the journal says what has landed. A claim is held only while its fetch
flows, so that whoever rests, stalls or dies is taken over from.

Must not know: requests, readers. Called on the loop.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from kithara_file.net.vary import selects
from kithara_file.session.plan import FAR, decide
from kithara_file.session.view import Fetch, Plan, View
from kithara_file.storage.claims import LANE, Claim, Claims

if TYPE_CHECKING:
    from kithara_file.ranges import ByteRange
    from kithara_file.session.fetcher import Fetcher
    from kithara_file.session.holding import Holding

PATIENCE_SECONDS = 2.0
"""A claim which has brought nothing for this long is not waited for any more: its process may be stopped or stuck."""
ROUNDS = 4
"""How often a plan is made again because it met claims that it had not known."""


class Sharing:
    """Decides with the fetches of other processes in view, and claims our own."""

    def __init__(self, holding: Holding, headers: Mapping[str, str]) -> None:
        self._holding = holding
        self._headers = headers
        self._held: dict[int, Claim] = {}
        self._inside: set[int] = set()
        self._seen: dict[ByteRange, tuple[int, float]] = {}

    @property
    def _claims(self) -> Claims | None:
        return None if self._holding.resource is None or not self.fits else self._holding.resource.claims

    @property
    def fits(self) -> bool:
        """True while what is held is what our request would be given (RFC 9111, 4.1): only then others fetch for us."""
        return self._holding.remote is None or selects(self._holding.remote.selected_by, self._headers)

    def decide(self, view: View) -> Plan:
        """Return the plan for `view`, in which nothing is fetched that another process is about to bring."""
        plan, claims = decide(view), self._claims
        for _ in range(ROUNDS):
            if claims is None or not plan.start:
                break
            met = {range_ for start in plan.start for range_ in claims.others(start.start, start.end or FAR)}
            foreign = self._bringing(met | {each for each in self._seen if view.foreign}, view)
            if set(foreign) <= set(view.foreign):
                break
            view = replace(view, foreign=foreign)
            plan = decide(view)
        return plan

    def _bringing(self, claimed: set[ByteRange], view: View) -> tuple[Fetch, ...]:
        """Return the fetches behind the claims, as far as they get on."""
        fetches, seen = [], {}
        for number, each in enumerate(sorted(claimed)):
            position = view.coverage.end_of_run(each.start)
            before, since = self._seen.get(each, (position, view.now))
            seen[each] = position, since if before == position else view.now
            if position < each.end and view.now - seen[each][1] < PATIENCE_SECONDS:
                fetches.append(Fetch(-1 - number, each.start, position, None if each.end >= LANE else each.end))
        self._seen = seen
        return tuple(fetches)

    def launch(self, fetcher: Fetcher) -> None:
        """Claim what `fetcher` is about to ask for; inside of another's claim it was planned with that in view."""
        if self._claims is not None and not self._take(fetcher):
            self._inside.add(fetcher.id)

    def hold(self, fetcher: Fetcher) -> bool:
        """Claim what `fetcher` still has to bring; return False when another process has taken that over."""
        claims = self._claims
        if claims is None or self._take(fetcher) or fetcher.id in self._inside:
            return True
        start = fetcher.view.position
        return not any(start in each for each in claims.others(start, start + 1))

    def _take(self, fetcher: Fetcher) -> bool:
        """Claim anew; return whether nobody else claims any of it."""
        claims, before = self._claims, self._held.pop(fetcher.id, None)
        start, end = fetcher.view.position, FAR if fetcher.end is None else fetcher.end
        if claims is None or start >= end:
            return True
        if before is not None:
            self._release(claims, before)
        taken = claims.take(start, end)
        if taken is not None:
            self._held[fetcher.id] = taken
        return taken is not None and taken.lane == 0

    def let_go(self, fetcher: Fetcher) -> None:
        """Take the claim of `fetcher` back, after others can see in the journal what it has brought."""
        claim, resource = self._held.pop(fetcher.id, None), self._holding.resource
        if claim is not None and resource is not None:
            resource.flush()
            if (claims := resource.claims) is not None:
                self._release(claims, claim)

    def _release(self, claims: Claims, claim: Claim) -> None:
        """Let go of `claim` but for what others of ours claim of it: to the kernel they are one."""
        claims.release(claim)
        for other in self._held.values():
            if other.lane == claim.lane and other.range.overlaps(claim.range):
                claims.take(other.range.start, other.range.end)

    def __repr__(self) -> str:
        return f"<Sharing {len(self._held)} claimed · {len(self._seen)} of others>"
