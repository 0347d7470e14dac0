"""Fixtures of the tests of storage."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.storage.places import Place


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)
