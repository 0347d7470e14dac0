"""Damage of a resource on disk: found while reading, found by `verify`, found by another process."""

from __future__ import annotations

import os
from errno import EISDIR
from pathlib import Path

import pytest

from kithara_file.errors import CorruptResource, StorageError
from kithara_file.ranges import ByteRange, Coverage
from kithara_file.storage import StreamingResource
from kithara_file.storage.system import OpenFile
from tests.unit.storage.places import Place, full, pattern, read, spans, wait

# -- damage found while reading --------------------------------------------------------------------------------------


@pytest.mark.parametrize("committed", [False, True])
def test_a_file_cut_under_a_reader_is_never_the_end(place: Place, committed: bool) -> None:
    resource = place.create(length=100)
    resource.write_at(0, pattern(0, 100))
    if committed:
        resource.commit()
    os.truncate(place.data, 30)
    assert read(resource, 10, 50) == pattern(10, 30)
    assert (resource.committed, spans(resource)) == (False, [(0, 30)])
    with pytest.raises(TimeoutError):
        wait(resource, 30, 50)
    resource.write_at(30, pattern(30, 100))
    assert read(resource, 0, 100) == pattern(0, 100)
    resource.close()


def test_a_local_file_cut_under_a_reader_is_a_typed_error(tmp_path: Path) -> None:
    path = tmp_path / "song"
    path.write_bytes(pattern(0, 100))
    resource = StreamingResource.local(path)
    os.truncate(path, 30)
    assert read(resource, 10, 50) == pattern(10, 30)
    with pytest.raises(CorruptResource, match="ends at byte 30"):
        wait(resource, 30, 50)
    resource.close()


def test_a_disk_that_cannot_read_is_read_past(place: Place) -> None:
    resource = place.create(length=10)
    resource.write_at(0, pattern(0, 10))
    whole = resource._data
    resource._data = OpenFile(os.open(place.folder, os.O_RDONLY), place.data, writable=True)  # no read of it succeeds
    assert read(resource, 2, 4) == b""
    resource._data = whole
    del whole
    assert spans(resource) == [(0, 2), (6, 10)]
    resource.write_at(2, pattern(2, 6))
    assert read(resource, 0, 10) == pattern(0, 10)
    assert resource.spilling
    assert resource.fault is not None
    assert resource.fault.errno == EISDIR
    resource.close()
    resource = place.reopen(length=10)
    assert spans(resource) == [(0, 2), (6, 10)]
    resource.close()


# -- verify ----------------------------------------------------------------------------------------------------------


def test_verify_finds_nothing_where_nothing_is_wrong(place: Place) -> None:
    full(place)
    resource = place.reopen(length=100, committed=True)
    steps: list[tuple[int, int]] = []
    assert not resource.verify(lambda done, total: steps.append((done, total)))
    assert resource.committed
    assert steps == [(100, 100)]
    resource.close()


def test_a_flipped_bit_is_found_and_fetched_again(place: Place) -> None:
    full(place)
    resource = place.reopen(length=100, committed=True)
    place.flip(42)
    assert [(each.start, each.end) for each in resource.verify()] == [(0, 100)]
    assert (resource.committed, spans(resource)) == (False, [])
    resource.close()
    resource = place.reopen(length=100, committed=True)  # whoever knows only the old meta is told as well
    assert (resource.committed, spans(resource)) == (False, [])
    resource.write_at(0, pattern(0, 100))
    resource.commit()
    assert not resource.verify()
    assert read(resource, 0, 100) == pattern(0, 100)
    resource.close()
    resource = place.reopen(length=100, committed=True)
    assert resource.committed
    resource.close()


def test_verify_takes_only_the_damaged_records(place: Place) -> None:
    resource = place.create()
    for start in (0, 20, 40):
        resource.write_at(start, pattern(start, start + 10))
    resource.flush()
    place.flip(45)
    assert [(each.start, each.end) for each in resource.verify()] == [(40, 50)]
    assert spans(resource) == [(0, 10), (20, 30)]
    resource.close()


def test_a_range_fetched_twice_is_not_condemned_for_its_older_record(place: Place) -> None:
    resource = place.create()
    resource.write_at(0, b"damaged on the way..")
    resource.flush()
    resource.write_at(0, pattern(0, 20))
    assert not resource.verify()
    assert spans(resource) == [(0, 20)]
    resource.close()


def test_verify_keeps_what_memory_holds(place: Place) -> None:
    resource = place.create()
    resource.write_at(0, pattern(0, 10))
    resource._bypass(StorageError("full"))
    resource.write_at(5, pattern(5, 20))
    place.flip(3)
    resource.verify()
    assert spans(resource) == [(10, 20)]
    resource.write_at(0, pattern(0, 20))
    assert read(resource, 0, 20) == pattern(0, 20)
    resource.close()


def test_after_a_disk_failed_to_keep_what_it_took_everything_is_verified(place: Place) -> None:
    resource = place.create(length=10)
    resource.write_at(0, pattern(0, 10))
    whole = resource._data
    resource._data = OpenFile(os.open("/dev/null", os.O_RDWR), place.data, writable=True)  # which cannot be synced
    with pytest.raises(StorageError, match="Cannot commit"):
        resource.commit()
    resource._data = whole
    del whole
    assert not resource.committed
    resource.close()
    place.flip(5)
    resource = place.reopen(length=10)
    assert spans(resource) == []
    resource.close()


# -- several at once -------------------------------------------------------------------------------------------------


def test_what_another_process_recorded_is_taken_over(place: Place) -> None:
    mine, theirs = place.create(), place.reopen()
    theirs.write_at(0, b"abc")
    mine.write_at(10, b"xyz")
    mine.catch_up()
    assert spans(mine) == [(10, 13)]
    theirs.flush()
    mine.catch_up()
    assert read(mine, 0, 9) == b"abc"
    mine.flush()
    theirs.catch_up()
    assert spans(theirs) == [(0, 3), (10, 13)]
    mine.close()
    theirs.close()


def test_what_another_process_found_bad_is_given_up(place: Place) -> None:
    mine = place.create()
    mine.write_at(0, pattern(0, 10))
    mine.write_at(20, pattern(20, 30))
    mine.flush()
    theirs = place.reopen()
    place.flip(3)
    theirs.verify()
    mine.catch_up()
    assert spans(mine) == [(20, 30)]
    mine.close()
    theirs.close()


def test_all_that_is_given_up_at_once_costs_one_copy_of_the_coverage(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = place.create(length=1000)
    mine.write_at(0, pattern(0, 1000))
    mine.flush()
    theirs = place.reopen(length=1000)
    theirs.take_back(*(ByteRange(at, at + 5) for at in range(0, 1000, 10)))
    theirs.write_at(10, pattern(10, 15))
    theirs.take_back(ByteRange(0, 40))
    theirs.write_at(20, pattern(20, 22))
    theirs.flush()
    copied, copy = [], Coverage.copy

    def counted(coverage: Coverage) -> Coverage:
        copied.append(coverage.total)
        return copy(coverage)

    with monkeypatch.context() as patch:
        patch.setattr(Coverage, "copy", counted)
        mine.catch_up()
    assert copied == [1000]
    assert spans(mine) == [(20, 22), *((at, at + 5) for at in range(45, 1000, 10))]
    mine.close()
    theirs.close()


def test_catching_up_wakes_who_waits(place: Place) -> None:
    mine, theirs = place.create(), place.reopen()

    def deliver() -> None:
        theirs.write_at(0, b"abc")
        theirs.flush()
        mine.catch_up()

    mine.on_demand = deliver
    assert wait(mine, 0, 9, 5) == ByteRange(0, 3)
    mine.close()
    theirs.close()


def test_what_somebody_appended_to_the_data_is_cut_off(place: Place) -> None:
    full(place)
    with place.data.open("ab") as file:
        file.write(b"more")
    resource = place.reopen(length=100, committed=True)
    assert resource.committed
    assert place.data.read_bytes() == pattern(0, 100)
    resource.close()


def test_a_file_that_grows_while_it_is_open_is_read_no_further_than_its_length(place: Place) -> None:
    full(place)
    resource = place.reopen(length=100, committed=True)
    with place.data.open("ab") as file:
        file.write(b"more")
    assert read(resource, 90, 50) == pattern(90, 100)
    assert resource.descriptor() is None  # whoever reads it there would not stop where the bytes end
    resource.close()
