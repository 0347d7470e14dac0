"""Unit tests of spans and sets of bytes, against a model which is a set of numbers."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kithara_file.ranges import ByteRange, Coverage, OpenRange

TOP = 60

offsets = st.integers(0, TOP)
spans = st.tuples(offsets, offsets)
changes = st.lists(st.tuples(st.booleans(), spans), max_size=25)


def built(steps: list[tuple[bool, tuple[int, int]]]) -> tuple[Coverage, set[int]]:
    """Return a coverage and its model after the same additions and removals."""
    coverage, model = Coverage(), set[int]()
    for add, (start, end) in steps:
        (coverage.add if add else coverage.remove)(start, end)
        (model.update if add else model.difference_update)(range(start, end))
    return coverage, model


def runs(numbers: set[int]) -> list[tuple[int, int]]:
    """Return the maximal runs of consecutive numbers."""
    starts = sorted(each for each in numbers if each - 1 not in numbers)
    ends = sorted(each + 1 for each in numbers if each + 1 not in numbers)
    return list(zip(starts, ends, strict=True))


def plain(ranges: Any) -> list[tuple[int, int]]:
    return [(each.start, each.end) for each in ranges]


# -- spans -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("start, end", [(0, 0), (5, 5), (6, 5), (-1, 5), (-2, -1)])
def test_an_empty_or_negative_range_cannot_be_made(start: int, end: int) -> None:
    with pytest.raises(ValueError, match="not a range"):
        ByteRange(start, end)


def test_a_range_is_half_open_and_shown_as_http_shows_it() -> None:
    span = ByteRange(5, 8)
    assert (len(span), str(span)) == (3, "5-7")
    assert [at in span for at in (4, 5, 7, 8)] == [False, True, True, False]


@given(spans, spans)
def test_two_ranges_overlap_where_they_share_a_byte(one: tuple[int, int], other: tuple[int, int]) -> None:
    a, b = (ByteRange(min(each), max(each) + 1) for each in (one, other))
    common = {*range(a.start, a.end)} & {*range(b.start, b.end)}
    assert a.overlaps(b) is b.overlaps(a) is bool(common)


def test_an_open_range_begins_at_an_offset() -> None:
    assert str(OpenRange(5)) == "5-"
    with pytest.raises(ValueError, match="not an offset"):
        OpenRange(-1)


# -- sets ------------------------------------------------------------------------------------------------------------


@given(changes)
def test_a_coverage_holds_what_was_added_and_not_removed(steps: list[tuple[bool, tuple[int, int]]]) -> None:
    coverage, model = built(steps)
    assert plain(coverage) == runs(model)
    assert (coverage.total, len(coverage)) == (len(model), len(runs(model)))
    assert coverage.end == max(model, default=-1) + 1
    assert {at for at in range(TOP + 5) if at in coverage} == model
    assert bool(coverage) is bool(model)


@given(changes, spans)
def test_gaps_are_the_maximal_runs_of_what_is_missing(
    steps: list[tuple[bool, tuple[int, int]]], window: tuple[int, int]
) -> None:
    coverage, model = built(steps)
    start, end = window
    missing = runs(set(range(start, end)) - model)
    assert plain(coverage.gaps(start, end)) == missing
    first = coverage.gap(start, end)
    assert plain([first] if first else []) == missing[:1]
    assert coverage.covers(start, end) is (not missing)


@given(changes, offsets)
def test_runs_end_and_begin_where_they_do(steps: list[tuple[bool, tuple[int, int]]], offset: int) -> None:
    coverage, model = built(steps)
    end = offset
    while end in model:
        end += 1
    start = offset
    while start - 1 in model:
        start -= 1
    assert coverage.end_of_run(offset) == end
    assert coverage.start_of_run(offset) == start
    assert coverage.next_present(offset) == min((at for at in model if at >= offset), default=None)


@given(st.lists(spans, max_size=25))
def test_many_spans_at_once_are_the_same_as_one_by_one(many: list[tuple[int, int]]) -> None:
    coverage, _ = built([(True, span) for span in many])
    at_once = Coverage.of(many)
    assert at_once == coverage == Coverage(coverage)
    assert at_once.total == coverage.total


@given(changes, changes)
def test_a_copy_goes_its_own_way(
    steps: list[tuple[bool, tuple[int, int]]], more: list[tuple[bool, tuple[int, int]]]
) -> None:
    coverage, model = built(steps)
    twin = coverage.copy()
    assert twin == coverage
    for add, (start, end) in more:
        (twin.add if add else twin.remove)(start, end)
    assert plain(coverage) == runs(model)
    twin.clear()
    assert (plain(twin), twin.total) == ([], 0)


def test_removing_a_huge_span_takes_the_tail() -> None:
    coverage = Coverage([ByteRange(0, 10), ByteRange(20, 30)])
    coverage.remove(5, 1 << 62)
    assert plain(coverage) == [(0, 5)]


def test_a_coverage_equals_only_coverages_and_has_no_hash() -> None:
    assert Coverage() != 5
    with pytest.raises(TypeError):
        hash(Coverage())


def test_its_repr_does_not_grow_with_it() -> None:
    coverage = Coverage.of((2 * at, 2 * at + 1) for at in range(1000))
    assert repr(coverage) == ("<Coverage 1000 bytes in 1000 ranges: 0-0, 2-2, 4-4, 6-6, 8-8, 10-10, 12-12, 14-14 …>")
