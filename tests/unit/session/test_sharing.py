"""Two sessions on one file: the one plans around what the other brings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import pytest

from kithara_file.assets.keys import ResourceKey
from kithara_file.assets.store import AssetStore
from kithara_file.config import KIB, MIB, Policy
from kithara_file.net.client import WHOLE
from kithara_file.net.remote import Remote
from kithara_file.ranges import ByteRange
from kithara_file.session.fetcher import Fetcher
from kithara_file.session.holding import Holding
from kithara_file.session.plan import FOREIGN_SECONDS
from kithara_file.session.sharing import LONELY_SECONDS, PATIENCE_SECONDS, REST_SECONDS, Sharing
from kithara_file.session.view import Fetch, Playhead, Start, View
from kithara_file.storage.claims import LANE
from kithara_file.storage.memory import MemoryResource
from kithara_file.storage.streaming import StreamingResource
from tests.unit.session.hall import URL, Hall, body_of
from tests.world.clock import run_virtual
from tests.world.entry import MemoryEntry
from tests.world.remote import ScriptedRemote

LENGTH = 64 * MIB
BODY = body_of(3 * MIB)


@dataclass
class Held:
    """As much of a holding as sharing looks at."""

    resource: StreamingResource | MemoryResource | None
    remote: Remote | None = None

    def flush(self) -> None:
        assert self.resource is not None
        self.resource.flush()


class Side:
    """One of the processes."""

    def __init__(self, resource: StreamingResource) -> None:
        self.resource = resource
        self.sharing = Sharing(cast("Holding", Held(resource)), {})

    def view(self, now: float = 0.0, **facts: object) -> View:
        self.resource.catch_up()
        return View(LENGTH, self.resource.coverage, now=now, **facts)  # type: ignore[arg-type]

    def fetcher(self, start: int, end: int | None = None, number: int = 1) -> Fetcher:
        return Fetcher(number, Start(start, end), WHOLE, None)


@pytest.fixture
def sides(tmp_path: Path) -> Iterator[tuple[Side, Side]]:
    data, journal = tmp_path / "data", tmp_path / "journal"
    ours = StreamingResource.create(data, journal, "one", length=LENGTH)
    theirs = StreamingResource.reopen(data, journal, "one", length=LENGTH, committed=False)
    yield Side(ours), Side(theirs)
    ours.close()
    theirs.close()


def test_what_another_process_fetches_is_waited_for_and_looked_at_again_soon(sides: tuple[Side, Side]) -> None:
    us, them = sides
    them.sharing.launch(them.fetcher(0))
    plan = us.sharing.decide(us.view(demands=(0,), playheads=(Playhead(0, MIB),)))
    assert plan.start == ()
    assert plan.wake_at is not None
    assert plan.wake_at <= 0.1


def test_without_others_the_plan_is_the_planners(sides: tuple[Side, Side]) -> None:
    us, _ = sides
    assert us.sharing.decide(us.view(demands=(0,))).start == (Start(0, None, sequential=True),)


def test_a_far_demand_in_what_another_fetches_gets_its_own_fetch(sides: tuple[Side, Side]) -> None:
    us, them = sides
    them.sharing.launch(them.fetcher(0))
    (start,) = us.sharing.decide(us.view(demands=(40 * MIB,))).start
    assert start.start == 40 * MIB
    us.sharing.launch(us.fetcher(start.start, start.end))
    assert them.resource.claims is not None
    assert them.resource.claims.others(0, LENGTH) == [ByteRange(start.start, cast("int", start.end))]


def test_a_demand_close_behind_what_another_has_landed_rides(sides: tuple[Side, Side]) -> None:
    us, them = sides
    them.sharing.launch(them.fetcher(0))
    them.resource.write_at(0, b"x" * (10 * MIB))
    them.resource.flush()
    assert us.sharing.decide(us.view(demands=(10 * MIB + 100 * KIB,))).start == ()
    assert us.sharing.decide(us.view(demands=(20 * MIB,))).start != ()


def test_a_start_ends_where_another_process_has_begun(sides: tuple[Side, Side]) -> None:
    us, them = sides
    them.sharing.launch(them.fetcher(100 * KIB, 2 * MIB))
    (start,) = us.sharing.decide(us.view(demands=(0,))).start
    assert start.end == 100 * KIB


def lands(side: Side, fetch: Fetcher, data: bytes) -> None:
    """Let `fetch` land `data`, and time pass until nothing of it is claimed any more."""
    side.resource.write_at(fetch.position, data)
    fetch.position += len(data)
    side.sharing.flush([fetch])
    side.sharing.flush([fetch])


def test_a_claim_that_brings_nothing_for_long_is_not_waited_for(sides: tuple[Side, Side]) -> None:
    us, them = sides
    fetch = them.fetcher(0)
    them.sharing.launch(fetch)
    assert us.sharing.decide(us.view(0.0, demands=(0,))).start == ()
    assert us.sharing.decide(us.view(PATIENCE_SECONDS - 0.1, demands=(0,))).start == ()
    lands(them, fetch, b"x" * KIB)
    assert us.sharing.decide(us.view(PATIENCE_SECONDS + 0.1, demands=(KIB,))).start == ()
    assert us.sharing.decide(us.view(2 * PATIENCE_SECONDS + 0.2, demands=(KIB,))).start != ()


def test_a_claim_that_was_given_up_is_waited_for_again_once_its_own_fetch_gets_on(sides: tuple[Side, Side]) -> None:
    us, them = sides
    stuck, late = them.fetcher(0), PATIENCE_SECONDS + 0.1
    them.sharing.launch(stuck)
    assert us.sharing.decide(us.view(0.0, demands=(0,))).start == ()
    (start,) = us.sharing.decide(us.view(late, demands=(0,))).start
    ours = us.fetcher(start.start, start.end)
    us.sharing.launch(ours)
    lands(us, ours, b"x" * MIB)
    assert us.sharing.decide(us.view(late + 0.1, demands=(MIB,))).start != ()
    stuck.position = MIB
    lands(them, stuck, b"x" * KIB)
    assert us.sharing.decide(us.view(late + 0.2, demands=(MIB + KIB,))).start == ()


def test_a_reader_who_had_enough_for_long_waits_anew(sides: tuple[Side, Side]) -> None:
    us, them = sides
    them.sharing.launch(them.fetcher(0))
    assert us.sharing.decide(us.view(0.0, demands=(0,))).start == ()
    assert us.sharing.decide(us.view(0.1)).start == ()
    assert us.sharing.decide(us.view(PATIENCE_SECONDS + 1, demands=(0,))).start == ()


def test_what_is_journalled_by_the_last_time_is_not_claimed_any_more(sides: tuple[Side, Side]) -> None:
    us, them = sides
    fetch, part = them.fetcher(0), them.fetcher(2 * KIB, 3 * KIB, number=2)
    them.sharing.launch(fetch)
    them.sharing.launch(part)
    assert us.resource.claims is not None
    them.resource.write_at(0, b"x" * 4 * KIB)
    fetch.position = 4 * KIB
    them.sharing.flush([fetch, part])
    assert us.resource.claims.others(0, LENGTH) == [ByteRange(0, LANE), ByteRange(2 * KIB, 3 * KIB)]
    assert us.view().coverage.covers(0, 4 * KIB)
    them.sharing.flush([fetch, part])
    assert us.resource.claims.others(0, LENGTH) == [ByteRange(2 * KIB, 3 * KIB), ByteRange(4 * KIB, LANE)]
    them.sharing.let_go(fetch)
    assert us.resource.claims.others(0, LENGTH) == [ByteRange(2 * KIB, 3 * KIB)]


def test_a_fetch_that_rests_is_kept_for_the_others_and_their_wishes_are_looked_for(sides: tuple[Side, Side]) -> None:
    us, them = sides
    fetch = them.fetcher(0)
    them.sharing.launch(fetch)
    them.resource.write_at(0, b"x" * MIB)
    fetch.position = MIB
    alone = them.sharing.decide(them.view(fetches=(fetch.view,), playheads=(Playhead(0, MIB),)))
    them.sharing.rest(fetch, 0.0)
    assert alone.rest == {1}
    assert alone.wake_at is not None
    assert alone.wake_at <= LONELY_SECONDS
    assert us.sharing.decide(us.view(playheads=(Playhead(MIB, MIB),))).start == ()
    at_rest = replace(fetch.view, resting_since=0.0)
    wished = them.sharing.decide(them.view(fetches=(at_rest,), playheads=(Playhead(0, MIB),)))
    assert (wished.rest, wished.stop) == (frozenset(), ())
    assert them.sharing.resume(fetch)
    assert us.sharing.decide(us.view(playheads=(Playhead(0, MIB),))).wake_at is None
    contented = them.sharing.decide(them.view(fetches=(at_rest,), playheads=(Playhead(0, MIB),)))
    assert contented.rest == {1}
    assert contented.wake_at is not None
    assert contented.wake_at <= FOREIGN_SECONDS


def test_who_wants_everything_wishes_for_everything(sides: tuple[Side, Side]) -> None:
    us, them = sides
    them.sharing.launch(them.fetcher(0))
    us.sharing.decide(us.view(policy=Policy(look_ahead_bytes=None)))
    assert them.resource.claims is not None
    assert them.resource.claims.wished(LENGTH, LENGTH + 1) == [ByteRange(0, LANE)]


def test_a_fetch_that_has_rested_for_long_is_anybodys(sides: tuple[Side, Side]) -> None:
    us, them = sides
    fetch = them.fetcher(0)
    them.sharing.launch(fetch)
    fetch.rest(resting=True, now=10.0)
    them.sharing.rest(fetch, 10.0 + REST_SECONDS - 0.1)
    assert us.sharing.decide(us.view(demands=(0,))).start == ()
    them.sharing.rest(fetch, 10.0 + REST_SECONDS)
    assert us.sharing.decide(us.view(demands=(0,))).start != ()
    us.sharing.launch(us.fetcher(0))
    assert not them.sharing.resume(fetch)


@pytest.mark.parametrize("look_ahead_bytes", [None, 64 * KIB, 16 * MIB])
@pytest.mark.parametrize("read_bytes", [0, 1, 300 * KIB])
def test_one_request_serves_two_who_read_at_different_paces(
    store_dir: Path, look_ahead_bytes: int | None, read_bytes: int
) -> None:
    """The slow one began and holds the connection; the quick one needs it to flow on."""
    far = ScriptedRemote(BODY, rate=50e6, latency=0.05)

    async def main() -> None:
        with AssetStore(store_dir) as store:
            key = ResourceKey.of(URL)
            async with Hall(far, cast("MemoryEntry", store.open(key)), look_ahead_bytes=256 * KIB) as slow:
                await slow.opened()
                assert await slow.read(0, read_bytes) == BODY[:read_bytes]
                paused = slow.stream()
                entry = cast("MemoryEntry", store.open(key))
                async with Hall(far, entry, look_ahead_bytes=look_ahead_bytes) as quick:
                    await quick.opened()
                    stream = quick.stream()
                    assert await quick.within(stream.read()) == BODY
                    await stream.close()
                await paused.close()
        assert len(far.log) == 1

    run_virtual(main())


def test_what_was_let_go_of_is_taken_over(sides: tuple[Side, Side]) -> None:
    us, them = sides
    fetch = them.fetcher(0)
    them.sharing.launch(fetch)
    them.sharing.let_go(fetch)
    assert us.sharing.decide(us.view(demands=(0,))).start != ()
    us.sharing.launch(us.fetcher(0))
    assert not them.sharing.hold(fetch)


def test_two_fetches_of_one_process_are_seen_as_two_where_they_touch_and_where_one_lies_in_the_other(
    sides: tuple[Side, Side],
) -> None:
    us, them = sides
    for number, (start, end) in enumerate([(0, MIB), (MIB, 64 * MIB), (20 * MIB, 21 * MIB)]):
        them.sharing.launch(them.fetcher(start, end, number))
    them.resource.write_at(MIB, b"x" * KIB)
    them.resource.write_at(20 * MIB, b"x" * KIB)
    them.resource.flush()
    for coming in (0, MIB + KIB, 20 * MIB + KIB):
        assert us.sharing.decide(us.view(demands=(coming,))).start == ()


def test_letting_go_of_a_run_leaves_the_claims_on_its_parts(sides: tuple[Side, Side]) -> None:
    us, them = sides
    run, part = them.fetcher(0), them.fetcher(32 * MIB, 48 * MIB, number=2)
    them.sharing.launch(run)
    them.sharing.launch(part)
    them.sharing.let_go(run)
    assert us.resource.claims is not None
    assert us.resource.claims.others(0, LENGTH) == [ByteRange(32 * MIB, 48 * MIB)]


def test_letting_go_first_tells_what_has_landed(sides: tuple[Side, Side]) -> None:
    us, them = sides
    fetch = them.fetcher(0)
    them.sharing.launch(fetch)
    them.resource.write_at(0, b"x" * KIB)
    them.sharing.let_go(fetch)
    assert us.view().coverage.covers(0, KIB)


def test_a_fetch_that_was_granted_inside_of_another_is_never_said_to_be_taken_over(sides: tuple[Side, Side]) -> None:
    us, them = sides
    them.sharing.launch(them.fetcher(0))
    far = us.fetcher(8 * MIB, 9 * MIB)
    us.sharing.launch(far)
    assert us.sharing.hold(far)
    us.sharing.let_go(far)
    assert us.sharing.hold(far)


def test_a_claim_to_the_end_is_a_fetch_without_an_end(sides: tuple[Side, Side]) -> None:
    us, them = sides
    them.sharing.launch(them.fetcher(0))
    assert them.resource.claims is not None
    assert us.resource.claims is not None
    assert us.resource.claims.others(0, 1)[0].end == LANE
    waits = us.sharing.decide(us.view(demands=(0,), fetches=(Fetch(7, MIB, MIB, 2 * MIB),)))
    assert waits.start == ()


def test_a_first_fetch_that_finds_another_process_at_work_gives_way(sides: tuple[Side, Side]) -> None:
    us, them = sides
    them.sharing.launch(them.fetcher(0))
    assert not us.sharing.hold(us.fetcher(0))
    assert us.sharing.hold(us.fetcher(0, 0))


@pytest.mark.parametrize("resource", [None, MemoryResource(LENGTH)])
def test_where_nothing_can_be_shared_everything_is_ours(resource: MemoryResource | None) -> None:
    sharing = Sharing(cast("Holding", Held(resource)), {})
    fetch = Fetcher(1, Start(0, None), WHOLE, None)
    assert sharing.hold(fetch)
    sharing.let_go(fetch)


def test_what_others_fetch_of_another_selection_is_not_ours(sides: tuple[Side, Side]) -> None:
    us, them = sides
    them.sharing.launch(them.fetcher(0))
    held = Held(us.resource, Remote(LENGTH, selected_by="what others asked for"))
    sharing = Sharing(cast("Holding", held), {"Accept-Language": "fr"})
    assert not sharing.fits
    assert sharing.decide(us.view(demands=(0,))).start != ()
