"""A resource whose disk took nothing from the beginning."""

from __future__ import annotations

import pytest

from kithara_file.errors import DiskFull
from kithara_file.storage.unstored import UnstoredResource
from tests.unit.storage.places import pattern, read, spans

FULL = DiskFull("no room", path="/store/data")


def test_what_lands_is_read_from_a_window_of_memory() -> None:
    resource = UnstoredResource(FULL, length=1000)
    assert (resource.spilling, resource.fault) == (True, FULL)
    resource.write_at(0, pattern(0, 1000))
    assert read(resource, 0, 1000) == pattern(0, 1000)
    resource.close()


def test_the_oldest_bytes_become_absent_when_the_window_is_full() -> None:
    resource = UnstoredResource(FULL, memory_bytes=1000)
    for at in range(0, 3000, 500):
        resource.write_at(at, pattern(at, at + 500))
    assert spans(resource) == [(2500, 3000)]
    resource.close()


def test_it_is_never_committed_and_owns_no_file() -> None:
    resource = UnstoredResource(FULL, length=10)
    resource.write_at(0, pattern(0, 10))
    assert not resource.owns_name
    with pytest.raises(DiskFull):
        resource.commit()
    assert not resource.committed
    resource.close()
