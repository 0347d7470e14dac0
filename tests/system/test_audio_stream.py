"""Sound over the whole library: slow origins stall it, broken ones fail it by name, seeks fetch what they need."""

from __future__ import annotations

import io
import threading
import time
from collections import deque
from pathlib import Path

import numpy as np
import pytest

from kithara_file import AccessDenied, BodyBroken, File, FileConfig, Stream, StreamClosed, Timeouts, open_file
from kithara_file.audio import Audio, EndOfStream, Resumed, Stalled
from kithara_file.events import EventBus
from tests.system.kit import AT_ONCE, SOON, started
from tests.world import CloseAt, Link, Origin, StallAt, Status, plain, ranged, when
from tests.world.fixtures import MakeOrigin
from tests.world.music import song

pytestmark = pytest.mark.system

TYPES = {"flac": "audio/flac", "mp3 cbr": "audio/mpeg", "m4a moov last": "audio/mp4", "ogg opus": "audio/ogg"}


@pytest.mark.parametrize("name", TYPES)
def test_sound_over_a_url_is_the_sound_that_was_put_there(origin: Origin, store_dir: Path, name: str) -> None:
    one = song(name)
    url = origin.serve("/song", one.data, media_type=TYPES[name])
    with open_file(url, store=store_dir) as file, Audio(file) as audio:
        over_url = audio.read(10**7)
    with Audio(io.BytesIO(one.data)) as audio:
        from_memory = audio.read(10**7)
    assert len(over_url) == len(one.sound)
    assert np.array_equal(over_url, from_memory)


def test_a_slow_origin_stalls_and_never_ends_the_sound(origin: Origin, store_dir: Path) -> None:
    one = song("wav", 12.05)
    url = origin.serve("/song", one.data, always=[when(plain, StallAt(700_000))])
    events = EventBus()
    heard = events.subscribe()
    timeouts = Timeouts(idle=30.0)
    with open_file(url, store=store_dir, timeouts=timeouts) as file, Audio(file, events=events) as audio:
        reading = started(lambda: audio.read(10**7))
        while not isinstance(event := heard.take(SOON), Stalled):
            assert event is not None, "no stall was told"
        assert 0 < event.position < 4.0
        origin.always("/song")
        origin.release("/song")
        whole = reading.result(SOON)
    assert np.abs(whole - one.sound).max() < 1e-4
    kinds = [type(event) for event in heard]
    assert Resumed in kinds
    assert kinds[-1] is EndOfStream


def test_an_error_in_the_middle_is_the_origins_own(origin: Origin, store_dir: Path) -> None:
    one = song("flac", 12.05)
    half = len(one.data) // 2
    url = origin.serve("/song", one.data, always=[when(plain, CloseAt(half)), when(ranged, Status(403))])
    with open_file(url, store=store_dir, retry=AT_ONCE) as file, Audio(file) as audio:
        with pytest.raises((BodyBroken, AccessDenied)) as caught:
            deque(audio, maxlen=0)
        got = round(audio.position * 44_100)
        assert caught.value.url.endswith("/song")
        assert got > len(one.sound) * 0.3
        origin.always("/song")
        audio.seek(audio.position)
        rest = audio.read(10**7)
        assert got + len(rest) == len(one.sound)
        assert np.abs(rest - one.sound[got:]).max() < 1e-4


@pytest.mark.parametrize("name", ["flac", "mp3 cbr", "m4a moov first", "wav"])
def test_a_seek_fetches_only_what_it_needs(make_origin: MakeOrigin, store_dir: Path, name: str) -> None:
    one = song(name, 60.3)
    origin = make_origin(link=Link(rate=1_000_000, send_buffer=16_384))
    config = FileConfig(origin.serve("/song", one.data), store=store_dir, look_ahead_bytes=16_384)
    with File.open(config) as session, session.stream() as file, Audio(file, ahead_seconds=0.05) as audio:
        audio.read(1000)
        audio.seek(50.0)
        block = audio.read(1000)
        fetched = sum(map(len, session.coverage))
    assert len(block) == 1000
    if one.recipe.lossless:
        assert np.abs(block - one.sound[50 * 44_100 : 50 * 44_100 + 1000]).max() < 1e-4
    size = len(one.data)
    assert fetched < size / 2


@pytest.mark.parametrize("buffered", [True, False])
def test_a_seek_in_a_stall_to_what_is_there_is_heard_at_once(
    origin: Origin, store_dir: Path, *, buffered: bool
) -> None:
    one = song("wav", 12.05)
    url, patience = origin.serve("/song", one.data, always=[StallAt(700_000)]), Timeouts(idle=100.0)
    config = FileConfig(url, store=store_dir, timeouts=patience)
    opened = open_file(url, store=store_dir, timeouts=patience) if buffered else Stream.open(File, config)
    with opened as file, Audio(file, ahead_seconds=30) as audio:
        for seconds in (1.0, 2.0, 0.0):
            with pytest.raises(TimeoutError):
                audio.read(10**7, timeout=0.3)
            audio.seek(11.0)  # and back again, before anything of it can come
            audio.seek(seconds)
            found, first = audio.read(1000, timeout=30.0), round(seconds * 44_100)
            assert np.abs(found - one.sound[first : first + 1000]).max() < 1e-4


def test_closing_while_the_decoder_waits_for_the_net_ends_all(origin: Origin, store_dir: Path) -> None:
    one = song("wav", 12.05)

    def seconds_of_a_close(number: int) -> float:
        url = origin.serve(f"/{number}", one.data, always=[StallAt(700_000)])
        with open_file(url, store=store_dir) as file:
            audio = Audio(file, ahead_seconds=30)
            reading = started(lambda: audio.read(10**7))
            origin.wait_stalled(f"/{number}")
            start = time.monotonic()
            audio.close()
            with pytest.raises(StreamClosed):
                reading.result(SOON)
            seconds = time.monotonic() - start
            for each in threading.enumerate():
                if each.name.startswith("kithara-audio"):
                    each.join(SOON)
                    assert not each.is_alive()
        return seconds

    # A machine may be busy with something else in some of these moments, hardly in all of them.
    assert any(seconds_of_a_close(number) < 0.1 for number in range(20))


def test_the_first_sound_comes_with_the_first_bytes(origin: Origin, store_dir: Path) -> None:
    one = song("mp3 cbr", 60.3)
    some = StallAt(64_000)  # what FFmpeg wants to see of an MP3 before it believes it
    url = origin.serve("/song", one.data, media_type="audio/mpeg", always=[some])
    with open_file(url, store=store_dir) as file, Audio(file) as audio:
        assert len(audio.read(1152)) == 1152
        assert len(origin.requests("/song")) == 1
