"""A folder in the place of a cache that cannot be used: made once, private, and gone with its owner."""

from __future__ import annotations

import gc
import logging
import stat
import tempfile
from pathlib import Path

import pytest

from kithara_file.errors import StorageError
from kithara_file.session.refuge import Refuge

FAULT = StorageError("Cannot use the cache directory /cache: Permission denied")


def test_it_is_made_once_private_and_told_and_goes_with_its_owner(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    refuge = Refuge()
    with caplog.at_level(logging.WARNING):
        place = refuge.instead(FAULT)
        assert refuge.instead(FAULT) == place
    assert [each.message for each in caplog.records] == [
        f"! {FAULT}; what is fetched is kept in {place} until this process ends"
    ]
    assert stat.S_IMODE(place.stat().st_mode) == 0o700
    (place / "bytes").write_bytes(b"x")
    del refuge
    gc.collect()
    assert list(tmp_path.iterdir()) == []


def test_where_not_even_that_can_be_made_the_fault_is_raised(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "missing"))
    with pytest.raises(StorageError, match="Permission denied"):
        Refuge().instead(FAULT)
