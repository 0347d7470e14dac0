"""What is stopped and what rests, to make room for what is wanted more: a row a sentence."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kithara_file.config import KIB, MIB
from kithara_file.session.plan import QUANTUM
from kithara_file.session.view import Plan, Playhead, Start, View
from tests.unit.session.simulation import obey
from tests.unit.session.situations import (
    AHEAD,
    BASE,
    FAR,
    FAR_RUN,
    HEAD,
    IDLE,
    LENGTH,
    ONE_SLOT,
    SEEK,
    SEQUENTIAL,
    UNLIMITED,
    body,
    planned,
    present,
)

# -- what stops --------------------------------------------------------------------------------------------------------

TWO_READERS = (Playhead(2 * MIB, SEEK), Playhead(FAR + 1000, SEEK))
NEW = body(2, FAR, FAR + 1000, FAR + SEEK)
TAIL_PROBE = body(2, LENGTH - SEEK, LENGTH - 60 * KIB, LENGTH)
PROBED = present((0, 2 * MIB), (LENGTH - SEEK, LENGTH - 60 * KIB))

STOPS = {
    "a far demand leaves the sequential fetch alone while a slot is free": (
        replace(BASE, coverage=HEAD, fetches=(SEQUENTIAL,), demands=(FAR,), playheads=(Playhead(FAR, SEEK),)),
        (),
    ),
    "a fetch that has come to what is present has nothing more to bring": (
        replace(BASE, coverage=present((0, 3 * MIB)), fetches=(SEQUENTIAL,)),
        (1,),
    ),
    "a body at its end is left to end": (
        replace(BASE, coverage=present((0, MIB), (MIB, 2 * MIB)), fetches=(body(1, MIB, 2 * MIB, 2 * MIB),)),
        (),
    ),
    "an open body at the end of the resource is left to end": (
        replace(BASE, coverage=present((MIB, LENGTH)), fetches=(body(1, MIB, LENGTH),)),
        (),
    ),
    "a fetch that rested for five seconds is dropped": (
        replace(BASE, coverage=HEAD, fetches=(body(1, 0, 2 * MIB, since=95.0),), playheads=(Playhead(0, MIB),)),
        (1,),
    ),
    "a fetch that rested for less is kept": (
        replace(BASE, coverage=HEAD, fetches=(body(1, 0, 2 * MIB, since=95.1),), playheads=(Playhead(0, MIB),)),
        (),
    ),
    "a fetch that rested for others and is wanted again is kept": (
        replace(BASE, coverage=HEAD, fetches=(body(1, 0, 2 * MIB, since=90.0),), playheads=(Playhead(MIB, 2 * MIB),)),
        (),
    ),
    "a whole body that cannot be resumed is never dropped for resting": (
        replace(
            BASE,
            coverage=HEAD,
            seekable=False,
            fetches=(body(1, 0, 2 * MIB, since=1.0),),
            playheads=(Playhead(0, MIB),),
        ),
        (),
    ),
    "of two whole bodies the one behind is dropped": (
        replace(BASE, coverage=HEAD, seekable=False, fetches=(SEQUENTIAL, body(2, 0, 0)), demands=(FAR,)),
        (2,),
    ),
    "the slot of a fetch that no reader is near is taken": (
        replace(
            BASE,
            coverage=FAR_RUN,
            fetches=(SEQUENTIAL, NEW),
            demands=(50 * MIB,),
            playheads=(Playhead(50 * MIB, SEEK), Playhead(2 * MIB, SEEK)),
        ),
        (2,),
    ),
    "a body with little left is drained rather than dropped": (
        replace(BASE, coverage=PROBED, fetches=(SEQUENTIAL, TAIL_PROBE), demands=(FAR,), little=64 * KIB),
        (),
    ),
    "an open body with little left is drained as well": (
        replace(
            BASE,
            coverage=present((5, LENGTH - 9)),
            fetches=(body(1, 5, LENGTH - 9),),
            demands=(0,),
            policy=ONE_SLOT,
        ),
        (),
    ),
    "a fetch that a blocked reader rides is not taken before its turn is over": (
        replace(
            BASE,
            coverage=present((0, 1000), (FAR, FAR + 1000)),
            fetches=(body(1, 0, 1000), NEW),
            demands=(50 * MIB, 1000, FAR + 1000),
        ),
        (),
    ),
    "a fetch that a reader will need at once is not taken either": (
        replace(
            BASE,
            coverage=present((0, 1000)),
            fetches=(body(1, 0, 1000),),
            demands=(FAR,),
            playheads=(Playhead(0, MIB), Playhead(FAR, SEEK)),
            policy=ONE_SLOT,
        ),
        (),
    ),
    "a fetch whose reader has half a window before it gives way at once": (
        replace(
            BASE,
            coverage=present((0, MIB)),
            fetches=(body(1, MIB - 5, MIB),),
            demands=(FAR,),
            playheads=(Playhead(0, MIB), Playhead(FAR, SEEK)),
            policy=ONE_SLOT,
        ),
        (1,),
    ),
    "after a quantum its slot goes to who has waited longer": (
        replace(
            BASE,
            coverage=present((0, QUANTUM)),
            fetches=(body(1, 0, QUANTUM),),
            demands=(FAR, QUANTUM),
            policy=ONE_SLOT,
        ),
        (1,),
    ),
    "but not to who has waited less": (
        replace(
            BASE,
            coverage=present((0, QUANTUM)),
            fetches=(body(1, 0, QUANTUM),),
            demands=(QUANTUM, FAR),
            policy=ONE_SLOT,
        ),
        (),
    ),
    "a window takes the slot of a fetch that no reader is near": (
        replace(
            BASE,
            coverage=present((0, 2 * MIB), (FAR, FAR + 200 * KIB)),
            fetches=(SEQUENTIAL, body(2, FAR, FAR + 200 * KIB, FAR + SEEK)),
            playheads=(Playhead(FAR + 150 * KIB, 300 * KIB),),
        ),
        (1,),
    ),
    "a window takes nobody's slot while a demand waits for one": (
        replace(
            BASE,
            coverage=PROBED,
            fetches=(SEQUENTIAL, TAIL_PROBE),
            demands=(FAR,),
            playheads=(Playhead(50 * MIB, SEEK),),
            little=64 * KIB,
        ),
        (),
    ),
    "what is complete needs nothing more": (
        replace(BASE, length=2 * MIB, coverage=HEAD, fetches=(body(1, MIB, 2 * MIB), body(2, 0, MIB, 2 * MIB))),
        (2,),
    ),
}


@pytest.mark.parametrize("view, stops", STOPS.values(), ids=STOPS.keys())
def test_what_is_stopped(view: View, stops: tuple[int, ...]) -> None:
    assert planned(view).stop == stops


# -- what rests, and for how long --------------------------------------------------------------------------------------

HEAD_BODY = body(1, 0, MIB)
MIB_HELD = present((0, MIB))

RESTS = {
    "a fetch in the window flows": (replace(BASE, coverage=MIB_HELD, playheads=(Playhead(1, MIB),)), False),
    "with a full window it rests": (replace(BASE, coverage=MIB_HELD, playheads=(Playhead(0, MIB),)), True),
    "nobody there to read: it rests": (replace(BASE, coverage=MIB_HELD), True),
    "without a limit it flows on": (replace(BASE, coverage=MIB_HELD, policy=UNLIMITED), False),
    "once the sequential download is done gaps flow": (replace(BASE, coverage=MIB_HELD, sequential_done=True), False),
    "one of two windows has room: it flows": (
        replace(BASE, coverage=MIB_HELD, playheads=(Playhead(0, MIB), Playhead(900 * KIB, MIB))),
        False,
    ),
    "while somebody far away waits it rests": (
        replace(BASE, coverage=MIB_HELD, playheads=(Playhead(MIB, MIB),), demands=(FAR,)),
        True,
    ),
    "for a demand that rides it flows, windows full or not": (
        replace(BASE, coverage=MIB_HELD, demands=(MIB + 5,)),
        False,
    ),
    "a demand for what cannot be asked yet rests nobody": (
        replace(BASE, coverage=MIB_HELD, playheads=(Playhead(1, MIB),), demands=(FAR,), not_before=101.0),
        False,
    ),
    "with a full window it flows for readers of another process": (
        replace(BASE, coverage=MIB_HELD, playheads=(Playhead(0, MIB),), wishes=(Playhead(0, MIB + 1),)),
        False,
    ),
    "for those it flows while somebody far away waits": (
        replace(BASE, coverage=MIB_HELD, demands=(FAR,), wishes=(Playhead(MIB, MIB),)),
        False,
    ),
    "once their window is full as well it rests": (
        replace(BASE, coverage=MIB_HELD, playheads=(Playhead(0, MIB),), wishes=(Playhead(0, MIB),)),
        True,
    ),
    "far behind every reader it rests": (replace(BASE, coverage=MIB_HELD, playheads=(Playhead(FAR, MIB),)), True),
    "with little left it flows to its end": (replace(BASE, coverage=MIB_HELD, little=LENGTH), False),
}


@pytest.mark.parametrize("view, rests", RESTS.values(), ids=RESTS.keys())
def test_what_rests(view: View, rests: bool) -> None:
    view = replace(view, fetches=(HEAD_BODY,))
    assert planned(view).rest == (frozenset({1}) if rests else frozenset())


def test_a_full_window_rests_until_half_of_it_is_drained() -> None:
    resting = replace(HEAD_BODY, resting_since=99.0)
    at_rest = [
        bool(planned(replace(BASE, coverage=MIB_HELD, fetches=(resting,), playheads=(Playhead(read, MIB),))).rest)
        for read in (0, 1, MIB // 2 - 1, MIB // 2, MIB)
    ]
    assert at_rest == [True, True, True, False, False]


def test_a_resting_fetch_is_looked_at_again_when_it_has_rested_for_long() -> None:
    view = replace(BASE, coverage=MIB_HELD, fetches=(HEAD_BODY,), playheads=(Playhead(0, MIB),))
    assert planned(view).wake_at == view.now + IDLE
    later = replace(obey(view, planned(view)), now=view.now + 3)
    assert planned(later).wake_at == view.now + IDLE
    assert planned(replace(later, now=view.now + IDLE)) == Plan(stop=(1,))


def test_after_it_was_dropped_it_comes_back_with_a_range_once_half_the_window_is_drained() -> None:
    dropped = replace(BASE, coverage=present((0, 20 * MIB)))
    started = [
        list(planned(replace(dropped, playheads=(Playhead(at, AHEAD),))).start) for at in (12 * MIB - 1, 12 * MIB)
    ]
    assert started == [[], [Start(20 * MIB, None, sequential=True)]]


def test_the_back_off_tells_when_it_is_over() -> None:
    assert planned(replace(BASE, demands=(FAR,), not_before=101.5)).wake_at == 101.5
    assert planned(replace(BASE, demands=(FAR,), not_before=99.0)).wake_at is None


def test_the_sequential_fetch_rests_through_a_tail_probe_and_then_flows_on() -> None:
    view = replace(BASE, coverage=HEAD, fetches=(SEQUENTIAL,), demands=(LENGTH - 128,))
    view = replace(view, playheads=(Playhead(LENGTH - 128, SEEK),))
    plan = planned(view)
    assert plan.start == (Start(LENGTH - 128, LENGTH),)
    assert plan.stop == ()
    assert plan.rest == {1}
    back = replace(view, coverage=present((0, 2 * MIB), (LENGTH - 128, LENGTH)), demands=())
    back = replace(back, fetches=(replace(SEQUENTIAL, resting_since=99.0),), playheads=(Playhead(MIB, 2 * MIB),))
    assert planned(back) == Plan()
