"""Keys do to a player what people expect of them, and what fails is told and left out."""

from __future__ import annotations

from pathlib import Path

import pytest

from kithara_file.audio import NullSink, Player
from kithara_file.cli.concert import Concert, Desk
from kithara_file.cli.listen import Knobs
from kithara_file.cli.options import Source
from kithara_file.cli.sound import open_sound
from tests.unit.cli.kit import console, written
from tests.unit.cli.sounds import damaged, tone

FAST = 50.0


@pytest.fixture
def player(tmp_path: Path) -> Player:
    """Give a player of three tracks, which waits for its play button."""
    urls = [str(tone(tmp_path, f"{number}.wav", seconds=100.0)) for number in range(3)]
    openers = [lambda spec, url=url: open_sound(url, Source(), Knobs(), spec).audio for url in urls]
    player = Player(openers[0], NullSink())
    for opener in openers[1:]:
        player.enqueue(opener)
    return player


def test_arrows_go_to_and_fro_and_neither_before_the_start_nor_behind_the_end(player: Player) -> None:
    with player:
        desk = Desk(player, 100)
        at = []
        for key in ("right", "up", "left", "down", "left", "page up", "right", "left", "home"):
            desk.press(key)
            at.append(player.position)
        assert at == [5.0, 35.0, 30.0, 0.0, 0.0, 100.0, 100.0, 95.0, 0.0]


def test_space_pauses_and_goes_on(player: Player) -> None:
    with player:
        player.play()
        desk = Desk(player, 100)
        desk.press(" ")
        assert not player.playing
        desk.press(" ")
        assert player.playing


def test_volume_goes_in_steps_up_to_its_ends_and_is_muted(player: Player) -> None:
    with player:
        desk = Desk(player, 125)
        for _ in range(3):
            desk.press("+")
        assert desk.notes == ("130 %",)
        assert player.volume == pytest.approx(1.3**3)
        desk.press("m")
        assert (desk.notes, player.volume) == (("muted",), 0.0)
        desk.press("9")
        assert desk.notes == ("125 %",)
        for _ in range(30):
            desk.press("-")
        assert (desk.notes, player.volume) == (("0 %",), 0.0)


def test_letters_go_from_track_to_track(player: Player) -> None:
    with player:
        desk = Desk(player, 100)
        numbers = []
        for key in ("n", ">", "p", "<", "p", "enter", "x", None):
            desk.press(key)
            numbers.append(player.index)
        assert numbers == [1, 2, 1, 0, 0, 1, 1, 1]


def test_each_track_is_a_line_and_what_fails_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "words").write_bytes(b"words " * 1000)
    urls = [str(tmp_path / "absent"), str(tone(tmp_path, "a.wav")), str(tmp_path / "words"), str(tone(tmp_path))]
    on, sink = console(200), NullSink(FAST)
    code = Concert(urls, Source(), Knobs(), on).play(sink, 0.5, volume=100, quiet=False)
    assert code == 1
    assert sink.frames == 12_000
    assert sorted(written(on).splitlines()) == [
        "a.wav: 0:01, pcm_s16le, 128 kbit/s, 8 kHz, mono",
        f"kithara: Cannot open {tmp_path / 'absent'}: No such file or directory",
        "kithara: words: This is not a media file that is known here",
        "tone.wav: 0:01, pcm_s16le, 128 kbit/s, 8 kHz, mono",
    ]


@pytest.mark.parametrize("start", [1.0, 9.0])
def test_a_start_behind_the_end_is_a_failure_of_that_track_and_the_next_is_heard_whole(
    tmp_path: Path, start: float
) -> None:
    urls = [str(tone(tmp_path, "a.wav")), str(tone(tmp_path, "b.wav"))]
    on, sink = console(200), NullSink(FAST)
    assert Concert(urls, Source(), Knobs(), on).play(sink, start, volume=100, quiet=True) == 1
    assert sink.frames == 8000
    assert written(on).splitlines() == [f"kithara: a.wav: There is no sound from 0:0{start:.0f} on: it ends at 0:01"]
    on = console(200)
    assert Concert(urls[:1], Source(), Knobs(), on).play(NullSink(FAST), start, volume=100, quiet=False) == 1
    assert written(on).splitlines() == [f"kithara: a.wav: There is no sound from 0:0{start:.0f} on: it ends at 0:01"]
    assert Concert(urls, Source(), Knobs(), on).play(NullSink(FAST), 0.9, volume=100, quiet=True) == 0


def test_quiet_tells_failures_only(tmp_path: Path) -> None:
    on = console(200)
    urls = [str(tone(tmp_path)), str(tmp_path / "absent")]
    assert Concert(urls, Source(), Knobs(), on).play(NullSink(FAST), 0.0, volume=100, quiet=True) == 1
    assert written(on).splitlines() == [f"kithara: Cannot open {tmp_path / 'absent'}: No such file or directory"]


def test_when_nothing_can_be_opened_the_sink_is_left_alone(tmp_path: Path) -> None:
    sink = NullSink()
    assert Concert([str(tmp_path / "absent")], Source(), Knobs(), console()).play(sink, 0, volume=100, quiet=False) == 1
    assert sink.frames == 0


def test_damage_is_told(tmp_path: Path) -> None:
    on = console(200)
    assert (
        Concert([str(damaged(tmp_path))], Source(), Knobs(), on).play(NullSink(FAST), 0.0, volume=100, quiet=False) == 0
    )
    assert "damaged.flac: damage at 0:01 was skipped: " in written(on)
