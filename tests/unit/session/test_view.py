"""The values that a decision is made of."""

from __future__ import annotations

from dataclasses import FrozenInstanceError

import pytest

from kithara_file.config import Policy
from kithara_file.ranges import Coverage
from kithara_file.session.view import Fetch, Plan, Playhead, Start, View


def test_the_goal_of_a_playhead_is_a_window_past_it() -> None:
    assert Playhead(100, 50).goal == 150


@pytest.mark.parametrize("window, half", [(50, 126), (51, 126), (2, 102), (1, 101)])
def test_a_byte_before_half_a_window_is_asked_for_and_the_next_reader_byte_always_is(window: int, half: int) -> None:
    assert Playhead(100, window).half == half


def test_a_start_lands_its_first_byte_where_it_starts() -> None:
    assert Start(7, None).position == 7


def test_an_empty_plan_changes_nothing() -> None:
    plan = Plan()
    assert (plan.start, plan.stop, plan.rest, plan.wake_at, plan.complete) == ((), (), frozenset(), None, False)


def test_a_view_of_little_takes_the_usual_policy() -> None:
    view = View(length=None, coverage=Coverage())
    assert view.policy == Policy()
    assert view.ride == Policy().ride_bytes
    assert view.seekable


@pytest.mark.parametrize("value", [Fetch(1, 0, 0, None), Playhead(0, 1), Start(0, 1), Plan()])
def test_what_was_seen_and_decided_cannot_be_changed(value: object) -> None:
    with pytest.raises((FrozenInstanceError, TypeError)):
        setattr(value, type(value).__slots__[0], 1)  # type: ignore[attr-defined]
