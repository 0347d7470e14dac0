"""`kithara play`: tracks over HTTP into pipes, files and nothing, with keys on a terminal."""

from __future__ import annotations

import re
import shlex
import signal
import subprocess
import threading
import wave
from pathlib import Path

import numpy as np
import pytest

from tests.offline import run_without_sockets
from tests.system.command import KITHARA, Running, Terminal, environment, kithara
from tests.system.kit import SOON
from tests.world import CloseAt, Link, Origin, StallAt, Status, plain, when
from tests.world.fixtures import MakeOrigin
from tests.world.music import RECIPES, Sound, encode, sine, song
from tests.world.sound import write_wav

pytestmark = pytest.mark.system

TONE = sine(60_000)
SLOW = Link(rate=400_000, rtt=0.02, send_buffer=64 * 1024)


def heard(path: Path) -> Sound:
    """Return what is in a WAV file of 16 bits."""
    with wave.open(str(path)) as reader:
        whole = np.frombuffer(reader.readframes(10**8), "<i2").reshape(-1, reader.getnchannels())
    return whole.astype(np.float32) / np.float32(32768)


def serve(origin: Origin, path: str, sound: Sound, name: str = "flac") -> str:
    """Serve a sound, encoded by a recipe."""
    return origin.serve(path, encode(sound, RECIPES[name]), media_type="audio/flac")


def test_a_playlist_is_one_sound_without_a_seam(origin: Origin, store_dir: Path, tmp_path: Path) -> None:
    urls = [serve(origin, f"/{n}.flac", part) for n, part in enumerate(np.array_split(TONE, 3))]
    ran = kithara(store_dir, "play", "--sink", f"wav:{tmp_path / 'out.wav'}", *urls)
    assert (ran.code, ran.out) == (0, b"")
    assert [line.partition(":")[0] for line in ran.err.splitlines()] == ["0.flac", "1.flac", "2.flac"]
    assert "0:00, flac, " in ran.err
    assert "44.1 kHz, stereo" in ran.err
    assert np.abs(heard(tmp_path / "out.wav") - TONE).max() < 1e-4


def test_raw_sound_goes_into_a_pipe_as_it_is(origin: Origin, store_dir: Path) -> None:
    ran = kithara(store_dir, "play", "-q", "--start", "0:00.5", "--sink", "raw:-", serve(origin, "/a", TONE))
    assert (ran.code, ran.err) == (0, "")
    got = np.frombuffer(ran.out, "<f4").reshape(-1, 2)
    assert np.abs(got - TONE[22_050:]).max() < 1e-4


def test_a_start_behind_the_end_is_told_and_the_next_track_is_played(origin: Origin, store_dir: Path) -> None:
    urls = [serve(origin, f"/{n}.mp3", TONE, "mp3 vbr without a table") for n in range(2)]
    ran = kithara(store_dir, "play", "-q", "--start", "30", "--sink", "raw:-", *urls)
    assert (ran.code, ran.err) == (1, "kithara: 0.mp3: There is no sound from 0:30 on: it ends at 0:01\n")
    assert len(ran.out) > TONE.nbytes
    ran = kithara(store_dir, "play", "-q", "--start", "30", "--sink", "raw:-", urls[0])
    assert (ran.code, ran.out, ran.err.count("\n")) == (1, b"", 1)


def test_a_pipe_that_is_closed_ends_it_quietly(make_origin: MakeOrigin, store_dir: Path) -> None:
    origin = make_origin(link=SLOW)
    url = serve(origin, "/a.wav", sine(400_000), "wav")
    command = f"{shlex.join([*KITHARA, 'play', '-q', '--sink', 'raw:-', url])} | head -c 1000"
    ran = subprocess.run(
        ["bash", "-c", f"{command}; exit ${{PIPESTATUS[0]}}"],
        capture_output=True,
        env=environment(store_dir),
        timeout=SOON,
        check=False,
    )
    assert (ran.returncode, len(ran.stdout), ran.stderr) == (141, 1000, b"")


def test_what_fails_is_one_sentence_each_and_the_rest_is_played(
    origin: Origin, store_dir: Path, tmp_path: Path
) -> None:
    bad = origin.serve("/absent.flac", b"", always=[Status(404)])
    words = origin.serve("/words.txt", b"words " * 1000, media_type="text/plain")
    good = [serve(origin, f"/{n}.flac", part) for n, part in enumerate(np.array_split(TONE, 2))]
    ran = kithara(store_dir, "play", "-q", "--sink", f"wav:{tmp_path / 'out.wav'}", bad, good[0], words, good[1])
    assert ran.code == 1
    assert ran.err.splitlines() == [
        f"kithara: {bad} answered with status 404 (not found)",
        "kithara: words.txt: This is not a media file that is known here",
    ]
    assert np.abs(heard(tmp_path / "out.wav") - TONE).max() < 1e-4


def test_a_track_that_breaks_in_the_middle_is_heard_so_far_and_then_the_next(
    origin: Origin, store_dir: Path, tmp_path: Path
) -> None:
    data = encode(TONE, RECIPES["wav"])
    broken = origin.serve("/cut.wav", data, faults=[CloseAt(120_000), *[Status(403)] * 20])
    follows = serve(origin, "/next.flac", TONE[:1000])
    ran = kithara(store_dir, "play", "--sink", f"wav:{tmp_path / 'out.wav'}", broken, follows)
    assert ran.code == 1
    assert ran.err.count("kithara: ") == 1
    assert "answered with status 403" in ran.err
    got = heard(tmp_path / "out.wav")
    assert np.abs(got[-1000:] - TONE[:1000]).max() < 1e-4
    assert np.abs(got[:-1000] - TONE[: len(got) - 1000]).max() < 1e-4
    assert len(got) > 25_000


def test_offline_plays_what_is_here_without_a_socket_and_misses_in_one_sentence(
    origin: Origin, store_dir: Path
) -> None:
    url = serve(origin, "/a.flac", TONE)
    assert kithara(store_dir, "get", "-q", url).code == 0
    arguments = ("play", "-q", "--offline", "--cache-dir", str(store_dir), "--sink", "null", "--rate", "50")
    assert run_without_sockets("-m", "kithara_file.cli", *arguments, url).returncode == 0
    ran = kithara(store_dir, *arguments, origin.url("/other.flac"))
    assert ran.code == 1
    assert ran.err.startswith("kithara: Offline, and bytes")
    assert ran.err.count("\n") == 1


def test_an_origin_that_stalls_is_waited_for_and_it_is_told(origin: Origin, store_dir: Path) -> None:
    one = song("wav", 12.05)
    url = origin.serve("/song.wav", one.data, always=[when(plain, StallAt(700_000))])
    with Terminal(store_dir, "play", "--sink", "null", "--rate", "20", url) as terminal:
        terminal.wait_for("waiting")
        threading.Event().wait(1.2)  # only a long stall is told of
        origin.always("/song.wav")
        origin.release("/song.wav")
        assert terminal.end() == 0
        assert re.search(r"song\.wav: waited \d", terminal.said)


def test_ctrl_c_ends_it_at_once(origin: Origin, store_dir: Path) -> None:
    url = origin.serve("/song.wav", song("wav", 12.05).data, always=[when(plain, StallAt(700_000))])
    with Running(store_dir, "play", "--sink", "null", url) as running:
        origin.wait_stalled("/song.wav")
        running.send(signal.SIGINT)
        ran = running.end()
    assert ran.code == 130
    assert "Traceback" not in ran.err


def test_without_a_device_there_is_one_sentence(store_dir: Path, tmp_path: Path) -> None:
    if any(Path("/dev/snd").glob("pcm*p")):
        pytest.skip("this machine has a device, on which nothing shall be heard")
    (tmp_path / "a.flac").write_bytes(encode(TONE, RECIPES["flac"]))
    ran = kithara(store_dir, "play", "-q", tmp_path / "a.flac")
    assert ran.code == 1
    assert ran.err == "kithara: There is no device to play on: failed to init device\n"


# -- on a terminal -----------------------------------------------------------------------------------------------------


@pytest.fixture
def long_song(tmp_path: Path) -> Path:
    """Write a track of 100 seconds."""
    return write_wav(tmp_path / "long.wav", seconds=100, sample_rate=8000, channels=1)


def test_keys_seek_pause_change_the_volume_and_quit(store_dir: Path, long_song: Path) -> None:
    with Terminal(store_dir, "play", "--sink", "null", "--rate", "0.1", long_song) as terminal:  # it stays within 0:04
        terminal.wait_for(r"playing +0:0\d .*┃.* 1:40 +long\.wav")
        terminal.type(" ")
        terminal.wait_for(r"paused +0:0\d")
        terminal.type("\x1b[C\x1b[A\x1b[A")
        terminal.wait_for(r"paused +1:0[5-9]")
        terminal.type("\x1b[D")
        terminal.wait_for(r"paused +1:0[0-4]")
        terminal.type("--")
        terminal.wait_for(r"90 %")
        terminal.type("m")
        terminal.wait_for(r"muted")
        terminal.type("\x1bOH ")
        terminal.wait_for(r"playing +0:0\d .*muted")
        terminal.type("q")
        assert terminal.end() == 0
        assert "Traceback" not in terminal.said


def test_keys_go_from_track_to_track(store_dir: Path, long_song: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.wav"
    other.write_bytes(long_song.read_bytes())
    with Terminal(store_dir, "play", "--sink", "null", long_song, other) as terminal:
        terminal.wait_for(r"playing .*\[1/2\]  long\.wav")
        terminal.type("n")
        terminal.wait_for(r"playing .*\[2/2\]  other\.wav")
        seen = len(terminal.said)
        terminal.type("p")
        terminal.wait_for(rf"(?s).{{{seen}}}.*playing [^\r]*\[1/2\]  long\.wav")
        terminal.type("nn")
        assert terminal.end() == 0


def test_the_line_shows_what_is_buffered_and_that_nothing_comes(origin: Origin, store_dir: Path) -> None:
    url = origin.serve("/song.wav", song("wav", 12.05).data, always=[when(plain, StallAt(700_000))])
    with Terminal(store_dir, "play", "--sink", "null", "--rate", "10", url) as terminal:
        terminal.wait_for(r"waiting +0:0[34] █+┃█*[▒▓]?░+")
        origin.always("/song.wav")
        origin.release("/song.wav")
        terminal.wait_for("playing")
        assert terminal.end() == 0


def test_the_terminal_is_left_as_it_was(store_dir: Path, long_song: Path) -> None:
    with Terminal(store_dir, "play", "--sink", "null", long_song) as terminal:
        terminal.wait_for("playing")
        assert terminal.modes != terminal.first_modes
        terminal.type("\x03")
        assert terminal.end() == 130
        assert terminal.modes == terminal.first_modes
