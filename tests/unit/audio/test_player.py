"""Tracks one after the other, into a sink."""

from __future__ import annotations

import io
import threading
import wave
from pathlib import Path

import numpy as np
import pytest

from kithara_file.audio import (
    Audio,
    DeviceSink,
    EndOfStream,
    NullSink,
    Player,
    RawSink,
    Spec,
    TrackFailed,
    TrackStarted,
    WavSink,
)
from kithara_file.audio.media import Samples
from kithara_file.audio.player import OpenTrack
from kithara_file.errors import ConfigError, OfflineMiss, StreamClosed, UnsupportedMedia
from tests.world.music import RECIPES, encode, music, sine, song

SOON = 30.0
FAST = 40.0
TONE = sine(40_000)


def audio(sound: Samples, name: str = "flac") -> Audio:
    return Audio(io.BytesIO(encode(sound, RECIPES[name])))


def heard(path: Path) -> Samples:
    with wave.open(str(path)) as reader:
        data = np.frombuffer(reader.readframes(10**8), "<i2").reshape(-1, reader.getnchannels())
    return data.astype(np.float32) / np.float32(32768)


@pytest.mark.parametrize("name", ["flac", "wav", "alac"])
def test_a_tone_over_three_tracks_has_no_seam(tmp_path: Path, name: str) -> None:
    parts = [TONE[:13_001], TONE[13_001:27_777], TONE[27_777:]]
    with Player(audio(parts[0], name), WavSink(tmp_path / "out.wav")) as player:
        player.enqueue(audio(parts[1], name))
        player.enqueue(lambda _spec: audio(parts[2], name))
        player.play()
        assert player.wait(SOON)
    assert np.abs(heard(tmp_path / "out.wav") - TONE).max() < 1e-4


@pytest.mark.parametrize("name", ["mp3 cbr", "m4a moov last", "ogg vorbis"])
def test_a_tone_over_two_lossy_tracks_keeps_its_phase(tmp_path: Path, name: str) -> None:
    with Player(audio(TONE[:20_000], name), WavSink(tmp_path / "out.wav")) as player:
        player.enqueue(audio(TONE[20_000:], name))
        player.play()
        assert player.wait(SOON)
    got = heard(tmp_path / "out.wav")
    assert len(got) == len(TONE)
    # Each encoder sees an edge where the tone is cut; beyond it the phase of both tracks is that of the one tone.
    for part in (slice(2000, 18_000), slice(22_000, 38_000)):
        assert abs(phase(got[part]) - phase(TONE[part])) < 0.01, "one frame is 0.06 radians"
    assert np.abs(np.diff(got[19_000:21_000], axis=0)).max() < 0.2


def phase(sound: Samples) -> float:
    """Return the phase of the tone in it, in radians."""
    turns = np.exp(-2j * np.pi * 440 * np.arange(len(sound)) / 44_100)
    return float(np.angle(np.sum(sound[:, 0] * turns)))


def test_everything_goes_through_a_sink_with_a_clock_of_its_own() -> None:
    sink = NullSink(speed=FAST)
    with Player(audio(TONE), sink) as player:
        assert not player.playing
        player.play()
        assert player.wait(SOON)
        assert sink.frames == len(TONE)
        assert player.position == player.duration
        assert repr(player).startswith("<Player playing · track 0 at 0.907 s>")


def test_tracks_and_the_end_are_told() -> None:
    with Player(audio(TONE[:5000]), NullSink(speed=FAST)) as player:
        events = player.events.subscribe()
        player.enqueue(lambda _spec: audio(TONE[5000:9000]))
        player.enqueue(lambda _spec: audio(TONE[9000:12_000]))
        player.play()
        assert player.wait(SOON)
        assert player.index == 2
    assert list(events) == [TrackStarted(0), TrackStarted(1), TrackStarted(2), EndOfStream(2)]


def test_a_track_that_was_played_is_closed() -> None:
    first, second = audio(TONE[:5000]), audio(TONE[5000:])
    with Player(first, NullSink(speed=1.0)) as player:
        player.enqueue(second)
        events = player.events.subscribe()
        player.play()
        while events.take(SOON) != TrackStarted(1):
            pass
        first._worker.thread.join(SOON)
        assert first.closed
        assert not second.closed
    assert second.closed


def test_a_seek_is_where_the_sound_goes_on(tmp_path: Path) -> None:
    sound = music(3.0)
    with Player(audio(sound), WavSink(tmp_path / "out.wav")) as player:
        player.seek(2.0)
        assert player.position == 2.0
        player.play()
        assert player.wait(SOON)
        player.seek(1.0)
        assert not player.wait(0.0) or player.position >= 1.0
    got = heard(tmp_path / "out.wav")
    assert np.abs(got[:44_100] - sound[88_200:]).max() < 1e-4


def test_a_seek_after_the_end_plays_again() -> None:
    sink = NullSink(speed=FAST)
    with Player(audio(TONE), sink) as player:
        player.play()
        assert player.wait(SOON)
        player.seek(0.0)
        assert player.wait(SOON)
        assert sink.frames == 2 * len(TONE)


def test_pause_and_volume_are_heard() -> None:
    out = io.BytesIO()
    with Player(audio(np.full((30_000, 2), 0.5, np.float32)), RawSink(out), volume=0.5) as player:
        player.play()
        player.pause()
        player.play()
        assert player.wait(SOON)
    got = np.frombuffer(out.getvalue(), "<f4")
    assert len(got) == 60_000
    assert got[10_000:] == pytest.approx(np.full(50_000, 0.25), abs=1e-3)


def test_next_goes_on_with_the_next_track(tmp_path: Path) -> None:
    with Player(audio(TONE), WavSink(tmp_path / "out.wav")) as player:
        player.enqueue(audio(TONE[:3000]))
        events = player.events.subscribe()
        player.next()
        player.play()
        assert player.wait(SOON)
        assert TrackStarted(1) in list(iter(lambda: events.take(0), None))
        player.next()
        assert player.current is None
        assert (player.position, player.duration) == (0.0, None)
    assert len(heard(tmp_path / "out.wav")) == 3000


def opener(sound: Samples, opened: list[Audio] | None = None) -> OpenTrack:
    def open_track(_spec: Spec | None) -> Audio:
        one = audio(sound)
        if opened is not None:
            opened.append(one)
        return one

    return open_track


def test_previous_and_next_go_to_and_fro(tmp_path: Path) -> None:
    opened: list[Audio] = []
    parts = [TONE[:3000], TONE[3000:7000], TONE[7000:12_000]]
    with Player(opener(parts[0], opened), WavSink(tmp_path / "out.wav")) as player:
        for part in parts[1:]:
            player.enqueue(opener(part, opened))
        player.go(2)
        assert player.index == 2
        player.previous()
        assert player.index == 1
        player.previous()
        player.previous()
        assert player.index == 0
        player.next()
        player.play()
        assert player.wait(SOON)
        assert player.index == 2
    assert np.abs(heard(tmp_path / "out.wav") - TONE[3000:12_000]).max() < 1e-4
    assert all(one.closed for one in opened)


def test_a_track_that_is_played_begins_anew_when_it_is_gone_to() -> None:
    with Player(opener(TONE), NullSink()) as player:
        player.seek(0.5)
        player.go(0)
        assert player.position == 0.0


def test_before_the_first_track_there_is_none() -> None:
    with Player(opener(TONE), NullSink()) as player:
        player.seek(0.5)
        with pytest.raises(ConfigError, match="no track -1"):
            player.go(-1)
        assert (player.index, player.position) == (0, 0.5)
        player.go(7)
        assert (player.index, player.current) == (0, None)


def test_what_was_given_open_cannot_be_gone_back_to(tmp_path: Path) -> None:
    with Player(audio(TONE[:3000]), WavSink(tmp_path / "out.wav")) as player:
        player.enqueue(audio(TONE[3000:6000]))
        events = player.events.subscribe()
        player.go(1)
        player.go(0)
        player.play()
        assert player.wait(SOON)
    failed = [event for event in events if isinstance(event, TrackFailed)]
    assert [(event.index, type(event.error)) for event in failed] == [(0, StreamClosed), (1, StreamClosed)]


def test_a_track_is_opened_when_its_turn_is_near_and_not_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kithara_file.audio.deck.NEAR_SECONDS", 0.2)
    at: list[float] = []
    first = audio(TONE)

    def follows(_spec: Spec | None) -> Audio:
        at.append(first.position)
        return audio(TONE[:1000])

    sink = NullSink(speed=4.0)
    with Player(first, sink) as player:
        player.enqueue(follows)
        player.play()
        assert player.wait(SOON)
        assert sink.frames == len(TONE) + 1000
    assert at[0] > 0.6


def test_a_track_that_fails_can_be_left(tmp_path: Path) -> None:
    class Broken(io.BytesIO):
        def read1(self, size: int | None = -1, /) -> bytes:
            if self.tell() > 200_000:
                raise OfflineMiss(url="http://host/song", start=self.tell(), end=None)
            return super().read1(size)

    with Player(Audio(Broken(song("wav").data)), WavSink(tmp_path / "out.wav")) as player:
        player.enqueue(opener(TONE[:1000]))
        player.play()
        with pytest.raises(OfflineMiss):
            player.wait(SOON)
        assert player.failed
        player.next()
        assert player.wait(SOON)
    got = heard(tmp_path / "out.wav")
    assert np.abs(got[-1000:] - TONE[:1000]).max() < 1e-4
    assert np.abs(got[:-1000] - song("wav").sound[: len(got) - 1000]).max() < 1e-4
    assert len(got) > 45_000


def test_it_plays_on_the_machines_device_unless_told_otherwise() -> None:
    with Player(audio(TONE)) as player:
        assert isinstance(player._sink, DeviceSink)


def test_a_track_that_cannot_be_opened_is_left_out(tmp_path: Path) -> None:
    def broken(_spec: Spec | None) -> Audio:
        return Audio(io.BytesIO(b"no sound" * 100))

    with Player(audio(TONE[:5000]), WavSink(tmp_path / "out.wav")) as player:
        events = player.events.subscribe()
        player.enqueue(broken)
        player.enqueue(lambda _spec: audio(TONE[5000:]))
        player.enqueue(broken)
        player.play()
        assert player.wait(SOON)
    assert np.abs(heard(tmp_path / "out.wav") - TONE).max() < 1e-4
    failed = [event for event in events if isinstance(event, TrackFailed)]
    assert [type(event.error) for event in failed] == [UnsupportedMedia] * 2
    assert [event.index for event in failed] == [1, 3]


def test_whatever_an_opener_raises_its_track_is_left_out(tmp_path: Path) -> None:
    fault = RuntimeError("the token service is down")

    def broken(_spec: Spec | None) -> Audio:
        raise fault

    with Player(audio(TONE[:5000]), WavSink(tmp_path / "out.wav")) as player:
        events = player.events.subscribe()
        player.enqueue(broken)
        player.enqueue(lambda _spec: audio(TONE[5000:]))
        player.play()
        assert player.wait(SOON)
    assert np.abs(heard(tmp_path / "out.wav") - TONE).max() < 1e-4
    assert [event for event in events if isinstance(event, TrackFailed)] == [TrackFailed(1, fault)]


def test_what_a_track_fails_with_ends_the_wait_and_a_seek_tries_again() -> None:
    class Failing(io.BytesIO):
        fails = True

        def read1(self, size: int | None = -1, /) -> bytes:
            if self.fails and self.tell() > 200_000:
                raise OfflineMiss(url="http://host/song", start=self.tell(), end=None)
            return super().read1(size)

    file = Failing(song("wav").data)
    sink = NullSink(speed=FAST)
    with Player(Audio(file, ahead_seconds=0.1), sink) as player:
        player.play()
        with pytest.raises(OfflineMiss):
            player.wait(SOON)
        file.fails = False
        player.seek(player.position)
        assert player.wait(SOON)
        assert sink.frames == len(song("wav").sound)


def test_a_stall_is_silence_and_not_the_end() -> None:
    class Gate(io.BytesIO):
        reached, opened = threading.Event(), threading.Event()

        def read1(self, size: int | None = -1, /) -> bytes:
            if self.tell() > 300_000:
                self.reached.set()
                assert self.opened.wait(SOON)
            return super().read1(size)

    file, sink = Gate(song("wav").data), NullSink(speed=FAST)
    with Player(Audio(file), sink) as player:
        player.play()
        assert file.reached.wait(SOON)
        while sink.silent_frames == 0:
            assert not player.wait(0.01)
        file.opened.set()
        assert player.wait(SOON)
        assert sink.frames == len(song("wav").sound)


def test_a_full_disk_ends_the_wait() -> None:
    class Full(io.BytesIO):
        def write(self, data: object, /) -> int:
            raise OSError(28, "No space left on device")

    with Player(audio(TONE), RawSink(Full())) as player:
        player.play()
        with pytest.raises(OSError, match="No space left"):
            player.wait(SOON)


def test_a_closed_player_does_nothing_more() -> None:
    player = Player(audio(TONE), NullSink())
    player.play()
    player.close()
    player.close()
    for call in (player.play, player.pause, player.next, player.wait, lambda: player.seek(0)):
        with pytest.raises(StreamClosed):
            call()


def test_closing_in_the_middle_of_an_opening_closes_what_comes_of_it() -> None:
    entered, leave = threading.Event(), threading.Event()
    late = audio(TONE)

    def slow(_spec: Spec | None) -> Audio:
        entered.set()
        assert leave.wait(SOON)
        return late

    with Player(audio(TONE), NullSink()) as player:
        player.enqueue(slow)
        assert entered.wait(SOON)
    leave.set()
    late._worker.thread.join(SOON)
    assert late.closed
