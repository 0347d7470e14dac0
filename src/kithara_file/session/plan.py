"""What should be flying: one pure function from a `View` to a `Plan`.

Wants are served in order: the bytes that readers are blocked on, the window ahead of each reader, then everything else
that the policy asks for. Sequential download, ranges on demand, gap filling, back-pressure, resume and retry are all
consequences of these wants. Must not know: requests, tasks, clocks (it gets `now`).
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from math import inf

from kithara_file.config import MIB
from kithara_file.session.view import Fetch, Plan, Playhead, Start, View

QUANTUM = MIB
"""A fetch which serves a reader is not taken away for another reader before it has brought this many bytes."""

FAR = 1 << 62
"""Beyond every offset: the end of a resource whose length nobody has told."""


def decide(view: View) -> Plan:
    """Return what to start, stop and rest, so that everything wanted arrives, the most urgent first.

    Laws (held as properties by the tests): never fetches what is present; never exceeds the slots; if somebody waits,
    something flies or is about to; a plan once obeyed is stable.
    """
    if view.length is not None and view.coverage.covers(0, view.length):
        return Plan(stop=tuple(each.id for each in view.fetches if each.position < view.length), complete=True)
    draft = _Draft(view)
    draft.drop_the_useless()
    draft.serve_demands()
    draft.fill_windows()
    draft.fill_the_rest()
    return draft.plan()


def window_after(consumed: int, first: int, limit: int | None) -> int:
    """Return the look-ahead of a reader that has read `consumed` bytes since its last far seek.

    It starts at `first` and doubles as the reader consumes it (slow start as in RFC 5681 3.1, for the same reason): a
    probe costs little, and a steady reader never waits.
    """
    window = max(first, 2 * consumed)
    return window if limit is None else min(window, limit)


class _Draft:
    """A plan in the making: what stays in flight, what starts and stops, and which fetches serve a blocked reader."""

    def __init__(self, view: View) -> None:
        self.view = view
        self.end = FAR if view.length is None else view.length
        self.late = view.now < view.not_before
        self.fetches = list(view.fetches)
        self.starts: list[Start] = []
        self.stops: list[int] = []
        self.urgent: set[int] = set()
        self.pressing = False  # a demand is about to be served, or waits for a slot
        self.unlimited = view.policy.look_ahead_bytes is None or view.sequential_done

    # -- the wants, most urgent first ------------------------------------------------------------------------------------

    def drop_the_useless(self) -> None:
        """Stop what has nothing more to bring, and what has rested for long."""
        limit = self.view.now - self.view.policy.idle_seconds
        for fetch in self.view.fetches:
            tired = fetch.resting_since is not None and fetch.resting_since <= limit
            done = self.reach(fetch) <= fetch.position and fetch.position != fetch.end
            if tired or done:
                self.stop(fetch)

    def serve_demands(self) -> None:
        """Let each blocked reader ride a fetch that is near, or give it one of its own."""
        ride = self.view.ride if self.view.seekable else FAR
        for offset in self.view.demands:
            if offset in self.view.coverage:
                continue
            fetch = self.bringing(offset, ride)
            if fetch is not None:
                self.urgent.add(fetch.id)
            elif self.promised(offset) is not None:
                self.pressing = True
            elif self.late:
                continue
            else:
                self.pressing = True
                if self.make_room():
                    self.begin(offset, self.window_at(offset))

    def fill_windows(self) -> None:
        """Keep the bytes ahead of each reader coming; the next fetch is asked for while half a window is left."""
        if self.view.paused or self.late:
            return
        for head in self.view.playheads:
            gap = next(self.unserved(head.position, min(head.goal, self.end)), None)
            if gap is None or gap[0] - head.position > head.window // 2:
                continue
            if self.free > 0 or self.retire_one():
                self.begin(gap[0], head)

    def fill_the_rest(self) -> None:
        """Once no window limits the download: go on to the end, then fill the gaps left behind."""
        if not self.unlimited or self.view.paused or self.late:
            return
        if self.view.sequential_done:
            self.fill_gaps()
        elif self.free > 0 and not any(each.sequential for each in (*self.fetches, *self.starts)):
            gap = next(self.unserved(0, self.end), None)
            if gap is not None:
                self.begin(gap[0], None)

    def fill_gaps(self) -> None:
        policy = self.view.policy
        for start, end in islice(self.unserved(0, self.end), policy.max_gaps):
            for at in range(start, end, policy.gap_bytes):
                if self.free <= 0 or len(self.fetches) + len(self.starts) >= policy.max_gaps:
                    return
                self.starts.append(Start(at, min(end, at + policy.gap_bytes)))

    # -- facts -----------------------------------------------------------------------------------------------------------

    def reach(self, fetch: Fetch) -> int:
        """Return where `fetch` has nothing more to bring: its end, or the next bytes that are present."""
        end = FAR if fetch.end is None else fetch.end
        present = self.view.coverage.next_present(fetch.position) if self.view.seekable else None
        return end if present is None else min(end, present)

    def bringing(self, offset: int, within: int = FAR) -> Fetch | None:
        """Return the fetch that will bring `offset` soonest, if one is at most `within` bytes away from it."""
        coming = [each for each in self.fetches if 0 <= offset - each.position <= within and offset < self.reach(each)]
        return max(coming, key=lambda each: each.position, default=None)

    def promised(self, offset: int) -> Start | None:
        """Return the fetch about to start that will bring `offset`."""
        return next((each for each in self.starts if each.start <= offset < (each.end or FAR)), None)

    def unserved(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        """Yield what is missing in `start`..`end` and not being brought either."""
        while (gap := self.view.coverage.gap(start, end)) is not None:
            fetch, begun = self.bringing(gap.start), self.promised(gap.start)
            if fetch is not None:
                start = self.reach(fetch)
            elif begun is not None:
                start = begun.end or FAR
            else:
                start = min([gap.end, *(each.position for each in self.fetches if each.position > gap.start)])
                yield gap.start, start

    def draining(self, fetch: Fetch) -> bool:
        """Tell whether so little is left of the body that its end is cheaper to wait for than a new connection."""
        return fetch.end is not None and fetch.end - fetch.position <= self.view.little

    def in_window(self, fetch: Fetch) -> bool:
        return any(head.position < self.reach(fetch) and fetch.position < head.goal for head in self.view.playheads)

    @property
    def free(self) -> int:
        return self.view.policy.max_fetches - len(self.fetches) - len(self.starts)

    # -- moves -----------------------------------------------------------------------------------------------------------

    def window_at(self, offset: int) -> Playhead:
        """Return the reader's window which `offset` lies in, or the one that a far seek would open there."""
        heads = [each for each in self.view.playheads if each.position <= offset < each.goal]
        return max(heads, key=lambda each: each.window, default=Playhead(offset, self.view.policy.seek_window))

    def begin(self, offset: int, head: Playhead | None) -> None:
        """Start at `offset`: a window's worth for `head`, or to the end of the gap in a steady run (no head: always)."""
        view = self.view
        if not view.seekable or (offset == 0 and not view.coverage.total):
            self.starts.append(Start(0, None, sequential=True))
            return
        limit = view.policy.look_ahead_bytes
        steady = head is None or (limit is not None and head.window >= limit and head.position < offset)
        size = FAR if head is None or steady else max(head.window, view.policy.seek_window)
        present = view.coverage.next_present(offset)
        taken = [each.position for each in self.fetches if each.position > offset]
        end = min([offset + size, self.end, FAR if present is None else present, *taken])
        self.starts.append(Start(offset, None if end == FAR or (steady and end == view.length) else end, steady))

    def make_room(self) -> bool:
        """Tell whether a demand may start: a slot is free, or one was taken from a fetch that matters less."""
        if not self.view.seekable:
            for fetch in list(self.fetches):  # a whole body that is past this byte will not bring it any more
                self.stop(fetch)
        if self.free > 0:
            return True
        wanted = {each.id for each in (self.bringing(other, self.view.ride) for other in self.view.demands) if each}
        lesser = [
            each
            for each in self.fetches
            if each.id not in self.urgent and (each.id not in wanted or each.position - each.begun >= QUANTUM)
        ]
        if not lesser or any(self.draining(each) for each in lesser):
            return False
        self.stop(max(lesser, key=lambda each: (not self.in_window(each), self.reach(each) - each.position)))
        return True

    def retire_one(self) -> bool:
        """Free a slot for a window by stopping a fetch that no reader is near any more."""
        idle = [each for each in self.fetches if each.id not in self.urgent and not self.in_window(each) and not self.draining(each)]
        if not idle:
            return False
        self.stop(max(idle, key=lambda each: self.reach(each) - each.position))
        return True

    def stop(self, fetch: Fetch) -> None:
        self.stops.append(fetch.id)
        self.fetches.remove(fetch)

    # -- back-pressure ---------------------------------------------------------------------------------------------------

    def rests(self, fetch: Fetch) -> bool:
        """Tell whether the socket of `fetch` is to be left unread."""
        if fetch.id in self.urgent or self.draining(fetch):
            return False
        if self.urgent or self.pressing:
            return True  # the demanded bytes get the whole link
        return not (self.unlimited or any(self.hungry(head, fetch) for head in self.view.playheads))

    def hungry(self, head: Playhead, fetch: Fetch) -> bool:
        """Tell whether the window of `head` has room for what `fetch` brings; once full, not before half is drained."""
        room = head.window if fetch.resting_since is None else head.window // 2
        return fetch.position < head.position + room and head.position < self.reach(fetch)

    def plan(self) -> Plan:
        """Return what was decided, and when to look again."""
        view = self.view
        rest = frozenset(each.id for each in self.fetches if self.rests(each))
        wakes = [view.not_before] if self.late else []
        for each in self.fetches:
            if each.id in rest:
                since = view.now if each.resting_since is None else each.resting_since
                wakes.append(since + view.policy.idle_seconds)
        return Plan(tuple(self.starts), tuple(self.stops), rest, min(wakes, default=None))
