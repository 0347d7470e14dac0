"""Something to be done yet, remembered by a file."""

from __future__ import annotations

from pathlib import Path

from kithara_file.assets.reminder import Reminder


def test_who_comes_later_knows_of_it_until_it_is_cleared(tmp_path: Path) -> None:
    first, other = Reminder(tmp_path / "due"), Reminder(tmp_path / "due")
    assert not first
    first.set()
    first.set()
    assert first
    assert other
    assert "set" in repr(other)
    other.clear()
    other.clear()
    assert not first
    assert list(tmp_path.iterdir()) == []


def test_where_no_file_can_be_made_this_process_remembers(tmp_path: Path) -> None:
    due = Reminder(tmp_path / "missing" / "due")
    due.set()
    assert due
    due.clear()
    assert not due


def test_what_cannot_be_removed_is_not_looked_at_again(tmp_path: Path) -> None:
    (tmp_path / "due").mkdir()
    due = Reminder(tmp_path / "due")
    assert due
    due.clear()
    assert not due
    due.set()
    assert due


def test_no_link_is_written_through(tmp_path: Path) -> None:
    (tmp_path / "due").symlink_to(tmp_path / "outside")
    Reminder(tmp_path / "due").set()
    assert not (tmp_path / "outside").exists()
