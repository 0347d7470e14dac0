"""Small objects beside the bytes of an asset."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kithara_file.assets.keys import ResourceKey
from kithara_file.assets.store import AssetStore
from kithara_file.errors import AssetError, InvalidKey, StorageError, StreamClosed
from tests.unit.assets.goods import all_files, fill, key, put
from tests.world.clock import FakeClock
from tests.world.crash import run_child

COVER = b"\x89PNG" * 1000


def test_what_was_written_is_read_again_by_whoever_asks(store_dir: Path) -> None:
    with AssetStore(store_dir) as store:
        cover = store.atomic("https://example.org/0", "cover.png")
        assert cover.read() is None
        cover.write(COVER)
        cover.write(COVER[::-1])
    with AssetStore(store_dir) as store:
        assert store.atomic(key(0), "cover.png").read() == COVER[::-1]
        assert store.atomic(key(0), "cover.jpg").read() is None
        assert store.atomic(key(1), "cover.png").read() is None


def test_naming_one_touches_nothing(store_dir: Path) -> None:
    with AssetStore(store_dir) as store:
        cover = store.atomic(key(0), "cover.png")
        assert cover.read() is None
        cover.remove()
    assert not store_dir.exists()


def test_it_goes_with_its_asset_and_counts_as_a_part_of_it(store_dir: Path, clock: FakeClock) -> None:
    with AssetStore(store_dir, max_bytes=15_000, clock=clock) as store:
        put(store, 0, 10_000)
        clock.advance(1.0)
        put(store, 1, 1000)
        clock.advance(1.0)
        store.atomic(key(1), "cover.png").write(COVER)
        assert store.find(key(0)) is None
        assert store.usage().bytes >= len(COVER) + 1000
        clock.advance(1.0)
        put(store, 2, 14_000)
        assert store.atomic(key(1), "cover.png").read() is None


def test_one_alone_is_an_asset_until_it_is_removed(store_dir: Path) -> None:
    with AssetStore(store_dir) as store:
        cover = store.atomic(key(0), "cover.png")
        cover.write(COVER)
        assert store.usage().assets == 1
        cover.remove()
        cover.remove()
        assert store.usage().assets == 0
        assert list((store_dir / "assets").glob("*/")) == []


def test_one_written_while_its_asset_is_open_stays(store_dir: Path, clock: FakeClock) -> None:
    with AssetStore(store_dir, clock=clock) as store, store.open(key(0)) as entry:
        store.atomic(key(0), "cover.png").write(COVER)
        fill(entry)
        assert store.atomic(key(0), "cover.png").read() == COVER


def test_another_process_reads_it(store_dir: Path) -> None:
    with AssetStore(store_dir) as store:
        store.atomic(key(0), "cover.png").write(COVER)
    reading = """
        from kithara_file.assets.store import AssetStore
        print(len(AssetStore(argv[0]).atomic("https://example.org/0", "cover.png").read()))
    """
    assert run_child(reading, store_dir) == str(len(COVER))


def test_a_disk_that_refuses_is_told_and_leaves_what_was(store_dir: Path) -> None:
    with AssetStore(store_dir) as store:
        cover = store.atomic(key(0), "cover.png")
        cover.write(COVER)
        cover.path.unlink()
        cover.path.mkdir()
        with pytest.raises(StorageError):
            cover.write(COVER)
        assert not [each for each in all_files(store_dir) if each.suffix == ".tmp"]


def test_a_closed_store_and_a_local_file_take_none(store_dir: Path, tmp_path: Path) -> None:
    store = AssetStore(store_dir)
    with pytest.raises(AssetError):
        store.atomic(ResourceKey.absolute(tmp_path / "song"), "cover").write(COVER)
    with pytest.raises(InvalidKey):
        store.atomic(key(0), "")
    cover = store.atomic(key(0), "cover")
    store.close()
    with pytest.raises(StreamClosed):
        cover.write(COVER)


@given(st.text(min_size=1))
def test_no_name_leads_out_of_the_asset(name: str) -> None:
    path = AssetStore("/store").atomic(key(0), name).path
    assert path.parent == Path("/store/assets") / key(0).asset_id
    assert len(path.name) == 32 + len(".side")
