"""A file appears under its name whole, or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from kithara_file import Cancelled, CancelToken, File, FileConfig
from kithara_file.cli.save import replacing, save, stored_at
from tests.unit.cli.kit import DATA, local_file


def copy(source: Path, target: Path, cancel: CancelToken | None = None) -> None:
    """Save a local file at `target`."""
    config = FileConfig(source)
    with File.open(config) as session:
        save(session, config, target, cancel or CancelToken())


def test_the_copy_is_the_file(tmp_path: Path) -> None:
    copy(local_file(tmp_path), tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == DATA


def test_an_empty_file_is_copied_too(tmp_path: Path) -> None:
    copy(local_file(tmp_path, data=b""), tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == b""


def test_bytes_are_copied_where_the_kernel_cannot_do_it(tmp_path: Path, other_disk: Path) -> None:
    copy(local_file(tmp_path), other_disk / "copy")
    assert (other_disk / "copy").read_bytes() == DATA


@pytest.fixture
def other_disk(tmp_path: Path) -> Iterator[Path]:
    """Make a folder on another file system than `tmp_path`, between which the kernel may not copy."""
    memory = Path("/dev/shm")
    if not os.access(memory, os.W_OK) or memory.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("there is no second file system to write to")
    with TemporaryDirectory(dir=memory) as folder:
        yield Path(folder)


def test_an_older_file_is_replaced_and_nothing_else_is_left(tmp_path: Path) -> None:
    source = local_file(tmp_path)
    target = local_file(tmp_path, "copy", b"older")
    copy(source, target)
    assert target.read_bytes() == DATA
    assert sorted(each.name for each in tmp_path.iterdir()) == ["copy", "song.bin"]


def test_a_cancelled_copy_leaves_the_older_file_and_no_part(tmp_path: Path) -> None:
    source = local_file(tmp_path)
    target = local_file(tmp_path, "copy", b"older")
    cancel = CancelToken()
    cancel.cancel()
    with pytest.raises(Cancelled):
        copy(source, target, cancel)
    assert target.read_bytes() == b"older"
    assert sorted(each.name for each in tmp_path.iterdir()) == ["copy", "song.bin"]


def test_a_link_is_followed_and_stays(tmp_path: Path) -> None:
    source = local_file(tmp_path)
    (tmp_path / "link").symlink_to("real")
    copy(source, tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_bytes() == DATA


def test_a_device_is_written_to_and_not_replaced(tmp_path: Path) -> None:
    before = Path("/dev/null").stat()
    copy(local_file(tmp_path), Path("/dev/null"))
    assert Path("/dev/null").stat().st_rdev == before.st_rdev


def test_a_new_file_has_the_rights_that_files_are_given_here(tmp_path: Path) -> None:
    copy(local_file(tmp_path), tmp_path / "copy")
    plain = local_file(tmp_path, "plain")
    assert (tmp_path / "copy").stat().st_mode == plain.stat().st_mode


def test_a_folder_that_is_not_there_is_an_error_of_the_system(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        copy(local_file(tmp_path), tmp_path / "absent" / "copy")


def test_it_is_known_where_bytes_are_kept(tmp_path: Path) -> None:
    assert stored_at(FileConfig(tmp_path / "song")) == tmp_path / "song"
    kept = stored_at(FileConfig("https://host/song?token=hush", store=tmp_path / "store"))
    assert kept.is_relative_to(tmp_path / "store" / "assets")
    assert "hush" not in str(kept)


def test_what_is_written_takes_the_place_of_what_was_there_only_when_all_went_well(tmp_path: Path) -> None:
    target = tmp_path / "out"
    target.write_bytes(b"of old")
    with pytest.raises(ValueError, match="closed"), replacing(target) as file:
        file.close()  # as good a failure as any
    assert target.read_bytes() == b"of old"
    with replacing(target) as file:
        file.write(b"new")
        file.seek(0)
        file.write(b"N")
    assert target.read_bytes() == b"New"
    assert [each.name for each in tmp_path.iterdir()] == ["out"]


def test_of_a_program_that_is_killed_while_it_writes_nothing_is_left(tmp_path: Path) -> None:
    with replacing(tmp_path / "new") as file:
        file.write(DATA)
        left = list(tmp_path.iterdir())  # what a kill would leave, for no code of ours runs after it
    if left and not has_nameless_files(tmp_path):
        pytest.skip("this file system has no files without a name")
    assert left == []
    assert (tmp_path / "new").read_bytes() == DATA


def has_nameless_files(folder: Path) -> bool:
    """Tell whether `folder` can have files without a name."""
    try:
        os.close(os.open(folder, os.O_TMPFILE | os.O_RDWR))
    except (OSError, AttributeError):
        return False
    return True


def test_where_files_must_have_names_they_have_one_until_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(os, "O_TMPFILE", raising=False)
    with replacing(tmp_path / "new") as file:
        file.write(DATA)
        assert len(list(tmp_path.iterdir())) == 1
    assert [each.name for each in tmp_path.iterdir()] == ["new"]
    assert (tmp_path / "new").read_bytes() == DATA


def test_a_new_file_has_the_rights_that_the_user_gives_to_new_files(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        with replacing(tmp_path / "new") as file:
            file.write(DATA)
    finally:
        os.umask(before)
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o640


def test_what_cannot_be_written_is_called_by_its_own_name(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as missing, replacing(tmp_path / "absent" / "new"):
        pass
    assert missing.value.filename == str(tmp_path / "absent" / "new")


def test_a_full_device_is_called_by_its_name() -> None:
    with pytest.raises(OSError, match="No space") as full, replacing(Path("/dev/full")) as file:
        file.write(DATA)
    assert full.value.filename == "/dev/full"


def test_an_error_about_another_file_keeps_its_name(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as missing, replacing(tmp_path / "new"):
        Path("/absent/other").read_bytes()
    assert missing.value.filename == "/absent/other"
