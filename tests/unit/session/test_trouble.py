"""How many failures are borne, and how long is waited between them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from kithara_file.config import Retry
from kithara_file.ranges import ByteRange
from kithara_file.session.trouble import FAIR_PROGRESS, Trouble

RETRY = Retry(first_delay=0.1, max_delay=5.0, jitter=0.5, max_failures=6)


def trouble(chance: float = 0.0) -> Trouble:
    return Trouble(RETRY, lambda: chance)


def test_the_waits_between_failures_double() -> None:
    it = trouble()
    waits = []
    while not it.failed(100.0, 7, landed=0, tries=1):
        waits.append(round(it.not_before - 100.0, 6))
    assert waits == [0.1, 0.2, 0.4, 0.8, 1.6]


def test_chance_makes_a_wait_longer_by_at_most_the_jitter() -> None:
    it = trouble(chance=1.0)
    it.failed(100.0, 7, landed=0, tries=1)
    assert round(it.not_before - 100.0, 6) == 0.15


def test_tries_of_the_client_count_as_failures() -> None:
    assert trouble().failed(0.0, 7, landed=0, tries=6)
    assert not trouble().failed(0.0, 7, landed=0, tries=5)


def test_a_fetch_that_brought_something_counts_once_however_often_it_was_tried() -> None:
    it = trouble()
    assert not it.failed(0.0, 7, landed=1, tries=100)
    assert it.failures == 1


def test_after_fair_progress_the_next_fetch_goes_out_at_once() -> None:
    it = trouble()
    it.failed(100.0, 7, landed=FAIR_PROGRESS, tries=1)
    assert it.not_before == 100.0
    it.failed(100.0, 7, landed=FAIR_PROGRESS - 1, tries=1)
    assert it.not_before > 100.0


def test_what_the_origin_asks_for_is_waited_for() -> None:
    it = trouble()
    it.failed(100.0, 7, landed=FAIR_PROGRESS, tries=1, told=7.0)
    assert it.not_before == 107.0
    it.failed(100.0, 7, landed=0, tries=1, told=0.01)
    assert it.not_before >= 100.2  # never sooner than without being asked


def test_one_landed_byte_forgives_what_failed_there() -> None:
    it = trouble()
    for _ in range(5):
        it.failed(0.0, 7, landed=0, tries=1)
    it.landed(1, ByteRange(7, 8))
    assert (it.failures, it.paused) == (0, False)
    assert not it.failed(0.0, 7, landed=0, tries=1)


def test_what_lands_elsewhere_does_not_keep_a_place_that_fails_each_time_from_being_told() -> None:
    it = trouble()
    for _ in range(5):
        assert not it.failed(0.0, 900, landed=0, tries=1)
        it.landed(1, ByteRange(0, 900))
        it.landed(1, ByteRange(901, 2000))
    assert it.failures == 5
    assert not it.failed(0.0, 20, landed=0, tries=1)
    assert it.failed(0.0, 900, landed=0, tries=1)


def test_another_version_has_failed_nowhere_yet() -> None:
    it = trouble()
    it.failed(0.0, 7, landed=0, tries=5)
    it.renew()
    assert it.failures == 0


def test_after_giving_up_only_demands_are_worth_a_try_and_at_once() -> None:
    it = trouble()
    it.failed(100.0, 7, landed=0, tries=6)
    it.give_up(1)
    assert (it.paused, it.failures, it.not_before) == (True, 0, 0.0)
    it.forgive()
    assert (it.paused, it.failures, it.not_before) == (False, 0, 0.0)


def test_only_a_fetch_begun_after_a_surrender_ends_it() -> None:
    it = trouble()
    it.give_up(4)
    for number, paused in [(2, True), (4, True), (5, False), (2, False)]:
        it.landed(number, ByteRange(0, 1))
        assert it.paused == paused


@given(st.lists(st.tuples(st.integers(0, 1), st.integers(1, 4)), max_size=40), st.floats(0, 1))
def test_it_is_borne_until_max_failures_and_every_wait_is_bounded(fails: list[tuple[int, int]], chance: float) -> None:
    it, row = trouble(chance), 0
    for landed, tries in fails:
        if landed:
            it.landed(1, ByteRange(7, 8))
            row = 0
        row += 1 if landed else tries
        assert it.failed(50.0, 7, landed=landed, tries=tries) == (row >= RETRY.max_failures)
        assert it.not_before <= 50.0 + RETRY.max_delay * (1 + RETRY.jitter)
        if row >= RETRY.max_failures:
            break
