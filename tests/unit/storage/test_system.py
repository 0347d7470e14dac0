"""Unit tests of what storage asks of the operating system."""

from __future__ import annotations

import os
from errno import EEXIST, EROFS
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kithara_file.storage import system
from kithara_file.storage.system import (
    BLOCK,
    IOV_MAX,
    OpenFile,
    after,
    before,
    blocks,
    boot_id,
    read_whole,
    sync_folder,
    write_new,
)
from tests.leaks import open_files


def descriptors() -> int:
    return len(open_files())


def test_the_boot_has_one_name_until_the_next() -> None:
    assert boot_id() == boot_id() != UUID(int=0)


def test_where_nobody_names_the_boot_each_process_is_its_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    real = boot_id()
    monkeypatch.setattr(system, "_BOOT_ID", tmp_path / "nothing")
    boot_id.cache_clear()
    try:
        assert boot_id() == boot_id() != real
    finally:
        boot_id.cache_clear()


def test_a_descriptor_closes_with_the_last_reference(tmp_path: Path) -> None:
    before = descriptors()
    file = OpenFile.new(tmp_path / "file")
    reader = file
    del file
    assert descriptors() == before + 1
    del reader
    assert descriptors() == before


def test_what_is_refused_leaves_no_descriptor_open(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    before = descriptors()
    for path in (tmp_path, tmp_path / "pipe", tmp_path / "nothing"):
        with pytest.raises(OSError, match=r"."):
            OpenFile.readable(path)
        with pytest.raises(OSError, match=r"."):
            OpenFile.existing(path)
    assert descriptors() == before


def test_a_new_file_takes_no_name_that_is_taken(tmp_path: Path) -> None:
    (tmp_path / "file").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="exists") as caught:
        OpenFile.new(tmp_path / "file")
    assert caught.value.errno == EEXIST


def test_more_pieces_than_the_kernel_takes_at_once_are_written(tmp_path: Path) -> None:
    file = OpenFile.new(tmp_path / "file")
    pieces = [bytes([number % 256]) * 3 for number in range(2 * IOV_MAX + 5)]
    size = 3 * len(pieces)
    assert file.write(7, pieces) == (size, None)
    assert all(len(each) <= IOV_MAX for each in blocks(pieces, 7))
    buffer = bytearray(size + 10)
    assert file.read_into(memoryview(buffer), 7) == size
    assert buffer[:size] == b"".join(pieces)


def test_what_may_not_be_written_says_why(tmp_path: Path) -> None:
    file = OpenFile.new(tmp_path / "file")
    reader = OpenFile.readable(file.path)
    done, error = reader.write(0, [b"x"])
    assert done == 0
    assert error is not None
    assert error.errno == EROFS
    with pytest.raises(OSError, match="Read-only"):
        reader.append(b"x")


def test_appends_go_to_the_end_whoever_else_appends(tmp_path: Path) -> None:
    mine = OpenFile.new(tmp_path / "file", append=True)
    theirs = OpenFile.existing(tmp_path / "file", append=True)
    assert [mine.append(b"abc"), theirs.append(b"de"), mine.append(b"f")] == [(3, 3), (2, 5), (1, 6)]
    assert (tmp_path / "file").read_bytes() == b"abcdef"


def test_a_name_is_owned_until_somebody_takes_it(tmp_path: Path) -> None:
    file = OpenFile.new(tmp_path / "file")
    answers = [file.lies_at(file.path)]
    file.path.rename(file.path.with_name("moved"))
    answers.append(file.lies_at(file.path))
    file.path.touch()
    answers.append(file.lies_at(file.path))
    assert answers == [True, False, False]


def test_sizes_and_syncs(tmp_path: Path) -> None:
    file = OpenFile.new(tmp_path / "file")
    file.write(10_000, [b"x"])
    file.sync()
    sync_folder(file.path.parent)
    assert file.size == 10_001
    assert 0 < file.allocated < 10_001
    assert file.inode == file.path.stat().st_ino


def test_what_is_on_its_way_to_the_disk_can_be_written_again_and_synced(tmp_path: Path) -> None:
    file = OpenFile.new(tmp_path / "data")
    for piece in (b"one", b"two"):
        assert file.write(0, [piece]) == (3, None)
        file.begin_write_back()
    file.sync()
    assert (tmp_path / "data").read_bytes() == b"two"


@given(st.integers(0, 3 * BLOCK), st.lists(st.integers(0, 2 * BLOCK + 5), max_size=6))
def test_no_write_goes_on_over_a_boundary_between_blocks(start: int, sizes: list[int]) -> None:
    pieces = [bytes([number]) * size for number, size in enumerate(sizes)]
    found, at = list(blocks(pieces, start)), start
    assert b"".join(b"".join(each) for each in found) == b"".join(pieces)
    for each in found:
        size = sum(map(len, each))
        assert 0 < size <= BLOCK - at % BLOCK
        at += size
    assert len(found) <= (at - 1) // BLOCK - start // BLOCK + 1


def test_pieces_are_split_at_any_byte() -> None:
    pieces = [b"ab", b"", b"cde", b"f"]
    for at in range(7):
        assert b"".join(before(pieces, at)) == b"abcdef"[:at]
        assert b"".join(after(pieces, at)) == b"abcdef"[at:]


def test_a_whole_file_is_read_as_far_as_the_limit(tmp_path: Path) -> None:
    write_new(tmp_path / "file", b"abcdef")
    assert [read_whole(tmp_path / "file", limit) for limit in (3, 6, 9)] == [b"abc", b"abcdef", b"abcdef"]
    with pytest.raises(FileExistsError):
        write_new(tmp_path / "file", b"other")
