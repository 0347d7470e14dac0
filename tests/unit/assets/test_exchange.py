"""Whole files out of the store and into it."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from kithara_file.assets import exchange
from kithara_file.assets.meta import read_meta
from kithara_file.assets.store import AssetStore
from kithara_file.errors import AssetError, CorruptResource, StorageError
from kithara_file.storage.streaming import StreamingResource
from kithara_file.storage.system import OpenFile
from tests.unit.assets.goods import BODY, KEY, all_files, fill, key, put, remote, stored
from tests.world.clock import FakeClock
from tests.world.crash import Child


@pytest.fixture
def song(tmp_path: Path) -> Path:
    path = tmp_path / "song.flac"
    path.write_bytes(BODY)
    return path


def test_what_is_complete_comes_out_whole(store_dir: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.flac"
    target.write_bytes(b"what was there before")
    with AssetStore(store_dir) as store:
        with store.open(KEY) as entry:
            fill(entry)
        store.export(KEY, target)
        store.export(KEY, tmp_path / "again.flac")
    assert target.read_bytes() == (tmp_path / "again.flac").read_bytes() == BODY
    assert sorted(each.name for each in tmp_path.iterdir()) == ["again.flac", "out.flac", "store"]


def test_an_empty_file_comes_out(store_dir: Path, tmp_path: Path) -> None:
    with AssetStore(store_dir) as store:
        put(store, 0, 0)
        store.export(key(0), tmp_path / "out")
    assert (tmp_path / "out").read_bytes() == b""


def test_what_is_not_complete_stays_in(store_dir: Path, tmp_path: Path) -> None:
    with AssetStore(store_dir) as store:
        with pytest.raises(AssetError, match="is not in the store"):
            store.export(KEY, tmp_path / "out")
        assert not store_dir.exists()
        with store.open(KEY) as entry:
            entry.begin(remote()).write_at(0, BODY[:100])
        with pytest.raises(AssetError, match="is not complete in the store"):
            store.export(KEY, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("place", ["missing/out", "folder"])
def test_a_place_that_takes_nothing_is_told(store_dir: Path, tmp_path: Path, place: str) -> None:
    (tmp_path / "folder").mkdir()
    with AssetStore(store_dir) as store:
        put(store, 0)
        with pytest.raises(StorageError, match=f"Cannot export to {tmp_path / place}"):
            store.export(key(0), tmp_path / place)
    assert not [each for each in tmp_path.iterdir() if each.name.endswith(".part")]


def test_a_local_file_is_taken_in_as_committed(store_dir: Path, song: Path) -> None:
    with AssetStore(store_dir) as store:
        store.adopt(song, KEY, remote(None))
        song.unlink()
        with store.open(KEY) as entry:
            assert entry.committed
            assert stored(entry) == BODY
            assert entry.remote == remote(None)
        assert all(each.good for each in store.verify())


def test_an_empty_file_is_taken_in(store_dir: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    with AssetStore(store_dir) as store:
        store.adopt(tmp_path / "empty", "https://example.org/0")
        with store.open(key(0)) as entry:
            assert entry.committed
            assert entry.remote is not None
            assert entry.remote.length == 0


def test_it_takes_the_place_of_what_was_stored_whose_readers_read_on(store_dir: Path, song: Path) -> None:
    with AssetStore(store_dir) as store, store.open(KEY) as old:
        fill(old, BODY[::-1])
        store.adopt(song, KEY)
        assert stored(old) == BODY[::-1]
        with store.open(KEY) as new:
            assert stored(new) == BODY


def test_it_makes_room_for_itself(store_dir: Path, tmp_path: Path, clock: FakeClock) -> None:
    (tmp_path / "long").write_bytes(bytes(3_000_000))
    with AssetStore(store_dir, max_bytes=3_100_000, clock=clock) as store:
        put(store, 0, 500_000)
        clock.advance(1.0)
        store.adopt(tmp_path / "long", key(1))
        assert [asset.key.url for asset in store.assets()] == [key(1).url]


def test_other_bytes_than_were_promised_are_not_taken_in(store_dir: Path, song: Path) -> None:
    with AssetStore(store_dir) as store:
        with pytest.raises(CorruptResource):
            store.adopt(song, KEY, digest=f"sha256:{64 * '0'}")
        assert store.find(KEY) is None
        store.adopt(song, KEY, digest=f"md5:{hashlib.md5(BODY, usedforsecurity=False).hexdigest()}")
        with store.open(KEY) as entry:
            assert entry.committed


def test_what_is_not_taken_in_leaves_in_place_what_was_stored(store_dir: Path, song: Path) -> None:
    with AssetStore(store_dir) as store:
        with store.open(KEY) as entry:
            fill(entry, BODY[::-1])
        before = all_files(store_dir)
        with pytest.raises(CorruptResource):
            store.adopt(song, KEY, digest=f"sha256:{64 * '0'}")
        with store.open(KEY) as entry, entry.replacing(remote()) as resource:
            resource.write_at(0, BODY)  # and nothing is committed
        with store.open(KEY) as entry:
            assert entry.committed
            assert stored(entry) == BODY[::-1]
        assert all_files(store_dir) == before


def test_who_dies_while_it_takes_a_file_in_leaves_in_place_what_was_stored(store_dir: Path, song: Path) -> None:
    with AssetStore(store_dir) as store:
        url = put(store, 0).url
        program = """
            import os, signal
            from kithara_file import AssetStore
            from kithara_file.storage.system import OpenFile
            OpenFile.sync = lambda _: os.kill(os.getpid(), signal.SIGKILL)
            AssetStore(argv[0]).adopt(argv[1], argv[2])
        """
        with Child(program, store_dir, song, url) as child:
            assert child.wait() == -9, child.story()
        with store.open(key(0)) as entry:
            assert entry.committed
            assert stored(entry) == bytes(len(BODY))


def test_a_file_that_was_taken_in_is_believed_without_being_read(store_dir: Path, song: Path) -> None:
    with AssetStore(store_dir) as store:
        put(store, 0)
        store.adopt(song, key(0))
        meta = read_meta(next(store_dir.glob("assets/*/*.json")))
        assert meta is not None
        with store.open(key(0)) as entry:
            assert isinstance(entry.resource, StreamingResource)
            assert (meta.committed, meta.sealed) == (True, entry.resource.journal_bytes)
            assert stored(entry) == BODY


def test_a_file_that_cannot_be_read_is_told_and_leaves_nothing(store_dir: Path, tmp_path: Path) -> None:
    with AssetStore(store_dir) as store:
        with pytest.raises(FileNotFoundError):
            store.adopt(tmp_path / "absent", KEY)
        assert store.find(KEY) is None


def test_a_file_that_becomes_shorter_is_told(song: Path) -> None:
    source = OpenFile.readable(song)
    assert exchange._part(source, 0, 10) == BODY[:10]
    with pytest.raises(StorageError, match="became shorter"):
        exchange._part(source, 0, len(BODY) + 1)
