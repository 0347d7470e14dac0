"""A melody that is made, encoded as MP3, played over HTTP at many times its speed, and recognised.

Nobody hears it but an ear of this file's own, which stands between the player and a sink without a device: it finds the
note of each half second by its pitch.
"""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from rich.console import Console
from rich.table import Table

from kithara_file import File as Files
from kithara_file import FileConfig, Stream
from kithara_file.audio import Audio, Feed, MediaInfo, NullSink, Player, Resumed, Spec
from kithara_file.audio.media import Samples
from kithara_file.cli import words

NAMES = "C C♯ D D♯ E F F♯ G G♯ A A♯ B".split()  # noqa: SIM905  as on a keyboard
TUNE = "E4 E4 F4 G4 G4 F4 E4 D4 C4 C4 D4 E4 E4 D4 D4 D4 E4 E4 F4 G4 G4 F4 E4 D4 C4 C4 D4 E4 D4 C4 C4 C4".split()  # noqa: SIM905
TIMES = 4
NOTE_SECONDS = 0.5
SPEED = 20.0
SAMPLE_RATE = 44_100


def pitch(note: str) -> float:
    """Return the frequency of a note such as A4, in Hz."""
    return float(440.0 * 2 ** ((NAMES.index(note[:-1]) - 9) / 12 + int(note[-1]) - 4))


def name(frequency: float) -> str:
    """Return the note that is nearest to a frequency."""
    number = round(12 * np.log2(frequency / 440.0)) + 9
    return f"{NAMES[number % 12]}{4 + number // 12}"


def encoded() -> bytes:
    """Return the melody as MP3, with a title."""
    out, at = io.BytesIO(), 0
    with av.open(out, "w", format="mp3") as container:
        container.metadata.update({"title": "Ode to Joy", "artist": "kithara"})
        stream = container.add_stream("libmp3lame", rate=SAMPLE_RATE, layout="stereo", options={"b": "128000"})
        for note in TUNE * TIMES:
            sound = np.repeat(_sound(note), 2, axis=0)
            frame = av.AudioFrame.from_ndarray(sound, format="fltp", layout="stereo")
            frame.sample_rate, frame.pts, frame.time_base = SAMPLE_RATE, at, Fraction(1, SAMPLE_RATE)
            at += frame.samples
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return out.getvalue()


def _sound(note: str) -> Samples:
    moment = np.arange(round(NOTE_SECONDS * SAMPLE_RATE)) / SAMPLE_RATE
    tone = sum(np.sin(2 * np.pi * pitch(note) * part * moment) / part**2 for part in (1, 2, 3))
    shape = np.minimum(1.0, np.minimum(moment, NOTE_SECONDS - moment) / 0.02) * np.exp(-2 * moment)
    return (0.5 * tone * shape)[None, :].astype(np.float32)


class Ear:
    """Hears what passes from a player to a sink."""

    def __init__(self, spec: Spec, feed: Feed) -> None:
        self._spec = spec
        self._feed = feed
        self._kept: list[Samples] = []

    def fill(self, out: Samples) -> int:
        """Pass it on."""
        count = self._feed.fill(out)
        self._kept.append(out[:count, 0].copy())
        return count

    def read(self, frames: int) -> Samples:
        """Pass it on."""
        samples = self._feed.read(frames)
        self._kept.append(samples[:, 0].copy())
        return samples

    def broke(self, error: Exception) -> None:
        """Pass it on."""
        self._feed.broke(error)

    def heard(self) -> Samples:
        """Return the left channel of all of it."""
        return np.concatenate(self._kept)

    def notes(self) -> list[str]:
        """Return the notes that were heard, one for each half second."""
        length = self._spec.frames(NOTE_SECONDS)
        whole = self.heard()
        parts = [whole[start : start + length] for start in range(0, len(whole) - length // 2, length)]
        return [name(self._loudest(part)) for part in parts]

    def _loudest(self, part: Samples) -> float:
        strength = np.abs(np.fft.rfft(part * np.hanning(len(part)), 4 * len(part)))
        return float(np.argmax(strength) * self._spec.sample_rate / (4 * len(part)))


class ListeningSink(NullSink):
    """A sink without a device, with an ear at its door."""

    ear: Ear

    def start(self, spec: Spec, feed: Feed) -> None:
        """Begin, and listen."""
        self.ear = Ear(spec, feed)
        super().start(spec, self.ear)


def play(url: str, console: Console, cache: Path, fetched: Callable[[], int], size: int) -> bool:
    """Play the melody, say what was heard, and return whether it is what was put there."""
    began, sink = time.perf_counter(), ListeningSink(SPEED)
    config = FileConfig(url, store=cache, cache_key="demo melody")
    with Stream.open(Files, config) as stream, Audio(stream) as audio:
        opened, events = time.perf_counter() - began, audio.events.subscribe()
        with Player(audio, sink) as player:
            with console.status(f"listening to {audio.media_info.tags['title']} at {SPEED:g} times its speed"):
                player.play()
                done = player.wait(60)
            stalls = [event for event in iter(lambda: events.take(0), None) if isinstance(event, Resumed)]
        took, notes = time.perf_counter() - began, sink.ear.notes()
        right = done and notes == TUNE * TIMES and sink.frames == audio.spec.frames(len(notes) * NOTE_SECONDS)
        rows = {
            "opened": f"in {words.seconds(opened)}: {_told(audio.media_info)}",
            "played": f"{words.clock(audio.duration or 0)} of sound in {words.seconds(took)}, {sink.frames:,} frames",
            "heard": f"peak {np.abs(sink.ear.heard()).max():.2f}, {len(notes)} notes: {' '.join(notes[:15])} …",
            "waited": f"{len(stalls)} times, {words.seconds(sum(each.seconds for each in stalls))} in all",
            "fetched": f"{words.size(fetched())} of {words.size(size)}",
        }
    table = Table.grid(padding=(0, 2))
    for what, value in rows.items():
        table.add_row(what, value)
    console.print(table, highlight=False)
    verdict = "It is the melody, note for note." if right else "That is NOT the melody."
    console.print(verdict, style="green" if right else "bold red")
    return right


def _told(info: MediaInfo) -> str:
    rate = f"{(info.bit_rate or 0) / 1000:.0f} kbit/s"
    return f"{info.tags['artist']}, {info.tags['title']}, {info.codec} at {rate}, {info.spec.sample_rate} Hz"
