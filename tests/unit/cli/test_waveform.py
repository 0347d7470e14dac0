"""The picture has the shape of the sound."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from PIL import Image

from kithara_file.audio import Column
from kithara_file.cli.waveform import PALETTE, picture
from tests.unit.cli.kit import run
from tests.unit.cli.sounds import tone

LOUD, QUIET, SILENT = Column(-0.9, 0.9, 0.6), Column(-0.1, 0.1, 0.05), Column(0.0, 0.0, 0.0)


def heights(data: bytes) -> list[int]:
    """Return how many pixels of each column are painted in the colours of sound."""
    with Image.open(io.BytesIO(data)) as image:
        drawn = image.convert("RGB")
    return [sum(drawn.getpixel((x, y)) in PALETTE[2:] for y in range(drawn.height)) for x in range(drawn.width)]


def test_loud_columns_are_tall_and_silent_ones_flat() -> None:
    tall, small, flat = heights(picture([LOUD, QUIET, SILENT], 201))
    assert tall == pytest.approx(181, abs=2)
    assert small == pytest.approx(21, abs=2)
    assert flat == 0


def test_the_line_in_the_middle_is_there_in_silence_and_a_wave_of_one_sign_stays_on_its_side() -> None:
    with Image.open(io.BytesIO(picture([SILENT, Column(0.2, 0.8, 0.0)], 101))) as image:
        drawn = image.convert("RGB")
    assert drawn.getpixel((0, 50)) == PALETTE[1]
    assert drawn.getpixel((1, 20)) == PALETTE[2]
    assert all(drawn.getpixel((1, y)) == PALETTE[0] for y in range(51, 101))


@pytest.mark.parametrize("height", [1, 2])
def test_a_picture_of_one_row_is_a_picture(height: int) -> None:
    assert heights(picture([LOUD, SILENT], height))[1] == 0


def test_a_file_is_drawn_at_the_size_that_was_asked_for(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    out = tmp_path / "out.png"
    told = run(capsys, "waveform", tone(tmp_path), "-o", out, "--width", 120, "--height", 40)
    assert (told.code, told.err) == (0, f"tone.wav: 120 columns, saved as {out}\n")
    assert min(heights(out.read_bytes())) > 10
    with Image.open(out) as image:
        assert image.size == (120, 40)


def test_numbers_are_written_as_json_and_of_a_part_only(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    arguments = ("-o", out, "--width", 10, "--start", "0.25", "--duration", "0.5", "-q")
    assert run(capsys, "waveform", tone(tmp_path), *arguments).err == ""
    told = json.loads(out.read_text())
    assert (told["width"], told["duration"], told["start"], told["sample_rate"]) == (10, 0.5, 0.25, 8000)
    assert told["max"] == pytest.approx([0.5] * 10, abs=0.01)
    assert told["min"] == pytest.approx([-0.5] * 10, abs=0.01)
    assert told["rms"] == pytest.approx([0.5 / 2**0.5] * 10, abs=0.01)


def test_what_is_no_sound_leaves_nothing(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "words.txt").write_bytes(b"words " * 1000)
    told = run(capsys, "waveform", tmp_path / "words.txt", "-o", tmp_path / "out.png")
    assert (told.code, told.err) == (1, "kithara: words.txt: This is not a media file that is known here\n")
    assert [each.name for each in tmp_path.iterdir()] == ["words.txt"]
