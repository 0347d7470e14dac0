"""A local file, held open as the store holds what it keeps."""

from __future__ import annotations

from pathlib import Path

import pytest

from kithara_file.assets.keys import ResourceKey
from kithara_file.assets.store import AssetStore
from kithara_file.assets.stored import StoredEntry
from kithara_file.errors import AssetError
from tests.unit.assets.goods import BODY, remote, stored


@pytest.fixture
def store(store_dir: Path) -> AssetStore:
    return AssetStore(store_dir)


def test_a_local_file_is_complete_and_nothing_is_done_to_it(store: AssetStore, tmp_path: Path) -> None:
    song = tmp_path / "song.wav"
    song.write_bytes(BODY)
    with store.open(ResourceKey.absolute(song)) as entry:
        assert not isinstance(entry, StoredEntry)
        assert entry.committed
        assert stored(entry) == BODY
        for act in (
            lambda: entry.begin(remote()),
            lambda: entry.refresh(remote()),
            lambda: entry.replacing(remote()),
            entry.commit,
            entry.remove,
        ):
            with pytest.raises(AssetError):
                act()
    assert not store.root.exists()


def test_a_missing_local_file_is_a_file_not_found(store: AssetStore, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        store.open(ResourceKey.absolute(tmp_path / "missing"))
