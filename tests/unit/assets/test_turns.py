"""One asks, the others wait, and nobody waits for the dead."""

from __future__ import annotations

from pathlib import Path

import pytest

from kithara_file.assets.turns import Turn

ONE, OTHER = "0" * 31 + "1", "f" * 32


@pytest.mark.parametrize("which", [ONE, OTHER])
def test_the_first_has_the_turn_until_it_ends_it(tmp_path: Path, which: str) -> None:
    first, second = Turn(tmp_path / "lease", which), Turn(tmp_path / "lease", which)
    assert first.take()
    assert first.take()
    assert not second.take()
    first.release()
    assert second.take()
    assert not first.take()
    second.release()
    first.release()


def test_other_resources_of_the_asset_have_turns_of_their_own(tmp_path: Path) -> None:
    first, second = Turn(tmp_path / "lease", ONE), Turn(tmp_path / "lease", OTHER)
    assert first.take()
    assert second.take()
    first.release()
    second.release()


def test_where_nothing_can_be_written_everybody_has_the_turn(tmp_path: Path) -> None:
    assert Turn(tmp_path / "missing" / "lease", ONE).take()


def test_releasing_what_is_not_ours_takes_nothing_from_the_holder(tmp_path: Path) -> None:
    first, second = Turn(tmp_path / "lease", ONE), Turn(tmp_path / "lease", ONE)
    assert first.take()
    assert not second.take()
    second.release()
    third = Turn(tmp_path / "lease", ONE)
    assert not third.take()
    first.release()
    third.release()
