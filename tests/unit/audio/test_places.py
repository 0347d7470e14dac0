"""Stamps that are right, and stamps that are not."""

from __future__ import annotations

from kithara_file.audio.media import Spec
from kithara_file.audio.places import Counted, Piece, Places, Stamped


def piece(stamp: int | None, frames: int) -> Piece:
    return Piece(stamp, Spec(100, 1).silence(frames))


def places(way: Places, *pieces: tuple[int | None, int]) -> list[int | None]:
    found: list[Piece] = []
    for each in pieces:
        found += way.put(piece(*each), _after(found))
    return [put.stamp for put in (*found, *way.rest())]


def _after(found: list[Piece]) -> int | None:
    return None if not found or found[-1].stamp is None else found[-1].stamp + len(found[-1].samples)


def test_stamps_are_believed_where_they_are_right() -> None:
    assert places(Stamped(), (5, 10), (99, 10)) == [5, 99]


def test_a_stamp_that_is_wrong_once_is_overruled_by_the_count() -> None:
    stream = [(0, 128), (128, 128), (704, 576), (832, 128), (960, 128)]
    assert places(Counted(0), *stream) == [0, 128, 256, 832, 960]


def test_the_first_stamp_may_be_the_wrong_one() -> None:
    assert places(Counted(300), (448, 576), (576, 128), (704, 128), (832, 128)) == [0, 576, 704, 832]


def test_with_a_coarse_clock_the_very_first_stamp_is_believed() -> None:
    stream = [(0, 41), (44, 41), (85, 41), (126, 41), (167, 41)]
    assert places(Counted(100, 4), *stream) == [0, 41, 82, 123, 164]
    assert places(Counted(130, 4), *stream[1:]) == [44, 85, 126, 167]


def test_a_lasting_difference_is_sound_that_was_lost() -> None:
    stream = [(number * 10, 10) for number in range(8)] + [(100 + number * 10, 10) for number in range(5)]
    found = places(Counted(0), *stream)
    assert found[:8] == [number * 10 for number in range(8)]
    assert found[-2:] == [130, 140]


def test_without_any_stamp_the_count_begins_at_the_target() -> None:
    assert places(Counted(77), (None, 10), (None, 10)) == [77, 87]
    assert places(Counted(77)) == []
