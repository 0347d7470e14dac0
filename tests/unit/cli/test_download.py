"""Several downloads share a few threads, and one that fails takes none with it."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

from kithara_file.cli.download import Download, download_all
from kithara_file.clock import CancelToken
from tests.unit.cli.kit import DATA, download, local_file


class Notes:
    """A watcher that remembers."""

    def __init__(self) -> None:
        self.ends: list[str] = []
        self.most = 0

    def frame(self, running: Sequence[Download]) -> None:
        """Count who runs."""
        self.most = max(self.most, len(running))

    def ended(self, download: Download) -> None:
        """Note an end."""
        self.ends.append(download.label)


def test_every_file_arrives_and_its_end_is_told(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    files = [local_file(tmp_path, f"{number}.bin", DATA[number:]) for number in range(6)]
    downloads = [download(each, tmp_path / "out" / each.name) for each in files]
    notes = Notes()
    download_all(downloads, 2, notes, CancelToken())
    assert sorted(notes.ends) == [each.name for each in files]
    assert all(each.done and each.error is None for each in downloads)
    assert [(tmp_path / "out" / each.name).read_bytes() for each in files] == [each.read_bytes() for each in files]


def test_a_failure_is_kept_and_the_others_go_on(tmp_path: Path) -> None:
    good, bad = local_file(tmp_path), tmp_path / "absent"
    downloads = [download(bad, tmp_path / "a"), download(good, tmp_path / "b")]
    download_all(downloads, 1, Notes(), CancelToken())
    assert isinstance(downloads[0].error, OSError)
    assert not downloads[0].done
    assert downloads[1].done


def test_after_a_cancel_nothing_new_begins(tmp_path: Path) -> None:
    cancel = CancelToken()
    cancel.cancel()
    one = download(local_file(tmp_path), tmp_path / "copy", cancel)
    download_all([one], 4, Notes(), cancel)
    assert not one.done
    assert not (tmp_path / "copy").exists()


class Stuck(Download):
    """A download that hangs in a system call."""

    let_go = threading.Event()

    def run(self) -> None:
        """Hear nothing."""
        self.cancel.cancel()
        self.let_go.wait(30)


def test_a_thread_that_is_stuck_does_not_hold_an_interrupted_program_up(tmp_path: Path) -> None:
    plain = download(local_file(tmp_path), None)
    stuck = Stuck(plain.label, plain.config, None, plain.cancel)
    download_all([stuck], 1, Notes(), plain.cancel)
    assert not stuck.done
    stuck.let_go.set()


def test_a_download_can_be_looked_at_before_it_has_begun(tmp_path: Path) -> None:
    coverage, length = download(local_file(tmp_path), None).look()
    assert (coverage.total, length) == (0, None)
