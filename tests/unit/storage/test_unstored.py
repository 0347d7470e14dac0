"""A resource that no disk keeps: read through a window of memory, and never committed."""

from __future__ import annotations

import os
from errno import ENOSPC
from pathlib import Path

import pytest

from kithara_file.errors import DiskFull, StreamClosed
from kithara_file.storage.spill import OVERHEAD
from kithara_file.storage.unstored import UnstoredResource
from tests.unit.storage.places import pattern, read, spans

FAULT = DiskFull("Cannot begin /cache/a: No space left on device", errno=ENOSPC, path="/cache/a")


def test_what_lands_is_read_and_says_why_it_is_not_stored(tmp_path: Path) -> None:
    resource = UnstoredResource(FAULT, length=100)
    resource.write_at(10, pattern(10, 40), pattern(40, 60))
    assert read(resource, 20, 100) == pattern(20, 60)
    assert (resource.spilling, resource.fault, resource.lies_at(tmp_path)) == (True, FAULT, False)
    assert (resource.stored_bytes, resource.journal_bytes, resource.descriptor(), resource.claims) == (0, 0, None, None)
    resource.close()


def test_the_oldest_bytes_are_dropped_and_land_again() -> None:
    resource = UnstoredResource(FAULT, length=100, memory_bytes=2 * (10 + OVERHEAD))
    for start in (0, 10, 20):
        resource.write_at(start, pattern(start, start + 10))
    assert spans(resource) == [(10, 30)]
    resource.write_at(0, pattern(0, 10))
    assert read(resource, 0, 10) == pattern(0, 10)
    resource.close()


def test_where_no_file_can_be_opened_at_all_the_fault_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "devnull", "/dev/null/none")
    with pytest.raises(DiskFull) as caught:
        UnstoredResource(FAULT, length=10)
    assert caught.value is FAULT


def test_a_commit_raises_the_fault_and_a_close_forgets_the_bytes() -> None:
    resource = UnstoredResource(FAULT, length=10)
    resource.write_at(0, pattern(0, 10))
    with pytest.raises(DiskFull, match="No space left"):
        resource.commit()
    assert not resource.committed
    assert not resource.verify()
    resource.close()
    with pytest.raises(StreamClosed):
        read(resource, 0, 10)
