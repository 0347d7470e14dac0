"""Who must go."""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kithara_file.assets.eviction import Candidate, Limits, Usage, Verdict, doomed, excess, verdict
from kithara_file.errors import ConfigError

NOW = 1000.0


def sweep(assets: Iterable[Candidate], limits: Limits, in_use: frozenset[str] = frozenset()) -> list[Candidate]:
    """Decide on all of `assets` as a store would, and return those that stay."""
    kept = sorted(assets, key=lambda each: (each.last_used, each.asset_id))
    for each in list(kept):
        decided = verdict(each, Usage(len(kept), sum(one.bytes for one in kept)), limits, NOW)
        if decided is Verdict.ENOUGH:
            break
        if decided is Verdict.EVICT and each.asset_id not in in_use:
            kept.remove(each)
    return kept


OLD, MIDDLE, NEW = Candidate("old", 10, 1.0), Candidate("middle", 20, 2.0), Candidate("new", 30, 3.0)


@pytest.mark.parametrize(
    "limits, kept",
    [
        (Limits(), [OLD, MIDDLE, NEW]),
        (Limits(max_bytes=60), [OLD, MIDDLE, NEW]),
        (Limits(max_bytes=59), [MIDDLE, NEW]),
        (Limits(max_bytes=30), [NEW]),
        (Limits(max_bytes=29), []),
        (Limits(max_bytes=0), []),
        (Limits(max_assets=3), [OLD, MIDDLE, NEW]),
        (Limits(max_assets=1), [NEW]),
        (Limits(max_age=998.0), [MIDDLE, NEW]),
        (Limits(max_age=2000.0), [OLD, MIDDLE, NEW]),
        (Limits(max_bytes=50, max_assets=1), [NEW]),
    ],
)
def test_the_least_recently_used_go_until_the_limits_hold(limits: Limits, kept: list[Candidate]) -> None:
    assert sweep([NEW, OLD, MIDDLE], limits) == kept


def test_the_pinned_stay_whatever_the_limit() -> None:
    pinned = Candidate("pinned", 100, 0.0, pinned=True)
    assert sweep([pinned, OLD, NEW], Limits(max_bytes=100)) == [pinned]
    assert sweep([pinned], Limits(max_age=1.0)) == [pinned]


def test_what_is_in_use_is_passed_over() -> None:
    assert sweep([OLD, MIDDLE, NEW], Limits(max_bytes=40), frozenset({"old"})) == [OLD, NEW]


@pytest.mark.parametrize("free, wanted", [(None, False), (5, True), (10, False), (11, False)])
def test_the_disk_must_keep_some_space(free: int | None, wanted: bool) -> None:
    assert excess(Usage(1, 1, free), Limits(min_free_bytes=10)) is wanted


@pytest.mark.parametrize("name", ["max_bytes", "max_assets", "max_age", "min_free_bytes"])
def test_a_limit_below_nothing_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match=name):
        Limits(**{name: -1})
    assert not Limits(**{name: 0}).none


@pytest.mark.parametrize(
    "name,value,told",
    [
        ("max_bytes", "5", "max_bytes is a number of bytes or None, not str"),
        ("max_bytes", 5e9, "max_bytes is a number of bytes or None, not float"),
        ("min_free_bytes", b"5", "min_free_bytes is a number of bytes or None, not bytes"),
        ("max_assets", 1.5, "max_assets is a whole number or None, not float"),
        ("max_age", timedelta(days=1), "max_age is a number of seconds or None, not timedelta"),
        ("max_age", math.nan, "max_age cannot be nan"),
    ],
)
def test_a_limit_of_another_kind_is_told_at_once(name: str, value: Any, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        Limits(**{name: value})


def test_no_limits_are_none() -> None:
    assert Limits().none


CANDIDATES = st.lists(
    st.builds(
        Candidate,
        st.integers(0, 10**6).map(str),
        st.integers(0, 100),
        st.floats(0, NOW),
        pinned=st.booleans(),
    ),
    unique_by=lambda each: each.asset_id,
    max_size=30,
)
LIMITS = st.builds(
    Limits,
    max_bytes=st.none() | st.integers(0, 500),
    max_assets=st.none() | st.integers(0, 20),
    max_age=st.none() | st.floats(0, NOW),
)


@given(assets=CANDIDATES, limits=LIMITS, data=st.data())
def test_limits_hold_but_for_what_may_not_go_and_no_more_goes_than_must(
    assets: list[Candidate], limits: Limits, data: st.DataObject
) -> None:
    names = [each.asset_id for each in assets]
    in_use = frozenset(data.draw(st.sets(st.sampled_from(names)))) if names else frozenset()
    kept = sweep(assets, limits, in_use)
    gone = [each for each in assets if each not in kept]
    assert not [each for each in gone if each.pinned or each.asset_id in in_use]
    if [each for each in kept if not each.pinned and each.asset_id not in in_use]:
        assert not excess(Usage(len(kept), sum(each.bytes for each in kept)), limits)
    if gone:
        last = max(gone, key=lambda each: (each.last_used, each.asset_id))
        before = [*kept, last]
        expired = limits.max_age is not None and NOW - last.last_used > limits.max_age
        assert expired or excess(Usage(len(before), sum(each.bytes for each in before)), limits)


@given(assets=CANDIDATES, limits=LIMITS)
def test_what_is_doomed_is_what_a_sweep_takes(assets: list[Candidate], limits: Limits) -> None:
    order = sorted(assets, key=lambda each: (each.last_used, each.asset_id))
    usage = Usage(len(assets), sum(each.bytes for each in assets))
    kept = sweep(assets, limits)
    assert list(doomed(order, usage, limits, NOW)) == [each for each in order if each not in kept]


@pytest.mark.parametrize(
    "limits, step",
    [
        (Limits(), None),
        (Limits(max_assets=1, max_age=1.0), None),
        (Limits(max_bytes=0), 1 << 16),
        (Limits(max_bytes=32 << 20), 1 << 20),
        (Limits(max_bytes=1 << 40), 8 << 20),
        (Limits(min_free_bytes=1), 8 << 20),
    ],
)
def test_a_step_is_a_share_of_the_quota(limits: Limits, step: int | None) -> None:
    assert limits.step == step


def test_what_is_coming_is_counted_as_if_it_were_here() -> None:
    assert Usage(1, 10, 100).ahead(7) == Usage(1, 17, 93)
    assert Usage(1, 10).ahead(7) == Usage(1, 17)
