"""Unit tests of the journal: what is gathered, appended, read back and caught up with."""

from __future__ import annotations

import os
from errno import ENOSPC
from itertools import pairwise
from pathlib import Path
from uuid import UUID

import pytest

from kithara_file.errors import CorruptResource
from kithara_file.ranges import ByteRange
from kithara_file.storage import journal, record
from kithara_file.storage.journal import GATHERED, Journal, NoJournal
from kithara_file.storage.record import Record
from tests.unit.storage.places import small_disk


def make(path: Path, *, checksums: bool = True) -> Journal:
    return Journal.create(path, "v1", boot=UUID(int=1), inode=9, checksums=checksums)


def claims(path: Path) -> list[tuple[int, int, int]]:
    """Return what another process would read there."""
    records, _ = record.decode(path.read_bytes(), record.salt("v1"))
    return [(each.kind, each.start, each.end) for each in records[1:]]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal"


def test_landings_that_touch_become_one_record(path: Path) -> None:
    made = make(path)
    made.landed(0, [b"abc", b"de"])
    made.landed(5, [b"f"])
    assert claims(path) == []
    made.flush()
    assert claims(path) == [(record.LANDED, 0, 6)]


def test_a_landing_elsewhere_begins_a_new_record(path: Path) -> None:
    made = make(path)
    for start in (0, 10, 3):
        made.landed(start, [b"abc"])
    made.flush()
    assert claims(path) == [(record.LANDED, 0, 3), (record.LANDED, 10, 13), (record.LANDED, 3, 6)]


def test_what_is_gathered_is_bounded_however_it_lands(path: Path) -> None:
    made = make(path)
    for start in range(0, 2 * GATHERED, 64):  # pairs of landings, none of which touch
        made.landed(start * 10, [b"x" * 64])
    recorded = sum(end - start for _, start, end in claims(path))
    assert 2 * GATHERED - GATHERED < recorded <= 2 * GATHERED


def test_no_record_speaks_for_much_more_than_was_gathered(path: Path) -> None:
    made = make(path)
    made.landed(0, [b"x" * (3 * GATHERED + 5)])
    made.flush()
    ends = [GATHERED, 2 * GATHERED, 3 * GATHERED, 3 * GATHERED + 5]
    assert claims(path) == [(record.LANDED, start, end) for start, end in pairwise([0, *ends])]


def test_equal_bytes_have_equal_digests_however_they_were_cut(path: Path) -> None:
    made = make(path)
    made.landed(0, [b"abcdef"])
    made.landed(100, [b""])
    made.landed(0, [b"a", b"", b"bc"])
    made.landed(3, [memoryview(b"def")])
    made.flush()
    first, second = made.history().vouchers
    assert first == second


def test_without_checksums_records_say_so(path: Path) -> None:
    made = make(path, checksums=False)
    made.landed(0, [b"abc"])
    made.flush()
    assert claims(path) == [(record.UNHASHED, 0, 3)]


def test_a_loss_comes_after_what_was_gathered_before_it(path: Path) -> None:
    made = make(path)
    made.landed(0, [b"abc"])
    made.lost(ByteRange(0, 2))
    assert claims(path) == [(record.LANDED, 0, 3), (record.LOST, 0, 2)]


def test_a_flush_with_nothing_to_say_writes_nothing(path: Path) -> None:
    made = make(path)
    before = made.size
    made.flush()
    made.flush()
    assert made.size == before


def test_history_of_another_generation_is_corrupt(path: Path) -> None:
    make(path)
    with pytest.raises(CorruptResource):
        Journal.open(path, "v2", checksums=True).history()


def test_a_huge_file_is_not_read_to_find_that_it_is_no_journal(path: Path) -> None:
    make(path)
    os.truncate(path, journal.LARGEST + 1)
    with pytest.raises(CorruptResource):
        Journal.open(path, "v1", checksums=True).history()


def test_doubt_makes_the_next_reader_verify(path: Path) -> None:
    made = make(path)
    made.doubt()
    assert made.history().boot != UUID(int=1)


# -- several appenders -----------------------------------------------------------------------------------------------


def news(one: Journal) -> list[tuple[int, int]]:
    return [(each.start, each.end) for each in one.catch_up() if each.kind != record.HEADER]


def test_catching_up_tells_only_what_others_said(path: Path) -> None:
    mine, theirs = make(path), Journal.open(path, "v1", checksums=True)
    theirs.history()
    mine.landed(0, [b"mine"])
    mine.flush()
    theirs.landed(10, [b"theirs"])
    theirs.flush()
    mine.landed(20, [b"mine"])
    mine.flush()
    assert news(mine) == [(10, 16)]
    assert news(mine) == []
    assert news(theirs) == [(0, 4), (20, 24)]


def test_a_record_in_the_making_is_read_when_it_is_whole(path: Path) -> None:
    mine = make(path)
    whole = record.encode(Record(record.LANDED, 5, 9, 1), record.salt("v1"))
    with path.open("ab", buffering=0) as theirs:
        theirs.write(whole[:17])
        assert news(mine) == []
        theirs.write(whole[17:])
    assert news(mine) == [(5, 9)]


def test_a_record_torn_by_a_dying_process_silences_nobody(path: Path) -> None:
    mine, theirs = make(path), Journal.open(path, "v1", checksums=True)
    theirs.history()
    with path.open("ab", buffering=0) as dying:
        dying.write(record.encode(Record(record.LANDED, 5, 9, 1), record.salt("v1"))[:17])
    mine.landed(0, [b"mine"])
    mine.flush()
    assert news(theirs) == [(0, 4)]
    theirs.landed(10, [b"theirs"])
    theirs.flush()
    assert news(mine) == [(10, 16)]
    assert mine.history().coverage.total == 10


# -- a disk without room ---------------------------------------------------------------------------------------------


def test_claims_that_found_no_room_are_made_when_there_is(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "64k") as folder:
        made = make(folder / "journal")
        filler = folder / "filler"
        filler.write_bytes(b"x" * 60 * 1024)
        for at in range(0, 1000, 2):  # more than the last page of the journal has room for
            made.landed(at, [b"x"])
            made.flush()
        faults = [made.fault and made.fault.errno]
        filler.unlink()
        made.flush()
        faults.append(made.fault and made.fault.errno)
        assert faults == [ENOSPC, None]
        assert made.history().coverage.total == 500
        del made


def test_the_journal_of_a_users_file_keeps_nothing() -> None:
    none = NoJournal()
    none.landed(0, [b"x"])
    none.lost(ByteRange(0, 1))
    none.flush()
    none.sync()
    none.doubt()
    assert none.catch_up() == []
    assert none.history().vouchers == ()
    assert not none.touched
    none.touch()
    assert not none.touched


def test_a_torn_word_of_a_touch_leaves_the_stamp_to_be_compared(path: Path) -> None:
    make(path).left((1, 2, 3))
    size = path.stat().st_size
    mine = Journal.open(path, "v1", checksums=True)
    mine.touch()
    assert mine.history().left is None
    os.truncate(path, size + record.SIZE - 1)
    assert Journal.open(path, "v1", checksums=True).history().left == record.left((1, 2, 3))


def test_who_hears_that_another_left_the_file_says_that_it_is_touched_still(path: Path) -> None:
    mine, theirs = make(path), Journal.open(path, "v1", checksums=True)
    idle = Journal.open(path, "v1", checksums=True)
    theirs.touch()
    theirs.left((1, 2, 3))
    for heard, left in ((idle, record.left((1, 2, 3))), (mine, None)):
        heard.catch_up()
        assert Journal.open(path, "v1", checksums=True).history().left == left
    size = path.stat().st_size
    for each in (idle, mine, theirs):  # nobody answers to that
        each.catch_up()
    assert path.stat().st_size == size
