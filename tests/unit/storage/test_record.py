"""Unit tests of the records of a journal, and of what they add up to."""

from __future__ import annotations

from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from kithara_file.ranges import Coverage
from kithara_file.storage import record
from kithara_file.storage.record import LANDED, LOST, UNHASHED, History, Record

SALT = record.salt("v1")
BEGIN = record.header(UUID(int=7), 42)

spans = st.tuples(st.integers(0, 60), st.integers(1, 20)).map(lambda pair: (pair[0], pair[0] + pair[1]))
records = st.lists(
    st.builds(
        lambda kind, span, digest: Record(kind, span[0], span[1], digest),
        st.sampled_from([LANDED, LANDED, UNHASHED, LOST]),
        spans,
        st.integers(0, 2**64 - 1),
    ),
    max_size=12,
)


def written(*each: Record) -> bytes:
    return b"".join(record.encode(one, SALT) for one in each)


def add_up(*each: Record) -> History:
    history = record.replay([BEGIN, *each])
    assert history is not None
    return history


@given(records)
def test_what_was_written_is_read(each: list[Record]) -> None:
    data = written(*each)
    assert record.decode(data, SALT) == (each, len(data))


def test_a_record_is_forty_bytes_of_which_each_counts() -> None:
    data = written(Record(LANDED, 5, 9, 77))
    assert len(data) == record.SIZE == 40
    for at in range(40):
        for bit in (1, 128):
            damaged = bytearray(data)
            damaged[at] ^= bit
            assert record.decode(bytes(damaged), SALT)[0] == []


def test_records_of_another_generation_are_not_believed() -> None:
    assert record.decode(written(Record(LANDED, 5, 9, 77)), record.salt("v2"))[0] == []


@given(records, st.data())
def test_garbage_hides_only_the_records_it_hit(each: list[Record], data: st.DataObject) -> None:
    parts = [written(one) for one in each]
    places = data.draw(st.lists(st.integers(0, len(parts)), max_size=3))
    for place in sorted(places, reverse=True):
        parts.insert(place, data.draw(st.binary(max_size=90)))
    assert record.decode(b"".join(parts), SALT)[0] == each


@given(records.filter(bool), st.integers(1, 39))
def test_a_torn_record_in_the_middle_hides_no_other(each: list[Record], kept: int) -> None:
    torn = written(Record(LANDED, 1, 2, 3))[:kept]
    assert record.decode(written(each[0]) + torn + written(*each[1:]), SALT)[0] == each


@given(records, st.integers(0, 39))
def test_what_may_become_a_record_is_left_for_later(each: list[Record], kept: int) -> None:
    last = written(Record(LANDED, 1, 2, 3))
    whole = written(*each)
    found, used = record.decode(whole + last[:kept], SALT)
    assert (found, used) == (each, len(whole))
    assert record.decode((whole + last)[used:], SALT)[0] == [Record(LANDED, 1, 2, 3)]


@given(st.binary(max_size=300))
def test_garbage_is_no_record(garbage: bytes) -> None:
    found, used = record.decode(garbage, SALT)
    assert found == []
    assert used <= len(garbage)


@given(st.binary(max_size=100), st.integers(0, 39))
def test_a_record_whose_beginning_is_among_garbage_is_found_when_it_is_whole(garbage: bytes, kept: int) -> None:
    last = written(Record(LANDED, 1, 2, 3))
    _, used = record.decode(garbage + last[:kept], SALT)
    assert record.decode((garbage + last)[used:], SALT)[0] == [Record(LANDED, 1, 2, 3)]


@given(records, st.lists(spans))
def test_what_changes_is_what_the_records_say_in_their_order(each: list[Record], before: list[tuple[int, int]]) -> None:
    known, one_by_one = Coverage.of(before), Coverage.of(before)
    lost, landed = record.changes([BEGIN, *each])
    for span in lost:
        known.remove(span.start, span.end)
    for span in landed:
        known.add(span.start, span.end)
    for one in each:
        (one_by_one.remove if one.kind == LOST else one_by_one.add)(one.start, one.end)
    assert known == one_by_one
    assert bool(lost) == any(one.kind == LOST for one in each)


@given(records)
def test_coverage_is_what_the_records_say_in_their_order(each: list[Record]) -> None:
    present: set[int] = set()
    for one in each:
        change = present.difference_update if one.kind == LOST else present.update
        change(range(one.start, one.end))
    assert add_up(*each).coverage == Coverage.of((at, at + 1) for at in present)


@given(records)
def test_a_voucher_lost_none_of_its_bytes_since(each: list[Record]) -> None:
    expected = [
        one
        for index, one in enumerate(each)
        if one.kind != LOST
        and not any(later.kind == LOST and later.start < one.end and one.start < later.end for later in each[index:])
    ]
    assert list(add_up(*each).vouchers) == expected


def test_a_journal_begins_with_a_header_and_the_last_one_counts() -> None:
    assert record.replay([]) is None
    assert record.replay([Record(LANDED, 0, 1)]) is None
    last = UUID("f4335b96-d5e8-4316-93b4-0feae1cdf9e9")
    history = add_up(Record(LANDED, 0, 1), record.header(last, 43))
    assert (history.boot, history.inode) == (last, 43)
    assert history.coverage.total == 1


@given(records, st.integers(0, 12))
def test_that_a_file_was_touched_claims_nothing_wherever_it_stands(each: list[Record], place: int) -> None:
    assert add_up(*each[:place], record.TOUCHED, *each[place:]) == add_up(*each)


def test_once_a_file_was_touched_it_is_not_known_how_it_was_left() -> None:
    left = record.left((1, 2, 3))
    assert add_up(left).left == left
    assert add_up(left, record.TOUCHED).left is None
    assert add_up(left, record.TOUCHED, left).left == left
