"""What is pinned stays, whoever counts and whatever is lost of the index."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kithara_file.assets.keys import ResourceKey
from kithara_file.assets.layout import AssetFolder
from kithara_file.assets.ledger import Freed
from kithara_file.assets.pins import UNREADABLE, pins_of, write_pins
from kithara_file.assets.store import AssetStore
from kithara_file.errors import AssetError, LeaseHeld, StorageError, StreamClosed
from tests.unit.assets.goods import all_files, fill, key, put
from tests.world.clock import FakeClock
from tests.world.crash import run_child


def here(store: AssetStore, number: int) -> bool:
    """Tell whether an asset has its bytes, without using it."""
    return bool(list((store.root / "assets" / key(number).asset_id).glob("*.data")))


def test_what_is_pinned_is_never_evicted(store_dir: Path, clock: FakeClock) -> None:
    with AssetStore(store_dir, max_bytes=15_000, max_age=10.0, clock=clock) as store:
        put(store, 0, 10_000)
        assert store.pin(key(0), "offline") == {"offline"}
        clock.advance(100.0)
        put(store, 1, 10_000)
        assert store.gc() == Freed()
        assert (here(store, 0), here(store, 1)) == (True, False)


def test_pins_are_counted_by_name(store_dir: Path) -> None:
    with AssetStore(store_dir) as store:
        put(store, 0)
        assert store.pin(key(0)) == {"user"}
        assert store.pin(key(0)) == {"user"}
        assert store.pin(key(0), "trip") == {"user", "trip"}
        assert store.unpin(key(0)) == {"trip"}
        assert store.unpin(key(0)) == {"trip"}
        assert store.pins(key(0)) == {"trip"}
        assert store.unpin(key(0), "trip") == frozenset()
        assert store.pins(key(0)) == frozenset()


def test_the_last_pin_taken_off_lets_the_asset_go(store_dir: Path, clock: FakeClock) -> None:
    with AssetStore(store_dir, max_bytes=0, clock=clock) as store:
        with store.open(key(0)) as entry:
            store.pin(key(0), "a")
            store.pin(key(0), "b")
            fill(entry)
        assert here(store, 0)
        store.unpin(key(0), "a")
        assert here(store, 0)
        store.unpin(key(0), None)
        assert not here(store, 0)


def test_pins_survive_restarts_and_the_loss_of_the_index(store_dir: Path, clock: FakeClock) -> None:
    with AssetStore(store_dir, clock=clock) as store:
        put(store, 0, 10_000)
        put(store, 1, 10_000)
        store.pin(key(0), "offline")
    for each in store_dir.glob("index.sqlite3*"):
        each.unlink()
    with AssetStore(store_dir, max_bytes=0, clock=clock) as store:
        assert store.gc().assets == 1
        assert (here(store, 0), here(store, 1)) == (True, False)
        assert store.pins(key(0)) == {"offline"}


def test_a_pin_that_the_index_does_not_know_of_holds(store_dir: Path, clock: FakeClock) -> None:
    with AssetStore(store_dir, clock=clock) as store:
        put(store, 0)
    write_pins(AssetFolder(store_dir / "assets" / key(0).asset_id), frozenset({"offline"}))
    with AssetStore(store_dir, max_bytes=0, clock=clock) as store:
        assert store.gc() == Freed()
        assert store.gc() == Freed()
        assert here(store, 0)


def test_what_is_not_fetched_yet_can_be_pinned(store_dir: Path, clock: FakeClock) -> None:
    with AssetStore(store_dir, max_bytes=0, clock=clock) as store:
        store.pin("https://example.org/0")
        put(store, 0)
        assert here(store, 0)


def test_a_pin_on_nothing_leaves_nothing_when_it_is_taken_off(store_dir: Path) -> None:
    with AssetStore(store_dir) as store:
        store.pin(key(0))
        store.unpin(key(0))
        store.unpin(key(1))
        assert list((store_dir / "assets").glob("*/*")) == []


def test_what_is_in_use_can_be_pinned_and_unpinned(store_dir: Path, clock: FakeClock) -> None:
    with AssetStore(store_dir, max_bytes=0, clock=clock) as store:
        with store.open(key(0)) as entry:
            fill(entry)
            assert store.pin(key(0)) == {"user"}
        assert here(store, 0)


def test_removing_what_is_pinned_is_refused_unless_it_is_meant(store_dir: Path) -> None:
    with AssetStore(store_dir) as store:
        put(store, 0)
        store.pin(key(0), "b")
        store.pin(key(0), "a")
        with pytest.raises(AssetError) as caught:
            store.remove(key(0))
        assert str(caught.value) == f"{key(0).url} is pinned by a, b, so that it stays"
        assert not isinstance(caught.value, LeaseHeld)
        store.remove(key(0), pinned=True)
        assert not here(store, 0)
        assert store.pins(key(0)) == frozenset()


def test_pins_of_several_processes_add_up(store_dir: Path) -> None:
    pinning = """
        from kithara_file.assets.store import AssetStore
        with AssetStore(argv[0]) as store:
            print(len(store.pin("https://example.org/0", argv[1])))
    """
    assert run_child(pinning, store_dir, "one") == "1"
    assert run_child(pinning, store_dir, "two") == "2"


@pytest.mark.parametrize("content", [b"", b"\x00\x00", b"{}", b'["a", 1]', b"[" * 100_000])
def test_a_file_without_sense_is_somebodys_pin(tmp_path: Path, content: bytes) -> None:
    folder = AssetFolder(tmp_path)
    folder.pins.write_bytes(content)
    assert pins_of(folder) == {UNREADABLE}


def too_long(path: Path) -> None:
    path.write_text(json.dumps(["x" * 200] * 6000))


def somewhere_else(path: Path) -> None:
    path.symlink_to(path.with_name("missing"))


@pytest.mark.parametrize("spoil", [Path.mkdir, os.mkfifo, too_long, somewhere_else])
def test_what_cannot_be_read_is_somebodys_pin(
    store_dir: Path, clock: FakeClock, spoil: Callable[[Path], object]
) -> None:
    with AssetStore(store_dir, max_bytes=0, clock=clock) as store:
        store.pin(key(0), "trip")
        put(store, 0)
        pins = AssetFolder(store_dir / "assets" / key(0).asset_id).pins
        pins.unlink()
        spoil(pins)
        for again in range(2):
            put(store, 1 + again)
            assert store.gc() == Freed()
            assert store.pins(key(0)) == {UNREADABLE}
            with pytest.raises(AssetError, match="is pinned by"):
                store.remove(key(0))
        for change in (store.pin, store.unpin):
            with pytest.raises(StorageError) as caught:
                change(key(0), "more")
            assert str(caught.value).startswith(f"Cannot read {pins}: ")
            assert store.pins(key(0)) == {UNREADABLE}
        assert here(store, 0)


@pytest.mark.parametrize("spoil", [os.mkfifo, too_long, somewhere_else])
def test_all_pins_can_be_taken_off_what_cannot_be_read(
    store_dir: Path, clock: FakeClock, spoil: Callable[[Path], object]
) -> None:
    with AssetStore(store_dir, clock=clock) as store:
        put(store, 0)
        spoil(AssetFolder(store_dir / "assets" / key(0).asset_id).pins)
        assert store.unpin(key(0), None) == frozenset()
        assert store.pin(key(0), "trip") == {"trip"}


def test_pins_that_could_not_be_read_for_a_while_keep_the_asset_no_longer(store_dir: Path, clock: FakeClock) -> None:
    with AssetStore(store_dir, max_bytes=0, clock=clock) as store:
        pins = store.path(key(0)).with_name("asset.pins")
        pins.mkdir(parents=True)
        put(store, 0)
        store.gc()
        assert here(store, 0)
        pins.rmdir()
        assert store.gc().assets == 1


def test_a_pin_that_would_make_them_too_many_to_be_read_again_is_refused(store_dir: Path) -> None:
    with AssetStore(store_dir) as store:
        put(store, 0)
        names = frozenset(f"{number:04}" + "\u00e9" * 196 for number in range(885))
        write_pins(AssetFolder(store_dir / "assets" / key(0).asset_id), names)
        *_, held = (store.pin(key(0), last * 200) for last in "xyz")
        with pytest.raises(AssetError) as caught:
            store.pin(key(0), "0" * 200)
        assert str(caught.value) == "889 pins are more than one asset can have with names of that length"
        assert store.pins(key(0)) == held
        assert len(store.unpin(key(0), min(held))) == len(held) - 1


def test_all_pins_can_be_taken_off_an_unreadable_file(store_dir: Path) -> None:
    with AssetStore(store_dir) as store:
        put(store, 0)
        AssetFolder(store_dir / "assets" / key(0).asset_id).pins.write_bytes(b"rot")
        assert store.unpin(key(0), None) == frozenset()
        assert not [each for each in all_files(store_dir) if each.suffix == ".pins"]


@pytest.mark.parametrize("name", ["", "a\nb", "\x1b[31m", "x" * 201])
def test_a_name_that_cannot_be_shown_is_refused(store_dir: Path, name: str) -> None:
    with AssetStore(store_dir) as store, pytest.raises(AssetError):
        store.pin(key(0), name)
    assert not store_dir.exists()


def test_a_closed_store_and_a_local_file_take_no_pins(store_dir: Path, tmp_path: Path) -> None:
    store = AssetStore(store_dir)
    with pytest.raises(AssetError):
        store.pin(ResourceKey.absolute(tmp_path / "song"))
    store.close()
    with pytest.raises(StreamClosed):
        store.pin(key(0))


@given(st.frozensets(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), max_size=5))
def test_any_names_come_back(tmp_path_factory: pytest.TempPathFactory, names: frozenset[str]) -> None:
    folder = AssetFolder(tmp_path_factory.mktemp("asset"))
    write_pins(folder, names)
    assert pins_of(folder) == names
