"""An entry of a disk that has no room for another one."""

from __future__ import annotations

import pytest

from kithara_file.assets.uncached import UncachedEntry
from kithara_file.errors import DiskFull
from kithara_file.net.remote import Freshness
from tests.unit.assets.goods import BODY, KEY, remote, stored

FULL = DiskFull("no room", path="/store")


def test_it_is_read_past_the_cache_and_never_committed() -> None:
    with UncachedEntry(KEY, FULL) as entry:
        assert (entry.resource, entry.remote, entry.make_room()) == (None, None, None)
        entry.refresh(remote())
        assert entry.remote is None
        entry.begin(remote()).write_at(0, BODY)
        assert stored(entry) == BODY
        with pytest.raises(DiskFull):
            entry.commit()
        assert not entry.committed
        entry.remove()


def test_what_is_begun_anew_takes_the_place_of_what_was_held_and_facts_stay_fresh() -> None:
    with UncachedEntry(KEY, FULL) as entry:
        entry.begin(remote()).write_at(0, BODY)
        entry.begin(remote('"2"'))
        assert stored(entry) == b""
        entry.refresh(remote('"2"', lifetime=60.0))
        assert entry.remote is not None
        assert entry.remote.freshness == Freshness(lifetime=60.0)
