"""The summary of the folders."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kithara_file.assets.eviction import Candidate, Usage
from kithara_file.assets.index import Index, Row
from tests.world.clock import FakeClock


@pytest.fixture
def index(tmp_path: Path) -> Iterator[Index]:
    index = Index(tmp_path / "index.sqlite3", tmp_path / "lock")
    yield index
    index.close()


def row(asset_id: str, size: int = 10, last_used: float = 1.0, *, pins: int = 0, measured: bool = True) -> Row:
    return Row(asset_id, f"https://example.org/{asset_id}", None, size, last_used, pins, measured)


def order(index: Index) -> list[str]:
    return [each.asset_id for each in index.least_recent()]


def test_the_sums_follow_what_is_noted(index: Index) -> None:
    assert index.usage() == Usage(0, 0)
    index.note(row("a", 10))
    index.note(row("b", 5))
    assert index.usage() == Usage(2, 15)
    index.note(row("a", 20))
    index.resize("b", 7, measured=True)
    assert index.usage() == Usage(2, 27)
    index.forget("a")
    index.forget("a")
    assert index.usage() == Usage(1, 7)


def test_an_asset_that_grows_keeps_its_size_until_it_is_measured(index: Index) -> None:
    index.note(row("a", 10))
    index.note(row("a", 0, 2.0, measured=False))
    assert (index.usage(), index.unmeasured()) == (Usage(1, 10), ["a"])
    index.resize("a", 30, measured=False)
    assert (index.usage(), index.unmeasured()) == (Usage(1, 30), ["a"])
    index.note(row("a", 40))
    assert (index.usage(), index.unmeasured()) == (Usage(1, 40), [])


def test_the_order_is_that_of_the_last_use(index: Index) -> None:
    for name, last_used in (("a", 3.0), ("b", 1.0), ("c", 2.0)):
        index.note(row(name, last_used=last_used))
    assert order(index) == ["b", "c", "a"]
    assert index.touch("b", 4.0)
    assert order(index) == ["c", "a", "b"]
    assert next(index.least_recent()) == Candidate("c", 10, 2.0)


def test_an_asset_unknown_cannot_be_touched(index: Index) -> None:
    assert not index.touch("a", 1.0)


def test_the_pinned_are_not_offered_and_a_use_keeps_their_pins(index: Index) -> None:
    index.note(row("a", pins=2))
    index.note(row("a"))
    index.note(row("b"))
    assert order(index) == ["b"]


def test_many_of_one_time_are_all_offered_also_while_they_go(index: Index) -> None:
    names = [f"{number:04}" for number in range(200)]
    index.fill(row(name) for name in names)
    offered = []
    for each in index.least_recent():
        index.forget(each.asset_id)
        offered.append(each.asset_id)
    assert offered == names


def test_filling_adds_only_what_is_not_known(index: Index) -> None:
    index.note(row("a", 10, 5.0))
    assert not index.complete()
    index.fill([row("a", 99, 1.0), row("b", 1, 2.0)])
    assert index.complete()
    assert index.usage() == Usage(2, 11)
    assert order(index) == ["b", "a"]


@contextmanager
def unusable(tmp_path: Path) -> Iterator[None]:
    """Let somebody else hold the index; the clock has to go on before it is asked again."""
    with closing(sqlite3.connect(tmp_path / "index.sqlite3", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield


LOST = {
    "note": lambda index: index.note(row("b")),
    "pin": lambda index: index.pin(row("b", pins=1)),
    "repin": lambda index: index.repin("a", 0),
    "resize": lambda index: index.resize("a", 1, measured=True),
    "forget": lambda index: index.forget("a"),
}


@pytest.mark.parametrize("change", LOST.values(), ids=list(LOST))
@pytest.mark.parametrize("later", ["this process", "another"])
def test_a_change_that_was_lost_makes_the_index_incomplete(
    tmp_path: Path, clock: FakeClock, change: Callable[[Index], object], later: str
) -> None:
    index = Index(tmp_path / "index.sqlite3", tmp_path / "lock", clock)
    index.fill([row("a", 10, 5.0, pins=1)])
    with unusable(tmp_path):
        change(index)
        assert index.complete()  # while nobody can fill it
    if later == "another":
        index.close()
        index = Index(tmp_path / "index.sqlite3", tmp_path / "lock", clock)
    clock.advance(31.0)
    assert not index.complete()
    assert not index.complete()
    index.fill([row("a", 99, 1.0), row("b", 1, 2.0)])
    assert index.complete()
    assert (order(index), index.unmeasured()) == (["b", "a"], ["a"])
    index.close()
    assert sorted(each.name for each in tmp_path.iterdir()) == ["index.sqlite3", "lock"]


def test_where_much_is_lost_the_folders_are_looked_through_now_and_then(tmp_path: Path, clock: FakeClock) -> None:
    index = Index(tmp_path / "index.sqlite3", tmp_path / "lock", clock)
    index.fill([row("a")])
    looks = []
    for minute in range(25):
        (tmp_path / "index.lost").touch()
        clock.advance(60.0)
        if not index.complete():
            looks.append(minute)
            index.fill([row("b")])
    assert looks == [0, 10, 20]
    index.close()


def test_a_use_that_was_lost_is_no_reason_to_fill_the_index(tmp_path: Path, clock: FakeClock) -> None:
    index = Index(tmp_path / "index.sqlite3", tmp_path / "lock", clock)
    index.fill([row("a")])
    with unusable(tmp_path):
        index.touch("a", 7.0)
    clock.advance(31.0)
    assert index.complete()
    index.close()
    index.note(row("b"))
    assert not (tmp_path / "index.lost").exists()


def test_what_is_lost_during_a_filling_asks_for_another(index: Index, tmp_path: Path) -> None:
    def rows() -> Iterator[Row]:
        yield row("a")
        (tmp_path / "index.lost").touch()
        assert not Index.complete(index)

    index.fill(rows())
    assert not index.complete()


def test_a_filling_ends_where_the_index_cannot_be_used(tmp_path: Path, clock: FakeClock) -> None:
    index = Index(tmp_path / "index.sqlite3", tmp_path / "lock", clock)
    index.note(row("a"))
    rows = (row(f"{number:04}") for number in range(1000))
    with unusable(tmp_path):
        index.fill(rows)
    assert int(next(rows).asset_id) < 100
    clock.advance(31.0)
    assert not index.complete()
    index.close()


def test_no_index_has_an_answer_to_everything(tmp_path: Path) -> None:
    (tmp_path / "index.sqlite3").mkdir()
    index = Index(tmp_path / "index.sqlite3", tmp_path / "lock")
    index.note(row("a"))
    index.fill([row("a")])
    index.resize("a", 1, measured=True)
    index.forget("a")
    assert index.touch("a", 1.0)
    assert index.complete()
    assert index.usage() == Usage(0, 0)
    assert order(index) == index.unmeasured() == []


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["note", "grow", "touch", "resize", "forget"]),
        st.sampled_from("abcde"),
        st.integers(0, 2**40),
        st.floats(0, 1e9),
    ),
    max_size=30,
)


@given(steps=STEPS)
def test_it_agrees_with_a_dict(
    steps: list[tuple[str, str, int, float]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("index")
    index, model = Index(folder / "index.sqlite3", folder / "lock"), dict[str, tuple[int, float]]()
    for step, name, size, moment in steps:
        known, (old_size, old_moment) = name in model, model.get(name, (size, moment))
        if step == "note":
            index.note(row(name, size, moment))
            model[name] = (size, moment)
        elif step == "grow":
            index.note(row(name, size, moment, measured=False))
            model[name] = (old_size, moment)
        elif step == "touch":
            assert index.touch(name, moment) is known
            model |= {name: (old_size, moment)} if known else {}
        elif step == "resize":
            index.resize(name, size, measured=True)
            model |= {name: (size, old_moment)} if known else {}
        else:
            index.forget(name)
            model.pop(name, None)
    assert index.usage() == Usage(len(model), sum(size for size, _ in model.values()))
    assert order(index) == sorted(model, key=lambda each: (model[each][1], each))
    index.close()
