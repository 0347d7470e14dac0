"""A snapshot is a value."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, asdict

import pytest

from kithara_file.events import Phase
from kithara_file.session.statistics import Statistics


def test_a_snapshot_stays_as_it_was_taken() -> None:
    taken = Statistics(phase=Phase.SEQUENTIAL, length=None, present_bytes=7)
    with pytest.raises(FrozenInstanceError):
        taken.present_bytes = 8  # type: ignore[misc]
    assert taken == Statistics(phase=Phase.SEQUENTIAL, length=None, present_bytes=7)


def test_what_is_not_told_has_not_happened() -> None:
    facts = asdict(Statistics(phase=Phase.COMPLETE, length=7, present_bytes=7))
    assert {name for name, value in facts.items() if value} == {"phase", "length", "present_bytes"}
