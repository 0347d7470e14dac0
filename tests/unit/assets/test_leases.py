"""Leases: what is in use stays, what is not can be held alone."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from kithara_file.assets.layout import AssetFolder, Layout
from kithara_file.assets.leases import Lease, sole
from kithara_file.assets.locks import FileLock
from kithara_file.clock import Deadline
from kithara_file.errors import LeaseHeld, StreamClosed
from tests.unit.assets.goods import KEY


@pytest.fixture
def layout(store_dir: Path) -> Layout:
    return Layout(store_dir)


@pytest.fixture
def lease(layout: Layout) -> Iterator[Lease]:
    lease = take(layout)
    yield lease
    lease.release()


def take(layout: Layout) -> Lease:
    return Lease(partial(layout.folder, KEY), soon())


def soon() -> Deadline:
    return Deadline.after(0.01)


def test_nobody_holds_alone_what_another_uses(lease: Lease, layout: Layout) -> None:
    other = take(layout)
    with sole(lease.folder) as alone:
        assert not alone
    lease.release()
    lease.release()
    with sole(lease.folder) as alone:
        assert not alone
    other.release()
    with sole(lease.folder) as alone:
        assert alone
    assert not lease.held


def test_no_lease_is_given_while_somebody_removes_the_asset(layout: Layout) -> None:
    folder = layout.folder(KEY)
    with sole(folder) as alone:
        assert alone
        with pytest.raises(LeaseHeld):
            take(layout)


def test_a_lease_of_a_folder_that_was_removed_meanwhile_is_not_taken_for_good(layout: Layout) -> None:
    folders: list[AssetFolder] = []

    def make() -> AssetFolder:
        # The evictor comes between finding the folder and taking its lease, the first two times.
        folder = layout.folder(KEY)
        folders.append(folder)
        if len(folders) < 3:
            shutil.rmtree(folder.path)
        return folder

    lease = Lease(make, soon())
    with sole(folders[0]) as alone:
        assert not alone
    assert len(folders) == 3
    lease.release()


def test_a_lease_whose_file_goes_while_it_is_awaited_is_taken_anew(layout: Layout) -> None:
    folder = layout.folder(KEY)
    calls: list[None] = []

    def make() -> AssetFolder:
        calls.append(None)
        if len(calls) == 2:
            folder.path.mkdir()
            evictor.close()
        return folder

    evictor = FileLock(folder.lease)
    assert evictor.try_alone()
    with contextlib.closing(FileLock(folder.lease)):
        shutil.rmtree(folder.path)
    lease = Lease(make, soon())
    assert lease.held
    assert folder.lease.exists()
    lease.release()


def test_an_asset_that_is_always_being_removed_is_given_up(layout: Layout) -> None:
    def make() -> AssetFolder:
        folder = layout.folder(KEY)
        shutil.rmtree(folder.path)
        return folder

    with pytest.raises(LeaseHeld, match="again and again"):
        Lease(make, soon())


def test_only_one_changes_the_files_at_a_time(lease: Lease, layout: Layout) -> None:
    other = take(layout)
    with lease.change(soon()), pytest.raises(LeaseHeld), other.change(soon()):
        pass
    with other.change(soon()):
        pass
    other.release()


def test_a_lease_is_renewed_when_somebody_deleted_the_store(lease: Lease, layout: Layout) -> None:
    shutil.rmtree(layout.root)
    with lease.change(soon()):
        assert lease.folder.present
        with sole(lease.folder) as alone:
            assert not alone


def test_a_released_lease_allows_no_change(lease: Lease) -> None:
    lease.release()
    with pytest.raises(StreamClosed), lease.change(soon()):
        pass
    assert "released" in repr(lease)


def test_what_is_not_there_cannot_be_held(layout: Layout, tmp_path: Path) -> None:
    with sole(layout.asset(KEY.asset_id)) as alone:
        assert not alone
    layout.make()
    layout.asset(KEY.asset_id).path.symlink_to(tmp_path)
    with sole(layout.asset(KEY.asset_id)) as alone:
        assert not alone
    assert not (tmp_path / "lease").exists()


def test_what_has_no_usable_lease_cannot_be_held(layout: Layout) -> None:
    folder = layout.folder(KEY)
    folder.lease.mkdir()
    with sole(folder) as alone:
        assert not alone


def test_where_there_is_no_place_for_an_asset_that_is_said(tmp_path: Path) -> None:
    def make() -> AssetFolder:
        raise FileNotFoundError(2, "No such file or directory", str(tmp_path))

    with pytest.raises(FileNotFoundError):
        Lease(make, soon())
