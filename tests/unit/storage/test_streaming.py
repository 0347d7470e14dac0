"""Unit tests of the resource on disk: its files, what a reopening believes, and commit."""

from __future__ import annotations

import os
import stat
from errno import EACCES
from pathlib import Path

import pytest

from kithara_file.errors import CorruptResource, StorageError, StreamClosed
from kithara_file.ranges import ByteRange
from kithara_file.storage import StreamingResource, record
from tests.unit.storage.places import AFTER_A_POWER_CUT, Place, full, pattern, read, small_disk, spans, wait

# -- beginnings ------------------------------------------------------------------------------------------------------


def test_only_the_owner_may_read_the_files(place: Place) -> None:
    place.create().close()
    assert [stat.S_IMODE(path.stat().st_mode) for path in (place.data, place.journal)] == [0o600, 0o600]


def test_creating_begins_empty_whatever_was_there(place: Place) -> None:
    full(place)
    resource = place.create()
    assert spans(resource) == []
    resource.close()
    reopened = place.reopen()
    assert spans(reopened) == []
    reopened.close()


def test_who_holds_the_old_resource_reads_on_when_a_new_one_takes_its_name(place: Place) -> None:
    old = place.create()
    old.write_at(0, b"old bytes")
    new = place.create()
    new.write_at(0, b"new bytes, more")
    assert (read(old, 0, 99), read(new, 0, 99)) == (b"old bytes", b"new bytes, more")
    assert (old.lies_at(place.data), new.lies_at(place.data)) == (False, True)
    old.close()
    new.close()


def test_a_resource_whose_folder_was_deleted_reads_and_lands_on(place: Place) -> None:
    resource = place.create()
    resource.write_at(0, b"abc")
    place.data.unlink()
    place.journal.unlink()
    resource.write_at(3, b"def")
    assert read(resource, 0, 9) == b"abcdef"
    assert not resource.lies_at(place.data)
    resource.close()


def test_a_link_planted_at_the_name_is_replaced_and_not_followed(place: Place) -> None:
    victim = place.folder / "victim"
    victim.write_bytes(b"precious")
    place.data.symlink_to(victim)
    place.journal.symlink_to(victim)
    with pytest.raises(CorruptResource):
        place.reopen()
    resource = place.create()
    resource.write_at(0, b"xxxxxxxxxxxx")
    resource.close()
    assert victim.read_bytes() == b"precious"


def test_a_folder_in_the_way_is_a_typed_error(place: Place) -> None:
    place.data.mkdir()
    with pytest.raises(StorageError, match="Cannot create"):
        place.create()
    with pytest.raises(CorruptResource):
        place.reopen()


def test_a_pipe_in_the_way_is_not_waited_for(place: Place) -> None:
    full(place)
    place.data.unlink()
    os.mkfifo(place.data)
    with pytest.raises(CorruptResource):
        place.reopen()


def test_a_missing_folder_is_a_file_not_found(place: Place) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        Place(place.folder / "nowhere").create()
    assert isinstance(caught.value, StorageError)


@pytest.mark.parametrize("missing", ["data", "journal"])
def test_nothing_is_reopened_without_both_files(place: Place, missing: str) -> None:
    full(place)
    (place.folder / missing).unlink()
    with pytest.raises(CorruptResource):
        place.reopen(length=100, committed=True)


def test_another_generation_is_not_believed(place: Place) -> None:
    full(place)
    with pytest.raises(CorruptResource, match="no journal of this version"):
        place.reopen(generation="v2")


def test_an_empty_or_garbage_journal_is_not_believed(place: Place) -> None:
    full(place)
    for garbage in (b"", b"garbage" * 100, b"\0" * 4096):
        place.journal.write_bytes(garbage)
        with pytest.raises(CorruptResource):
            place.reopen()


# -- reopening -------------------------------------------------------------------------------------------------------


def test_what_landed_before_a_clean_end_is_there_after_it(place: Place) -> None:
    resource = place.create()
    resource.write_at(0, b"abc")
    resource.write_at(10, b"xyz")
    resource.write_at(3, b"de")
    resource.close()
    resource = place.reopen()
    assert spans(resource) == [(0, 5), (10, 13)]
    assert (read(resource, 0, 9), read(resource, 10, 9)) == (b"abcde", b"xyz")
    resource.write_at(5, b"fghij")
    resource.close()
    resource = place.reopen()
    assert spans(resource) == [(0, 13)]
    resource.close()


def test_what_was_flushed_is_there_when_nobody_closed(place: Place) -> None:
    dead = place.create()
    dead.write_at(0, b"abc")
    dead.flush()
    dead.write_at(3, b"never flushed")
    resource = place.reopen()
    assert spans(resource) == [(0, 3)]
    resource.close()
    dead.close()


def test_no_more_than_one_record_is_ever_unrecorded(place: Place) -> None:
    dead = place.create()
    for at in range(0, 1 << 20, 10_000):
        dead.write_at(at, pattern(at, at + 10_000))
    resource = place.reopen()
    assert dead.coverage.total - resource.coverage.total < 256 * 1024
    resource.close()
    dead.close()


def test_a_committed_resource_reopens_committed(place: Place) -> None:
    full(place)
    resource = place.reopen(length=100, committed=True, boot=AFTER_A_POWER_CUT)
    assert resource.committed
    assert read(resource, 0, 200) == pattern(0, 100)
    resource.close()


def in_two(place: Place) -> None:
    """Leave a committed resource behind of which two records speak."""
    resource = place.create(length=100)
    resource.write_at(0, pattern(0, 60))
    resource.flush()
    resource.write_at(60, pattern(60, 100))
    resource.commit()
    resource.close()


@pytest.mark.parametrize("committed", [False, True])
def test_a_byte_changed_while_it_was_closed_is_found_by_opening(place: Place, committed: bool) -> None:
    in_two(place)
    place.flip(30)
    resource = place.reopen(length=100, committed=committed)
    assert (resource.committed, spans(resource)) == (False, [(60, 100)])
    resource.write_at(0, pattern(0, 60))
    resource.close()
    resource = place.reopen(length=100, committed=committed)
    assert read(resource, 0, 100) == pattern(0, 100)
    resource.close()
    place.flip(70)
    resource = place.reopen(length=100, committed=committed)
    assert spans(resource) == [(0, 60)]
    resource.close()


def test_a_file_that_was_only_touched_is_verified_once_and_believed(place: Place) -> None:
    in_two(place)
    sealed = place.journal.stat().st_size
    os.utime(place.data)
    for grown in (True, False):
        resource = place.reopen(length=100, committed=True)
        assert resource.committed
        assert (resource.journal_bytes > sealed) is grown
        sealed = resource.journal_bytes
        resource.close()


def test_what_another_writer_adds_after_we_left_is_believed(place: Place) -> None:
    mine, theirs = place.create(), place.reopen()
    theirs.write_at(0, b"abc")
    mine.write_at(10, b"xyz")
    mine.close()
    theirs.write_at(20, b"later")
    theirs.flush()
    resource = place.reopen()
    assert spans(resource) == [(0, 3), (10, 13), (20, 25)]
    resource.close()
    theirs.close()


def test_a_committed_resource_that_was_cut_short_is_not_committed_any_more(place: Place) -> None:
    in_two(place)
    os.truncate(place.data, 60)
    resource = place.reopen(length=100, committed=True)
    assert (resource.committed, spans(resource)) == (False, [(0, 60)])
    resource.write_at(60, pattern(60, 100))
    resource.commit()
    assert read(resource, 0, 100) == pattern(0, 100)
    resource.close()


def test_a_cut_is_remembered_when_the_file_grows_over_it(place: Place) -> None:
    in_two(place)
    os.truncate(place.data, 60)
    resource = place.reopen(length=100)
    resource.write_at(90, pattern(90, 100))  # between 60 and 90 there is a hole now, which reads as zeros
    resource.close()
    resource = place.reopen(length=100)
    assert spans(resource) == [(0, 60), (90, 100)]
    resource.close()


def test_a_cut_while_it_is_open_makes_no_hole_that_reads_as_bytes(place: Place) -> None:
    resource = place.create(length=100)
    resource.write_at(0, pattern(0, 80))
    os.truncate(place.data, 10)
    resource.write_at(90, pattern(90, 100))
    assert read(resource, 0, 100) == pattern(0, 10)
    assert read(resource, 20, 10) == b""
    resource.close()
    resource = place.reopen(length=100)
    assert spans(resource) == [(0, 10), (90, 100)]
    resource.close()


def test_bytes_recorded_beyond_the_length_are_not_believed(place: Place) -> None:
    in_two(place)
    resource = place.reopen(length=60)
    assert spans(resource) == [(0, 60)]
    resource.close()


@pytest.mark.parametrize("cut", range(1, 40))
def test_a_torn_last_record_is_ignored_and_later_ones_are_not(place: Place, cut: int) -> None:
    resource = place.create()
    resource.write_at(0, b"abc")
    resource.flush()
    resource.write_at(10, b"xyz")
    resource.close()
    os.truncate(place.journal, place.journal.stat().st_size - record.SIZE - cut)  # the very last says how it was left
    resource = place.reopen()
    assert spans(resource) == [(0, 3)]
    resource.write_at(20, b"later")
    resource.close()
    resource = place.reopen()
    assert spans(resource) == [(0, 3), (20, 25)]
    resource.close()


# -- commit and facts ------------------------------------------------------------------------------------------------


def test_the_seal_is_set_after_the_bytes_and_before_the_commit_shows(place: Place) -> None:
    resource = place.create(length=3)
    resource.write_at(0, b"abc")
    seen: list[tuple[bool, bytes, int]] = []
    resource.commit(
        lambda: seen.append((resource.committed, place.data.read_bytes(), place.journal.stat().st_size > 0))
    )
    assert seen == [(False, b"abc", True)]
    assert resource.committed
    resource.close()


def test_a_seal_that_fails_leaves_it_uncommitted(place: Place) -> None:
    def torn() -> None:
        raise StorageError("no room for the meta", errno=EACCES)

    resource = place.create(length=3)
    resource.write_at(0, b"abc")
    with pytest.raises(StorageError, match="no room"):
        resource.commit(torn)
    assert not resource.committed
    resource.close()


def test_a_committed_resource_takes_nothing_more(place: Place) -> None:
    full(place)
    resource = place.reopen(length=100, committed=True)
    resource.write_at(0, b"other")
    assert read(resource, 0, 5) == pattern(0, 5)
    resource.close()


def test_sizes_are_those_of_the_disk(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk") as folder:
        resource = Place(folder).create()
        resource.write_at(1 << 30, b"x" * 5000)
        resource.flush()
        assert (resource.stored_bytes, resource.journal_bytes) == (8192, 80)
        resource.close()


# -- the user's own files --------------------------------------------------------------------------------------------


def test_a_local_file_is_complete_and_never_written(tmp_path: Path) -> None:
    path = tmp_path / "song"
    path.write_bytes(b"abcdef")
    resource = StreamingResource.local(path)
    assert (resource.length, resource.committed, spans(resource)) == (6, True, [(0, 6)])
    assert wait(resource, 2, 9) == ByteRange(2, 6)
    resource.write_at(0, b"x")
    assert not resource.verify()
    resource.flush()
    resource.catch_up()
    resource.commit()
    resource.close()
    assert [each.name for each in tmp_path.iterdir()] == ["song"]
    assert path.read_bytes() == b"abcdef"


def test_an_empty_local_file_is_at_its_end(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    resource = StreamingResource.local(tmp_path / "empty")
    assert wait(resource, 0, 1) is None
    resource.close()


def test_a_local_file_that_is_none_raises_what_open_would(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        StreamingResource.local(tmp_path / "nothing")
    with pytest.raises(IsADirectoryError):
        StreamingResource.local(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(StorageError, match="Not a regular file"):
        StreamingResource.local(tmp_path / "pipe")


def test_a_read_that_a_close_overtakes_never_reads_another_file(place: Place) -> None:
    resource = place.create()
    resource.write_at(0, b"right")
    in_the_middle_of_a_read = resource._open()
    resource.close()
    with (place.folder / "other").open("w+b") as other:
        other.write(b"wrong")
        other.flush()
        buffer = bytearray(5)
        in_the_middle_of_a_read.read_into(memoryview(buffer), 0)
        assert buffer == b"right"
    del in_the_middle_of_a_read


def test_facts_of_a_closed_resource_are_closed(place: Place) -> None:
    resource = place.create()
    resource.close()
    for use in (resource.commit, resource.verify, lambda: resource.lies_at(place.data), lambda: resource.stored_bytes):
        with pytest.raises(StreamClosed):
            use()
