"""What is decoded is there whole, in the form that was asked for, or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest
import soundfile  # type: ignore[import-untyped]

from tests.unit.cli.kit import run
from tests.unit.cli.sounds import damaged, tone


@pytest.mark.parametrize(
    "name,arguments,subtype",
    [
        ("out.wav", (), "PCM_16"),
        ("out.wav", ("--bits", 24), "PCM_24"),
        ("out.wav", ("--bits", 32), "FLOAT"),
        ("out.flac", (), "PCM_16"),
        ("out.flac", ("--bits", 24), "PCM_24"),
    ],
)
def test_every_form_holds_the_same_sound(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, name: str, arguments: tuple[object, ...], subtype: str
) -> None:
    source, out = tone(tmp_path), tmp_path / name
    told = run(capsys, "decode", source, "-o", out, *arguments)
    assert (told.code, told.out, told.err) == (0, "", f"tone.wav: 1.0 s of sound, saved as {out}\n")
    assert soundfile.info(out).subtype == subtype
    assert (soundfile.read(out)[0] == soundfile.read(source)[0]).all()


def test_rate_channels_and_part_are_as_asked_for(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    out = tmp_path / "out.wav"
    part = ("--start", "0.25", "--duration", "0.5", "--sample-rate", 16_000, "--channels", 2, "--quality", "fast")
    assert run(capsys, "decode", "-q", tone(tmp_path), "-o", out, *part).err == ""
    info = soundfile.info(out)
    assert (info.samplerate, info.channels, info.frames) == (16_000, 2, 8000)


def test_a_failure_leaves_what_was_there(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    out = tmp_path / "out.wav"
    out.write_bytes(b"of old")
    (tmp_path / "words").write_bytes(b"words " * 1000)
    assert run(capsys, "decode", tmp_path / "words", "-o", out).code == 1
    assert out.read_bytes() == b"of old"
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize("command, name", [("decode", "out.wav"), ("decode", "out.flac"), ("waveform", "out.png")])
def test_a_part_behind_the_end_is_no_empty_output(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, command: str, name: str
) -> None:
    out = tmp_path / name
    told = run(capsys, command, tone(tmp_path), "-o", out, "--start", "1:40")
    assert told.code == 1
    assert told.err.endswith(": There is no sound from 1:40 on: it ends at 0:01\n")
    assert not out.exists()
    assert run(capsys, command, tone(tmp_path), "-o", out, "--start", "1:40", "--duration", 0).code == 0


def test_a_device_is_written_to(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "null.wav").symlink_to("/dev/null")
    assert run(capsys, "decode", tone(tmp_path), "-o", tmp_path / "null.wav").code == 0
    assert (tmp_path / "null.wav").is_symlink()


@pytest.mark.parametrize("quiet", [(), ("-q",)])
def test_damage_is_told_and_the_rest_decoded(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, quiet: tuple[str, ...]
) -> None:
    out = tmp_path / "out.wav"
    told = run(capsys, "decode", damaged(tmp_path), "-o", out, *quiet)
    assert told.code == 0
    assert told.err.startswith("kithara: damaged.flac: damage at 0:01 was skipped: invalid data found ")
    assert soundfile.info(out).duration == pytest.approx(3.0)
