"""Bodies that break off: healed by Range from what has landed, or told; never an end that is none."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from kithara_file import BodyBroken, ConnectFailed, Retry
from tests.system.bad_origin import BODY, BREAK, DATA, heals, tells
from tests.system.kit import asked_bytes
from tests.world import (
    Chunked,
    CloseAt,
    CloseDelimited,
    HangUp,
    Item,
    Origin,
    Request,
    ResetAt,
    ranged,
    when,
)

pytestmark = pytest.mark.system

HUNDRED_KIB = 100 * 1024


def at_random(seed: int) -> Item:
    """Close each answer somewhere."""
    random = Random(seed)
    return lambda _request: CloseAt(random.randrange(80_000))


def hang_up_on_resume(request: Request) -> Item:
    return HangUp() if request.range else CloseAt(BREAK)


@pytest.mark.parametrize("seed", [1, 2])
def test_a_body_closed_early_at_random_places_heals(origin: Origin, store_dir: Path, seed: int) -> None:
    heals(origin.serve("/a", DATA, always=[at_random(seed)]), store_dir)


@pytest.mark.parametrize(
    "fault", [CloseAt(BREAK), ResetAt(BREAK), CloseAt(0), ResetAt(0), CloseAt(len(DATA) - 1)], ids=repr
)
def test_a_body_broken_off_once_heals(origin: Origin, store_dir: Path, fault: Item) -> None:
    heals(origin.serve("/a", DATA, faults=[fault]), store_dir)


@pytest.mark.parametrize("fault", [CloseAt(HUNDRED_KIB), ResetAt(HUNDRED_KIB)], ids=repr)
def test_a_body_broken_off_every_hundred_kib_heals(origin: Origin, store_dir: Path, fault: Item) -> None:
    heals(origin.serve("/a", DATA, always=[fault]), store_dir)


def test_what_landed_before_a_break_is_not_asked_for_again(origin: Origin, store_dir: Path) -> None:
    heals(origin.serve("/a", DATA, faults=[CloseAt(BREAK)]), store_dir)
    first, second = origin.requests("/a")
    assert first.range is None
    assert asked_bytes(second, BODY).start == BREAK
    assert second.if_range == '"v1"'
    assert origin.bytes_sent("/a") == len(DATA)


def test_the_budget_counts_only_failures_without_progress(origin: Origin, store_dir: Path) -> None:
    url = origin.serve("/a", DATA, always=[CloseAt(len(DATA) // 20)])
    heals(url, store_dir, retry=Retry(retries=0, first_delay=0.001, jitter=0.0, max_failures=2))
    assert len(origin.requests("/a")) >= 20


def test_a_body_that_never_brings_a_byte_is_told_in_bounded_time(origin: Origin, store_dir: Path) -> None:
    found = tells(BodyBroken, origin.serve("/a", DATA, always=[CloseAt(0)]), store_dir)
    assert found.data == b""
    assert len(origin.requests("/a")) <= 8


def test_a_body_that_never_gets_past_a_place_is_told_and_what_landed_is_kept(origin: Origin, store_dir: Path) -> None:
    url = origin.serve("/a", DATA, faults=[CloseAt(BREAK)], always=[when(ranged, CloseAt(0))])
    found = tells(BodyBroken, url, store_dir)
    assert found.data == DATA[:BREAK]


def test_a_resume_that_is_hung_up_on_is_told_and_what_landed_is_kept(origin: Origin, store_dir: Path) -> None:
    found = tells(ConnectFailed, origin.serve("/a", DATA, always=[hang_up_on_resume]), store_dir)
    assert found.data == DATA[:BREAK]


def test_what_landed_before_an_error_is_there_after_a_restart(origin: Origin, store_dir: Path) -> None:
    url = origin.serve("/a", DATA, always=[hang_up_on_resume])
    tells(ConnectFailed, url, store_dir)
    origin.always("/a")
    before = origin.bytes_sent("/a")
    heals(url, store_dir)
    assert origin.bytes_sent("/a") - before == len(DATA) - BREAK


@pytest.mark.parametrize("ranges", [True, False], ids=["with ranges", "without ranges"])
def test_a_chunked_body_truncated_once_heals(origin: Origin, store_dir: Path, *, ranges: bool) -> None:
    heals(origin.serve("/a", DATA, faults=[(Chunked(), CloseAt(BREAK))], ranges=ranges), store_dir)


def test_a_chunked_body_truncated_each_time_heals_by_ranges(origin: Origin, store_dir: Path) -> None:
    heals(origin.serve("/a", DATA, always=[(Chunked(), CloseAt(BREAK))]), store_dir)


@pytest.mark.parametrize("at", [0, BREAK, len(DATA)])
def test_a_chunked_body_truncated_each_time_without_ranges_is_told_and_no_end(
    origin: Origin, store_dir: Path, at: int
) -> None:
    url = origin.serve("/a", DATA, always=[(Chunked(), CloseAt(at))], ranges=False)
    assert tells(BodyBroken, url, store_dir).data == DATA[:at]


def test_a_chunked_body_that_lacks_only_its_terminator_ends_where_the_origin_says(
    origin: Origin, store_dir: Path
) -> None:
    heals(origin.serve("/a", DATA, always=[(Chunked(), CloseAt(len(DATA)))]), store_dir)


@pytest.mark.parametrize("fault", [CloseAt(BREAK), ResetAt(BREAK)], ids=repr)
def test_a_body_broken_off_once_without_ranges_heals(origin: Origin, store_dir: Path, fault: Item) -> None:
    heals(origin.serve("/a", DATA, faults=[fault], ranges=False), store_dir)


def test_a_body_broken_off_each_time_without_ranges_is_told(origin: Origin, store_dir: Path) -> None:
    url = origin.serve("/a", DATA, always=[CloseAt(BREAK)], ranges=False)
    assert tells(BodyBroken, url, store_dir).data == DATA[:BREAK]


def test_a_close_delimited_body_that_is_reset_is_no_end(origin: Origin, store_dir: Path) -> None:
    url = origin.serve("/a", DATA, always=[(CloseDelimited(), ResetAt(BREAK))], ranges=False)
    tells(BodyBroken, url, store_dir)
