"""An entry of which nothing is stored: versions come and go in memory."""

from __future__ import annotations

from errno import ENOSPC

import pytest

from kithara_file.assets.uncached import UncachedEntry
from kithara_file.errors import DiskFull
from tests.unit.assets.goods import BODY, KEY, remote, stored

FAULT = DiskFull("Cannot use the cache directory /cache: No space left on device", errno=ENOSPC, path="/cache")


def test_a_version_is_begun_read_and_replaced_in_memory() -> None:
    with UncachedEntry(KEY, FAULT) as entry:
        assert (entry.remote, entry.resource, entry.committed) == (None, None, False)
        entry.refresh(remote())
        old = entry.begin(remote())
        old.write_at(0, BODY)
        entry.refresh(remote('"2"'))
        assert entry.remote is not None
        assert entry.remote.validator == remote().validator
        assert stored(entry) == BODY
        new = entry.begin(remote('"2"'))
        new.write_at(0, BODY[::-1])
        assert stored(entry) == BODY[::-1]
    assert [each.closed for each in (old, new)] == [True, True]


def test_a_commit_raises_the_fault_and_a_removal_does_nothing() -> None:
    with UncachedEntry(KEY, FAULT) as entry:
        entry.begin(remote()).write_at(0, BODY)
        entry.remove()
        with pytest.raises(DiskFull):
            entry.commit()
        assert not entry.committed
