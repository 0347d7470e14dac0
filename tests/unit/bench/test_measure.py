"""Contests: everybody in turn, ratios of one round, and those who fail left out with the reason."""

from __future__ import annotations

import pytest

from bench.measure import OURS, Contest, Figure, NotThere, Outcome, Row, Sample, at_least, at_most, contest
from bench.table import falls, page, told


def test_each_round_begins_with_another() -> None:
    order: list[str] = []

    def run(name: str) -> Sample:
        order.append(name)
        return Sample(1.0)

    contest({OURS: lambda: run("a"), "b": lambda: run("b")}, rounds=3)
    assert order == ["a", "b", "b", "a", "a", "b"]


def test_a_contender_that_fails_is_left_out_and_the_others_go_on() -> None:
    def fail() -> Sample:
        raise NotThere("not installed")

    taken = contest({OURS: lambda: Sample(1.0), "absent": fail}, rounds=3)
    assert len(taken.samples[OURS]) == 3
    assert taken.failed == {"absent": "not installed"}
    with pytest.raises(NotThere, match="not installed"):
        taken.share("absent")


def test_our_own_failure_is_the_rows() -> None:
    def fail() -> Sample:
        raise OSError("broken")

    with pytest.raises(OSError, match="broken"):
        contest({OURS: fail})


def test_ratios_are_of_one_round() -> None:
    taken = Contest({OURS: [Sample(1.0), Sample(4.0)], "b": [Sample(2.0), Sample(2.0)]})
    assert taken.share("b").figure.values == [0.5, 2.0]
    assert taken.speed("b").figure.values == [2.0, 0.5]


def test_the_best_is_who_took_least_of_those_that_count() -> None:
    taken = Contest({OURS: [Sample(1.0)], "b": [Sample(2.0, mib=9)], "c": [Sample(3.0, mib=1)], "tuned": [Sample(0.1)]})
    assert taken.best(but={"tuned"}) == "b"
    assert taken.best("mib", but={"tuned"}) == "c"


@pytest.mark.parametrize(
    "goal,value,met", [(at_least(0.85), 0.85, True), (at_least(0.85), 0.84, False), (at_most(2), 2.1, False)]
)
def test_goals_are_of_the_median(goal: object, value: float, met: bool) -> None:
    assert goal.met(Figure([0.0, value, 9.0])) is met  # type: ignore[attr-defined]


def test_what_falls_short_stands_in_the_page_with_why() -> None:
    row = Row("slow", "a slow thing", "a quick one", (at_least(2),), lambda: Outcome(()), why="It is slow.")
    outcome = Outcome((Contest({OURS: [Sample(1.0)], "b": [Sample(1.0)]}).speed("b"),))
    text = page({row: outcome}, "# Head")
    assert falls(row, outcome)
    assert "**no**" in text
    assert "- **slow**: It is slow." in text
    assert "slow" in told(row, "failed: OSError: broken")
    assert "failed: OSError: broken" in page({row: "failed: OSError: broken"}, "# Head")
