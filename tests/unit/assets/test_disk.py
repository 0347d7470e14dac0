"""Steps on the disk: private, whole, never through a planted link."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pytest

from kithara_file.assets.disk import (
    open_lock_file,
    open_private,
    private_folder,
    read_plain,
    replace_file,
    stored_bytes,
    told,
    unlink,
)
from kithara_file.errors import CorruptResource, DiskFull, StorageError


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize(
    "number, kind", [(errno.ENOSPC, DiskFull), (errno.EDQUOT, DiskFull), (errno.EIO, StorageError)]
)
def test_an_error_of_the_disk_is_told_in_one_sentence(number: int, kind: type[StorageError]) -> None:
    with pytest.raises(kind) as caught, told("write", Path("/x/y")):
        raise OSError(number, os.strerror(number))
    assert str(caught.value) == f"Cannot write /x/y: {os.strerror(number)}"
    assert caught.value.errno == number


def test_what_has_its_name_already_keeps_it() -> None:
    with pytest.raises(CorruptResource), told("write", Path("/x")):
        raise CorruptResource("no good")


def test_a_folder_is_for_its_owner_only_and_made_once(tmp_path: Path) -> None:
    assert private_folder(tmp_path / "a")
    assert mode(tmp_path / "a") == 0o700
    assert not private_folder(tmp_path / "a")


@pytest.mark.parametrize("target", [".", "missing"])
def test_a_link_is_no_folder(tmp_path: Path, target: str) -> None:
    (tmp_path / "link").symlink_to(tmp_path / target)
    with pytest.raises(NotADirectoryError):
        private_folder(tmp_path / "link")


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(NotADirectoryError):
        private_folder(tmp_path / "file")


def test_a_file_is_made_for_its_owner_only(tmp_path: Path) -> None:
    os.close(open_private(tmp_path / "a"))
    assert mode(tmp_path / "a") == 0o600


def test_no_file_is_opened_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    for way in (open_private, open_lock_file):
        with pytest.raises(OSError, match="symbolic links"):
            way(tmp_path / "link")
    assert not (tmp_path / "elsewhere").exists()


def test_a_file_is_replaced_whole_and_leaves_no_other(tmp_path: Path) -> None:
    place = tmp_path / "a"
    replace_file(place, b"old")
    with place.open("rb") as held:
        replace_file(place, b"new")
        assert held.read() == b"old"
    assert place.read_bytes() == b"new"
    assert mode(place) == 0o600
    assert list(tmp_path.iterdir()) == [place]


def test_a_link_is_replaced_and_not_written_through(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_bytes(b"precious")
    (tmp_path / "a").symlink_to(victim)
    replace_file(tmp_path / "a", b"new")
    assert victim.read_bytes() == b"precious"


def test_a_replacement_that_fails_leaves_no_litter(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with pytest.raises(OSError, match="directory"):
        replace_file(tmp_path / "a", b"new")
    assert [each.name for each in tmp_path.iterdir()] == ["a"]


def test_only_a_regular_file_of_reasonable_length_is_read(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"12345")
    (tmp_path / "link").symlink_to(tmp_path / "a")
    os.mkfifo(tmp_path / "pipe")
    assert read_plain(tmp_path / "a", 5) == b"12345"
    assert read_plain(tmp_path / "a", 4) is None
    for strange in ("link", "pipe", ".", "missing"):
        assert read_plain(tmp_path / strange, 100) is None


def test_unlinking_what_is_not_there_is_all_right(tmp_path: Path) -> None:
    unlink(tmp_path / "a")


def test_a_sparse_file_counts_what_it_takes(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"12345")
    assert stored_bytes((tmp_path / "a").stat()) == 5
    os.truncate(tmp_path / "a", 1 << 30)
    assert stored_bytes((tmp_path / "a").stat()) < 1 << 20
