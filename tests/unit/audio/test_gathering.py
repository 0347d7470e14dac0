"""Frames of one read, in memory that was asked for once."""

from __future__ import annotations

import numpy as np
import pytest

from kithara_file.audio.gathering import MORE, Gathering
from kithara_file.audio.media import Spec

SPEC = Spec(100, 1)


def gather(wanted: int, expected: int, come: int, step: int = 1000) -> Gathering:
    gathering = Gathering(SPEC, 0, wanted, expected)
    at = 0
    while gathering.left and at < come:
        space = gathering.space[: min(step, come - at)]
        space[:, 0] = np.arange(at, at + len(space))
        gathering.add(len(space))
        at += len(space)
    return gathering


@pytest.mark.parametrize("expected", [-5, 0, 1, 3000, MORE, 10**15])
@pytest.mark.parametrize("wanted, come", [(0, 0), (5000, 0), (1, 9), (5000, 3000), (5000, 9000), (10**15, 200_000)])
def test_what_came_is_there_in_order_however_much_was_expected(wanted: int, come: int, expected: int) -> None:
    got = gather(wanted, expected, come).samples
    assert got.shape == (min(wanted, come), 1)
    assert np.array_equal(got[:, 0], np.arange(len(got)))


def test_what_was_expected_rightly_is_not_copied_again() -> None:
    gathering = gather(10_000, 3000, 3000)
    assert np.shares_memory(gathering.samples, gathering.pieces[0])
    assert repr(gathering) == "<Gathering epoch 0 · 7000 frames left>"
