"""Rows about sound: how soon there is some, and what decoding costs."""

from __future__ import annotations

import subprocess
import time
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import av
import numpy as np

from bench.crowd import inside
from bench.line import shaped
from bench.measure import OURS, Outcome, Row, Sample, at_most, contest
from bench.places import scratch, site
from bench.rivals import command, program
from kithara_file.audio import Audio
from tests.world.music import song

SECONDS = 60.0
BLOCK = 4096
SONGS = {
    "mp3": "mp3 cbr",
    "m4a": "m4a moov first",
    "m4a-moov-last": "m4a moov last",
    "flac": "flac",
    "vorbis": "ogg vorbis",
    "opus": "ogg opus",
    "alac": "alac",
    "wav": "wav",
}
SUFFIXES = {"m4a-moov-last": "m4a", "vorbis": "ogg", "opus": "ogg", "alac": "m4a"}


def file_name(codec: str) -> str:
    """Return a name whose end tells the kind."""
    return f"song.{SUFFIXES.get(codec, codec)}"


def first_sound(codec: str) -> Outcome:
    """Compare the first block of sound with that of ``ffmpeg -i URL``, from an origin at 256 KB/s and 80 ms."""
    with site() as (server, folder):
        (server.folder / file_name(codec)).write_bytes(song(SONGS[codec], SECONDS).data)
        numbers, processes = count(), []
        with shaped(server.url("/" + file_name(codec)), rtt=0.08, rate=256e3) as line:

            def ours() -> Sample:
                store = str(folder / f"store{next(numbers)}")
                found = inside("first_sound", line.fresh(), store, str(time.time()))
                processes.append(found["process"])
                return Sample(found["seconds"])

            def mpv() -> Sample:
                quiet = ("--no-config", "--really-quiet", "--ao=null", "--vo=null", "--untimed", "--end=0.05")
                return command("mpv", *quiet, line.fresh())()

            taken = contest({OURS: ours, "ffmpeg": lambda: _ffmpeg(line.fresh()), "mpv": mpv}, fewer={"mpv": 3})
    starts = f"ffmpeg's process is in its time; with ours (Python, imports) we take {sorted(processes)[3]:.2f} s"
    return Outcome((taken.share("ffmpeg"),), (starts,), taken.rivals)


def _ffmpeg(url: str) -> Sample:
    words = [program("ffmpeg"), "-v", "error", "-nostdin", "-i", url, "-f", "f32le", "-"]
    begun = time.perf_counter()
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        assert process.stdout is not None
        if len(process.stdout.read(BLOCK * 2 * 4)) < BLOCK * 2 * 4:
            raise AssertionError("ffmpeg gave no block")
        return Sample(time.perf_counter() - begun)
    finally:
        process.kill()
        process.communicate()


def decoding(codec: str) -> Outcome:
    """Compare the CPU of a whole decode to float32 of shape (frames, channels) with PyAV's, of a local file."""
    with scratch() as folder:
        path = folder / file_name(codec)
        path.write_bytes(song(SONGS[codec], SECONDS).data)
        contenders = {
            OURS: partial(_busy, _ours, path),
            "PyAV": partial(_busy, _pyav, path),
            "PyAV, samples as they come": partial(_busy, _pyav_bare, path),
        }
        for each in contenders.values():
            each()
        taken = contest(contenders, rounds=9)
    bare = taken.share("PyAV, samples as they come", "cpu").figure
    return Outcome((taken.share("PyAV", "cpu"),), (f"{bare} of PyAV when it leaves the samples as they come",))


def _busy(work: Any, path: Path) -> Sample:
    begun, before = time.perf_counter(), time.process_time()
    work(path)
    return Sample(time.perf_counter() - begun, time.process_time() - before)


def _ours(path: Path) -> None:
    with path.open("rb") as file, Audio(file) as audio:
        for _ in audio:
            pass


def _pyav(path: Path) -> None:
    with av.open(str(path)) as container:
        resampler = av.AudioResampler(format="flt")
        for frame in container.decode(audio=0):
            for ready in resampler.resample(frame):
                samples = ready.to_ndarray().reshape(-1, ready.layout.nb_channels)
                assert samples.dtype == np.float32


def _pyav_bare(path: Path) -> None:
    with av.open(str(path)) as container:
        for frame in container.decode(audio=0):
            frame.to_ndarray()


FIRST = ("mp3", "m4a", "m4a-moov-last", "flac", "vorbis")
DECODED = ("mp3", "m4a", "flac", "vorbis", "opus", "alac", "wav")

ROWS = (
    *(
        Row(
            f"first-sound-{each}",
            f"first PCM block, {SONGS[each]}, origin at 256 KB/s and 80 ms",
            "`ffmpeg -i URL -f f32le -`",
            (at_most(1.0, of="time"),),
            partial(first_sound, each),
        )
        for each in FIRST
    ),
    *(
        Row(
            f"decode-{each}",
            f"whole decode of a minute, {SONGS[each]}: CPU",
            "PyAV, local file",
            (at_most(1.15, of="CPU"),),
            partial(decoding, each),
            why="What is decoded goes through a ring to another thread: that and the trim to the frame are the rest.",
        )
        for each in DECODED
    ),
)
