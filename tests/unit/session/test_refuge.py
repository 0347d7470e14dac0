"""Where the cache is when the user's own cannot be used."""

from __future__ import annotations

import gc
import logging
import os
import tempfile
from pathlib import Path

import pytest

from kithara_file.errors import StorageError
from kithara_file.session.refuge import Refuge, _remove

FAULT = StorageError("the home is read-only")


@pytest.fixture(autouse=True)
def _temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


def test_one_private_folder_serves_all_and_goes_with_its_owner(caplog: pytest.LogCaptureFixture) -> None:
    refuge = Refuge()
    with caplog.at_level(logging.WARNING):
        path = refuge.instead(FAULT)
        assert refuge.instead(FAULT) == path
    assert [str(FAULT) in record.getMessage() for record in caplog.records] == [True]
    assert path.stat().st_mode & 0o777 == 0o700
    (path / "bytes").write_bytes(b"some")
    del refuge
    gc.collect()
    assert not path.exists()


def test_a_forked_child_takes_nothing_with_it(tmp_path: Path) -> None:
    _remove(tmp_path, os.getpid() + 1)
    assert tmp_path.exists()


def test_where_not_even_that_can_be_made_the_fault_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "missing"))
    with pytest.raises(StorageError, match="read-only"):
        Refuge().instead(FAULT)
