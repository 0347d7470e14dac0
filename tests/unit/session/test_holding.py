"""The version held: its facts and bytes go together, whatever the disk does."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kithara_file.errors import DiskFull, StorageError, StreamClosed
from kithara_file.net.remote import Freshness, Remote, Validator
from kithara_file.ranges import Coverage
from kithara_file.session.holding import Holding
from tests.world.entry import Deed, MemoryEntry

ONE = Remote(9, ranges=True, validator=Validator('"1"'), media_type="audio/flac")
TWO = replace(ONE, length=7, validator=Validator('"2"'))
UNTOLD = replace(ONE, length=None)
STORED = b"right....", [(0, 5)]


def holding(entry: MemoryEntry | None = None) -> tuple[Holding, MemoryEntry, list[Deed]]:
    entry = entry or MemoryEntry()
    return Holding(entry, lambda: entry.log.append("close")), entry, entry.log


def test_nothing_is_known_of_nothing() -> None:
    held, _, _ = holding()
    assert (held.remote, held.resource, held.length, held.complete) == (None, None, None, False)
    held.announce(7)  # a length of nothing is nobody's
    assert held.length is None


def test_what_is_stored_is_held() -> None:
    held, entry, _ = holding(MemoryEntry.storing(ONE, *STORED))
    assert (held.remote, held.length, held.resource) == (ONE, 9, entry.resource)


@pytest.mark.parametrize("spans, complete", [([(0, 9)], True), ([(0, 8)], False), ([], False)])
def test_it_is_complete_when_every_byte_is_present(spans: list[tuple[int, int]], complete: bool) -> None:
    assert holding(MemoryEntry.storing(ONE, b"right....", spans))[0].complete is complete


def test_an_empty_version_is_complete_at_once_and_one_of_unknown_length_is_not() -> None:
    held, _, _ = holding()
    held.begin(replace(ONE, length=0))
    assert held.complete
    held.begin(UNTOLD)
    assert not held.complete


def test_a_new_version_begins_with_nothing_and_the_older_one_stays_readable_until_the_end() -> None:
    held, entry, _ = holding(MemoryEntry.storing(ONE, *STORED))
    older = entry.held
    assert held.begin(TWO) is held.resource is entry.resource
    assert (held.remote, held.length, held.resource.snapshot()) == (TWO, 7, Coverage())
    assert older.read_at(0, memoryview(bytearray(5))) == 5
    held.close()
    assert older.closed
    assert entry.held.closed


def test_what_the_store_cannot_begin_changes_nothing() -> None:
    held, entry, _ = holding(MemoryEntry.storing(ONE, *STORED).fail("begin", DiskFull("full")))
    with pytest.raises(DiskFull):
        held.begin(TWO)
    assert (held.remote, held.resource, held.length) == (ONE, entry.resource, 9)
    held.settle()
    assert entry.log == ["begin"]


def test_another_process_that_has_begun_is_joined() -> None:
    entry = MemoryEntry()
    held, _, _ = holding(entry)
    assert not held.join()
    entry.begin(ONE)
    assert held.join()
    assert (held.remote, held.resource) == (ONE, entry.resource)
    before = held.resource
    entry.begin(TWO)
    assert held.join()
    assert held.resource is before  # who holds something has joined already


def test_an_answer_of_the_same_version_freshens_it_and_fills_in_what_was_unknown() -> None:
    held, _, _ = holding(MemoryEntry.storing(replace(UNTOLD, media_type=None), *STORED))
    fresh = Freshness(received=5.0, lifetime=60.0)
    held.confirm(replace(ONE, freshness=fresh))
    assert held.remote == replace(ONE, freshness=fresh)
    assert held.length == 9


def test_an_answer_that_knows_less_takes_nothing_away() -> None:
    held, _, _ = holding(MemoryEntry.storing(ONE, *STORED))
    held.confirm(Remote(validator=Validator('"9"')))
    assert held.remote == replace(ONE, ranges=False)
    assert held.length == 9


def test_a_proven_end_is_the_length_unless_one_is_known() -> None:
    held, _, _ = holding(MemoryEntry.storing(UNTOLD, *STORED))
    held.announce(5)
    assert (held.length, held.remote, held.complete) == (5, replace(UNTOLD, length=5), True)
    held.announce(9)
    assert held.length == 5


def test_what_was_learned_is_stored_once_and_before_the_commit() -> None:
    held, entry, log = holding(MemoryEntry.storing(ONE, b"right....", [(0, 9)]))
    held.settle()
    held.confirm(replace(ONE, freshness=Freshness(lifetime=60.0)))
    held.commit()
    held.settle()
    assert log == ["refresh", "commit"]
    assert entry.held.committed
    found = entry.reopened().remote
    assert found is not None
    assert found.freshness.lifetime == 60.0


def test_closing_stores_what_was_learned_and_says_so_at_last() -> None:
    held, _, log = holding(MemoryEntry.storing(ONE, *STORED))
    held.confirm(replace(ONE, freshness=Freshness(lifetime=60.0)))
    held.close()
    assert log == ["refresh", "close", "close"]  # the entry, then whoever gave it


@pytest.mark.parametrize("deed", ["refresh", "close"])
def test_a_disk_that_fails_at_the_end_keeps_nothing_open(deed: Deed) -> None:
    held, entry, log = holding(MemoryEntry.storing(ONE, *STORED).fail(deed, StorageError("EIO")))
    older = entry.held
    held.begin(TWO)
    held.confirm(replace(TWO, freshness=Freshness(lifetime=60.0)))
    with pytest.raises(StorageError):
        held.close()
    assert (older.closed, entry.held.closed, log[-1]) == (True, True, "close")
    with pytest.raises(StreamClosed):
        older.read_at(0, memoryview(bytearray(1)))


def test_it_shows_its_version() -> None:
    assert repr(holding(MemoryEntry.storing(ONE, *STORED))[0]) == '<Holding ETag "1" of 9 bytes>'
