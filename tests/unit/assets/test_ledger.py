"""The books of a store, and what goes."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from kithara_file.assets.eviction import Limits, Usage
from kithara_file.assets.layout import AssetFolder, Layout
from kithara_file.assets.leases import Lease
from kithara_file.assets.ledger import Freed, Ledger
from kithara_file.assets.locks import FileLock
from kithara_file.assets.meta import ResourceMeta, write_meta_soon
from kithara_file.assets.pins import write_pins
from kithara_file.clock import Deadline
from kithara_file.net.remote import Remote
from tests.unit.assets.goods import key
from tests.world.clock import FakeClock

SIZE = 10_000
Books = Callable[..., Ledger]


@pytest.fixture
def layout(store_dir: Path) -> Layout:
    return Layout(store_dir)


@pytest.fixture
def books(layout: Layout, clock: FakeClock) -> Iterator[Books]:
    """Make ledgers with limits, over one store."""
    with contextlib.ExitStack() as stack:

        def make(**limits: float) -> Ledger:
            return stack.enter_context(contextlib.closing(Ledger(layout, Limits(**limits), clock)))  # type: ignore[arg-type]

        yield make


def asset(layout: Layout, number: int, size: int = SIZE) -> AssetFolder:
    """Put `size` bytes, as a committed resource, into an asset which the books do not know yet."""
    folder = layout.folder(key(number))
    files = folder.resource(key(number).resource_hash)
    meta = ResourceMeta(remote=Remote(), url=key(number).url, committed=True, length=size)
    write_meta_soon(files.meta, meta)
    files.data.write_bytes(bytes(size - files.meta.stat().st_size))
    return folder


def fill(ledger: Ledger, layout: Layout, clock: FakeClock, count: int) -> None:
    """Settle `count` assets of `SIZE` bytes, a minute after one another."""
    for number in range(count):
        ledger.settled(key(number), asset(layout, number, SIZE))
        clock.advance(60.0)


def present(layout: Layout) -> set[str]:
    return {each.asset_id for each in layout.every_asset()}


def ids(*numbers: int) -> set[str]:
    return {key(number).asset_id for number in numbers}


def lease(layout: Layout, number: int) -> contextlib.AbstractContextManager[Lease]:
    @contextlib.contextmanager
    def held() -> Iterator[Lease]:
        taken = Lease(partial(layout.folder, key(number)), Deadline.after(1.0))
        try:
            yield taken
        finally:
            taken.release()

    return held()


def test_without_limits_nothing_goes(books: Books, layout: Layout, clock: FakeClock) -> None:
    fill(books(), layout, clock, 2)
    assert books().evict() == Freed()
    assert present(layout) == ids(0, 1)


def test_the_least_recently_used_goes(books: Books, layout: Layout, clock: FakeClock) -> None:
    ledger = books(max_bytes=2 * SIZE)
    fill(ledger, layout, clock, 3)
    ledger.used(key(0), layout.folder(key(0)))
    assert ledger.evict() == Freed(1, SIZE)
    assert present(layout) == ids(0, 2)
    assert ledger.evict() == Freed()


def test_other_limits_hold_too(books: Books, layout: Layout, clock: FakeClock) -> None:
    fill(books(), layout, clock, 4)
    books(max_assets=3).evict()
    assert present(layout) == ids(1, 2, 3)
    books(max_age=150.0).evict()
    assert present(layout) == ids(2, 3)
    books(min_free_bytes=0).evict()
    assert present(layout) == ids(2, 3)
    books(min_free_bytes=1 << 62).evict()
    assert present(layout) == set()


def test_what_is_in_use_stays_and_the_next_goes(books: Books, layout: Layout, clock: FakeClock) -> None:
    ledger = books(max_bytes=SIZE)
    fill(ledger, layout, clock, 3)
    with lease(layout, 0):
        assert ledger.evict() == Freed(2, 2 * SIZE)
        assert present(layout) == ids(0)


def test_a_new_index_is_filled_from_the_folders(books: Books, layout: Layout) -> None:
    for number in range(3):
        asset(layout, number, SIZE)
    assert books(max_bytes=2 * SIZE).evict() == Freed(1, SIZE)
    assert len(present(layout)) == 2


def test_a_folder_without_sense_is_counted_and_can_go(books: Books, layout: Layout) -> None:
    (layout.folder(key(0)).path / "0.data").write_bytes(bytes(SIZE))
    assert books(max_bytes=SIZE - 1).evict() == Freed(1, SIZE)
    assert present(layout) == set()


def test_what_grows_is_measured_each_time(books: Books, layout: Layout, clock: FakeClock) -> None:
    ledger = books(max_bytes=2 * SIZE)
    fill(ledger, layout, clock, 1)
    with lease(layout, 7):
        ledger.growing(key(7))
        asset(layout, 7, 2 * SIZE)
        assert ledger.evict() == Freed(1, SIZE)
    assert present(layout) == ids(7)


def test_what_a_killed_process_left_is_counted(books: Books, layout: Layout) -> None:
    ledger = books(max_bytes=SIZE)
    folder = asset(layout, 7, 2 * SIZE)
    ledger.growing(key(7))
    assert folder.present
    assert ledger.evict() == Freed(1, 2 * SIZE)


def test_settling_leaves_the_size_open_while_others_use_the_asset(books: Books, layout: Layout) -> None:
    ledger = books(max_bytes=SIZE)
    folder = asset(layout, 0, SIZE // 2)
    with lease(layout, 0):
        ledger.settled(key(0), folder)
        asset(layout, 0, 2 * SIZE)
    assert ledger.evict() == Freed(1, 2 * SIZE)


def test_an_asset_with_nothing_worth_keeping_goes_when_it_is_settled(books: Books, layout: Layout) -> None:
    ledger = books(max_bytes=SIZE)
    ledger.growing(key(0))
    folder = layout.folder(key(0))
    (folder.path / "0.data").touch()
    ledger.settled(key(0), folder)
    assert not folder.path.exists()
    assert ledger._index.usage() == Usage(0, 0)


def leftovers(folder: AssetFolder) -> list[Path]:
    """Leave in the folder what a process that is killed during an import leaves."""
    files = folder.resource(key(0).resource_hash).aside()
    for each in (files.data, files.journal):
        each.write_bytes(bytes(SIZE))
    return [files.data, files.journal]


def settle(ledger: Ledger, folder: AssetFolder) -> None:
    ledger.settled(key(0), folder)


def measure(ledger: Ledger, folder: AssetFolder) -> None:
    ledger.changed(folder.asset_id)


def find(ledger: Ledger, folder: AssetFolder) -> None:
    del ledger, folder


@pytest.mark.parametrize("how", [settle, measure, find])
def test_what_a_killed_process_left_unfinished_goes_when_nobody_can_be_at_it(
    books: Books, layout: Layout, how: Callable[[Ledger, AssetFolder], None]
) -> None:
    ledger = books()
    folder = asset(layout, 0)
    if how is not find:
        ledger.settled(key(0), folder)
    left = leftovers(folder)
    with lease(layout, 0):
        how(ledger, folder)
        assert ledger.usage() == Usage(1, 3 * SIZE)
        assert all(each.exists() for each in left)
    how(ledger, folder)
    assert ledger.usage() == Usage(1, SIZE)
    assert not any(each.exists() for each in left)


def test_what_cannot_be_swept_is_counted(books: Books, layout: Layout) -> None:
    ledger = books()
    folder = asset(layout, 0)
    (folder.path / "a.tmp").mkdir()
    ledger.settled(key(0), folder)
    assert ledger.usage().bytes >= SIZE
    assert (folder.path / "a.tmp").exists()


def test_a_folder_that_somebody_deleted_is_forgotten(books: Books, layout: Layout, clock: FakeClock) -> None:
    ledger = books(max_bytes=SIZE)
    fill(ledger, layout, clock, 3)
    shutil.rmtree(layout.asset(key(0).asset_id).path)
    shutil.rmtree(layout.asset(key(2).asset_id).path)
    ledger.settled(key(2), layout.asset(key(2).asset_id))
    ledger.evict()
    assert present(layout) == ids(1)
    assert ledger._index.usage() == Usage(1, SIZE)


def test_a_use_of_what_the_index_does_not_know_is_noted(books: Books, layout: Layout) -> None:
    ledger = books()
    ledger.used(key(0), asset(layout, 0, SIZE))
    assert ledger._index.usage() == Usage(1, SIZE)


def test_removing_tells_whether_it_could(books: Books, layout: Layout) -> None:
    ledger = books()
    asset(layout, 0)
    with lease(layout, 0):
        assert not ledger.remove(key(0).asset_id)
    assert ledger.remove(key(0).asset_id)
    assert ledger.remove(key(0).asset_id)
    assert present(layout) == set()


def test_only_one_process_evicts_at_a_time(books: Books, layout: Layout, clock: FakeClock) -> None:
    ledger = books(max_bytes=0)
    fill(ledger, layout, clock, 1)
    with contextlib.closing(FileLock(layout.lock)) as lock:
        assert lock.try_alone()
        assert ledger.evict() == Freed()
        assert ledger.evict(patience=0.01) == Freed()
    assert ledger.evict() == Freed(1, SIZE)


def test_who_evicts_looks_again_for_who_did_not_wait_for_it(
    books: Books, layout: Layout, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = books(max_assets=0), books(max_assets=0)
    fill(one, layout, clock, 1)
    sweep = one._sweep

    def settle_meanwhile(coming: int) -> Freed:
        freed = sweep(coming)
        monkeypatch.undo()
        two.settled(key(1), asset(layout, 1))
        assert two.evict() == Freed()
        return freed

    monkeypatch.setattr(one, "_sweep", settle_meanwhile)
    assert one.evict() == Freed(2, 2 * SIZE)
    assert present(layout) == set()


def test_a_turn_that_ends_just_when_it_is_left_to_its_holder_is_taken(
    books: Books, layout: Layout, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = books(max_assets=0)
    fill(ledger, layout, clock, 1)
    holder = FileLock(layout.lock)
    assert holder.try_alone()
    monkeypatch.setattr(ledger._due, "set", holder.close)
    assert ledger.evict() == Freed(1, SIZE)


def test_room_that_another_process_has_yet_to_make_is_asked_for_again_soon(
    books: Books, layout: Layout, clock: FakeClock
) -> None:
    ledger = books(max_bytes=100_000_000)
    fill(ledger, layout, clock, 1)
    with contextlib.closing(FileLock(layout.lock)) as lock:
        assert lock.try_alone()
        assert ledger.make_room(None) == 64 * 1024
    assert ledger.make_room(None) == 100_000_000 // 32


def test_an_asset_that_cannot_be_removed_is_passed_over(books: Books, layout: Layout, clock: FakeClock) -> None:
    ledger = books(max_bytes=0)
    fill(ledger, layout, clock, 2)
    stuck = layout.asset(key(0).asset_id)
    stuck.lease.unlink(missing_ok=True)
    stuck.lease.mkdir()
    assert ledger.evict() == Freed(1, SIZE)
    assert present(layout) == ids(0)


def test_no_store_has_nothing_to_evict(books: Books) -> None:
    assert books(max_bytes=0).evict() == Freed()


def test_nothing_outside_of_the_root_is_evicted(books: Books, layout: Layout, clock: FakeClock, tmp_path: Path) -> None:
    ledger = books(max_bytes=0)
    fill(ledger, layout, clock, 1)
    layout.assets.rename(tmp_path / "outside")
    layout.assets.symlink_to(tmp_path / "outside")
    ledger.evict()
    assert (tmp_path / "outside" / key(0).asset_id / f"{key(0).resource_hash}.data").exists()


def test_what_could_not_be_taken_down_is_counted_when_it_can(books: Books, layout: Layout, clock: FakeClock) -> None:
    ledger = books(max_bytes=0)
    fill(ledger, layout, clock, 2)
    assert ledger.usage() == Usage(2, 2 * SIZE)
    with contextlib.closing(sqlite3.connect(layout.index, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        asset(layout, 0, 3 * SIZE)
        ledger.settled(key(0), layout.asset(key(0).asset_id))
        assert ledger.remove(key(1).asset_id)
        ledger.settled(key(2), asset(layout, 2, SIZE))
    assert books().usage() == Usage(2, 4 * SIZE)
    assert not layout.index.with_suffix(".lost").exists()
    clock.advance(31.0)
    assert ledger.evict() == Freed(2, 4 * SIZE)


@pytest.mark.parametrize("limits", [{"max_bytes": 2 * SIZE}, {"min_free_bytes": 1 << 62}])
def test_without_an_index_that_can_be_used_the_folders_tell_what_must_go(
    books: Books, layout: Layout, limits: dict[str, int]
) -> None:
    for number in range(4):
        folder = asset(layout, number)
        for each in folder.files():
            os.utime(each.path, (number, number))
    write_pins(layout.asset(key(0).asset_id), frozenset({"user"}))
    layout.index.mkdir()  # as on a disk without room for its log
    with lease(layout, 1):
        freed = books(**limits).evict()
    assert (freed, present(layout)) == (Freed(2, 2 * SIZE), ids(0, 1))


def test_an_index_that_fails_while_it_is_evicted_by_leaves_the_rest_to_the_folders(
    books: Books, layout: Layout, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(books(), layout, clock, 3)
    ledger = books(max_bytes=0)

    def fail(folder: AssetFolder) -> None:
        if not layout.index.is_dir():
            layout.index.unlink()
            layout.index.mkdir()
        clear(folder)

    clear = AssetFolder.clear
    monkeypatch.setattr(AssetFolder, "clear", fail)
    assert ledger.evict() == Freed(3, 3 * SIZE)
    assert present(layout) == set()


def test_what_was_closed_is_not_asked_of_the_folders(books: Books, layout: Layout, clock: FakeClock) -> None:
    ledger = books(max_bytes=0)
    fill(ledger, layout, clock, 1)
    ledger.close()
    assert ledger.evict() == Freed()
