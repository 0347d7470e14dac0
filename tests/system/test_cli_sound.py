"""`kithara decode`, `waveform` and `info` over HTTP: only what is needed is fetched, and no half files are left."""

from __future__ import annotations

import io
import json
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile  # type: ignore[import-untyped]
from mutagen import id3
from PIL import Image

from tests.system.command import Running, Terminal, kithara
from tests.system.kit import asked_bytes, only, ranges
from tests.world import Origin, StallAt, plain, when
from tests.world.body import BytesBody
from tests.world.music import RECIPES, encode, music, song

pytestmark = pytest.mark.system


def test_a_url_is_decoded_to_flac_as_it_is(origin: Origin, store_dir: Path, tmp_path: Path) -> None:
    one = song("wav")
    url = origin.serve("/song.wav", one.data, media_type="audio/wav")
    ran = kithara(store_dir, "decode", "-q", url, "-o", tmp_path / "out.flac")
    assert (ran.code, ran.out, ran.err) == (0, b"", "")
    got, rate = soundfile.read(tmp_path / "out.flac", dtype="float32")
    assert rate == one.sample_rate
    assert np.abs(got - one.sound).max() < 1e-4


def test_wav_goes_into_a_pipe(origin: Origin, store_dir: Path) -> None:
    one = song("wav")
    ran = kithara(store_dir, "decode", origin.serve("/song.wav", one.data), "-o", "-")
    assert (ran.code, ran.err) == (0, "")
    got = np.frombuffer(ran.out[44:], "<i2").reshape(-1, 2) / np.float32(32768)
    assert np.abs(got - one.sound).max() < 1e-4


def test_of_a_part_only_what_it_needs_is_fetched(origin: Origin, store_dir: Path, tmp_path: Path) -> None:
    body = BytesBody(encode(music(60.0), RECIPES["wav"]))
    url = origin.serve("/long.wav", body, always=[only((0, 600_000), (8_500_000, 9_800_000))])
    ran = kithara(store_dir, "decode", url, "-o", tmp_path / "out.wav", "--start", "0:50", "--duration", "1")
    assert ran.code == 0
    assert soundfile.info(tmp_path / "out.wav").frames == 44_100
    assert all(asked_bytes(each, body).start >= 8_500_000 for each in origin.requests("/long.wav") if each.range)


@pytest.mark.parametrize("command", ["decode", "waveform"])
def test_ctrl_c_leaves_no_half_file(origin: Origin, store_dir: Path, tmp_path: Path, command: str) -> None:
    url = origin.serve("/song.wav", song("wav", 12.05).data, always=[when(plain, StallAt(700_000))])
    out = tmp_path / "out" / ("a.flac" if command == "decode" else "a.png")
    out.parent.mkdir()
    with Running(store_dir, command, url, "-o", out) as running:
        origin.wait_stalled("/song.wav")
        running.send(signal.SIGINT)
        ran = running.end()
    assert ran.code == 130
    assert "Traceback" not in ran.err
    assert list(out.parent.iterdir()) == []


def test_a_terminal_sees_how_far_it_is(origin: Origin, store_dir: Path, tmp_path: Path) -> None:
    url = origin.serve("/song.wav", song("wav", 12.05).data, always=[when(plain, StallAt(700_000))])
    with Terminal(store_dir, "decode", url, "-o", tmp_path / "out.wav") as terminal:
        terminal.wait_for(r"song\.wav +[━╸╺ ]+ +0:0[34]")
        origin.always("/song.wav")
        origin.release("/song.wav")
        assert terminal.end() == 0
        assert f"song.wav: 12.1 s of sound, saved as {tmp_path / 'out.wav'}" in terminal.said.replace("\r\n", "")


def test_the_shape_of_a_url_is_drawn_loud_where_it_is_loud(origin: Origin, store_dir: Path, tmp_path: Path) -> None:
    sound = np.concatenate([music(1.0), np.zeros((44_100, 2), np.float32), 0.1 * music(1.0)])
    url = origin.serve("/song.flac", encode(sound, RECIPES["flac"]))
    out = tmp_path / "out.png"
    assert kithara(store_dir, "waveform", url, "-o", out, "--width", "300", "--height", "201").code == 0
    with Image.open(out) as image:
        pixels = np.asarray(image.convert("L"), dtype=int)
    painted = (pixels < 190).sum(axis=0)
    assert painted[5:95].min() > 40, "loud"
    assert painted[105:195].max() == 0, "silent: nothing but the line in the middle"
    assert 3 < np.median(painted[205:295]) < 15, "soft"


def test_numbers_come_out_of_a_pipe(origin: Origin, store_dir: Path) -> None:
    ran = kithara(store_dir, "waveform", "--width", "8", origin.serve("/a", song("flac").data), "-o", "-")
    told = json.loads(ran.out)
    assert (ran.code, len(told["min"]), len(told["rms"])) == (0, 8, 8)
    assert told["max"] == pytest.approx([0.95] * 8, abs=0.5)


def _tagged() -> bytes:
    """Return an MP3 of a minute with tags and a cover."""
    out = io.BytesIO(song("mp3 cbr", 60.0).data)
    kinds: Any = id3  # it has no types
    tags = kinds.ID3()
    tags.add(kinds.TIT2(encoding=3, text="Song"))
    tags.add(kinds.APIC(encoding=3, mime="image/png", type=3, desc="", data=_picture()))
    tags.save(out)
    return out.getvalue()


def _picture() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (64, 64), (200, 30, 30)).save(out, "png")
    return out.getvalue()


@pytest.mark.parametrize("name", ["mp3", "m4a moov last", "flac"])
def test_info_of_a_url_tells_of_its_sound_and_fetches_little(origin: Origin, store_dir: Path, name: str) -> None:
    body = BytesBody(_tagged() if name == "mp3" else song(name, 60.0).data)
    beginning_and_end = only((0, 300_000), (body.length - 100_000, body.length))
    ran = kithara(store_dir, "info", "--json", origin.serve("/song", body, always=[beginning_and_end]))
    assert (ran.code, ran.err) == (0, "")
    told = json.loads(ran.out)
    media = told["media"]
    assert media["duration"] == pytest.approx(60.0, abs=0.1)
    assert (media["sample_rate"], media["channels"]) == (44_100, 2)
    assert told["cached"]["bytes"] == 0, "what came along is not told as cached before"
    if name == "mp3":
        assert (media["codec"], media["bit_rate"], media["tags"]["title"]) == ("mp3", 128_000, "Song")
        assert media["cover"] == {"media_type": "image/png", "bytes": len(_picture())}


def test_info_does_not_look_for_sound_in_a_page(origin: Origin, store_dir: Path) -> None:
    words, kind = b"<p>words</p>" * 400_000, "text/html; charset=utf-8"
    url = origin.serve("/page", words, media_type=kind, always=[only((0, 300_000))])
    assert json.loads(kithara(store_dir, "info", "--json", url).out)["media"] is None
    assert ranges(origin.requests("/page")) == [None]


def test_info_of_sound_that_cannot_be_read_now_is_told_without_it(origin: Origin, store_dir: Path) -> None:
    url = origin.serve("/song", song("flac", 12.0).data)
    assert kithara(store_dir, "cat", "--range", "100000-100099", url).code == 0
    ran = kithara(store_dir, "info", "--offline", "--json", url)
    assert (ran.code, ran.err) == (0, "")
