"""Bytes of strangers at every door: nothing but the typed errors comes of them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.world.fuzz import TARGETS, Draw

pytestmark = pytest.mark.system


class Drawn:
    """Hypothesis chooses."""

    def __init__(self, data: st.DataObject) -> None:
        self._draw = data.draw

    def number(self, low: int, high: int) -> int:
        return self._draw(st.integers(low, high))

    def data(self, longest: int) -> bytes:
        return self._draw(st.binary(max_size=longest))

    def text(self, longest: int) -> str:
        return self._draw(st.text(max_size=longest))


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.__name__)
@settings(max_examples=400)
@given(data=st.data())
def test_a_door_takes_anything_and_gives_sense_or_a_typed_error(
    target: Callable[[Draw], None], data: st.DataObject
) -> None:
    target(Drawn(data))
