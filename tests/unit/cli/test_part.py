"""Of a part comes what belongs to it, and on a terminal how far it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from kithara_file.cli.listen import Knobs, Part
from kithara_file.cli.options import Source
from kithara_file.cli.part import NothingThere, blocks, opened
from tests.unit.cli.kit import console, written
from tests.unit.cli.sounds import RATE, tone


@pytest.mark.parametrize(
    "part,frames",
    [
        (Part(), 3 * RATE),
        (Part(1.0), 2 * RATE),
        (Part(1.0, 0.5), RATE // 2),
        (Part(2.5, 9.0), RATE // 2),
        (Part(0.0, 0.0), 0),
        (Part(9.0, 0.0), 0),
    ],
)
def test_a_part_has_its_frames_and_no_more(tmp_path: Path, part: Part, frames: int) -> None:
    with opened(str(tone(tmp_path, seconds=3.0)), Source(), Knobs(), part) as sound:
        assert sum(map(len, blocks(sound, part, console(), quiet=False))) == frames


def test_a_part_behind_the_end_is_an_error(tmp_path: Path) -> None:
    part = Part(9.0, 1.0)
    with (
        pytest.raises(NothingThere, match=r"^tone.wav: There is no sound from 0:09 on: it ends at 0:03$"),
        opened(str(tone(tmp_path, seconds=3.0)), Source(), Knobs(), part) as sound,
    ):
        list(blocks(sound, part, console(), quiet=False))


def test_a_terminal_sees_a_bar(tmp_path: Path) -> None:
    on = console(terminal=True)
    with opened(str(tone(tmp_path, seconds=3.0)), Source(), Knobs(), Part()) as sound:
        list(blocks(sound, Part(), on, quiet=False))
    assert "tone.wav" in written(on)
    assert "0:03" in written(on)
