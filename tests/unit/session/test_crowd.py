"""How many fetches at once an origin is asked for after it has refused or left waiting what was too many."""

from __future__ import annotations

from kithara_file.config import Policy
from kithara_file.session.crowd import CAREFUL_SECONDS, Crowd
from kithara_file.session.view import Fetch

POLICY = Policy(max_fetches=4, answer_seconds=3.0)
FLOWS = Fetch(1, 0, 100, None)
FLOWS_TOO = Fetch(2, 500, 600, None)
ASKED = Fetch(3, 900, 900, 1000, asked_since=10.0)


def test_an_origin_that_refuses_nothing_is_asked_for_all_that_may_be() -> None:
    assert Crowd().bounded(POLICY, (FLOWS, FLOWS_TOO), 11.0) is POLICY


def test_what_was_refused_beside_others_is_one_too_many() -> None:
    crowd = Crowd()
    assert crowd.refused((FLOWS, FLOWS_TOO, ASKED), 10.0)
    assert crowd.bounded(POLICY, (FLOWS, FLOWS_TOO), 10.0).max_fetches == 2
    assert repr(crowd) == "<Crowd of 2>"


def test_what_was_refused_alone_was_not_too_much() -> None:
    crowd = Crowd()
    assert not crowd.refused((ASKED,), 10.0)
    assert crowd.bounded(POLICY, (ASKED,), 10.0) is POLICY


def test_what_is_not_answered_for_long_beside_others_is_one_too_many() -> None:
    crowd = Crowd()
    assert crowd.bounded(POLICY, (FLOWS, ASKED), 12.9) is POLICY
    assert crowd.bounded(POLICY, (FLOWS, ASKED), 13.0).max_fetches == 1


def test_what_waits_alone_may_wait() -> None:
    assert Crowd().bounded(POLICY, (ASKED,), 100.0) is POLICY


def test_no_more_than_was_allowed_is_ever_asked_for() -> None:
    crowd = Crowd()
    crowd.refused((FLOWS, FLOWS_TOO), 0.0)
    assert crowd.bounded(Policy(max_fetches=1), (), 1.0).max_fetches == 1


def test_after_a_while_more_is_tried_again() -> None:
    crowd = Crowd()
    crowd.refused((FLOWS,), 10.0)
    assert crowd.bounded(POLICY, (), 10.0 + CAREFUL_SECONDS - 1).max_fetches == 1
    assert crowd.bounded(POLICY, (), 10.0 + CAREFUL_SECONDS) is POLICY
