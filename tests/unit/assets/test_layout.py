"""Where the files lie."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from kithara_file.assets.layout import AssetFolder, Layout, worthless
from tests.unit.assets.goods import KEY


@pytest.fixture
def layout(store_dir: Path) -> Layout:
    return Layout(store_dir)


@pytest.fixture
def folder(layout: Layout) -> AssetFolder:
    return layout.folder(KEY)


def test_the_places_of_the_files_are_the_format(layout: Layout, store_dir: Path) -> None:
    files = layout.asset(KEY.asset_id).resource(KEY.resource_hash)
    stem = f"{store_dir}/assets/{KEY.asset_id}/{KEY.resource_hash}"
    assert (str(files.data), str(files.journal), str(files.meta)) == (f"{stem}.data", f"{stem}.journal", f"{stem}.json")
    assert layout.index == store_dir / "index.sqlite3"
    assert not store_dir.exists()


def test_every_directory_is_for_its_owner_only(folder: AssetFolder, store_dir: Path) -> None:
    for each in (store_dir, store_dir / "assets", folder.path):
        assert stat.S_IMODE(each.stat().st_mode) == 0o700


def test_backup_programs_are_told_to_pass_by(folder: AssetFolder, store_dir: Path) -> None:
    assert (
        (store_dir / "assets" / "CACHEDIR.TAG").read_bytes().startswith(b"Signature: 8a477f597d28d172789f06886806bc55")
    )


def test_a_root_that_is_a_link_is_where_the_user_said(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    Layout(tmp_path / "link").folder(KEY)
    assert (tmp_path / "real" / "assets" / KEY.asset_id).is_dir()


@pytest.mark.parametrize("planted", ["assets", f"assets/{KEY.asset_id}"])
def test_a_link_planted_inside_is_refused(layout: Layout, store_dir: Path, tmp_path: Path, planted: str) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (store_dir / planted).parent.mkdir(parents=True)
    (store_dir / planted).symlink_to(outside)
    with pytest.raises(NotADirectoryError):
        layout.folder(KEY)
    assert list(layout.every_asset()) == []
    assert list(outside.iterdir()) == []


def test_an_asset_behind_a_link_is_not_present(layout: Layout, store_dir: Path, tmp_path: Path) -> None:
    (tmp_path / "outside" / KEY.asset_id).mkdir(parents=True)
    store_dir.mkdir()
    layout.assets.symlink_to(tmp_path / "outside")
    assert not layout.asset(KEY.asset_id).present
    assert list(layout.every_asset()) == []


def test_a_file_where_the_root_should_be_is_refused(tmp_path: Path) -> None:
    (tmp_path / "root").touch()
    with pytest.raises(NotADirectoryError):
        Layout(tmp_path / "root").make()


def test_removing_a_resource_leaves_its_neighbours(folder: AssetFolder) -> None:
    files, other = folder.resource("0" * 32), folder.resource("1" * 32)
    for each in (files.data, files.journal, files.meta, other.data):
        each.write_bytes(b"x")
    files.remove()
    files.remove()
    assert [each.name for each in folder.files()] == [other.data.name]


def test_the_size_of_an_asset_is_that_of_its_files(folder: AssetFolder) -> None:
    assert (folder.stored_bytes(), folder.last_changed()) == (0, 0.0)
    (folder.path / "a.data").write_bytes(b"12345")
    (folder.path / "a.json").write_bytes(b"123")
    os.utime(folder.path / "a.data", (50.0, 100.0))
    os.utime(folder.path / "a.json", (0.0, 200.0))
    assert (folder.stored_bytes(), folder.last_changed()) == (8, 200.0)


def test_bytes_that_no_meta_file_speaks_for_are_not_worth_keeping(folder: AssetFolder) -> None:
    for name in ("lease", "lock", "a.data", "a.journal", "a.json.1.tmp"):
        (folder.path / name).touch()
    before = worthless(folder.files())
    (folder.path / "a.json").touch()
    assert (before, worthless(folder.files())) == (True, False)
    assert folder.metas() == [folder.path / "a.json"]


def test_a_folder_is_cleared_but_for_its_lease_and_then_vanishes(folder: AssetFolder) -> None:
    for name in ("lease", "lock", "a.data", "a.journal", "a.json"):
        (folder.path / name).touch()
    folder.clear()
    assert [each.name for each in folder.files()] == ["lease"]
    folder.vanish()
    assert not folder.present
    assert folder.files() == []


def test_a_folder_in_which_somebody_has_settled_does_not_vanish(folder: AssetFolder) -> None:
    (folder.path / "lock").touch()
    folder.vanish()
    assert folder.present


def test_a_link_or_a_file_is_no_present_folder(folder: AssetFolder, layout: Layout) -> None:
    (layout.assets / ("0" * 32)).symlink_to(folder.path)
    (layout.assets / ("1" * 32)).touch()
    (layout.assets / "something else").mkdir()
    assert not layout.asset("0" * 32).present
    assert not layout.asset("1" * 32).present
    assert [each.asset_id for each in layout.every_asset()] == [KEY.asset_id]


def test_no_store_has_no_assets(layout: Layout) -> None:
    assert list(layout.every_asset()) == []


def test_the_free_space_is_the_disks(folder: AssetFolder, layout: Layout) -> None:
    assert layout.free_bytes() > 0
