"""What should be flying: one pure function from a `View` to a `Plan`.

Wants are served in order: the bytes that readers are blocked on, the window ahead of each reader, then everything else
that the policy asks for. Sequential download, ranges on demand, gap filling, back-pressure, resume and retry are all
consequences of these wants. Must not know: requests, tasks, clocks (it gets `now`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from kithara_file.config import MIB
from kithara_file.session.view import Fetch, Plan, Playhead, Start, View

QUANTUM = MIB
"""A fetch that a reader depends on is not taken away for another reader before it has brought this many bytes: else
more readers than slots would take each other's connection at every chunk."""

FOREIGN_SECONDS = 0.025
"""How soon to look again at what other processes bring: it lands without a word to us."""

FAR = 1 << 64
"""Beyond every offset: the end of a resource whose length nobody has told."""


def decide(view: View) -> Plan:
    """Return what to start, stop and rest, so that everything wanted arrives, the most urgent first.

    Laws (held as properties by the tests): never fetches what is present; never exceeds the slots; if somebody waits,
    something flies or is about to; a plan once obeyed is stable.
    """
    length = view.length
    if length is not None and view.coverage.covers(0, length):  # a body at its end is left to end: its connection lives
        return Plan(stop=tuple(each.id for each in view.fetches if each.position < length), complete=True)
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
        self.ride = view.ride if view.seekable else FAR
        self.slots = view.policy.max_fetches if view.seekable else 1  # two whole bodies would bring the same bytes
        self.late = view.now < view.not_before
        self.unlimited = view.policy.look_ahead_bytes is None or view.sequential_done
        self.demands = [each for each in view.demands if each < self.end and each not in view.coverage]
        self.fetches = list(view.fetches)
        self.starts: list[Start] = []
        self.stops: list[int] = []
        self.urgent: set[int] = set()
        self.waiting = False  # a demand could not get a slot
        self.pressed = False  # a demand is being served, is about to be, or waits for a slot

    # -- the wants, most urgent first --------------------------------------------------------------------------------

    def drop_the_useless(self) -> None:
        """Stop what has nothing more to bring, what has rested for long, and what is too many: the one that is behind.

        Where the origin turns out to bear less than is flying, what a blocked reader waits for is the last to go.
        """
        waited_for = self.demands if len(self.fetches) > self.slots else ()  # it matters only then, and many may wait
        near = {each.id for offset in waited_for if (each := self.bringing(offset, self.ride)) in self.fetches}
        for fetch in sorted(self.view.fetches, key=lambda each: (each.id in near, each.position)):
            done = self.reach(fetch) <= fetch.position != fetch.end
            if done or self.tired(fetch) or len(self.fetches) > self.slots:
                self.stop(fetch)

    def serve_demands(self) -> None:
        """Let each blocked reader ride a fetch that is near, or give it one of its own."""
        for offset in self.demands:
            if self.waiting and all(each.id in self.urgent for each in self.fetches):
                break  # nothing more can be done for anybody
            near = self.bringing(offset, self.ride) or self.meets(offset)
            if isinstance(near, Fetch) and near in self.fetches:
                self.urgent.add(near.id)
            elif near is None and not self.late:
                self.waiting = self.waiting or not self.make_room(offset)  # who has waited longest is not overtaken
                if not self.waiting:
                    self.begin(offset, self.size_at(offset))
        self.pressed = bool(self.urgent or self.starts or self.waiting)

    def fill_windows(self) -> None:
        """Keep the bytes ahead of each reader coming; the next fetch is asked for while half a window is left."""
        if self.view.paused or self.late or self.waiting:
            return
        for head in self.view.playheads:
            for start, _ in self.unserved(head.position, min(head.half, self.end), self.ride):
                if self.meets(start):
                    continue
                if self.free <= 0 and not self.retire_one():
                    return
                self.begin(start, self.size(head, start))

    def fill_the_rest(self) -> None:
        """Once no window limits the download: go on to the end, then fill the gaps left behind."""
        if not self.unlimited or self.view.paused or self.late or self.pressed:
            return
        if self.view.sequential_done:
            self.fill_gaps()
        elif self.free > 0 and not any(each.sequential for each in self.flight()):
            gap = next(self.unserved(0, self.end), None)
            if gap is not None:
                self.begin(gap[0], FAR)
        if self.view.divisible:
            self.divide()

    def fill_gaps(self) -> None:
        policy = self.view.policy
        for start, end in self.unserved(0, self.end):
            for at in range(start, end, policy.gap_bytes):
                if self.meets(at) or self.free <= 0 or len(self.flight()) >= policy.max_gaps:
                    return
                self.begin(at, policy.gap_bytes)

    def divide(self) -> None:
        """Let each connection that the policy allows bring a part: what nobody brings yet, then half of a long run.

        A fetch in flight is not told; it ends where it meets what the other has brought.
        """
        while self.free > 0 and 0 < len(self.flight()) < self.view.policy.connections:
            gap = next(self.unserved(0, self.end), None)
            if gap is not None:
                self.begin(gap[0], gap[1] - gap[0])
                continue
            longest = max(self.flight(), key=self.left)
            end = longest.position + self.left(longest)
            middle = longest.position + self.left(longest) // 2
            near = middle - longest.position <= self.ride  # before a second answer is in, the first has come by
            if near or self.end == FAR or end - middle < self.view.policy.part_bytes:
                return
            if isinstance(longest, Start):
                self.starts[self.starts.index(longest)] = replace(longest, end=middle)
            self.starts.append(Start(middle, end))

    # -- facts -------------------------------------------------------------------------------------------------------

    def flight(self) -> list[Fetch | Start]:
        return [*self.fetches, *self.starts]

    def coming(self) -> list[Fetch | Start]:
        return [*self.flight(), *self.view.foreign]

    def reach(self, fetch: Fetch | Start) -> int:
        """Return where `fetch` has nothing more to bring: its end, or the next bytes that are present."""
        end = FAR if fetch.end is None else fetch.end
        present = self.view.coverage.next_present(fetch.position) if self.view.seekable else None
        return end if present is None else min(end, present)

    def left(self, fetch: Fetch | Start) -> int:
        """Return how much `fetch` will bring before it meets what is present or what the next one began with."""
        nexts = (each.position for each in self.coming() if each.position > fetch.position)
        return min(self.reach(fetch), self.end, *nexts) - fetch.position

    def bringing(self, offset: int, within: int = FAR) -> Fetch | Start | None:
        """Return what will bring `offset` soonest, if it is at most `within` bytes away from it."""
        near = [each for each in self.coming() if 0 <= offset - each.position <= within and offset < self.reach(each)]
        return max(near, key=lambda each: each.position, default=None)

    def meets(self, offset: int) -> Fetch | Start | None:
        """Return what ends right before `offset`, where nothing may begin as long as it flies.

        Where no strong validator tells the version, what begins behind bytes that are present asks for the last of them
        too, to compare them. Of those which are still to come there is nothing to compare.
        """
        flight = () if self.view.divisible or not self.view.seekable else self.flight()
        return next((each for each in flight if each.end == offset), None)

    def unserved(self, start: int, end: int, within: int = FAR) -> Iterator[tuple[int, int]]:
        """Yield what is missing in `start`..`end` and not being brought either."""
        while (gap := self.view.coverage.gap(start, end)) is not None:
            near = self.bringing(gap.start, within)
            if near is not None:
                start = self.reach(near)
            else:
                start = min([gap.end, *(each.position for each in self.coming() if each.position > gap.start)])
                yield gap.start, start

    def draining(self, fetch: Fetch) -> bool:
        """Tell whether so little is left of the body that its end is cheaper to wait for than a new connection."""
        return (self.end if fetch.end is None else fetch.end) - fetch.position <= self.view.little

    def serves(self, fetch: Fetch, head: Playhead, goal: int) -> bool:
        """Tell whether `fetch` brings bytes for `head` before `goal`, without first bringing much that is behind it."""
        return head.position - self.ride <= fetch.position < goal and head.position < self.reach(fetch)

    def wanted(self, fetch: Fetch) -> bool:
        return fetch.id in self.urgent or any(self.serves(fetch, head, head.goal) for head in self.view.playheads)

    def needs(self) -> list[int]:
        """Return the bytes which readers are blocked on, and those which they will be before long."""
        fronts = ((head, self.view.coverage.end_of_run(head.position)) for head in self.view.playheads)
        return [*self.demands, *(front for head, front in fronts if front < head.half)]

    def protected(self, fetch: Fetch, needs: list[int]) -> bool:
        """Tell whether a reader depends on `fetch`, which has not had its turn yet."""
        soon = range(fetch.position, min(self.reach(fetch), fetch.position + self.ride + 1))
        return fetch.position - fetch.begun < QUANTUM and any(each in soon for each in needs)

    @property
    def free(self) -> int:
        return self.slots - len(self.flight())

    # -- moves -------------------------------------------------------------------------------------------------------

    def size_at(self, offset: int) -> int:
        """Return how much to ask for where a reader is blocked: the window it is in, or that of a far seek.

        Where a download of everything has to go on anyway, it goes on.
        """
        if self.view.policy.look_ahead_bytes is None and self.goes_on_at(offset):
            return FAR
        heads = [each for each in self.view.playheads if each.position <= offset < each.goal]
        head = max(heads, key=lambda each: each.window, default=Playhead(offset, self.view.policy.seek_window))
        crowded = len(self.demands) > self.slots  # a body that ends with its turn leaves its connection to the next
        return min(self.size(head, offset), QUANTUM if crowded else FAR)

    def goes_on_at(self, offset: int) -> bool:
        """Tell whether the sequential download is to go on at `offset`."""
        return self.view.coverage.end_of_run(0) == offset and not any(each.sequential for each in self.flight())

    def size(self, head: Playhead, offset: int) -> int:
        """Return how much to ask for at `offset`: a window's worth, or all once `head` runs on with a full window."""
        policy = self.view.policy
        full = policy.look_ahead_bytes is not None and head.window >= policy.look_ahead_bytes
        return FAR if full and head.position < offset else head.window

    def begin(self, offset: int, size: int) -> None:
        """Start a fetch of `size` bytes at `offset` (FAR: a steady run), short of what others have brought or will."""
        first = offset == 0 and not (self.view.coverage.total or self.coming())
        if first or not self.view.seekable:
            self.starts.append(Start(0, None, sequential=True))
            return
        far = (each for each in self.demands if each > offset + self.ride)
        others = (each.position for each in self.coming() if each.position > offset)
        end = min(offset + size, self.end, self.view.coverage.next_present(offset) or FAR, *far, *others)
        steady = size == FAR
        self.starts.append(Start(offset, None if steady and end == self.end else end, steady))

    def make_room(self, offset: int) -> bool:
        """Tell whether a demand may start: a slot is free, or one was taken from a fetch that matters less."""
        if not self.view.seekable and self.fetches:
            if self.fetches[0].position <= offset:  # it is only a part, and the next one would be the same
                self.urgent.add(self.fetches[0].id)
                return False
            self.stop(self.fetches[0])  # the whole body is past this byte and will not bring it any more
        if self.free > 0:
            return True
        needs = self.needs()
        lesser = [each for each in self.fetches if each.id not in self.urgent and not self.protected(each, needs)]
        if not lesser:
            self.urgent.update(each.id for each in self.fetches)  # the sooner they are done, the sooner a slot is free
        if not lesser or any(self.draining(each) for each in lesser):
            return False
        self.stop(max(lesser, key=lambda each: (not self.wanted(each), self.reach(each) - each.position)))
        return True

    def retire_one(self) -> bool:
        """Free a slot for a window by stopping a fetch that no reader is near any more."""
        idle = [each for each in self.fetches if not (self.wanted(each) or self.draining(each))]
        if idle:
            self.stop(max(idle, key=lambda each: self.reach(each) - each.position))
        return bool(idle)

    def stop(self, fetch: Fetch) -> None:
        self.stops.append(fetch.id)
        self.fetches.remove(fetch)

    # -- back-pressure -----------------------------------------------------------------------------------------------

    def rests(self, fetch: Fetch) -> bool:
        """Tell whether the socket of `fetch` is to be left unread; the demanded bytes get the whole link."""
        if fetch.id in self.urgent or self.draining(fetch) or self.wished(fetch):
            return False
        return self.pressed or not self.welcome(fetch)

    def welcome(self, fetch: Fetch) -> bool:
        """Tell whether a window has room for what `fetch` brings; once full, not before half is drained."""
        goals = ((head, head.goal if fetch.resting_since is None else head.half) for head in self.view.playheads)
        return self.unlimited or self.wished(fetch) or any(self.serves(fetch, head, goal) for head, goal in goals)

    def wished(self, fetch: Fetch) -> bool:
        """Tell whether readers of another process wait for what `fetch` brings; they say so only while they do."""
        return any(self.serves(fetch, each, each.goal) for each in self.view.wishes)

    def tired(self, fetch: Fetch) -> bool:
        """Tell whether `fetch` has rested for so long that it is dropped; not a whole body, it would begin anew."""
        rested = fetch.resting_since is not None and self.drop_at(fetch) <= self.view.now
        return rested and self.view.seekable and not self.welcome(fetch)

    def drop_at(self, fetch: Fetch) -> float:
        since = self.view.now if fetch.resting_since is None else fetch.resting_since
        return since + self.view.policy.idle_seconds

    def plan(self) -> Plan:
        """Return what was decided, and when to look again."""
        rest = [each for each in self.fetches if self.rests(each)]
        foreign = [self.view.now + FOREIGN_SECONDS] if self.view.foreign else []
        wakes = [self.view.not_before, *foreign, *(self.drop_at(each) for each in rest if self.view.seekable)]
        if len(self.fetches) > 1:
            late = (each.asked_since for each in self.fetches if each.asked_since is not None)
            wakes += [since + self.view.policy.answer_seconds for since in late]
        wake_at = min((each for each in wakes if each > self.view.now), default=None)
        return Plan(tuple(self.starts), tuple(self.stops), frozenset(each.id for each in rest), wake_at)
