"""The page that `make bench` writes."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench import table


def test_the_versions_are_told_without_the_others_beside_whom_we_are_measured(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(table, "OUTSIDE", tmp_path / "python")
    told = table.versions()
    assert [each.split()[0] for each in told[2:3]] == ["av"]
    assert not [each for each in told if each.startswith(("aiohttp", "obstore"))]
