"""One request from its start to its end, over a scripted far end: what its crew hears, and when it stops."""

from __future__ import annotations

import asyncio
import logging

import pytest

from kithara_file.errors import BodyBroken, StorageError
from kithara_file.net.client import WHOLE, NotModified, Want
from kithara_file.net.remote import Validator
from kithara_file.ranges import ByteRange, OpenRange
from kithara_file.session.fetcher import Fetcher
from kithara_file.session.landing import Mismatch
from kithara_file.session.view import Fetch, Start
from tests.unit.session.crew import Crew
from tests.unit.session.hall import URL, body_of
from tests.world.clock import run_virtual
from tests.world.remote import KIB, BreakAt, Fault, IgnoreRange, Late, Raise, ScriptedRemote, StallAt, Untold, refuse

BODY = body_of(600 * KIB)
SAME = Validator('"v1"')


def fetcher(start: int = 0, end: int | None = None, want: Want | None = None, *, sequential: bool = False) -> Fetcher:
    asked = want or (OpenRange(start) if end is None else ByteRange(start, end))
    return Fetcher(7, Start(start, end, sequential), asked, None if sequential else SAME)


async def flown(which: Fetcher, *faults: Fault, **remote: float) -> Crew:
    return await Crew().sees(which, ScriptedRemote(BODY, **remote).then(*faults))  # type: ignore[arg-type]


# -- what it brings ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "which, faults, span, whole",
    [
        (lambda: fetcher(0, None, WHOLE, sequential=True), (), (0, len(BODY)), True),
        (lambda: fetcher(0, None, WHOLE, sequential=True), (Untold(),), (0, len(BODY)), True),
        (lambda: fetcher(1000, 300_000), (), (1000, 300_000), False),
        (lambda: fetcher(1000), (), (1000, len(BODY)), False),
        (lambda: fetcher(1000, 2000, ByteRange(500, 2000)), (), (500, 2000), False),  # with an overlap to compare
        (lambda: fetcher(1000, 2000), (IgnoreRange(),), (0, len(BODY)), True),
        (lambda: fetcher(0, 2000), (IgnoreRange(),), (0, len(BODY)), True),
        (lambda: fetcher(0, 2000), (IgnoreRange(), Untold()), (0, len(BODY)), True),
        (lambda: fetcher(0, 2000), (), (0, 2000), False),
        (lambda: fetcher(0, len(BODY)), (), (0, len(BODY)), True),  # all that there is, though asked for as a range
        (lambda: fetcher(0, len(BODY) + 99), (), (0, len(BODY)), True),
    ],
)
def test_it_brings_what_the_answer_holds_in_order_and_without_a_hole(
    which: object, faults: tuple[Fault, ...], span: tuple[int, int], whole: bool
) -> None:
    async def main() -> None:
        it = which()  # type: ignore[operator]
        crew = await flown(it, *faults)
        assert crew.content == BODY[slice(*span)]
        assert [start for start, _ in crew.spans] == [span[0], *(end for _, end in crew.spans[:-1])]
        assert (it.whole, it.answered, crew.ends) == (whole, True, [None])

    run_virtual(main())


def test_more_than_was_asked_for_is_cut_off() -> None:
    async def main() -> None:
        it = fetcher(0, 1000, OpenRange(0))
        remote = ScriptedRemote(BODY)
        crew = await Crew().sees(it, remote)
        assert crew.content == BODY[:1000]
        assert remote.bodies[0].done

    run_virtual(main())


def test_a_body_that_ends_where_we_want_is_read_to_its_own_end() -> None:
    async def main() -> None:
        remote = ScriptedRemote(BODY)
        await Crew().sees(fetcher(1000, 2000), remote)
        assert remote.bodies[0].ended  # and its connection serves the next

    run_virtual(main())


def test_where_it_was_ignored_the_range_becomes_the_sequential_body() -> None:
    async def main() -> None:
        it = fetcher(1000, 2000)
        await flown(it, IgnoreRange())
        assert (it.start, it.end) == (Start(0, None, sequential=True), len(BODY))

    run_virtual(main())


def test_a_304_has_no_body_and_ends_the_fetch() -> None:
    async def main() -> None:
        it = fetcher(0, None, WHOLE)
        crew = await Crew().sees(it, ScriptedRemote(BODY))
        assert isinstance(crew.answers[0][0], NotModified)
        assert (crew.chunks, crew.ends, it.answered) == ([], [None], False)

    run_virtual(main())


# -- how the planner sees it -------------------------------------------------------------------------------------------


def test_a_prefix_that_is_only_compared_is_no_work_of_its_own() -> None:
    it = fetcher(1000, 2000, ByteRange(500, 2000))
    it.position = 500
    assert it.view == Fetch(7, 1000, 1000, 2000)
    it.position = 1500
    assert it.view.position == 1500


def test_it_shows_itself() -> None:
    async def main() -> None:
        it = fetcher(1000, 2000)
        it.rest(True, 5.0)
        assert repr(it) == "<Fetcher 7 1000-1999 at 1000 resting>"

    run_virtual(main())


# -- time --------------------------------------------------------------------------------------------------------------


def test_the_seconds_told_are_those_in_which_it_waited_for_the_far_end() -> None:
    async def main() -> None:
        it, crew = fetcher(0, 512 * KIB), Crew()
        remote = ScriptedRemote(BODY, latency=0.25, rate=256 * KIB)
        crew.on_chunk = lambda: it.rest(len(crew.chunks) == 1, 0.0)
        asyncio.get_running_loop().call_later(50.0, it.rest, False, 0.0)
        await crew.sees(it, remote)
        assert crew.answers[0][1] == pytest.approx(0.25)
        assert crew.content == BODY[: 512 * KIB]
        assert sum(crew.seconds) == pytest.approx(2.0)  # the rest after the first chunk does not count

    run_virtual(main())


def test_while_it_rests_nothing_is_taken_from_the_far_end() -> None:
    async def main() -> None:
        it, crew, remote = fetcher(), Crew(), ScriptedRemote(BODY)
        crew.on_answer = lambda: it.rest(True, 3.0)
        it.go(URL, remote, crew)
        await asyncio.sleep(100)
        assert (remote.delivered, it.resting, it.view.resting_since) == (0, True, 3.0)
        it.rest(True, 4.0)  # told again, it has rested since the first time
        assert it.view.resting_since == 3.0
        it.rest(False, 5.0)
        await crew.over.wait()
        assert crew.content == BODY

    run_virtual(main())


def test_hurry_is_passed_on_whether_told_before_the_answer_or_later() -> None:
    async def main() -> None:
        it, crew, remote = fetcher(), Crew(), ScriptedRemote(BODY).then(StallAt(300 * KIB))
        it.hurry(True)
        it.go(URL, remote, crew)
        await asyncio.sleep(1)
        assert [each.hurried for each in remote.bodies] == [True]
        assert crew.spans[0] == (0, remote.piece)
        it.hurry(False)
        assert [each.hurried for each in remote.bodies] == [False]
        remote.release()
        await crew.over.wait()

    run_virtual(main())


# -- how it ends -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault, landed", [(Raise(refuse("nonsense")), 0), (BreakAt(1000), 1000)])
def test_an_error_of_the_far_end_comes_after_all_that_came_before_it(fault: Fault, landed: int) -> None:
    async def main() -> None:
        remote = ScriptedRemote(BODY).then(fault)
        crew = await Crew().sees(fetcher(), remote)
        assert crew.content == BODY[:landed]
        (error,) = crew.ends
        assert isinstance(error, BodyBroken if landed else type(refuse("")(URL)))
        assert remote.flying == 0

    run_virtual(main())


def test_what_the_crew_cannot_use_ends_the_fetch() -> None:
    async def main() -> None:
        def refuse_chunk() -> None:
            raise Mismatch

        crew, remote = Crew(), ScriptedRemote(BODY)
        crew.on_chunk = refuse_chunk
        await crew.sees(fetcher(), remote)
        assert [type(each) for each in crew.ends] == [Mismatch]
        assert (len(crew.chunks), remote.flying) == (1, 0)

    run_virtual(main())


@pytest.mark.parametrize(
    "fault, told",
    [
        (ZeroDivisionError("ours"), f"Cannot go on fetching {URL}: ours"),
        (MemoryError(), f"Cannot go on fetching {URL}: MemoryError"),
    ],
)
def test_a_fault_of_ours_is_told_and_logged_and_ends_the_fetch(
    caplog: pytest.LogCaptureFixture, fault: Exception, told: str
) -> None:
    async def main() -> None:
        def fail() -> None:
            raise fault

        crew, remote = Crew(), ScriptedRemote(BODY)
        crew.on_answer = fail
        await crew.sees(fetcher(), remote)
        (error,) = crew.ends
        assert isinstance(error, StorageError)
        assert str(error) == told
        assert remote.flying == 0

    with caplog.at_level(logging.ERROR, "kithara_file"):
        run_virtual(main())
    assert caplog.records[0].exc_info is not None


def test_a_stopped_fetch_ends_without_a_word() -> None:
    async def main() -> None:
        for faults in ([Late(50.0)], [StallAt(1000)]):
            it, crew, remote = fetcher(), Crew(), ScriptedRemote(BODY).then(*faults)
            it.go(URL, remote, crew)
            await asyncio.sleep(1)
            task = it.stop()
            assert task is not None
            await asyncio.gather(task, return_exceptions=True)
            assert (crew.ends, remote.flying, it.stop()) == ([], 0, None)

    run_virtual(main())


@pytest.mark.parametrize("when", ["on_answer", "on_chunk"])
def test_a_fetch_that_its_own_crew_stops_takes_nothing_more(when: str) -> None:
    async def main() -> None:
        it, crew, remote = fetcher(), Crew(), ScriptedRemote(BODY)
        stopped: list[object] = []
        setattr(crew, when, lambda: stopped.append(it.stop()))
        it.go(URL, remote, crew)
        await asyncio.sleep(100)
        assert stopped == [None]  # there is nothing to wait for: whoever would wait is the task itself
        assert (len(crew.chunks), crew.ends, remote.flying) == (int(when == "on_chunk"), [], 0)

    run_virtual(main())


def test_a_fetch_that_rests_can_be_stopped() -> None:
    async def main() -> None:
        it, crew, remote = fetcher(), Crew(), ScriptedRemote(BODY)
        crew.on_answer = lambda: it.rest(True, 0.0)
        it.go(URL, remote, crew)
        await asyncio.sleep(1)
        task = it.stop()
        assert task is not None
        await asyncio.gather(task, return_exceptions=True)
        assert (remote.flying, remote.delivered) == (0, 0)

    run_virtual(main())
