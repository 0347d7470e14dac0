"""Words that mean nothing are refused before anything is opened, and so is a machine without the packages for sound."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from kithara_file.cli.listen import ExtraMissing, audio_extra
from tests.unit.cli.kit import MALFORMED, run
from tests.unit.cli.sounds import tone


@pytest.mark.parametrize(
    "arguments",
    [
        ["play"],
        ["play", "--sink", "nil", "a"],
        ["play", "--sink", "wav:", "a"],
        ["play", "--sink", "wav:-", "a"],
        ["play", "--sink", "raw", "a"],
        ["play", "--sink", "null:x", "a"],
        ["play", "--rate", "0", "a"],
        ["play", "--rate", "nan", "a"],
        ["play", "--rate", "inf", "a"],
        ["play", "--start", "nan", "a"],
        ["decode", "-o", "out.wav", "--duration", "-1", "a"],
        ["play", "--start", "1:75", "a"],
        ["play", "--volume", "131", "a"],
        ["decode", "a"],
        ["decode", "-o", "out.mp4", "a"],
        ["decode", "-o", "absent/out.wav", "a"],
        ["decode", "-o", "out.flac", "--bits", "32", "a"],
        ["decode", "-o", "out.wav", "--quality", "best", "a"],
        ["waveform", "-o", "out.jpg", "a"],
        ["waveform", "-o", "out.png", "--width", "0", "a"],
    ],
)
def test_wrong_usage_is_exit_code_2(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    told = run(capsys, *arguments)
    assert told.code == 2
    assert "Usage:" in told.err
    assert told.out == ""


@pytest.mark.parametrize("command", [["play"], ["decode", "-o", "x.wav"], ["waveform", "-o", "x.png"]])
@pytest.mark.parametrize("url", ["ftp://host/a", "/absent/file", *MALFORMED])
def test_what_cannot_be_opened_is_one_sentence(
    capsys: pytest.CaptureFixture[str], command: list[str], url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    told = run(capsys, *command, "--offline", url)
    assert (told.code, told.out, told.err.count("\n")) == (1, "", 1)
    assert told.err.startswith("kithara: ")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", [["play"], ["decode", "-o", "x.wav"], ["waveform", "-o", "x.png"]])
def test_without_the_extra_a_command_says_what_to_install(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, command: list[str]
) -> None:
    for name in [each for each in sys.modules if each.startswith("kithara_file.cli.")]:
        if getattr(sys.modules[name], "Audio", None) or name.rpartition(".")[2] in ("concert", "decode", "waveform"):
            monkeypatch.delitem(sys.modules, name)
    for name in [each for each in sys.modules if each.startswith("kithara_file.audio")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "av", None)
    told = run(capsys, *command, "x")
    assert told.code == 1
    assert told.err == 'kithara: this needs packages for sound: pip install "kithara-file[audio]"\n'


def test_another_module_that_is_missing_is_a_bug_and_shown() -> None:
    with pytest.raises(ModuleNotFoundError), audio_extra():
        raise ModuleNotFoundError(name="something")
    with pytest.raises(ExtraMissing), audio_extra():
        raise ModuleNotFoundError(name="av.audio")


def test_help_names_sinks_and_keys(capsys: pytest.CaptureFixture[str]) -> None:
    told = run(capsys, "play", "--help").out
    for part in ("raw:-", "32-bit floats", "wav:FILE", "space", "page down", "quit", "--start"):
        assert part in told


def test_a_track_is_played_to_its_end(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    told = run(capsys, "play", "--sink", "null", "--rate", 50, tone(tmp_path))
    assert (told.code, told.out) == (0, "")
    assert told.err == "tone.wav: 0:01, pcm_s16le, 128 kbit/s, 8 kHz, mono\n"
