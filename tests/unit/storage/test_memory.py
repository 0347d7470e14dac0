"""Unit tests of the resource in memory beyond the contract."""

from __future__ import annotations

from kithara_file.storage.memory import PAGE, MemoryResource
from tests.unit.storage.places import pattern, read


def test_bytes_are_right_across_pages() -> None:
    resource = MemoryResource()
    resource.write_at(PAGE - 5, pattern(PAGE - 5, 3 * PAGE + 5))
    assert read(resource, PAGE - 5, 4 * PAGE) == pattern(PAGE - 5, 3 * PAGE + 5)
    resource.close()


def test_far_bytes_cost_no_memory_in_between() -> None:
    resource = MemoryResource()
    resource.write_at(1 << 50, b"far")
    assert len(resource._pages) == 1
    resource.close()


def test_closing_lets_the_bytes_go() -> None:
    resource = MemoryResource()
    resource.write_at(0, b"abc")
    resource.close()
    assert resource._pages == {}
