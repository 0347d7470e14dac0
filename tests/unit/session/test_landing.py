"""What lands is what the model of bytes says, and nothing that is held is ever overwritten."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kithara_file.net.client import Chunk
from kithara_file.ranges import ByteRange, Coverage
from kithara_file.session.landing import OVERLAP, Mismatch, cut, joined, land, unproven
from kithara_file.storage.memory import MemoryResource
from tests.world.entry import ScriptedResource

BODY = bytes(range(200))
OTHER = bytes(reversed(BODY))


def chunk(start: int, *pieces: bytes) -> Chunk:
    return Chunk(start, pieces, sum(map(len, pieces)))


def holding(*spans: tuple[int, int], length: int | None = len(BODY)) -> ScriptedResource:
    resource = ScriptedResource(length)
    for start, end in spans:
        resource.write_at(start, BODY[start:end])
    return resource


def present(resource: MemoryResource) -> dict[int, int]:
    """Return each offset that is present, and its byte."""
    found: dict[int, int] = {}
    for span in resource.snapshot():
        buffer = bytearray(len(span))
        assert resource.read_at(span.start, memoryview(buffer)) == len(span)
        found |= dict(enumerate(buffer, span.start))
    return found


spans = st.tuples(st.integers(0, 199), st.integers(0, 199)).map(lambda ends: (min(ends), max(ends) + 1))
cuts = st.lists(st.integers(0, 200), max_size=3)


def pieces_of(data: bytes, at: list[int]) -> list[bytes]:
    ends = sorted({0, *(each for each in at if each < len(data)), len(data)})
    return [data[start:end] for start, end in pairwise(ends)]


@given(st.lists(spans, max_size=5), spans, cuts, st.booleans())
def test_right_bytes_land_once_whatever_is_held_already(
    held: list[tuple[int, int]], span: tuple[int, int], at: list[int], compare: bool
) -> None:
    resource = holding(*held)
    before, (start, end) = present(resource), span
    new = land(resource, chunk(start, *pieces_of(BODY[start:end], at)), compare=compare)
    after = present(resource)
    assert after == before | {offset: BODY[offset] for offset in range(start, end)}
    assert sorted(offset for each in new for offset in range(each.start, each.end)) == sorted(after.keys() - before)


@given(st.lists(spans, max_size=5), spans, st.integers(0, 199), st.booleans())
def test_a_wrong_byte_over_a_held_one_is_found_when_compared_and_never_replaces_it(
    held: list[tuple[int, int]], span: tuple[int, int], flip: int, compare: bool
) -> None:
    resource = holding(*held)
    before, (start, end) = present(resource), span
    data = bytearray(BODY[start:end])
    flipped = start + flip % len(data)
    data[flipped - start] ^= 1
    if compare and flipped in before:
        with pytest.raises(Mismatch):
            land(resource, chunk(start, bytes(data)), compare=True)
        assert present(resource) == before
    else:
        land(resource, chunk(start, bytes(data)), compare=compare)
        assert {offset: byte for offset, byte in present(resource).items() if offset in before} == before


def test_a_chunk_that_goes_beyond_the_end_is_of_another_version() -> None:
    resource = holding(length=100)
    with pytest.raises(Mismatch):
        land(resource, chunk(90, BODY[90:101]), compare=False)
    assert present(resource) == {}
    assert land(resource, chunk(90, BODY[90:100]), compare=False) == [ByteRange(90, 100)]


@pytest.mark.parametrize(
    "held, came, end, wanted",
    [
        ([], (0, 100), None, False),
        ([(0, 50)], (50, 100), None, False),  # nothing is behind it
        ([(0, 200)], (50, 100), None, False),  # it only compares
        ([(100, 200)], (0, 99), None, False),  # the gap goes on
        ([(100, 200)], (0, 100), None, True),
        ([(100, 200)], (0, 199), None, True),
        ([(100, 200)], (0, 200), None, False),  # all that is behind it is there
        ([(100, 200)], (0, 150), 150, False),  # all that will come
        ([(100, 200)], (0, 100), 100, False),
        ([(100, 9000)], (0, 100 + OVERLAP - 1), None, True),
        ([(100, 9000)], (0, 100 + OVERLAP), None, False),
        ([(10, 20), (100, 200)], (0, 100), None, True),
        ([(10, 20), (100, 200)], (0, 60), None, False),
    ],
)
def test_what_closes_a_gap_waits_for_enough_to_compare(
    held: list[tuple[int, int]], came: tuple[int, int], end: int | None, *, wanted: bool
) -> None:
    start, stop = came
    assert unproven(Coverage.of(held), chunk(start, bytes(stop - start)), end) is wanted


def test_chunks_are_joined_without_a_copy() -> None:
    assert joined(None, chunk(5, b"ab")) == chunk(5, b"ab")
    assert joined(chunk(5, b"ab"), chunk(7, b"c", b"d")) == chunk(5, b"ab", b"c", b"d")


def test_a_chunk_of_which_all_is_held_writes_nothing() -> None:
    resource = holding((0, 100))
    resource.refusals.append(AssertionError("written"))
    assert land(resource, chunk(10, BODY[10:90]), compare=True) == []


def test_pieces_for_a_gap_go_down_as_they_came() -> None:
    resource = holding((0, 10))
    assert land(resource, chunk(10, BODY[10:12], BODY[12:20]), compare=True) == [ByteRange(10, 20)]
    assert present(resource) == dict(enumerate(BODY[:20]))


@given(spans, cuts, st.integers(1, 250))
def test_a_cut_chunk_ends_where_it_was_cut(span: tuple[int, int], at: list[int], end: int) -> None:
    start, stop = span
    whole = chunk(start, *pieces_of(BODY[start:stop], at))
    if end < start:
        return
    found = cut(whole, end)
    assert (found.start, found.end) == (start, min(stop, end))
    assert b"".join(found.pieces) == BODY[start : min(stop, end)]
