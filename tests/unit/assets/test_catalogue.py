"""What is in a store, for people to look at."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from kithara_file.assets.eviction import Usage
from kithara_file.assets.keys import ResourceKey
from kithara_file.assets.store import AssetStore
from kithara_file.ranges import ByteRange
from tests.unit.assets.goods import BODY, all_files, fill, key, put, remote
from tests.world.clock import FakeClock

ONE = ResourceKey.of("https://example.org/song?quality=1")
TWO = ResourceKey.of("https://example.org/song?quality=2")


def test_an_asset_is_described_by_its_files(store_dir: Path, clock: FakeClock) -> None:
    with AssetStore(store_dir, clock=clock) as store:
        with store.open(ONE) as entry:
            fill(entry)
        clock.advance(5.0)
        with store.open(TWO) as entry:
            entry.begin(remote()).write_at(100, BODY[100:200])
        store.pin(ONE, "trip")
        (asset,) = store.assets()
        assert (asset.url, asset.name, asset.pins) == ("https://example.org/song", None, frozenset({"trip"}))
        assert (asset.in_use, asset.users) == (False, ())
        assert asset.last_used == clock.wall()
        assert asset.bytes == sum(each.stat().st_size for each in all_files(store_dir / "assets" / ONE.asset_id))
        found = {each.key.resource_hash: each for each in asset.resources}
        whole, part = found[ONE.resource_hash], found[TWO.resource_hash]
        assert (whole.length, whole.committed, whole.complete) == (len(BODY), True, True)
        assert whole.path.read_bytes() == BODY
        assert (part.length, part.committed, part.complete) == (len(BODY), False, False)
        assert list(part.coverage) == [ByteRange(100, 200)]


def test_the_last_used_come_first_and_looking_is_no_use(store_dir: Path, clock: FakeClock) -> None:
    with AssetStore(store_dir, clock=clock) as store:
        for number in (2, 0, 1):
            put(store, number)
            clock.advance(1.0)
        for _ in range(2):
            assert [each.key for each in store.assets()] == [key(1), key(0), key(2)]
            assert store.find(key(2)) is not None


def test_who_uses_an_asset_is_told(store_dir: Path) -> None:
    with AssetStore(store_dir) as store, store.open(key(0)):
        (asset,) = store.assets()
        assert asset.in_use
        assert asset.users == (os.getpid(),)


def test_what_makes_no_sense_is_as_the_index_knew_it(store_dir: Path) -> None:
    with AssetStore(store_dir) as store:
        put(store, 0)
        store.path(key(0)).with_suffix(".json").write_text("{")
        (asset,) = store.assets()
        assert (asset.url, asset.resources) == (key(0).url, ())
    for each in store_dir.glob("index.sqlite3*"):
        each.unlink()
    with AssetStore(store_dir) as store:
        (asset,) = store.assets()
        assert (asset.url, asset.resources) == ("", ())
        store.remove(asset.key)
        assert store.assets() == []


def test_damaged_files_claim_nothing_and_are_left_alone(store_dir: Path) -> None:
    with AssetStore(store_dir) as store:
        put(store, 0)
        store.path(key(0)).with_suffix(".journal").write_bytes(b"garbage")
        put(store, 1)
        store.path(key(1)).unlink()
        before = [(each, each.read_bytes()) for each in all_files(store_dir / "assets")]
        assert [each.resources[0].coverage.total for each in store.assets()] == [0, 0]
        assert [(each, each.read_bytes()) for each in all_files(store_dir / "assets")] == before


def test_no_store_has_nothing_in_it_and_is_not_made(store_dir: Path) -> None:
    with AssetStore(store_dir) as store:
        assert store.assets() == []
        assert store.find(key(0)) is None
        assert store.path(key(0)).name == f"{key(0).resource_hash}.data"
    assert not store_dir.exists()


def test_the_usage_is_of_all(store_dir: Path) -> None:
    with AssetStore(store_dir) as store:
        put(store, 0, 1000)
        put(store, 1, 2000)
        assert store.usage() == Usage(2, sum(each.bytes for each in store.assets()))


@pytest.mark.parametrize("index", ["lost", "kept"])
def test_without_an_index_the_files_tell_when_they_were_written(store_dir: Path, clock: FakeClock, index: str) -> None:
    with AssetStore(store_dir, clock=clock) as store:
        put(store, 0)
    if index == "lost":
        for each in store_dir.glob("index.sqlite3*"):
            each.unlink()
    with AssetStore(store_dir, clock=clock) as store:
        written = max(each.stat().st_mtime for each in all_files(store_dir / "assets" / key(0).asset_id))
        assert store.assets()[0].last_used == (written if index == "lost" else clock.wall())


def test_what_gc_would_remove_is_told_before(store_dir: Path, clock: FakeClock) -> None:
    with AssetStore(store_dir, clock=clock) as generous:
        for number in range(5):
            put(generous, number, 1000)
            clock.advance(1.0)
        generous.pin(key(0))
    with AssetStore(store_dir, max_assets=2, clock=clock) as strict, strict.open(key(1)):
        told = [each.key.asset_id for each in strict.doomed()]
        assert told == [key(2).asset_id, key(3).asset_id, key(4).asset_id]
        assert strict.gc().assets == 3
        assert strict.doomed() == []
    with AssetStore(store_dir, min_free_bytes=1 << 62, clock=clock) as strict:
        assert [each.key.asset_id for each in strict.doomed()] == [key(1).asset_id]
    with AssetStore(store_dir / "none", min_free_bytes=1, clock=clock) as empty:
        assert empty.doomed() == []
