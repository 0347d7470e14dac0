"""What a file says of its sound is told as plain values."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kithara_file.audio import Cover, MediaInfo, Spec
from kithara_file.cli.media import as_plain
from tests.unit.cli.kit import local_file, run
from tests.unit.cli.sounds import tone


def test_a_cover_is_told_by_its_size() -> None:
    info = MediaInfo("mp3", "mp3", Spec(44_100, 2), 128_000, 3.14, {"title": "Song"}, Cover("image/png", b"12345"))
    assert as_plain(info) == {
        "codec": "mp3",
        "container": "mp3",
        "duration": 3.14,
        "bit_rate": 128_000,
        "sample_rate": 44_100,
        "channels": 2,
        "tags": {"title": "Song"},
        "cover": {"media_type": "image/png", "bytes": 5},
    }


def test_info_tells_of_sound(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tone(tmp_path)
    told = json.loads(run(capsys, "info", "--json", path).out)["media"]
    assert (told["codec"], told["duration"], told["sample_rate"]) == ("pcm_s16le", 1.0, 8000)
    assert "duration     0:01 (1.000 s)" in run(capsys, "info", path).out


def test_info_of_what_is_no_sound_says_nothing_of_it(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    told = run(capsys, "info", "--json", local_file(tmp_path))
    assert (told.code, told.err, json.loads(told.out)["media"]) == (0, "", None)
