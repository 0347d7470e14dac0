"""The contract of a resource, against every implementation: the bytes that are read are the bytes that were written."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kithara_file.clock import CancelToken, Deadline
from kithara_file.errors import StorageError, StreamClosed
from kithara_file.ranges import ByteRange, Coverage
from kithara_file.storage import Resource
from tests.contract.resources import (
    MAKERS,
    SOON,
    Maker,
    in_memory,
    made,
    on_disk,
    past_a_full_disk,
    read,
    reopened,
    unhashed,
    wait,
)


@pytest.fixture(params=MAKERS, ids=lambda make: make.__name__)
def resource(request: pytest.FixtureRequest) -> Iterator[Resource]:
    with made(request.param) as one:
        yield one


# -- bytes -----------------------------------------------------------------------------------------------------------

pieces = st.lists(st.binary(max_size=40), max_size=4)
writes = st.lists(st.tuples(st.integers(0, 200), pieces), max_size=12)
reads = st.lists(st.tuples(st.integers(0, 300), st.integers(1, 120)), min_size=1, max_size=12)


@pytest.mark.parametrize("make", MAKERS, ids=lambda make: make.__name__)
@given(writes=writes, reads=reads)
def test_reads_are_what_was_written_as_far_as_it_was(
    make: Maker, writes: list[tuple[int, list[bytes]]], reads: list[tuple[int, int]]
) -> None:
    model: dict[int, int] = {}
    with made(make) as resource:
        for start, each in writes:
            # One version of a resource has one byte at each offset, whoever delivers it.
            right = [bytes((start + 7 * at) % 251 for at in range(len(piece))) for piece in each]
            whole = bytes((at * 31) % 251 for at in range(start, start + sum(map(len, right))))
            cuts = [sum(map(len, right[:index])) for index in range(len(right) + 1)]
            resource.write_at(start, *(whole[a:b] for a, b in pairwise(cuts)))
            model.update(enumerate(whole, start))
        assert resource.snapshot() == resource.coverage == Coverage.of((at, at + 1) for at in model)
        for start, size in reads:
            expected = bytearray()
            while len(expected) < size and (start + len(expected)) in model:
                expected.append(model[start + len(expected)])
            assert read(resource, start, size) == expected


@pytest.mark.parametrize("make", [in_memory, on_disk, reopened, unhashed], ids=lambda make: make.__name__)
def test_what_is_taken_back_is_absent(make: Maker) -> None:
    with made(make) as resource:
        resource.write_at(0, bytes(range(100)))
        resource.take_back(ByteRange(10, 20), ByteRange(90, 200))
        assert list(resource.snapshot()) == [ByteRange(0, 10), ByteRange(20, 90)]
        assert read(resource, 15, 5) == b""
        resource.write_at(10, bytes(range(10, 20)))
        assert read(resource, 0, 100) == bytes(range(90))


def test_a_missing_first_byte_reads_nothing(resource: Resource) -> None:
    resource.write_at(10, b"later")
    assert read(resource, 0, 20) == b""


def test_a_read_ends_where_the_present_bytes_end(resource: Resource) -> None:
    resource.write_at(0, b"abc")
    resource.write_at(10, b"xyz")
    assert read(resource, 1, 20) == b"bc"


def test_a_read_leaves_the_rest_of_the_buffer_alone(resource: Resource) -> None:
    resource.write_at(0, b"abc")
    buffer = bytearray(b"......")
    assert resource.read_at(0, memoryview(buffer)) == 3
    assert buffer == b"abc..."


def test_pieces_land_one_after_another(resource: Resource) -> None:
    resource.write_at(5, b"ab", b"", b"cd", b"e")
    assert read(resource, 5, 10) == b"abcde"


def test_thousands_of_pieces_land_in_one_write(resource: Resource) -> None:
    resource.write_at(3, *(bytes([at % 256]) for at in range(5000)))
    assert read(resource, 3, 6000) == bytes(at % 256 for at in range(5000))


def test_an_empty_write_claims_nothing(resource: Resource) -> None:
    resource.write_at(5)
    resource.write_at(5, b"")
    assert resource.coverage.total == 0


def test_offsets_beyond_four_gigabytes_work(resource: Resource) -> None:
    resource.write_at((1 << 33) + 5, b"far")
    assert read(resource, (1 << 33) + 5, 10) == b"far"


def test_a_snapshot_does_not_follow_the_resource(resource: Resource) -> None:
    resource.write_at(0, b"abc")
    before = resource.snapshot()
    resource.write_at(3, b"d")
    assert before.total == 3
    assert resource.snapshot().total == 4


def test_bytes_beyond_the_length_are_not_taken(resource: Resource) -> None:
    resource.announce(5)
    with pytest.raises(ValueError, match="cannot belong"):
        resource.write_at(3, b"abc")
    assert resource.coverage.total == 0


# -- length ----------------------------------------------------------------------------------------------------------


def test_the_length_is_unknown_until_it_is_told(resource: Resource) -> None:
    lengths = [resource.length]
    resource.announce(7)
    lengths.append(resource.length)
    assert lengths == [None, 7]
    assert resource.wait_length(Deadline.after(0), CancelToken()) == 7


def test_the_length_may_be_told_again_but_not_changed(resource: Resource) -> None:
    resource.announce(7)
    resource.announce(7)
    with pytest.raises(ValueError, match="cannot be 8"):
        resource.announce(8)


def test_a_length_before_the_end_of_what_is_present_is_refused(resource: Resource) -> None:
    resource.write_at(0, b"abcdef")
    with pytest.raises(ValueError, match="cannot be 5"):
        resource.announce(5)
    resource.announce(6)


# -- commit and close ------------------------------------------------------------------------------------------------


durable = pytest.mark.parametrize(
    "make", [make for make in MAKERS if make is not past_a_full_disk], ids=lambda make: make.__name__
)


@durable
def test_a_complete_resource_is_committed_and_reads_on(make: Maker) -> None:
    with made(make) as resource:
        resource.announce(6)
        resource.write_at(3, b"def")
        resource.write_at(0, b"abc")
        before = resource.committed
        resource.commit()
        assert (before, resource.committed) == (False, True)
        assert read(resource, 0, 100) == b"abcdef"
        assert read(resource, 6, 100) == b""
        assert wait(resource, 2, 100) == ByteRange(2, 6)
        resource.commit()


@durable
def test_an_empty_resource_can_be_committed(make: Maker) -> None:
    with made(make) as resource:
        resource.announce(0)
        resource.commit()
        assert read(resource, 0, 10) == b""
        assert wait(resource, 0, 1) is None


def test_an_incomplete_resource_cannot_be_committed(resource: Resource) -> None:
    resource.write_at(0, b"abc")
    with pytest.raises(StorageError):
        resource.commit()
    resource.announce(5)
    with pytest.raises(StorageError):
        resource.commit()
    assert not resource.committed


def test_closing_twice_is_closing_once(resource: Resource) -> None:
    resource.write_at(0, b"abc")
    resource.close()
    resource.close()


def test_nothing_is_read_waited_for_or_written_after_close(resource: Resource) -> None:
    resource.write_at(0, b"abc")
    resource.announce(3)
    resource.close()
    for use in (
        lambda: read(resource, 0, 1),
        lambda: wait(resource, 0, 1),
        lambda: resource.wait_length(Deadline.after(SOON), CancelToken()),
        lambda: resource.write_at(0, b"a"),
    ):
        with pytest.raises(StreamClosed):
            use()


def test_flushing_is_always_allowed(resource: Resource) -> None:
    resource.flush()
    resource.write_at(0, b"abc")
    resource.flush()
    resource.close()
    resource.flush()


def test_its_repr_fits_a_line(resource: Resource) -> None:
    assert "\n" not in repr(resource)
    assert len(repr(resource)) < 100
