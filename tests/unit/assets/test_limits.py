"""The limits of a store hold at every moment but for what is in use, also while downloads grow."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import pytest

from kithara_file.assets.entry import Entry
from kithara_file.assets.store import AssetStore
from kithara_file.storage import StreamingResource
from tests.unit.assets.goods import all_files, key, put, remote
from tests.world.clock import FakeClock

MIB = 1 << 20
CHUNK = 32 * 1024


def taken(root: Path) -> int:
    """Return what all the assets take."""
    return sum(each.stat().st_size for each in all_files(root / "assets"))


class Download:
    """A download that grows chunk by chunk, and has room made as a session would."""

    def __init__(self, entry: Entry, length: int | None, size: int) -> None:
        self.entry = entry
        self.resource: StreamingResource = entry.begin(remote(length=length))
        self._size = size
        self._left = 0
        self.position = 0

    def land(self) -> bool:
        """Land the next chunk; return False at the end."""
        if self.position >= self._size:
            return False
        self.resource.write_at(self.position, bytes(CHUNK))
        self.position += CHUNK
        self._left -= CHUNK
        if self._left < 0:
            step = self.entry.make_room()
            assert step is not None
            self._left = step
        return True


@pytest.mark.parametrize("told", [True, False], ids=["known length", "unknown length"])
def test_the_quota_holds_while_a_download_larger_than_it_grows(
    store_dir: Path, clock: FakeClock, *, told: bool
) -> None:
    with AssetStore(store_dir, max_bytes=MIB, clock=clock) as store:
        for number in range(9):
            put(store, number, 100_000)
            clock.advance(1.0)
        with store.open(key(100)) as entry:
            download = Download(entry, 2 * MIB if told else None, 2 * MIB)
            while download.land():
                download.resource.flush()
                assert taken(store_dir) <= max(MIB, download.position + 10_000)
            assert taken(store_dir) <= 2 * MIB + 10_000


def test_no_more_goes_than_a_known_length_needs(store_dir: Path, clock: FakeClock) -> None:
    with AssetStore(store_dir, max_bytes=MIB, clock=clock) as store:
        for number in range(9):
            put(store, number, 100_000)
            clock.advance(1.0)
        with store.open(key(100)) as entry:
            download = Download(entry, 6 * CHUNK, 6 * CHUNK)
            while download.land():
                pass
        assert len(list((store_dir / "assets").glob("*/*.data"))) == 1 + 8


def test_several_downloads_share_the_quota(store_dir: Path, clock: FakeClock) -> None:
    with AssetStore(store_dir, max_bytes=MIB, clock=clock) as store, ExitStack() as held:
        for number in range(9):
            put(store, number, 100_000)
            clock.advance(1.0)
        downloads = [Download(held.enter_context(store.open(key(100 + number))), MIB, MIB // 2) for number in range(3)]
        while sum(each.land() for each in downloads):
            for each in downloads:
                each.resource.flush()
            assert taken(store_dir) <= max(MIB, sum(each.position for each in downloads) + 20_000)


def test_what_is_replaced_by_a_new_version_is_measured_while_it_grows(store_dir: Path, clock: FakeClock) -> None:
    with AssetStore(store_dir, max_bytes=MIB, clock=clock) as store:
        put(store, 0, 400_000)
        clock.advance(1.0)
        put(store, 100, 100_000)
        with store.open(key(100)) as entry:
            assert entry.committed
            entry.begin(remote('"2"', 2 * MIB))
            entry.resource.write_at(0, bytes(700_000))  # type: ignore[union-attr]
            assert entry.make_room()
            assert not (store_dir / "assets" / key(0).asset_id).exists()


def test_limits_that_count_no_bytes_are_looked_at_once(store_dir: Path) -> None:
    with AssetStore(store_dir, max_assets=1) as store:
        put(store, 0)
        with store.open(key(1)) as entry:
            entry.begin(remote())
            assert entry.make_room() is None
            assert not (store_dir / "assets" / key(0).asset_id).exists()
    with AssetStore(store_dir) as store, store.open(key(2)) as entry:
        entry.begin(remote())
        assert entry.make_room() is None


def test_the_disk_keeps_its_free_space_while_a_download_grows(store_dir: Path) -> None:
    with AssetStore(store_dir, min_free_bytes=1 << 62) as store, store.open(key(1)) as entry:
        with AssetStore(store_dir) as generous:
            put(generous, 0)
        entry.begin(remote())
        assert entry.make_room() == 8 * MIB
        assert not (store_dir / "assets" / key(0).asset_id).exists()


def test_a_local_file_needs_no_room(store_dir: Path, tmp_path: Path) -> None:
    (tmp_path / "song").write_bytes(b"la")
    with AssetStore(store_dir) as store, store.open(type(key(0)).absolute(tmp_path / "song")) as entry:
        assert entry.make_room() is None
