"""Unit tests of small objects that are replaced as a whole."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from kithara_file.errors import CorruptResource, DiskFull, StorageError
from kithara_file.storage import AtomicResource, atomic
from tests.unit.storage.places import small_disk


@pytest.fixture
def one(tmp_path: Path) -> AtomicResource:
    return AtomicResource(tmp_path / "meta")


def names(one: AtomicResource) -> list[str]:
    return [each.name for each in one.path.parent.iterdir()]


def test_nothing_is_none_and_not_empty(one: AtomicResource) -> None:
    assert one.read() is None
    one.write(b"")
    assert one.read() == b""


def test_the_last_write_is_what_is_read(one: AtomicResource) -> None:
    one.write(b"first, and longer")
    one.write(b"second")
    assert one.read() == b"second"
    assert names(one) == ["meta"]


def test_only_the_owner_may_read_it(one: AtomicResource) -> None:
    one.write(b"x")
    assert stat.S_IMODE(one.path.stat().st_mode) == 0o600


def test_a_reader_that_has_begun_keeps_the_old_bytes(one: AtomicResource) -> None:
    one.write(b"old")
    with one.path.open("rb", buffering=0) as reader:
        one.write(b"new")
        assert reader.read() == b"old"


def test_removing_what_is_not_there_is_no_error(one: AtomicResource) -> None:
    one.remove()
    one.write(b"x")
    one.remove()
    assert one.read() is None


def test_a_full_disk_leaves_the_old_bytes_and_no_litter(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "64k") as folder:
        one = AtomicResource(folder / "meta")
        one.write(b"old")
        with pytest.raises(DiskFull):
            one.write(b"x" * 100_000)
        assert one.read() == b"old"
        assert names(one) == ["meta"]


def test_a_missing_folder_is_a_typed_error(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="Cannot write"):
        AtomicResource(tmp_path / "nowhere" / "meta").write(b"x")


def test_a_folder_in_the_way_is_a_typed_error(one: AtomicResource) -> None:
    one.path.mkdir()
    for use in (one.read, one.remove, lambda: one.write(b"x")):
        with pytest.raises(StorageError):
            use()
    assert names(one) == ["meta"]


def test_a_planted_link_is_neither_read_nor_written_through(one: AtomicResource) -> None:
    victim = one.path.with_name("victim")
    victim.write_bytes(b"precious")
    one.path.symlink_to(victim)
    with pytest.raises(StorageError):
        one.read()
    one.write(b"mine")
    assert (victim.read_bytes(), one.read(), one.path.is_symlink()) == (b"precious", b"mine", False)


def test_a_huge_file_is_not_read_into_memory(one: AtomicResource) -> None:
    one.write(b"")
    os.truncate(one.path, atomic.LARGEST + 1)
    with pytest.raises(CorruptResource, match="far too long"):
        one.read()
