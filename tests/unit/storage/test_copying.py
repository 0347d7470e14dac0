"""A copy is the same by whichever way it was made."""

from __future__ import annotations

import os
from collections.abc import Callable
from errno import EINVAL, ENOSPC, EOPNOTSUPP
from pathlib import Path

import pytest

from kithara_file.storage import copying
from tests.unit.storage.places import pattern

BYTES = pattern(0, 3_000_000)


def copied(folder: Path, length: int = len(BYTES)) -> bytes:
    """Return the copy of the first `length` bytes of a file."""
    (folder / "source").write_bytes(BYTES)
    source = os.open(folder / "source", os.O_RDONLY)
    target = os.open(folder / "target", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        copying.copy_file(source, target, length)
    finally:
        os.close(source)
        os.close(target)
    return (folder / "target").read_bytes()


def refusing(error: int) -> Callable[..., int]:
    def refuse(*_: object) -> int:
        raise OSError(error, os.strerror(error))

    return refuse


def cloning(target: int, _request: int, source: int) -> int:
    """Do what FICLONE does, on file systems that cannot."""
    return os.sendfile(target, source, 0, len(BYTES))


@pytest.mark.parametrize("length", [0, 1, 1_000_000, len(BYTES)])
def test_the_first_bytes_are_copied(tmp_path: Path, length: int) -> None:
    assert copied(tmp_path, length) == BYTES[:length]


@pytest.mark.parametrize("error", [EOPNOTSUPP, EINVAL])
def test_what_the_kernel_refuses_is_read_and_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: int
) -> None:
    monkeypatch.setattr(copying, "_ioctl", refusing(error))
    monkeypatch.setattr(os, "copy_file_range", refusing(error))
    assert copied(tmp_path) == BYTES


def test_a_system_that_has_neither_call_copies_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copying, "_ioctl", None)
    monkeypatch.delattr(os, "copy_file_range")
    assert copied(tmp_path) == BYTES


def test_a_whole_file_is_cloned_where_that_is_possible(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copying, "_ioctl", cloning)
    monkeypatch.setattr(os, "copy_file_range", refusing(EINVAL))
    monkeypatch.setattr(os, "write", refusing(EINVAL))
    assert copied(tmp_path) == BYTES


def test_a_kernel_that_stops_half_way_is_helped_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real, calls = os.copy_file_range, iter([1000, 500_000])

    def half(source: int, target: int, count: int, at: int, to: int) -> int:
        return real(source, target, min(count, next(calls, 0)), at, to)

    monkeypatch.setattr(copying, "_ioctl", refusing(EINVAL))
    monkeypatch.setattr(os, "copy_file_range", half)
    assert copied(tmp_path) == BYTES


def test_a_full_disk_is_not_asked_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(copying, "_ioctl", None)
    monkeypatch.setattr(os, "copy_file_range", refusing(ENOSPC))
    with pytest.raises(OSError, match="No space left"):
        copied(tmp_path)


def test_a_source_that_ends_early_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="became shorter"):
        copied(tmp_path, len(BYTES) + 1)
