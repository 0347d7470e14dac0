"""A track tells what a listener wants to know, and lets go of its file."""

from __future__ import annotations

from pathlib import Path

import pytest

from kithara_file.audio import DecodeError, Spec, Stalled
from kithara_file.cli.listen import Knobs
from kithara_file.cli.options import Source
from kithara_file.cli.sound import Damage, open_sound, sentence
from kithara_file.errors import NotFound, UnsupportedMedia
from tests.unit.cli.sounds import tone
from tests.world.music import RECIPES, encode, sine

HERE = Source()


def test_a_track_without_tags_has_the_name_of_its_file(tmp_path: Path) -> None:
    sound = open_sound(str(tone(tmp_path)), HERE, Knobs())
    with sound.audio:
        assert sound.title == "tone.wav"
        assert sound.told == "tone.wav: 0:01, pcm_s16le, 128 kbit/s, 8 kHz, mono"
        assert sound.present.total == sound.session.length


def test_a_track_with_tags_has_its_title(tmp_path: Path) -> None:
    path = tmp_path / "a.mp3"
    path.write_bytes(encode(sine(9000), RECIPES["mp3 cbr"], {"title": "Song", "artist": "Nobody"}))
    with open_sound(str(path), HERE, Knobs()).audio as audio:
        assert audio.spec == Spec(44_100, 2)
    sound = open_sound(str(path), HERE, Knobs(sample_rate=8000))
    with sound.audio:
        assert sound.title == "Nobody - Song"
        assert sound.audio.spec == Spec(8000, 2)


def test_what_a_player_wants_goes_before_the_knobs(tmp_path: Path) -> None:
    with open_sound(str(tone(tmp_path)), HERE, Knobs(sample_rate=8000), Spec(16_000, 2)).audio as audio:
        assert audio.spec == Spec(16_000, 2)


def test_failures_of_the_decoder_tell_the_name_and_others_know_it(tmp_path: Path) -> None:
    (tmp_path / "words").write_bytes(b"words " * 100)
    with pytest.raises(UnsupportedMedia, match=r"words: This is not a media file"):
        open_sound(str(tmp_path / "words"), HERE, Knobs())
    assert sentence("song", NotFound(404, url="http://host/song")).startswith("http://host/song answered")


def test_damage_is_told_once_and_counted_in_the_end() -> None:
    damage = Damage("song")
    assert damage.note(Stalled(1.0)) is None
    assert damage.rest() is None
    assert (
        damage.note(DecodeError(26.9, "The end is missing")) == "song: damage at 0:26 was skipped: the end is missing"
    )
    assert damage.rest() is None
    assert damage.note(DecodeError(27.0, "bad")) is None
    assert damage.rest() == "song: damage in 2 places was skipped"
