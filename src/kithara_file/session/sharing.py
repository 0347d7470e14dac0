"""One resource fetched by several processes: what others bring is waited for, what we bring is told to them.

Claims on the file say who is fetching what, the journal says what has landed, wishes say who waits for it. A fetch that
rests flows on when another process wishes it to: to take over from it would lose what is in its socket. Whoever stalls
or dies is taken over from.

Must not know: requests, readers. Called on the loop.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from kithara_file.net.vary import selects
from kithara_file.ranges import ByteRange
from kithara_file.session.plan import FAR, FOREIGN_SECONDS, decide
from kithara_file.session.view import Fetch, Plan, Playhead, View
from kithara_file.storage.claims import LANE, LANES, Claim, Claims

if TYPE_CHECKING:
    from kithara_file.session.fetcher import Fetcher
    from kithara_file.session.holding import Holding

PATIENCE_SECONDS = 2.0
"""A claim which has brought nothing for this long is not waited for any more: its process may be stopped or stuck."""
LONELY_SECONDS = 0.1
"""How often who rests looks whether another process wishes for more, before one ever has."""
REST_SECONDS = 5.0
"""A fetch that has rested this long is not on call any more: what it claims is anybody's."""
ROUNDS = 4
"""How often a plan is made again because it met claims that it had not known."""


class Sharing:
    """Decides with the fetches of other processes in view, and claims our own."""

    def __init__(self, holding: Holding, headers: Mapping[str, str]) -> None:
        self._holding = holding
        self._headers = headers
        self._held: dict[int, Claim] = {}
        self._told: dict[int, int] = {}
        """Up to where the journal tells of what a fetch has landed."""
        self._inside: set[int] = set()
        self._awaited: dict[ByteRange, float | None] = {}
        """Since when we wait for what others claim, without its growing less; None: for too long."""
        self._wished: tuple[ByteRange, ...] = ()
        self._in_company = False

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
        if claims is None:
            return plan
        if plan.rest and (wishes := _wishes(claims, view, plan)):
            self._in_company = True
            view = replace(view, wishes=wishes)
            plan = decide(view)
        known: set[ByteRange] = set()
        for _ in range(ROUNDS):
            if not plan.start:
                break
            known |= {range_ for start in plan.start for range_ in claims.others(start.start, start.end or FAR)}
            foreign = self._bringing(known, view)
            if set(foreign) <= set(view.foreign):
                break
            view = replace(view, foreign=foreign)
            plan = decide(view)
        waits = {each for each in known if view.foreign}
        self._awaited = {each: since for each, since in self._awaited.items() if since is None or each in waits}
        self._wish(claims, view)
        return self._on_call(plan, view.now)

    def _wish(self, claims: Claims, view: View) -> None:
        """Tell the processes which fetch for us how far they should go on."""
        ends = [(each.position, each.goal) for each in view.playheads] + [(each, each + 1) for each in view.demands]
        everything = [(0, LANE)] if view.policy.look_ahead_bytes is None else []
        wished = tuple(ByteRange(*each) for each in ends + everything if each[0] < LANE) if view.foreign else ()
        if wished != self._wished:
            self._wished = wished
            claims.wish(*wished)

    def _on_call(self, plan: Plan, now: float) -> Plan:
        """Return `plan` with a look, before long, at who wishes for what rests."""
        if plan.rest.isdisjoint(self._held):
            return plan
        soon = now + (FOREIGN_SECONDS if self._in_company else LONELY_SECONDS)
        return replace(plan, wake_at=soon if plan.wake_at is None else min(soon, plan.wake_at))

    def _bringing(self, claimed: set[ByteRange], view: View) -> tuple[Fetch, ...]:
        """Return the fetches behind the claims, as far as they get on."""
        fetches = []
        for number, each in enumerate(sorted(claimed)):
            since = self._awaited.setdefault(each, view.now)
            if since is not None and view.now - since >= PATIENCE_SECONDS:
                since = self._awaited[each] = None
            position = view.coverage.end_of_run(each.start)
            if position < each.end and since is not None:
                fetches.append(Fetch(-1 - number, each.start, position, None if each.end >= LANE else each.end))
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
        taken = claims.take(start, end, self._lanes(ByteRange(start, end)))
        if taken is not None:
            self._held[fetcher.id] = taken
        return taken is not None and taken.lane == 0

    def _lanes(self, wanted: ByteRange) -> tuple[int, ...]:
        """Return where we claim none of `wanted` yet: in one lane others would see the two claims as one."""
        ours = {each.lane for each in self._held.values() if each.range.overlaps(wanted)}
        return tuple(each for each in LANES if each not in ours) or LANES

    def flush(self, flying: Iterable[Fetcher]) -> None:
        """Let others read what has landed, and claim no longer what they could read by the last time.

        So a claim grows less while its fetch gets on, and whose does not is stopped or stuck, whoever else lands there.
        """
        self._holding.flush()
        for each in flying:
            told, self._told[each.id] = self._told.get(each.id, 0), each.view.position
            claim, claims = self._held.get(each.id), self._claims
            if claim is not None and claims is not None and told in claim.range and told > claim.range.start:
                self._held[each.id] = replace(claim, range=ByteRange(told, claim.range.end))
                self._release(claims, replace(claim, range=ByteRange(claim.range.start, told)))

    def rest(self, fetcher: Fetcher, now: float) -> None:
        """Keep the claim of a fetch that rests while it is on call, and let others read what it has brought."""
        since, resource = fetcher.view.resting_since, self._holding.resource
        if since is None and resource is not None:
            resource.flush()
        elif since is not None and now - since >= REST_SECONDS:
            self.let_go(fetcher)

    def resume(self, fetcher: Fetcher) -> bool:
        """Tell whether a fetch that has rested may flow on: False when another process has taken over meanwhile."""
        return fetcher.id in self._held or self.hold(fetcher)

    def let_go(self, fetcher: Fetcher) -> None:
        """Take the claim of `fetcher` back, after others can see in the journal what it has brought."""
        claim, resource = self._held.pop(fetcher.id, None), self._holding.resource
        self._told.pop(fetcher.id, None)
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
        return f"<Sharing {len(self._held)} claimed · {len(self._awaited)} of others>"


def _wishes(claims: Claims, view: View, plan: Plan) -> tuple[Playhead, ...]:
    """Return what others wish of the fetches that are about to rest, or do."""
    ride = view.ride if view.seekable else FAR
    near = [(each.position, each.position + ride + 1) for each in view.fetches if each.id in plan.rest]
    wished = {each for start, end in near for each in claims.wished(start, end)}
    return tuple(Playhead(each.start, len(each)) for each in sorted(wished))
