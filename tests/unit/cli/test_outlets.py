"""The words of --sink name sinks."""

from __future__ import annotations

import io
import re
import shlex
from pathlib import Path

import av
import click
import pytest

from kithara_file.audio import DeviceSink, NullSink, RawSink, Sink, TapeSink, WavSink
from kithara_file.cli.listen import Knobs
from kithara_file.cli.outlets import outlet
from tests.unit.cli.kit import run
from tests.unit.cli.sounds import tone
from tests.world.crash import ROOT

KNOBS = Knobs(sample_rate=48_000)


@pytest.mark.parametrize("text,kind", [("device", DeviceSink), ("null", NullSink), ("wav:x.wav", WavSink)])
def test_each_word_is_a_sink(text: str, kind: type[Sink]) -> None:
    with outlet(text, 1.0, KNOBS) as (sink, knobs):
        assert isinstance(sink, kind)
        assert knobs == KNOBS


def test_raw_is_a_file_that_is_closed_afterwards(tmp_path: Path) -> None:
    with outlet(f"raw:{tmp_path / 'x'}", 1.0, KNOBS) as (sink, _):
        assert isinstance(sink, RawSink)
    assert (tmp_path / "x").exists()


def test_a_rate_turns_the_tape_faster_and_ends_at_the_sample_rate_that_was_asked_for() -> None:
    with outlet("wav:x.wav", 1.5, KNOBS) as (sink, knobs):
        assert isinstance(sink, TapeSink)
        assert knobs.sample_rate == 32_000
    with outlet("wav:x.wav", 1.5, Knobs()) as (_, knobs):
        assert knobs == Knobs()


def test_into_nothing_only_the_clock_goes_faster() -> None:
    with outlet("null", 20.0, KNOBS) as (sink, knobs):
        assert repr(sink) == "<NullSink × 20 · 0 frames>"
        assert knobs == KNOBS


@pytest.mark.parametrize("text", ["", "nil", "device:x", "null:", "wav", "wav:", "wav:-", "raw", "raw:"])
def test_what_names_no_sink_is_refused(text: str) -> None:
    with pytest.raises(click.UsageError, match="is no sink"), outlet(text, 1.0, KNOBS):
        pass


def test_sound_is_not_written_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    with pytest.raises(click.UsageError, match="is a terminal"), outlet("raw:-", 1.0, KNOBS):
        pass


@pytest.mark.parametrize("place", ["README", "help"])
def test_what_is_piped_as_it_is_told_is_taken_for_what_it_is(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, place: str
) -> None:
    told = (ROOT / "README.md").read_text() if place == "README" else run(capsys, "play", "--help").out
    found = re.search(r"kithara (play --sink raw:-[^|\n]*) https\S+ *\|\s*ffplay -f f32le ([^#\n]*) -(?:\s|$)", told)
    assert found is not None
    ours, (rate, hertz, channels, layout) = shlex.split(found[1]), shlex.split(found[2])
    ours[ours.index("raw:-")] = f"raw:{tmp_path / 'out'}"
    assert run(capsys, *ours, "--quiet", tone(tmp_path)).code == 0
    raw = io.BytesIO((tmp_path / "out").read_bytes())
    options = {rate.removeprefix("-"): hertz, channels.removeprefix("-"): layout}
    with av.open(raw, "r", format="f32le", options=options) as taken:
        heard = sum(each.samples for each in taken.decode(audio=0)) / taken.streams.audio[0].rate
    assert heard == pytest.approx(1.0)
