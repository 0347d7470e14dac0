"""What every plan has to keep, said once: asserted on views that hypothesis makes up and on each step of a simulation.

Must not know: how a plan is made.
"""

from __future__ import annotations

from itertools import pairwise

from kithara_file.session.plan import decide
from kithara_file.session.view import Fetch, Plan, Start, View
from tests.unit.session.simulation import obey

BEYOND = 1 << 62


def hold(view: View, plan: Plan) -> None:
    """Assert every law of the planner for one decision."""
    names_what_is_there(view, plan)
    keeps_to_the_slots(view, plan)
    fetches_nothing_twice(view, plan)
    leaves_nobody_waiting(view, plan)
    is_stable(view, plan)


def staying(view: View, plan: Plan) -> list[Fetch]:
    return [each for each in view.fetches if each.id not in plan.stop]


def missing_demands(view: View) -> list[int]:
    end = BEYOND if view.length is None else view.length
    return [each for each in view.demands if each < end and each not in view.coverage]


def reach(view: View, fetch: Fetch) -> int:
    """Return where `fetch` has nothing new to bring any more."""
    end = BEYOND if fetch.end is None else fetch.end
    present = view.coverage.next_present(fetch.position) if view.seekable else None
    return end if present is None else min(end, present)


def names_what_is_there(view: View, plan: Plan) -> None:
    known = {each.id for each in view.fetches}
    assert len(set(plan.stop)) == len(plan.stop)
    assert known >= {*plan.stop}
    assert known - {*plan.stop} >= plan.rest
    assert plan.wake_at is None or plan.wake_at > view.now
    assert plan.complete == (view.length is not None and view.coverage.covers(0, view.length))


def keeps_to_the_slots(view: View, plan: Plan) -> None:
    assert not plan.start or len(staying(view, plan)) + len(plan.start) <= view.policy.max_fetches
    if not view.seekable:
        assert not plan.start or len(staying(view, plan)) + len(plan.start) == 1
    assert not plan.start or view.now >= view.not_before


def fetches_nothing_twice(view: View, plan: Plan) -> None:
    """A start overlaps nothing that is present, and nothing that another fetch will bring before long."""
    if not view.seekable:
        assert all(each == Start(0, None, sequential=True) for each in plan.start)
        return
    length = BEYOND if view.length is None else view.length
    spans = sorted((each.start, BEYOND if each.end is None else each.end) for each in plan.start)
    for (left, end), (right, _) in pairwise(spans):
        never_cut = (
            end == BEYOND or right not in view.demands
        )  # a plain GET is not, nor is one for a reader who is idle
        assert end <= right or (never_cut and right - left > view.ride), f"starts overlap: {spans}"
    for start, end in spans:
        assert start < min(end, length)
        assert view.coverage.next_present(start) is None or (view.coverage.next_present(start) or 0) >= end
        for each in staying(view, plan):
            assert not start <= each.position < min(end, reach(view, each)), f"{start}..{end} runs into {each}"
            if each.position <= start < reach(view, each):  # only for a reader who cannot wait until it comes by
                assert start - each.position > view.ride, f"{start} is coming in {each}"


def leaves_nobody_waiting(view: View, plan: Plan) -> None:
    """Who waits is served, or will be when what flies has made room, or when the back-off is over."""
    waiting = missing_demands(view)
    if not waiting:
        return
    flowing = [each for each in staying(view, plan) if each.id not in plan.rest]
    if view.now < view.not_before:
        assert plan.wake_at is not None or flowing
        return
    assert flowing or plan.start
    oldest, ride = waiting[0], view.ride if view.seekable else BEYOND
    served = any(each.start <= oldest < (each.end or BEYOND) for each in plan.start) or any(
        0 <= oldest - each.position <= ride and oldest < reach(view, each) for each in flowing
    )
    if not view.divisible:  # what it would be compared with is still to come
        served = served or any(each.end == oldest for each in flowing)
    full = len(staying(view, plan)) + len(plan.start) >= view.policy.max_fetches
    assert served or (full and flowing), f"{oldest} is not served: {plan}"


def is_stable(view: View, plan: Plan) -> None:
    """Asked again the moment after, nothing is to be done; what has just begun may have to give way and rest."""
    after = obey(view, plan)
    again = decide(after)
    old = {each.id for each in view.fetches}
    assert (again.start, again.stop) == ((), ()), f"{plan} and then {again}"
    assert again.rest & old == plan.rest
    assert again.complete == plan.complete
    assert decide(obey(after, again)).rest == again.rest
