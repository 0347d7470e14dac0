"""What readers want together, as they come and go."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial

import pytest

from kithara_file.config import MIB, FileConfig, Policy
from kithara_file.session.audience import CAUTIOUS_BYTES, Audience
from kithara_file.session.reader import Reader
from kithara_file.session.view import Playhead
from kithara_file.storage.memory import MemoryResource
from tests.unit.session.hall import URL
from tests.world.crash import fork_while_held

CONFIG = FileConfig(URL)
POLICY = CONFIG.policy


class Room:
    """A host with a resource, and nothing that happens."""

    shown_url = URL

    def __init__(self) -> None:
        self.resource = MemoryResource(100 * MIB)
        self.outdated = self.stillborn = False
        self.opened: Future[None] = Future()

    def successor(self, reader: Reader, config: FileConfig) -> Room:
        return self

    def poke(self) -> None: ...

    def read_to(self, position: int, *, end: bool) -> None: ...

    def leave(self, reader: Reader, *, wait: bool) -> None: ...


def reader(position: int = 0, config: FileConfig = CONFIG) -> Reader:
    made = Reader(Room(), config)
    if position:
        made.consumed(position, 0)
    return made


def test_the_first_reader_is_expected_at_the_beginning() -> None:
    audience = Audience(POLICY)
    assert list(audience.playheads) == [Playhead(0, POLICY.initial_window)]
    first = reader(50 * MIB)
    audience.add(first)
    assert [each.position for each in audience.playheads] == [50 * MIB]
    audience.remove(first)
    assert list(audience.playheads) == []  # whoever has gone is not expected back


@pytest.mark.parametrize("ahead, everything", [(None, False), (MIB, True)])
def test_nobody_is_expected_where_everything_is_wanted_anyway(ahead: int | None, everything: bool) -> None:
    audience = Audience(Policy(look_ahead_bytes=ahead))
    if everything:
        audience.want_everything(object())
    assert audience.playheads == ()


def test_readers_come_and_go_and_other_holders_are_none() -> None:
    audience, one, two = Audience(), reader(), reader()
    audience.add(one)
    audience.add(two)
    audience.remove(object())
    assert len(audience) == 2
    audience.remove(one)
    audience.remove(one)
    assert (len(audience), audience.playheads) == (1, (two.playhead,))


def steps(act: Callable[[], object]) -> int:
    """Return how many functions `act` enters and leaves, or resumes."""
    seen: list[str] = []
    gc.disable()  # what it would drop meanwhile has steps too
    sys.setprofile(lambda _, event, __: seen.append(event))
    try:
        act()
    finally:
        sys.setprofile(None)
        gc.enable()
    return len(seen)


def test_to_come_and_to_go_costs_the_same_among_few_and_among_many() -> None:
    few, many = Audience(), Audience()
    for audience, others in ((few, 1), (many, 100)):
        for _ in range(others):
            audience.add(reader())
    one, other = reader(), reader()
    assert steps(partial(few.add, one)) == steps(partial(many.add, other))
    assert steps(partial(few.remove, one)) == steps(partial(many.remove, other))


def test_it_has_read_once_one_of_those_present_has() -> None:
    audience, one, two = Audience(), reader(), reader()
    audience.add(one)
    audience.add(two)
    assert [audience.has_read] == [False]
    two.consumed(0, 1)
    assert [audience.has_read] == [True]
    audience.remove(two)
    assert [audience.has_read] == [False]  # a byte that only the departed has seen binds nobody


def test_who_wants_everything_lifts_the_look_ahead() -> None:
    audience = Audience(POLICY)
    assert audience.policy == POLICY
    who = object()
    audience.want_everything(who)
    assert audience.policy.look_ahead_bytes is None
    audience.remove(who)  # and nobody fetches for the departed
    assert audience.policy == POLICY


def test_past_a_full_disk_the_readers_share_a_small_look_ahead() -> None:
    audience = Audience(POLICY)
    audience.want_everything(object())
    audience.cautious = True
    for each in (reader(), reader()):
        each.consumed(0, 50 * MIB)
        audience.add(each)
    assert audience.policy == POLICY
    assert {each.window for each in audience.playheads} == {CAUTIOUS_BYTES // 2}
    assert {each.position for each in audience.playheads} == {50 * MIB}


def test_a_child_of_a_fork_leaves_while_others_came_and_went() -> None:
    audience, one = Audience(POLICY), reader()
    audience.add(one)
    assert fork_while_held(audience._lock, lambda: audience.remove(one)) == 0
    assert len(audience) == 1


@pytest.mark.parametrize("farthest", [None, 32 * MIB])
def test_who_looks_farthest_ahead_is_given_that_while_it_is_there(farthest: int | None) -> None:
    audience = Audience(POLICY)
    near, far = reader(), reader(config=FileConfig(URL, look_ahead_bytes=farthest))
    audience.add(near)
    audience.add(far)
    assert audience.policy.look_ahead_bytes == farthest
    audience.remove(far)
    assert audience.policy == near.policy
