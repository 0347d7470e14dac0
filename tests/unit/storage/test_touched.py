"""Whoever writes to a data file again says so first: a death before the first record is no damage."""

from __future__ import annotations

import pytest

from kithara_file.storage import record
from tests.unit.storage.places import Place, pattern, read, spans


def in_two(place: Place) -> int:
    """Leave bytes behind of which two records speak; return how long the journal is."""
    resource = place.create(length=110)
    resource.write_at(0, pattern(0, 60))
    resource.flush()
    resource.write_at(60, pattern(60, 100))
    resource.close()
    return place.journal.stat().st_size


@pytest.mark.parametrize("checksums", [False, True])
def test_who_dies_before_its_first_record_takes_nothing_with_it(place: Place, checksums: bool) -> None:
    before = place.create(checksums=checksums)
    before.write_at(0, b"landed")
    before.close()
    dead = place.reopen(checksums=checksums)
    dead.write_at(100, b"never recorded")
    resource = place.reopen(checksums=checksums)
    assert spans(resource) == [(0, 6)]
    dead.flush()
    resource.catch_up()
    assert spans(resource) == [(0, 6), (100, 114)]
    resource.close()
    dead.close()


def test_who_leaves_does_not_speak_for_those_who_go_on(place: Place) -> None:
    mine, theirs = place.create(checksums=False), place.reopen(checksums=False)
    mine.write_at(0, b"abc")
    theirs.write_at(10, b"xyz")
    mine.close()
    theirs.catch_up()
    theirs.write_at(20, b"never recorded")
    resource = place.reopen(checksums=False)
    assert spans(resource) == [(0, 3), (10, 13)]
    resource.close()
    theirs.close()


def test_only_the_first_write_says_that_the_file_is_touched(place: Place) -> None:
    size = in_two(place)
    resource = place.reopen(length=110)
    read(resource, 0, 100)
    resource.catch_up()
    resource.close()
    assert place.journal.stat().st_size == size
    resource = place.reopen(length=110)
    resource.write_at(100, b"12345")
    resource.write_at(105, b"67890")
    resource.close()
    # that it is touched, the one landing, and how it was left
    assert place.journal.stat().st_size == size + 3 * record.SIZE


def test_a_byte_changed_after_we_touched_and_left_the_file_is_found(place: Place) -> None:
    in_two(place)
    resource = place.reopen(length=110)
    resource.write_at(100, b"0123456789")
    resource.close()
    place.flip(30)
    resource = place.reopen(length=110)
    assert spans(resource) == [(60, 110)]
    resource.close()
