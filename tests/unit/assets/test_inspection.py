"""A look through all that is stored finds what is bad, and only that is lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from kithara_file.assets.keys import ResourceKey
from kithara_file.assets.meta import read_meta
from kithara_file.assets.store import AssetStore
from kithara_file.ranges import ByteRange
from tests.unit.assets.goods import BODY, KEY, fill, key, put, remote, stored
from tests.world.clock import FakeClock


def damage(store: AssetStore, which: ResourceKey, at: int = 0) -> None:
    """Change one byte of what is stored."""
    with store.path(which).open("r+b") as file:
        file.seek(at)
        byte = file.read(1)[0]
        file.seek(at)
        file.write(bytes([byte ^ 1]))


def test_good_bytes_are_found_good_and_stay(store_dir: Path) -> None:
    with AssetStore(store_dir) as store:
        with store.open(KEY) as entry:
            fill(entry)
        with store.open(key(1)) as entry:
            entry.begin(remote()).write_at(100, BODY[100:200])
        assert [each.good for each in store.verify()] == [True, True]
        with store.open(KEY) as entry:
            assert entry.committed


def test_bad_bytes_are_taken_back_and_fetched_when_they_are_next_wanted(store_dir: Path) -> None:
    with AssetStore(store_dir) as store:
        with store.open(KEY) as entry:
            fill(entry)
        put(store, 1)
        damage(store, KEY, 1000)
        found = {each.resource.key.asset_id: each for each in store.verify()}
        assert 1000 in found[KEY.asset_id].bad
        assert found[key(1).asset_id].good
        meta = read_meta(store.path(KEY).with_suffix(".json"))
        assert meta is not None
        assert not meta.committed
        with store.open(KEY) as entry:
            assert entry.resource is not None
            assert not entry.committed
            assert 1000 not in entry.resource.snapshot()
            entry.resource.write_at(0, BODY)
            entry.commit()
            assert stored(entry) == BODY
        assert all(each.good for each in store.verify())


def test_a_reader_hears_of_what_was_taken_back(store_dir: Path) -> None:
    with AssetStore(store_dir) as store, store.open(KEY) as reader:
        fill(reader)
        damage(store, KEY)
        assert not store.verify()[0].good
        assert reader.resource is not None
        reader.resource.catch_up()
        assert 0 not in reader.resource.snapshot()


def test_a_file_that_was_cut_is_bad_where_it_is_missing(store_dir: Path) -> None:
    with AssetStore(store_dir) as store:
        with store.open(KEY) as entry:
            fill(entry)
        with store.path(KEY).open("r+b") as file:
            file.truncate(1000)
        (finding,) = store.verify(KEY)
        assert finding.bad.end == len(BODY)
        assert list(finding.bad)[-1] == ByteRange(0, len(BODY)) or finding.bad.covers(1000, len(BODY))


def test_one_asset_can_be_looked_at_alone(store_dir: Path) -> None:
    with AssetStore(store_dir) as store:
        put(store, 0)
        put(store, 1)
        assert [each.resource.key for each in store.verify(key(1))] == [key(1)]
        assert store.verify(key(2)) == []


def test_progress_tells_bytes_of_all(store_dir: Path) -> None:
    told: list[tuple[int, int]] = []
    with AssetStore(store_dir) as store:
        put(store, 0, 600_000)
        put(store, 1, 400_000)
        store.verify(progress=lambda done, total: told.append((done, total)))
    assert told[-1] == (1_000_000, 1_000_000)
    assert told == sorted(told)
    assert len(told) >= 4


def test_what_cannot_be_looked_at_is_told(store_dir: Path) -> None:
    with AssetStore(store_dir) as store:
        put(store, 0)
        lease = store.path(key(0)).with_name("lease")
        lease.unlink()
        lease.mkdir()
        (finding,) = store.verify()
        assert finding.error is not None
        assert not finding.good


@pytest.mark.parametrize("how", ["remove", "replace"])
def test_what_is_removed_or_replaced_before_it_is_looked_at_is_not_bad(store_dir: Path, how: str) -> None:
    with AssetStore(store_dir) as store:
        keys = sorted((put(store, 0), put(store, 1)), key=lambda each: each.asset_id)

        def change(*_: object) -> None:
            (one,) = [each for each in keys if each not in looked]
            if how == "remove":
                store.remove(one)
            else:
                with store.open(one) as entry, entry.replacing(remote('"2"', 100)) as resource:
                    resource.write_at(0, BODY[:100])
                    entry.commit()
            keys.clear()

        looked = [store.assets()[0].key]
        found = store.verify(progress=lambda *told: change(*told) if keys else None)
        assert [(each.good, each.resource.key in looked) for each in found] == [(True, True), (True, False)]
        assert len(store.assets()) == (1 if how == "remove" else 2)


def test_looking_is_no_use(store_dir: Path, clock: FakeClock) -> None:
    with AssetStore(store_dir, clock=clock) as store:
        put(store, 0)
        clock.advance(10.0)
        with store.open(key(1)) as entry:
            entry.begin(remote()).write_at(0, BODY[:100])
        before = [(each.key, each.last_used) for each in store.assets()]
        clock.advance(10.0)
        store.verify()
        assert [(each.key, each.last_used) for each in store.assets()] == before


def test_without_checksums_nothing_is_believed_of_a_file_that_was_changed(store_dir: Path) -> None:
    with AssetStore(store_dir) as store:
        with store.open(KEY, checksums=False) as entry:
            fill(entry)
        assert store.verify()[0].good
        damage(store, KEY)
        assert store.verify()[0].bad.total == len(BODY)
