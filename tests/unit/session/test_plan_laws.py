"""The laws of the planner: for any view, and for any history that a simulated session goes through."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kithara_file.config import KIB, MIB, Policy
from kithara_file.ranges import Coverage
from kithara_file.session.plan import QUANTUM, decide
from kithara_file.session.view import Fetch, Playhead, View
from tests.unit.session import laws
from tests.unit.session.simulation import World

SIZE = 4 * MIB
EXAMPLES = max(200, settings().max_examples)

offsets = st.integers(0, SIZE)
policies = st.builds(
    Policy,
    look_ahead_bytes=st.sampled_from([None, 64 * KIB, 512 * KIB, 2 * MIB, 16 * MIB]),
    initial_window=st.sampled_from([64 * KIB, 512 * KIB, MIB]),
    seek_window=st.sampled_from([64 * KIB, 256 * KIB]),
    max_fetches=st.sampled_from([2, 1, 3, 4]),
    gap_bytes=st.sampled_from([2 * MIB, 64 * KIB]),
    connections=st.sampled_from([1, 1, 2, 4]),
    part_bytes=st.sampled_from([1, 300 * KIB]),
)


@st.composite
def coverages(draw: st.DrawFn, length: int) -> Coverage:
    coverage = Coverage()
    for start, size in draw(st.lists(st.tuples(offsets, st.sampled_from([1, 9, 64 * KIB, MIB])), max_size=8)):
        coverage.add(start, min(start + size, length))
    return coverage


@st.composite
def flights(draw: st.DrawFn, coverage: Coverage, length: int, *, seekable: bool, slots: int) -> tuple[Fetch, ...]:
    """Return fetches as they can be: what each has brought is present."""
    fetches = []
    for number in range(draw(st.integers(0, slots))):
        begun = draw(st.integers(0, max(0, length - 1))) if seekable else 0
        position = min(length, begun + draw(st.sampled_from([0, 1, 100 * KIB, QUANTUM])))
        coverage.add(begun, position)
        bounded = seekable and draw(st.booleans())
        end = min(length, position + draw(st.sampled_from([0, 5, 20 * KIB, 300 * KIB, 2 * MIB]))) if bounded else None
        since = draw(st.sampled_from([None, 100.0, 97.0, 95.0, 90.0]))
        if end is None or end > begun:
            sequential = not bounded and draw(st.booleans())
            fetches.append(Fetch(number + 1, begun, position, end, sequential, since))
    return tuple(fetches)


@st.composite
def views(draw: st.DrawFn) -> View:
    length = draw(st.one_of(offsets, st.just(SIZE)))
    seekable, policy = draw(st.integers(0, 4)) > 0, draw(policies)
    coverage = draw(coverages(length))
    fetches = draw(flights(coverage, length, seekable=seekable, slots=policy.max_fetches))
    sizes = st.sampled_from([1, 2, 64 * KIB, 256 * KIB, MIB, 16 * MIB])
    heads = draw(st.lists(st.builds(Playhead, offsets, sizes), max_size=4))
    blocked = [coverage.end_of_run(each.position) for each in heads if draw(st.booleans())]
    return View(
        length=draw(st.sampled_from([length, None])),
        coverage=coverage,
        fetches=fetches,
        demands=(*blocked, *draw(st.lists(offsets, max_size=2))),
        playheads=tuple(heads),
        seekable=seekable,
        divisible=seekable and draw(st.booleans()),
        sequential_done=bool(coverage.total) and draw(st.booleans()),
        paused=draw(st.integers(0, 4)) == 0,
        policy=policy,
        now=100.0,
        not_before=draw(st.sampled_from([0.0, 0.0, 100.0, 100.5])),
        ride=draw(st.sampled_from([256 * KIB, MIB])),
        little=draw(st.sampled_from([16 * KIB, 32 * KIB, 256 * KIB])),
    )


@settings(max_examples=EXAMPLES)
@given(view=views())
def test_every_plan_keeps_the_laws(view: View) -> None:
    laws.hold(view, decide(view))


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Return a session with readers at random places, over an origin that is now and then at fault."""
    length = draw(st.one_of(st.sampled_from([SIZE, 300 * KIB, 1, 0]), offsets))
    policy = draw(policies)
    reads = st.lists(st.tuples(offsets, st.sampled_from([1, 10 * KIB, 300 * KIB, 2 * MIB])), max_size=5)
    return World(
        length=length,
        reads=draw(st.lists(reads, min_size=0 if policy.look_ahead_bytes is None else 1, max_size=4)),
        policy=policy,
        coverage=draw(coverages(length)),
        seekable=draw(st.integers(0, 4)) > 0,
        length_told=draw(st.booleans()),
        check=laws.hold,
        random=Random(draw(st.integers(0, 2**32))),
        chunk=draw(st.sampled_from([256 * KIB, 32 * KIB])),
        failing=draw(st.sampled_from([0.0, 0.0, 0.1, 0.4])),
    )


@settings(max_examples=EXAMPLES)
@given(world=worlds())
def test_keep_delivering_and_everything_wanted_arrives(world: World) -> None:
    """Each step lands half a chunk at least on average, if only one fetch flows; a body without ranges begins anew."""
    bound = 500 + 40 * SIZE // world.chunk
    world.run(bound)
    if world.done or world.policy.look_ahead_bytes is None:
        world.run(2 * bound, lambda: world.complete)
        assert world.coverage.covers(0, world.length)


LARGE = 200 * MIB
PROBE = 64 * KIB


def test_head_tail_and_head_again_cost_little_more_than_was_read() -> None:
    world = World(LARGE, [[(0, PROBE), (LARGE - PROBE, PROBE), (PROBE, 4 * MIB)]], check=laws.hold)
    world.run(1000)
    for _ in range(1000):  # ten seconds in which nobody reads
        world.step()
    assert world.landed <= 4 * MIB + 2 * PROBE + 16 * MIB + MIB
    assert (world.requests, world.dropped) == (2, 1)  # the sequential one lived through the probe, then rested too long
    assert world.fetches == []


def test_a_far_probe_costs_a_small_window_and_mostly_keeps_its_connection() -> None:
    places = [(at * 7919 * 4096 % LARGE, PROBE) for at in range(1, 101)]
    world = World(LARGE, [places], check=laws.hold)
    world.run(1000)
    assert world.landed <= 100 * 256 * KIB + 2 * MIB
    assert world.requests <= 101


def test_a_reader_alone_is_served_by_one_request() -> None:
    world = World(64 * MIB, [[(0, 64 * MIB)]], check=laws.hold)
    world.run(2000, lambda: world.complete)
    assert (world.landed, world.requests, world.dropped) == (64 * MIB, 1, 0)


@pytest.mark.parametrize("connections", [1, 2, 3, 4, 8])
def test_connections_share_a_download_of_everything(connections: int) -> None:
    policy = Policy(look_ahead_bytes=None, max_fetches=connections, connections=connections)
    world = World(LARGE, [], policy, check=laws.hold)
    world.run(100_000, lambda: world.complete)
    assert world.landed <= LARGE + connections * 256 * KIB
    assert world.requests <= 1 + 6 * (connections - 1)  # halves of halves, down to the smallest part worth a request
    assert world.steps <= 1.25 * LARGE / (128 * KIB) / connections + 20


def test_a_reader_that_goes_on_from_a_far_place_soon_reads_open_ended() -> None:
    world = World(LARGE, [[(LARGE // 2, 20 * MIB)]], check=laws.hold)
    world.run(1000)
    assert world.requests <= 8
    assert world.dropped == 0
    assert (world.log[-1].end, world.log[-1].sequential) == (None, True)


@pytest.mark.parametrize("readers, slots", [(2, 1), (4, 2), (8, 2)])
def test_more_readers_than_slots_take_turns_rather_than_each_others_connections(readers: int, slots: int) -> None:
    each = 3 * MIB
    reads = [[(at * LARGE // readers, each)] for at in range(readers)]
    world = World(LARGE, reads, Policy(max_fetches=slots), check=laws.hold, chunk=64 * KIB)
    world.run(5000)
    assert world.landed <= readers * (each + MIB) + MIB
    assert world.requests <= world.landed // (QUANTUM // 2)
    assert world.dropped <= slots


def test_one_slow_reader_does_not_keep_the_others_waiting() -> None:
    """Two readers on one slot: whoever waits is served within a quantum of the other's bytes."""
    world = World(LARGE, [[(0, 8 * MIB)], [(LARGE // 2, 8 * MIB)]], Policy(max_fetches=1), check=laws.hold)
    waited = [0, 0]
    while not all(each.finished for each in world.readers):
        before = world.landed
        world.step()
        for index, reader in enumerate(world.readers):
            blocked = reader.waiting_since is not None and reader.waiting_since < world.steps
            waited[index] = waited[index] + world.landed - before if blocked else 0
        assert max(waited) <= 2 * QUANTUM
