"""The fetches in flight: started, rested, hurried, stopped as the plan says, and counted."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from kithara_file.net.client import WHOLE
from kithara_file.ranges import ByteRange, Coverage, OpenRange
from kithara_file.session.fetcher import Fetcher
from kithara_file.session.flights import Flights
from kithara_file.session.holding import Holding
from kithara_file.session.sharing import Sharing
from kithara_file.session.view import Plan, Start
from tests.unit.session.crew import Crew
from tests.unit.session.hall import URL, body_of
from tests.world.clock import run_virtual
from tests.world.entry import MemoryEntry
from tests.world.remote import KIB, ScriptedRemote, StallAt

BODY = body_of(900 * KIB)


def make(number: int, start: Start) -> Fetcher:
    want = OpenRange(start.start) if start.end is None else ByteRange(start.start, start.end)
    return Fetcher(number, start, WHOLE if start == Start(0, None) else want, None)


class Yard:
    """Flights over a far end whose every body stalls at once."""

    def __init__(self) -> None:
        self.remote = ScriptedRemote(BODY).always(StallAt(0))
        self.crew = Crew()
        self.flights = Flights(self.launch, Sharing(Holding(MemoryEntry(), lambda: None), {}))

    def launch(self, fetcher: Fetcher) -> None:
        fetcher.go(URL, self.remote, self.crew)

    async def obey(self, plan: Plan, *, hurry: bool = False, now: float = 5.0) -> None:
        self.flights.obey(plan, make, now, hurry=hurry)
        await asyncio.sleep(1)


def in_yard(story: Callable[[Yard], Coroutine[Any, Any, None]]) -> None:
    async def main() -> None:
        yard = Yard()
        await story(yard)
        await asyncio.gather(*yard.flights.drop(), return_exceptions=True)
        assert (yard.remote.flying, yard.flights.views, yard.crew.ends) == (0, (), [])

    run_virtual(main())


def test_a_plan_is_carried_out() -> None:
    async def story(yard: Yard) -> None:
        await yard.obey(Plan(start=(Start(0, 100), Start(500, None))))
        assert [(each.id, each.position, each.end) for each in yard.flights.views] == [(1, 0, 100), (2, 500, len(BODY))]
        assert [each.want for each in yard.remote.log] == [ByteRange(0, 100), OpenRange(500)]
        await yard.obey(Plan(stop=(1,), start=(Start(200, 300),), rest=frozenset({2})))
        assert [(each.id, each.resting_since) for each in yard.flights.views] == [(2, 5.0), (3, None)]
        assert (yard.flights.started, yard.remote.flying) == (3, 2)
        await yard.obey(Plan())
        assert [each.resting_since for each in yard.flights.views] == [None, None]
        assert repr(yard.flights) == "<Flights 2 flying of 3>"

    in_yard(story)


def test_whoever_flows_hurries_while_somebody_waits_and_whoever_is_to_rest_does_always() -> None:
    async def story(yard: Yard) -> None:
        await yard.obey(Plan(start=(Start(0, 100), Start(500, None)), rest=frozenset({2})), hurry=True)
        assert [each.hurried for each in yard.remote.bodies] == [True, True]
        await yard.obey(Plan(rest=frozenset({2})))
        assert [each.hurried for each in yard.remote.bodies] == [False, True]
        await yard.obey(Plan())
        assert [each.hurried for each in yard.remote.bodies] == [False, False]

    in_yard(story)


def test_a_fetch_that_has_ended_is_no_longer_in_view() -> None:
    async def story(yard: Yard) -> None:
        fetcher = make(1, Start(0, 100))
        yard.flights.add(fetcher)
        yard.flights.accepted(fetcher)
        yard.flights.forget(fetcher)
        yard.flights.forget(fetcher)
        yard.flights.accepted(fetcher)
        assert (yard.flights.views, yard.flights.started) == ((), 1)
        task = fetcher.stop()
        assert task is not None
        await asyncio.gather(task, return_exceptions=True)

    in_yard(story)


def test_all_are_dropped_but_one() -> None:
    async def story(yard: Yard) -> None:
        kept = make(1, Start(0, 100))
        yard.flights.add(kept)
        await yard.obey(Plan(start=(Start(500, None),)))
        tasks = yard.flights.drop(but=kept)
        await asyncio.gather(*tasks, return_exceptions=True)
        assert ([each.id for each in yard.flights.views], len(tasks), yard.remote.flying) == ([1], 1, 1)

    in_yard(story)


@pytest.mark.parametrize(
    "offset, within, present, brought",
    [
        (100, 0, (), True),
        (199, 99, (), True),
        (199, 98, (), False),  # too far ahead of it
        (200, 1000, (), False),  # behind its end
        (99, 1000, (), False),  # it is past that
        (150, 1000, (120, 130), False),  # it will be stopped at what is present
        (119, 1000, (120, 130), True),
        (5000, 1000, (), True),  # the open-ended one
    ],
)
def test_what_a_fetch_will_bring(offset: int, within: int, present: tuple[int, ...], brought: bool) -> None:
    async def story(yard: Yard) -> None:
        await yard.obey(Plan(start=(Start(100, 200), Start(4500, None))))
        coverage = Coverage([ByteRange(*present)] if present else [])
        assert yard.flights.bring(offset, within, coverage) is brought

    in_yard(story)
