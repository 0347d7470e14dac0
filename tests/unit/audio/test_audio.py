"""Any file object as sound."""

from __future__ import annotations

import gc
import io
import threading
import time
import weakref

import numpy as np
import pytest

from kithara_file.audio import Audio, FormatDetected, Resumed, SeekComplete, Stalled, Underrun
from kithara_file.errors import ConfigError, OfflineMiss, StreamClosed, UnsupportedMedia
from kithara_file.events import EndOfStream, EventBus, FileEvent
from tests.world.music import song

SOON = 30.0


class Gate(io.BytesIO):
    """A file whose reads from `gate_at` on wait until they are let through; closing it lets them fail."""

    def __init__(self, data: bytes, gate_at: int) -> None:
        super().__init__(data)
        self.gate_at = gate_at
        self.reached, self.open = threading.Event(), threading.Event()
        self.was_closed = False

    def read1(self, size: int | None = -1, /) -> bytes:
        if self.tell() >= self.gate_at:
            self.reached.set()
            assert self.open.wait(SOON)
            if self.was_closed:
                raise ValueError("closed meanwhile")
        return super().read1(size)

    def close(self) -> None:
        self.was_closed = True
        self.open.set()


class Failing(io.BytesIO):
    """A file that fails from a place on, until it is mended."""

    fails_at: int | None = None

    def read1(self, size: int | None = -1, /) -> bytes:
        if self.fails_at is None:
            return super().read1(size)
        if self.tell() >= self.fails_at:
            raise OfflineMiss(url="http://host/song", start=self.tell(), end=None)
        left = self.fails_at - self.tell()
        return super().read1(left if size is None or size < 0 else min(size, left))


def of_kind(events: EventBus, kind: type[FileEvent]) -> list[FileEvent]:
    """Return what was told so far, as the first to listen."""
    subscription = events.subscribe()
    events.close()
    return [event for event in subscription if isinstance(event, kind)]


def test_reads_give_what_was_asked_for_and_less_only_at_the_end() -> None:
    one = song("flac")
    with Audio(io.BytesIO(one.data), ahead_seconds=0.1) as audio:
        sizes = [len(audio.read(frames)) for frames in (1, 100, 4096, 100_000, 10**6, 5, 0)]
        assert sizes == [1, 100, 4096, 100_000, len(one.sound) - 104_197, 0, 0]
        assert audio.finished
        assert audio.position == audio.duration == len(one.sound) / 44_100


def test_blocks_have_the_shape_and_kind_that_is_promised() -> None:
    with Audio(io.BytesIO(song("mp3 cbr").data), sample_rate=48_000, channels=1) as audio:
        block = audio.read(4096)
        assert (block.shape, block.dtype) == ((4096, 1), np.dtype(np.float32))
        assert (audio.spec.sample_rate, audio.spec.channels) == (48_000, 1)
        assert audio.media_info.spec.sample_rate == 44_100
        assert repr(audio) == "<Audio mp3 0.085 of 4.030 s>"


def test_a_seek_is_heard_at_once_and_nothing_older_after_it() -> None:
    one = song("wav")
    with Audio(io.BytesIO(one.data)) as audio:
        audio.read(1000)
        for epoch, second in enumerate((3.0, 0.5, 3.9, 0.0), 1):
            assert audio.seek(second) == epoch
            assert audio.position == second
            frame = round(second * 44_100)
            assert np.abs(audio.read(500) - one.sound[frame : frame + 500]).max() < 1e-4


def test_a_seek_by_another_thread_drops_what_a_read_has_gathered() -> None:
    one = song("wav")
    file = Gate(one.data, 200_000)
    with Audio(file, ahead_seconds=0.05) as audio:
        got: list[np.ndarray] = []
        reader = threading.Thread(target=lambda: got.append(audio.read(100_000)))
        reader.start()
        assert file.reached.wait(SOON)
        audio.seek(1.0)
        file.open.set()
        reader.join(SOON)
        assert np.abs(got[0] - one.sound[44_100:144_100]).max() < 1e-4


@pytest.mark.parametrize("seconds", [-0.1, float("nan"), float("inf")])
def test_there_is_no_sound_before_the_begin_and_none_after_all_times(seconds: float) -> None:
    with Audio(io.BytesIO(song("wav").data)) as audio, pytest.raises(ValueError, match="no sound at"):
        audio.seek(seconds)


def test_behind_the_end_there_is_nothing() -> None:
    with Audio(io.BytesIO(song("mp3 cbr").data)) as audio:
        audio.seek(1000.0)
        assert len(audio.read(10)) == 0
        audio.seek(1.0)
        assert len(audio.read(10)) == 10


def test_iteration_gives_all_that_is_left() -> None:
    one = song("ogg vorbis")
    with Audio(io.BytesIO(one.data)) as audio:
        audio.read(1000)
        assert sum(map(len, audio)) == len(one.sound) - 1000
        assert list(audio) == []


def test_a_read_without_a_number_gives_all_that_is_left() -> None:
    one = song("flac")
    with Audio(io.BytesIO(one.data)) as audio:
        start = len(audio.read(1000))
        assert len(audio.read()) == len(one.sound) - start
        assert audio.read(-1).shape == (0, 2)
        audio.seek(1.0)
        audio.read(1000)
        buffered = round(audio.buffered * 44_100)
        now = audio.read_now(-1)
        assert len(now) >= buffered
        assert np.abs(now - one.sound[45_100 : 45_100 + len(now)]).max(initial=0.0) < 1e-4
        assert len(audio.read()) == len(one.sound) - 45_100 - len(now)


@pytest.mark.parametrize("frames", [None, -1, -7])
def test_no_number_and_a_negative_one_mean_all(frames: int | None) -> None:
    one = song("wav")
    with Audio(io.BytesIO(one.data)) as audio:
        audio.seek(1.0)
        assert len(audio.read(frames)) == len(one.sound) - one.sample_rate


def test_reading_now_takes_what_is_there_and_tells_of_what_is_not() -> None:
    file = Gate(song("wav").data, 120_000)
    events = EventBus()
    with Audio(file, events=events) as audio:
        assert file.reached.wait(SOON)
        there = round(audio.buffered * 44_100)
        assert there > 0
        assert len(audio.read_now(there - 10)) == there - 10
        out = np.zeros((64, 2), np.float32)
        assert audio.fill(out) == 10
        assert audio.fill(out) == 0
        file.open.set()
        assert len(audio.read(64)) == 64
    told = of_kind(events, FileEvent)
    position = there / 44_100
    assert [event for event in told if isinstance(event, Underrun)] == [Underrun(position, 54)]
    assert [event for event in told if isinstance(event, Stalled)] == [Stalled(position)]
    assert len([event for event in told if isinstance(event, Resumed)]) == 1


def test_a_reader_that_waits_for_the_file_is_stalled_and_then_resumed() -> None:
    file = Gate(song("wav").data, 120_000)
    events = EventBus()
    heard = events.subscribe()
    with Audio(file, events=events) as audio:
        assert file.reached.wait(SOON)
        audio.read(round(audio.buffered * 44_100))
        reader = threading.Thread(target=audio.read, args=(10,))
        reader.start()
        assert isinstance(heard.take(SOON), FormatDetected)
        assert isinstance(heard.take(SOON), Stalled)
        file.open.set()
        assert isinstance(heard.take(SOON), Resumed)
        reader.join(SOON)


def test_a_read_that_is_late_loses_nothing() -> None:
    one = song("wav")
    file = Gate(one.data, 120_000)
    with Audio(file, ahead_seconds=0.2) as audio:
        with pytest.raises(TimeoutError, match="No sound came in time"):
            audio.read(100_000, timeout=0.05)
        assert audio.position == 0.0
        file.open.set()
        assert np.abs(audio.read(100_000, timeout=SOON) - one.sound[:100_000]).max() < 1e-4


@pytest.mark.parametrize("name", ["flac", "mp3 cbr", "wav", "m4a moov first", "ogg opus"])
def test_the_files_own_error_comes_out_as_it_is_and_a_seek_tries_again(name: str) -> None:
    one = song(name)
    file = Failing(one.data)
    with Audio(file, ahead_seconds=0.05) as audio:
        file.fails_at = len(one.data) // 2
        with pytest.raises(OfflineMiss) as caught:
            audio.read(10**6)
        assert caught.value.start >= file.fails_at
        assert audio.failed
        with pytest.raises(OfflineMiss):
            audio.read(10**6)
        assert audio.position == 0.0
        before = audio.read_now(2000)
        file.fails_at = None
        audio.seek(0.0)
        whole = audio.read(10**6)
        assert abs(len(whole) - len(one.sound)) < 2
        assert np.abs(whole[: len(before)] - before).max() < 1e-4


@pytest.mark.parametrize("name", ["flac", "mp3 cbr", "wav", "m4a moov first", "ogg opus"])
def test_all_that_came_before_an_error_is_heard_and_a_retry_goes_on_behind_it(name: str) -> None:
    one = song(name)
    with Audio(io.BytesIO(one.data)) as audio:
        expected = audio.read(10**6)
    file = Failing(one.data)
    with Audio(file, ahead_seconds=30) as audio:
        audio.seek(0.0)
        file.fails_at = len(one.data) * 3 // 4
        audio.retry()
        before: list[np.ndarray] = []
        with pytest.raises(OfflineMiss):
            before.extend(audio)
        got = sum(map(len, before))
        assert got > len(expected) / 2
        file.fails_at = None
        audio.retry()
        rest = audio.read(10**6)
    whole = np.concatenate([*before, rest])
    assert len(whole) == len(expected)
    assert np.abs(whole - expected).max() < 1e-4


def test_closing_from_another_thread_ends_a_blocked_read_and_the_decoder() -> None:
    def seconds_of_a_close() -> float:
        file = Gate(song("wav").data, 120_000)
        audio = Audio(file)
        assert file.reached.wait(SOON)
        raised: list[BaseException] = []

        def read() -> None:
            try:
                audio.read(10**6)
            except StreamClosed as error:
                raised.append(error)

        reader = threading.Thread(target=read)
        reader.start()
        start = time.monotonic()
        audio.close()
        reader.join(SOON)
        seconds = time.monotonic() - start
        assert len(raised) == 1
        audio._worker.thread.join(SOON)
        assert not audio._worker.thread.is_alive()
        audio.close()
        assert audio.closed
        with pytest.raises(StreamClosed):
            audio.read(1)
        return seconds

    # A machine may be busy with something else in some of these moments, hardly in all of them.
    assert any(seconds_of_a_close() < 0.1 for _ in range(20))


def test_closing_leaves_a_file_open_that_nobody_waits_for() -> None:
    file = io.BytesIO(song("wav").data)
    with Audio(file) as audio:
        audio.read(10)
    assert not file.closed
    with Audio(file) as audio:
        assert len(audio.read(10)) == 10


def test_a_dropped_audio_ends_its_thread() -> None:
    audio = Audio(io.BytesIO(song("wav").data))
    thread, alive = audio._worker.thread, weakref.ref(audio)
    del audio
    gc.collect()
    thread.join(SOON)
    assert alive() is None
    assert not thread.is_alive()


@pytest.mark.parametrize("name", ["wav", "flac", "mp3 cbr", "m4a moov first"])
def test_a_dropped_audio_lets_its_file_go_at_once_and_not_when_cycles_are_collected(name: str) -> None:
    gc.disable()
    try:
        audio = Audio(file := Failing(song(name).data))
        audio.read(10)
        thread, alive = audio._worker.thread, weakref.ref(file)
        del audio, file
        thread.join(SOON)
        assert alive() is None
    finally:
        gc.enable()


@pytest.mark.parametrize("name", ["wav", "flac", "mp3 cbr", "m4a moov first"])
def test_an_audio_dropped_in_the_midst_of_a_read_lets_its_file_go_at_once_too(name: str) -> None:
    gc.disable()
    try:
        file = Gate(song(name).data, len(song(name).data) // 2)
        audio = Audio(file, ahead_seconds=30)
        assert file.reached.wait(SOON)
        thread, alive, gate = audio._worker.thread, weakref.ref(file), file.open
        del audio, file
        gate.set()
        thread.join(SOON)
        assert alive() is None
    finally:
        gc.enable()


@pytest.mark.parametrize("mistake", ["song.flac", b"fLaC", None, io.StringIO("text")])
def test_what_is_no_binary_file_is_called_so(mistake: object) -> None:
    with pytest.raises(TypeError, match="a binary file object, not from"):
        Audio(mistake)  # type: ignore[arg-type]


def test_the_format_the_seek_and_the_end_are_told() -> None:
    events = EventBus()
    with Audio(io.BytesIO(song("flac").data), events=events) as audio:
        audio.seek(4.0)
        audio.read(10**6)
        audio.read(10)
    told = of_kind(events, FileEvent)
    assert isinstance(told[0], FormatDetected)
    assert told[0].media_info.codec == "flac"
    assert told[1:] == [SeekComplete(1, 4.0, exact=True), EndOfStream(len(song("flac").sound))]


@pytest.mark.parametrize(
    "knobs", [{"sample_rate": 0}, {"channels": 0}, {"quality": "best"}, {"ahead_seconds": 0.0}], ids=str
)
def test_a_knob_that_cannot_be_is_refused_before_the_file_is_touched(knobs: dict[str, object]) -> None:
    with pytest.raises(ConfigError):
        Audio(io.BytesIO(b""), **knobs)  # type: ignore[arg-type]


def test_no_thread_is_left_by_a_file_that_is_no_sound() -> None:
    with pytest.raises(UnsupportedMedia):
        Audio(io.BytesIO(b"no sound" * 1000))
