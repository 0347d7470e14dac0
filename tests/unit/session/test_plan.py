"""What is started in each situation that a download gets into: a row a sentence."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kithara_file.config import KIB, MIB, Policy
from kithara_file.ranges import ByteRange, Coverage
from kithara_file.session.plan import QUANTUM, _Draft, decide, window_after
from kithara_file.session.view import Fetch, Playhead, Start, View
from tests.unit.session.situations import (
    AHEAD,
    BASE,
    FAR,
    FAR_RUN,
    FOUR,
    FOUR_AHEAD,
    HEAD,
    LENGTH,
    ONE_SLOT,
    PLAIN_GET,
    SEEK,
    SEQUENTIAL,
    UNLIMITED,
    body,
    planned,
    present,
)

# -- windows -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "consumed, first, limit, window",
    [
        (0, SEEK, AHEAD, SEEK),
        (SEEK // 2, SEEK, AHEAD, SEEK),
        (SEEK, SEEK, AHEAD, 2 * SEEK),
        (3 * MIB, MIB, AHEAD, 6 * MIB),
        (8 * MIB, SEEK, AHEAD, AHEAD),
        (100 * MIB, SEEK, AHEAD, AHEAD),
        (100 * MIB, SEEK, None, 200 * MIB),
        (0, MIB, 64 * KIB, 64 * KIB),
    ],
)
def test_a_window_doubles_as_it_is_consumed_up_to_the_look_ahead(
    consumed: int, first: int, limit: int | None, window: int
) -> None:
    assert window_after(consumed, first, limit) == window


# -- what starts -------------------------------------------------------------------------------------------------------

RANGE_FLIES = replace(
    BASE,
    coverage=present((FAR, FAR + SEEK + 1000)),
    fetches=(body(2, FAR + SEEK, FAR + SEEK + 1000, FAR + 2 * SEEK),),
)

STARTS = {
    "the first request is a plain GET": (
        replace(BASE, length=None, playheads=(Playhead(0, MIB),), demands=(0,)),
        [PLAIN_GET],
    ),
    "a session without readers fetches nothing": (BASE, []),
    "a session without readers and without a limit fetches everything": (replace(BASE, policy=UNLIMITED), [PLAIN_GET]),
    "a resumed download without a limit goes on to the end, open-ended": (
        replace(BASE, coverage=HEAD, policy=UNLIMITED),
        [Start(2 * MIB, None, sequential=True)],
    ),
    "a resumed download without a limit is one request, though its opening waits for the first byte": (
        replace(BASE, coverage=HEAD, policy=UNLIMITED, demands=(2 * MIB,)),
        [Start(2 * MIB, None, sequential=True)],
    ),
    "an unlimited download goes on up to what is present": (
        replace(BASE, coverage=FAR_RUN, policy=UNLIMITED),
        [Start(2 * MIB, FAR, sequential=True)],
    ),
    "a near demand rides the fetch that comes by": (
        replace(BASE, coverage=HEAD, fetches=(SEQUENTIAL,), demands=(2 * MIB + SEEK,)),
        [],
    ),
    "a demand one byte too far to ride gets its own bounded fetch": (
        replace(BASE, coverage=HEAD, fetches=(SEQUENTIAL,), demands=(2 * MIB + SEEK + 1,)),
        [Start(2 * MIB + SEEK + 1, 2 * MIB + 2 * SEEK + 1)],
    ),
    "a demand in a reader's window asks for the whole window": (
        replace(BASE, demands=(FAR,), playheads=(Playhead(FAR, 2 * MIB), Playhead(0, MIB)), policy=ONE_SLOT),
        [Start(FAR, FAR + 2 * MIB)],
    ),
    "a probe of the tail asks for no more than there is": (
        replace(BASE, coverage=HEAD, demands=(LENGTH - 128,)),
        [Start(LENGTH - 128, LENGTH)],
    ),
    "a demand stops short of what is present": (
        replace(BASE, coverage=FAR_RUN, demands=(FAR - 1000,)),
        [Start(FAR - 1000, FAR)],
    ),
    "a demand stops short of what another fetch brings": (
        replace(BASE, coverage=FAR_RUN, demands=(FAR - 1000,), fetches=(body(2, FAR - 500, FAR - 500, FAR),)),
        [Start(FAR - 1000, FAR - 500)],
    ),
    "two readers that wait far apart get ranges that do not overlap": (
        replace(BASE, coverage=HEAD, demands=(FAR + 512 * KIB, FAR), playheads=(Playhead(FAR, 2 * MIB),)),
        [Start(FAR + 512 * KIB, FAR + 512 * KIB + 2 * MIB), Start(FAR, FAR + 512 * KIB)],
    ),
    "two readers that wait side by side share one fetch": (
        replace(BASE, coverage=HEAD, demands=(FAR, FAR + 1000)),
        [Start(FAR, FAR + SEEK)],
    ),
    "a demand for what is present asks for nothing": (replace(BASE, coverage=HEAD, demands=(0, MIB)), []),
    "a demand at or beyond the end asks for nothing": (replace(BASE, coverage=HEAD, demands=(LENGTH, LENGTH + 9)), []),
    "a demand past an unknown end is for the origin to refuse": (
        replace(BASE, length=None, coverage=HEAD, demands=(FAR,)),
        [Start(FAR, FAR + SEEK)],
    ),
    "the back-off holds demands back": (replace(BASE, coverage=HEAD, demands=(FAR,), not_before=101.0), []),
    "the back-off holds windows and the rest back": (
        replace(BASE, coverage=HEAD, playheads=(Playhead(2 * MIB, MIB),), policy=UNLIMITED, not_before=101.0),
        [],
    ),
    "after tries that failed for good windows and the rest are left alone": (
        replace(BASE, coverage=HEAD, playheads=(Playhead(2 * MIB, MIB),), policy=UNLIMITED, paused=True),
        [],
    ),
    "after tries that failed for good a demand is tried all the same": (
        replace(BASE, coverage=HEAD, demands=(FAR,), paused=True),
        [Start(FAR, FAR + SEEK)],
    ),
    "with more than half a window left nothing more is asked for": (
        replace(BASE, coverage=FAR_RUN, playheads=(Playhead(FAR + SEEK // 2 - 1, SEEK),)),
        [],
    ),
    "with half a window left the next range is asked for": (
        replace(BASE, coverage=FAR_RUN, playheads=(Playhead(FAR + SEEK // 2, SEEK),)),
        [Start(FAR + SEEK, FAR + 2 * SEEK)],
    ),
    "while a range still flies the next, larger one is asked for": (
        replace(RANGE_FLIES, playheads=(Playhead(FAR + SEEK, 2 * SEEK),)),
        [Start(FAR + 2 * SEEK, FAR + 4 * SEEK)],
    ),
    "what nothing proves to be of one version is asked for when what comes before it is there to be compared": (
        replace(RANGE_FLIES, playheads=(Playhead(FAR + SEEK, 2 * SEEK),), divisible=False),
        [],
    ),
    "the same for who waits for it": (
        replace(RANGE_FLIES, demands=(FAR + 2 * SEEK,), divisible=False, ride=0),
        [],
    ),
    "the same for a gap": (
        replace(BASE, coverage=present((0, MIB), (4 * MIB, LENGTH)), sequential_done=True, divisible=False),
        [Start(MIB, 3 * MIB)],
    ),
    "a steady run with a full window goes on open-ended": (
        replace(BASE, coverage=present((FAR, FAR + 8 * MIB)), playheads=(Playhead(FAR + 8 * MIB - 1, AHEAD),)),
        [Start(FAR + 8 * MIB, None, sequential=True)],
    ),
    "a window around fragments asks for the pieces between them": (
        replace(BASE, coverage=present((10, 20), (40, 50)), playheads=(Playhead(0, 60),)),
        [Start(0, 10), Start(20, 40)],
    ),
    "a reader that gave up waiting is not served by a fetch far behind it": (
        replace(BASE, coverage=HEAD, fetches=(SEQUENTIAL,), playheads=(Playhead(FAR, SEEK),)),
        [Start(FAR, FAR + SEEK)],
    ),
    "nothing but demanded bytes is begun while somebody waits": (
        replace(BASE, coverage=FAR_RUN, demands=(50 * MIB,), policy=UNLIMITED),
        [Start(50 * MIB, 50 * MIB + SEEK)],
    ),
    "what the last fetch is bringing is not asked for again": (
        replace(BASE, coverage=present((MIB, LENGTH)), fetches=(body(1, 0, 0, MIB),), policy=UNLIMITED),
        [],
    ),
    "gaps are filled piece by piece once the sequential download is done": (
        replace(BASE, coverage=present((0, MIB), (4 * MIB, LENGTH)), sequential_done=True),
        [Start(MIB, 3 * MIB), Start(3 * MIB, 4 * MIB)],
    ),
    "at most four gaps are filled at a time": (
        replace(
            BASE,
            coverage=Coverage(ByteRange(at, at + 5) for at in range(0, LENGTH, LENGTH // 10)),
            sequential_done=True,
            policy=Policy(max_fetches=9),
        ),
        [Start(5 + at * 2 * MIB, 5 + (at + 1) * 2 * MIB) for at in range(4)],
    ),
    "a gap that is being filled is left to that fetch": (
        replace(
            BASE,
            coverage=present((0, MIB), (2 * MIB, 50 * MIB), (51 * MIB, LENGTH)),
            fetches=(body(3, MIB, MIB, 2 * MIB),),
            sequential_done=True,
        ),
        [Start(50 * MIB, 51 * MIB)],
    ),
    "connections share a download of everything, half of a half each": (
        replace(BASE, coverage=HEAD, fetches=(SEQUENTIAL,), policy=FOUR),
        [
            Start(101 * MIB, 150 * MIB + 512 * KIB),
            Start(51 * MIB + 512 * KIB, 101 * MIB),
            Start(150 * MIB + 512 * KIB, LENGTH),
        ],
    ),
    "what nobody brings comes before what is only divided": (
        replace(BASE, coverage=FAR_RUN, fetches=(body(3, FAR, FAR + SEEK),), policy=FOUR),
        [
            Start(2 * MIB, 51 * MIB),
            Start(FAR + SEEK + (LENGTH - FAR - SEEK) // 2, LENGTH),
            Start(51 * MIB, FAR),
        ],
    ),
    "connections do not share what nothing proves to be of one version": (
        replace(BASE, coverage=HEAD, fetches=(SEQUENTIAL,), policy=FOUR, divisible=False),
        [],
    ),
    "connections do not share a window": (
        replace(BASE, coverage=HEAD, fetches=(SEQUENTIAL,), policy=FOUR_AHEAD),
        [],
    ),
    "a little is not divided": (
        replace(BASE, coverage=present((0, 196 * MIB)), fetches=(body(1, 0, 196 * MIB),), policy=FOUR),
        [],
    ),
    "what the first comes by within a round trip is not divided": (
        replace(BASE, coverage=HEAD, fetches=(SEQUENTIAL,), policy=FOUR, ride=LENGTH),
        [],
    ),
    "an origin without ranges is asked for the whole": (
        replace(BASE, coverage=HEAD, seekable=False, demands=(FAR,)),
        [PLAIN_GET],
    ),
    "an origin without ranges is not asked for gaps": (
        replace(BASE, coverage=present((0, MIB), (2 * MIB, LENGTH)), seekable=False, sequential_done=True),
        [PLAIN_GET],
    ),
    "every demand ahead rides the whole body, however far": (
        replace(BASE, coverage=HEAD, seekable=False, demands=(FAR,), fetches=(SEQUENTIAL,)),
        [],
    ),
    "a demand behind the whole body begins it anew": (
        replace(BASE, coverage=present((5, 2 * MIB)), seekable=False, demands=(0, FAR), fetches=(SEQUENTIAL,)),
        [PLAIN_GET],
    ),
    "a window behind the whole body waits for a reader to be there": (
        replace(
            BASE,
            coverage=present((0, 9), (MIB, 2 * MIB)),
            seekable=False,
            fetches=(SEQUENTIAL,),
            playheads=(Playhead(0, AHEAD),),
        ),
        [],
    ),
}


@pytest.mark.parametrize("view, starts", STARTS.values(), ids=STARTS.keys())
def test_what_is_started(view: View, starts: list[Start]) -> None:
    assert list(planned(view).start) == starts


def test_eight_readers_that_wait_are_served_one_turn_each_in_the_order_in_which_they_came() -> None:
    demands = tuple(at * 20 * MIB for at in (7, 1, 2, 3, 4, 5, 6, 8))
    view = replace(
        BASE, coverage=present((0, 9)), demands=demands, playheads=tuple(Playhead(at, AHEAD) for at in demands)
    )
    plan = planned(view)
    assert plan.start == tuple(Start(at, at + QUANTUM) for at in demands[:2])


def test_behind_the_first_that_gets_no_slot_it_is_no_more_work_for_many_than_for_few(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looked_at: list[int] = []
    bringing = _Draft.bringing

    def counted(draft: _Draft, offset: int, within: int) -> Fetch | Start | None:
        looked_at.append(offset)
        return bringing(draft, offset, within)

    monkeypatch.setattr(_Draft, "bringing", counted)
    busy = (body(1, 0, 10, MIB), body(2, 50 * MIB, 50 * MIB + 10, 51 * MIB))
    demands = (10, 50 * MIB + 10, *range(60 * MIB, 160 * MIB, MIB))
    view = replace(BASE, coverage=present((0, 10), (50 * MIB, 50 * MIB + 10)), fetches=busy, demands=demands)
    plan = decide(view)
    assert (plan.start, plan.stop) == ((), ())
    assert looked_at == list(demands[:3])


def test_it_is_complete_when_every_byte_is_there() -> None:
    assert planned(replace(BASE, coverage=present((0, LENGTH)))).complete
    assert planned(replace(BASE, length=0)).complete
    assert not planned(replace(BASE, coverage=present((1, LENGTH)))).complete
    assert not planned(replace(BASE, length=None, coverage=present((0, LENGTH)))).complete


def test_a_thousand_fragments_are_filled_in_order_piece_by_piece() -> None:
    length = 2998
    view = replace(
        BASE, length=length, coverage=present(*((at, at + 1) for at in range(0, length, 3))), policy=UNLIMITED
    )
    for at in range(1, length, 3):
        (start,) = planned(view).start
        assert (start.start, start.end) == (at, at + 2)
        view.coverage.add(at, at + 2)
    assert planned(view).complete


@pytest.mark.parametrize("length", [1 << 50, None])
def test_a_gap_without_end_is_no_more_work_than_a_small_one(length: int | None) -> None:
    view = replace(BASE, length=length, coverage=HEAD, sequential_done=True)
    assert [each.start for each in planned(view).start] == [2 * MIB, 4 * MIB]
