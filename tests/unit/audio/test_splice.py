"""Pieces on a timeline."""

from __future__ import annotations

import numpy as np
import pytest

from kithara_file.audio.media import Samples, Spec
from kithara_file.audio.splice import Splice, joined

SPEC = Spec(100, 1)


def ramp(start: int, end: int) -> Samples:
    """Return frames whose values are their places, from 1 on."""
    return np.arange(start + 1, end + 1, dtype=np.float32)[:, None]


def heard(splice: Splice, *pieces: tuple[int | None, Samples, int | None]) -> list[int]:
    found = [part for piece in pieces for part in splice.lay(*piece)]
    return [int(value) for value in joined(found)[:, 0]] if found else []


def test_what_lies_before_the_target_is_cut() -> None:
    assert heard(Splice(SPEC, 5), (0, ramp(0, 3), None), (3, ramp(3, 8), None)) == [6, 7, 8]


def test_what_lies_behind_the_end_is_cut() -> None:
    assert heard(Splice(SPEC, 0), (0, ramp(0, 3), 10), (3, ramp(3, 8), 5)) == [1, 2, 3, 4, 5]


def test_silence_fills_what_is_missing() -> None:
    assert heard(Splice(SPEC, 0), (0, ramp(0, 2), None), (4, ramp(4, 6), None)) == [1, 2, 0, 0, 5, 6]


def test_what_comes_twice_is_heard_once() -> None:
    assert heard(Splice(SPEC, 0), (0, ramp(0, 4), None), (2, ramp(2, 6), None)) == [1, 2, 3, 4, 5, 6]


def test_pieces_without_a_place_follow_each_other() -> None:
    assert heard(Splice(SPEC, 1), (0, ramp(0, 3), None), (None, ramp(3, 5), None)) == [2, 3, 4, 5]
    assert heard(Splice(SPEC, 7), (None, ramp(7, 9), None)) == [8, 9]


@pytest.mark.parametrize("leap", [-100_000, 100_000])
def test_a_new_count_is_played_on_without_a_gap(leap: int) -> None:
    splice = Splice(SPEC, 0)
    pieces = ((0, ramp(0, 3), None), (leap, ramp(3, 5), None), (leap + 2, ramp(5, 7), leap + 3))
    assert heard(splice, *pieces) == [1, 2, 3, 4, 5, 6]
    assert repr(splice) == "<Splice at 6>"


def test_a_start_far_behind_the_target_is_not_filled() -> None:
    splice = Splice(SPEC, 0)
    assert heard(splice, (5000, ramp(0, 2), None)) == [1, 2]
    assert splice.at == 5002


def test_one_piece_is_joined_without_a_copy() -> None:
    piece = ramp(0, 3)
    assert joined([piece]) is piece


def test_what_simply_follows_needs_no_cut() -> None:
    splice = Splice(SPEC, 0)
    assert not splice.follows(0, 10, None), "what came before is not known yet"
    splice.lay(0, ramp(0, 10))
    assert splice.follows(10, 10, None)
    assert splice.follows(20, 10, 30)
    assert not splice.follows(30, 10, 35), "it has to be cut"
    assert not splice.follows(31, 10, None), "something is missing"
    assert splice.at == 30
