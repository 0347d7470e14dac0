"""A disk whose sectors fail: what cannot be read is fetched again, what cannot be kept is told."""

from __future__ import annotations

from errno import EIO, ENOSPC
from pathlib import Path

import pytest

from kithara_file import OfflineMiss, StorageError, open_file
from tests.system.bad_machine import BODY, DATA, claims, fill, look, reads_right, serve, session_of, stored
from tests.system.kit import SOON
from tests.world import Origin
from tests.world.disk import bad_disk

pytestmark = pytest.mark.system

HALF = BODY.length // 2


@pytest.fixture
def url(origin: Origin) -> str:
    return serve(origin)


@pytest.mark.parametrize("upto", [None, HALF], ids=["complete", "partial"])
def test_sectors_that_cannot_be_read_are_fetched_again_and_told(url: str, tmp_path: Path, upto: int | None) -> None:
    with bad_disk(tmp_path) as disk:
        store = disk.folder / "store"
        fill(url, store, upto)
        disk.rot(stored(store, ".data"))
        seen = look(url, store)
        assert seen.data == DATA
        assert EIO in [each.errno for each in seen.bypassed]


def test_sectors_that_fail_while_a_complete_file_is_read_are_fetched_again(url: str, tmp_path: Path) -> None:
    with bad_disk(tmp_path) as disk:
        store = disk.folder / "store"
        fill(url, store)
        with session_of(url, store) as session, session.stream() as stream:
            assert stream.read(1000) == DATA[:1000]
            disk.rot(stored(store, ".data"))
            assert stream.read() == DATA[1000:]


def test_offline_sectors_that_cannot_be_read_are_a_miss_and_no_end(url: str, tmp_path: Path) -> None:
    with bad_disk(tmp_path) as disk:
        store = disk.folder / "store"
        fill(url, store)
        with open_file(url, store=store, offline_mode=True) as file:
            disk.rot(stored(store, ".data"))
            with pytest.raises(OfflineMiss):
                file.read()


def test_a_sync_that_fails_commits_nothing_and_the_next_open_verifies(url: str, tmp_path: Path) -> None:
    """The kernel drops the pages it could not write, so that what was right in memory may be anything later."""
    with bad_disk(tmp_path) as disk:
        store = disk.folder / "store"
        fill(url, store, 1000)
        disk.refuse()
        with session_of(url, store) as session, session.stream() as stream:
            assert stream.read() == DATA
            with pytest.raises(StorageError) as caught:
                session.wait_complete(SOON)
            assert caught.value.errno in (EIO, ENOSPC)  # whatever the kernel makes of it
            assert stream.seek(0) == 0
            assert stream.read() == DATA
        disk.close()
        claims(url, store)
        reads_right(url, store)
