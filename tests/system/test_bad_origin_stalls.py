"""Origins that fall silent: given up in time, healed or told with the stage; a drip is progress."""

from __future__ import annotations

from pathlib import Path

import pytest

from kithara_file import ConnectFailed, NetTimeout, Retry, Timeouts
from tests.system.bad_origin import BODY, BREAK, DATA, RETRY, Outcome, heals, outcome, tells
from tests.system.kit import asked_bytes
from tests.world import (
    CloseAt,
    DelayHeaders,
    Drip,
    Item,
    NeverAnswer,
    Origin,
    StallAt,
    plain,
    ranged,
    when,
)
from tests.world.ports import silent_port

pytestmark = pytest.mark.system

BRIEF = Timeouts(idle=1.0)
"""Long enough for a busy machine to bring what there is."""
GIVES_UP = Retry(retries=1, first_delay=0.01, jitter=0.0, max_failures=2)


def timed_out(found: Outcome, stage: str, seconds: float) -> None:
    assert isinstance(found.error, NetTimeout)
    assert (found.error.stage, found.error.seconds) == (stage, seconds)


@pytest.mark.parametrize("at", [0, 1, BREAK, len(DATA) - 1])
def test_a_body_that_stalls_once_heals_from_what_landed(origin: Origin, store_dir: Path, at: int) -> None:
    heals(origin.serve("/a", DATA, faults=[StallAt(at)]), store_dir, timeouts=BRIEF)
    second = origin.requests("/a")[1]
    assert asked_bytes(second, BODY).start == at


def test_bodies_that_stall_each_time_after_some_progress_heal(origin: Origin, store_dir: Path) -> None:
    heals(origin.serve("/a", DATA, always=[StallAt(BREAK)]), store_dir, timeouts=Timeouts(idle=0.1))


def test_a_body_that_stalls_once_without_ranges_heals(origin: Origin, store_dir: Path) -> None:
    heals(origin.serve("/a", DATA, faults=[StallAt(BREAK)], ranges=False), store_dir, timeouts=Timeouts(idle=0.3))


@pytest.mark.parametrize("ranges", [True, False], ids=["with ranges", "without ranges"])
def test_a_body_that_always_stalls_at_one_place_is_told_as_a_timeout_of_the_body(
    origin: Origin, store_dir: Path, *, ranges: bool
) -> None:
    stuck: list[Item] = [when(ranged, StallAt(0))] if ranges else [StallAt(BREAK)]
    url = origin.serve("/a", DATA, faults=[StallAt(BREAK)], always=stuck, ranges=ranges)
    found = tells(NetTimeout, url, store_dir, timeouts=Timeouts(idle=0.5), retry=GIVES_UP)
    timed_out(found, "body", 0.5)
    assert found.data == DATA[:BREAK]


def test_a_drip_is_progress_however_long_it_takes(origin: Origin, store_dir: Path) -> None:
    right = DATA[:30]
    url = origin.serve("/a", right, always=[Drip(1, 0.05)])  # 1.5 s in all
    heals(url, store_dir, right, timeouts=BRIEF)
    assert len(origin.requests("/a")) == 1


def test_an_origin_that_takes_the_request_and_never_answers_is_a_timeout_of_the_headers(
    origin: Origin, store_dir: Path
) -> None:
    url = origin.serve("/a", DATA, always=[NeverAnswer()])
    timed_out(outcome(url, store_dir, timeouts=Timeouts(headers=0.1)), "headers", 0.1)
    assert len(origin.requests("/a")) == 1 + RETRY.retries


@pytest.mark.parametrize("times", [1, 2, 3])
def test_an_origin_that_answers_only_when_asked_again_heals(origin: Origin, store_dir: Path, times: int) -> None:
    url = origin.serve("/a", DATA, faults=[NeverAnswer()] * times)
    heals(url, store_dir, timeouts=Timeouts(headers=0.1), retry=Retry(retries=20, first_delay=0.01, max_delay=0.02))


def test_an_origin_that_never_answers_the_resume_is_told_and_what_landed_is_kept(
    origin: Origin, store_dir: Path
) -> None:
    url = origin.serve("/a", DATA, always=[when(plain, CloseAt(BREAK)), when(ranged, NeverAnswer())])
    found = tells(NetTimeout, url, store_dir, timeouts=Timeouts(headers=0.1))
    timed_out(found, "headers", 0.1)
    assert found.data == DATA[:BREAK]


def test_headers_that_are_late_but_in_time_are_waited_for(origin: Origin, store_dir: Path) -> None:
    heals(origin.serve("/a", DATA, always=[DelayHeaders(0.1)]), store_dir)
    assert len(origin.requests("/a")) == 1


def test_headers_that_are_too_late_are_asked_for_again(origin: Origin, store_dir: Path) -> None:
    heals(origin.serve("/a", DATA, faults=[DelayHeaders(60)]), store_dir, timeouts=Timeouts(headers=1.0))
    assert len(origin.requests("/a")) == 2


def test_headers_that_are_always_too_late_are_told(origin: Origin, store_dir: Path) -> None:
    url = origin.serve("/a", DATA, always=[DelayHeaders(60)])
    timed_out(outcome(url, store_dir, timeouts=Timeouts(headers=0.1)), "headers", 0.1)


def test_a_host_that_takes_no_connection_is_told(store_dir: Path) -> None:
    with silent_port() as port:
        url = f"http://127.0.0.1:{port}/a"
        retry = Retry(retries=1, first_delay=0.01, jitter=0.0)
        found = outcome(url, store_dir, timeouts=Timeouts(connect=0.2), retry=retry)
    timed_out(found, "connect", 0.2)


def test_a_host_that_is_down_is_told(origin: Origin, store_dir: Path) -> None:
    url = origin.serve("/a", DATA)
    origin.go_down()
    assert isinstance(outcome(url, store_dir).error, ConnectFailed)


def test_one_read_can_be_given_a_limit_of_its_own(origin: Origin, store_dir: Path) -> None:
    url = origin.serve("/a", DATA, always=[StallAt(BREAK)])
    found = tells(NetTimeout, url, store_dir, read_timeout=1.0, timeouts=Timeouts(idle=60))
    timed_out(found, "body", 1.0)
    assert found.data == DATA[:BREAK]


def test_the_usual_patience_is_ten_seconds_of_each_stage() -> None:
    assert Timeouts() == Timeouts(connect=10.0, headers=10.0, idle=10.0)
