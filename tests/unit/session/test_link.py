"""What is known of the link: nothing before it is seen, and never more than it showed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kithara_file.config import KIB, MIB
from kithara_file.session.link import SAMPLE_SECONDS, UNMEASURED_BYTES, Link


def fast_link(round_trip: float, rate: int) -> Link:
    link = Link()
    link.answered(round_trip)
    link.landed(rate, 1.0)
    return link


def test_nothing_is_known_of_a_link_before_it_is_used() -> None:
    link = Link()
    assert (link.round_trip, link.rate, link.per_round_trip) == (0.0, 0.0, 0)


def test_the_least_recent_round_trip_counts() -> None:
    link = Link()
    for seconds in (0.3, 0.05, 0.5):
        link.answered(seconds)
    assert link.round_trip == pytest.approx(0.8 * 0.05 + 0.2 * 0.5)  # a busy answer hardly moves it
    link.answered(0.01)
    assert link.round_trip == 0.01


def test_a_farther_origin_is_believed_in_the_end() -> None:
    link = Link()
    link.answered(0.01)
    for _ in range(30):
        link.answered(0.2)
    assert link.round_trip == pytest.approx(0.2, rel=0.01)


def test_small_landings_are_summed_up_before_they_count() -> None:
    link = Link()
    link.landed(1000, SAMPLE_SECONDS / 4)
    assert link.rate == 0.0
    link.landed(1000, SAMPLE_SECONDS)
    assert link.rate == pytest.approx(2000 / (1.25 * SAMPLE_SECONDS))


def test_a_slower_moment_lowers_the_rate_only_slowly_and_a_faster_one_raises_it_at_once() -> None:
    link = Link()
    link.landed(1000, 1.0)
    link.landed(100, 1.0)
    assert link.rate == pytest.approx(0.7 * 1000 + 0.3 * 100)
    link.landed(5000, 1.0)
    assert link.rate == 5000


def test_a_demand_rides_as_far_as_one_round_trip_reaches() -> None:
    link = fast_link(0.1, 10 * MIB)
    assert link.ride(256 * KIB) == MIB
    assert link.ride(2 * MIB) == 2 * MIB
    assert Link().ride(256 * KIB) == 256 * KIB


@pytest.mark.parametrize(
    "round_trip, rate, little",
    [(0.0, MIB, 16 * KIB), (0.1, MIB, MIB // 10), (1.0, 99 * MIB, MIB), (0.1, 0, UNMEASURED_BYTES)],
)
def test_what_is_worth_draining_has_bounds(round_trip: float, rate: int, little: int) -> None:
    assert fast_link(round_trip, rate).little == pytest.approx(little, abs=1)


@given(st.lists(st.tuples(st.integers(1, 10 * MIB), st.floats(0.0, 2.0)), max_size=30))
def test_the_rate_is_never_above_the_fastest_sample(landings: list[tuple[int, float]]) -> None:
    link, fastest, size, seconds = Link(), 0.0, 0, 0.0
    for count, took in landings:
        link.landed(count, took)
        size, seconds = size + count, seconds + took
        if seconds >= SAMPLE_SECONDS:
            fastest, size, seconds = max(fastest, size / seconds), 0, 0.0
        assert link.rate <= fastest * (1 + 1e-9)


def test_a_link_shows_what_it_knows() -> None:
    assert repr(fast_link(0.05, 2_000_000)) == "<Link 50 ms · 2.0 MB/s>"
