"""Fixtures of the system tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.world import Origin


@pytest.fixture(scope="module")
def shared_origin() -> Iterator[Origin]:
    """Start one origin for all examples of a property."""
    with Origin() as origin:
        yield origin
