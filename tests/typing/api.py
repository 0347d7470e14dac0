"""What a user may write, and what types it has. Never run: mypy reads it as part of `make types`."""

from __future__ import annotations

import io
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import IO, BinaryIO, assert_type

from kithara_file import (
    AssetStore,
    AsyncStream,
    ByteRange,
    CancelToken,
    ConnectFailed,
    Coverage,
    DownloadProgress,
    Error,
    File,
    FileConfig,
    FileEvent,
    FileSession,
    KitharaError,
    NetError,
    NetTimeout,
    OfflineMiss,
    Phase,
    ResourceChanged,
    Retry,
    StatusError,
    Stream,
    StreamClosed,
    Timeouts,
    aopen_file,
    open_file,
)
from kithara_file.audio import (
    Audio,
    Column,
    Cover,
    DeviceSink,
    Feed,
    MediaInfo,
    NullSink,
    OpenTrack,
    Peaks,
    Player,
    RawSink,
    Sink,
    Spec,
    Stalled,
    TapeSink,
    TrackFailed,
    WavSink,
    probe,
)
from kithara_file.audio.media import Samples

URL = "https://host/song.flac"


def every_knob_is_a_keyword(store: AssetStore, cancel: CancelToken) -> FileConfig:
    return FileConfig(
        URL,
        name="high",
        cache_key="song",
        store=store,
        headers={"Authorization": "Bearer x"},
        look_ahead_bytes=None,
        offline_mode=False,
        revalidate="auto",
        timeouts=Timeouts(connect=1, headers=2, idle=3),
        retry=Retry(retries=5),
        max_fetches=4,
        connections=4,
        detach=True,
        cancel=cancel,
        refresh_url=lambda: URL,
        ca_file="ca.pem",
        read_timeout=30.0,
        checksums=False,
    )


def a_path_will_do(path: Path) -> tuple[FileConfig, FileConfig]:
    return FileConfig(path), FileConfig(URL, store=path)


def a_file_is_opened_as_python_opens_files() -> None:
    with open_file(URL, look_ahead_bytes=8 << 20, offline_mode=True, store="cache") as file:
        plain: io.BufferedReader = file
        assert_type(plain.read(100), bytes)
        assert_type(file.seek(-128, 2), int)
    takes_a_file(open_file(URL, buffering=1 << 20))


async def a_file_is_opened_from_asyncio() -> None:
    async with await aopen_file(URL, offline_mode=True) as stream:
        assert_type(stream, AsyncStream)
        assert_type(await stream.read(100), bytes)
        assert_type(await stream.read(None), bytes)
        assert_type(await stream.seek(-128, 2), int)
        assert_type(stream.tell(), int)


def takes_a_file(file: BinaryIO | IO[bytes]) -> bytes:
    return file.read()


def a_stream_is_a_raw_file(config: FileConfig, buffer: bytearray) -> io.RawIOBase:
    stream = Stream.open(File, config)
    assert_type(stream, Stream)
    assert_type(stream.seek(0, io.SEEK_END), int)
    assert_type(stream.tell(), int)
    stream.readinto(buffer)
    assert_type(stream.seekable(), bool)
    stream.retry()
    if stream.error is not None:
        raise stream.error
    return stream


async def a_stream_for_asyncio(config: FileConfig) -> bytes:
    with await Stream.aopen(File, config) as blocking:
        assert_type(blocking, Stream)
    async with await AsyncStream.open(File, config) as stream:
        assert_type(stream, AsyncStream)
        return await stream.read()


def a_session_has_several_readers(config: FileConfig) -> None:
    with File.open(config) as session:
        assert_type(session, FileSession)
        assert_type(session.phase, Phase)
        assert_type(session.length, int | None)
        assert_type(session.media_type, str | None)
        assert_type(session.coverage, Coverage)
        assert_type(list(session.coverage), list[ByteRange])
        with session.stream() as first, session.stream() as second:
            assert_type(first, Stream)
            second.seek(100)
        session.statistics()
        session.wait_complete()


def events_are_values(session: FileSession) -> Iterator[float]:
    with session.events.subscribe() as events:
        for event in events:
            match event:
                case DownloadProgress(present=present, length=int(length)):
                    yield present / length
                case Error(error=error, recoverable=False):
                    raise error
                case _:
                    pass
        assert_type(events.dropped, int)


def events_are_told_to_a_callback(session: FileSession) -> None:
    session.events.subscribe(print).close()
    session.events.subscribe(lambda event: isinstance(event, DownloadProgress) and print(event))  # noqa: T201
    heard: set[FileEvent] = set()
    session.events.subscribe(heard.add)
    session.events.subscribe(heard.__contains__)


def facts_are_attributes() -> object:
    try:
        return open_file(URL).read()
    except StatusError as error:
        assert_type(error.status, int)
        return error.retry_after
    except (NetTimeout, ConnectFailed) as error:
        assert_type(error.url, str)
        return error.stage
    except ResourceChanged as error:
        return (error.expected, error.found)
    except KitharaError as error:
        return assert_type(error.recoverable, bool)


def whoever_never_heard_of_us_catches_what_they_know(
    net: NetError, miss: OfflineMiss, late: NetTimeout, closed: StreamClosed
) -> tuple[OSError, OSError, TimeoutError, ValueError]:
    return net, miss, late, closed


def a_token_ends_every_wait(cancel: CancelToken, other: Future[None]) -> bool:
    take_back = cancel.on_cancel(other.cancel)
    take_back()
    cancel.cancel()
    return cancel.cancelled


def sound_from_any_binary_file(file: BinaryIO, stream: Stream, config: FileConfig) -> Samples:
    with Stream.open(File, config) as opened, Audio(opened) as plain:
        assert_type(plain.read(4096), Samples)
    Audio(file).close()
    with Audio(stream, sample_rate=48_000, channels=2, quality="maximum", ahead_seconds=2.0, close_file=True) as audio:
        assert_type(audio.duration, float | None)
        assert_type(audio.spec, Spec)
        assert_type(audio.media_info, MediaInfo)
        assert_type(audio.media_info.cover, Cover | None)
        assert_type(audio.seek(93.5), int)
        for block in audio:
            assert_type(block, Samples)
        return audio.read_now(100)


def a_player_plays_what_is_open_and_what_opens(audio: Audio, opens: OpenTrack) -> float:
    Player(audio).close()
    with Player(opens, sink=NullSink(speed=20.0), volume=0.5) as player:
        player.enqueue(audio)
        player.enqueue(opens)
        player.enqueue(lambda spec: Audio(open_file(URL), None if spec is None else spec.sample_rate))
        player.play()
        player.pause()
        player.seek(93.5)
        player.next()
        player.previous()
        player.go(2)
        player.volume = 1.0
        assert_type(player.wait(1.0), bool)
        assert_type(player.duration, float | None)
        assert_type(player.current, Audio | None)
        assert_type(player.failed, bool)
        return assert_type(player.position, float)


def every_sink_is_one(path: Path, pipe: BinaryIO) -> list[Sink]:
    return [DeviceSink(), NullSink(), WavSink(path), RawSink(pipe), TapeSink(DeviceSink(), 1.5)]


class OwnSink:
    def start(self, spec: Spec, feed: Feed) -> None:
        assert_type(feed.fill(spec.silence(100)), int)
        assert_type(feed.read(100), Samples)

    def stop(self) -> None:
        pass


def a_sink_of_your_own(audio: Audio) -> Player:
    return Player(audio, OwnSink())


def events_of_sound_are_values(player: Player, audio: Audio) -> Iterator[float]:
    with player.events.subscribe() as events:
        for event in events:
            if isinstance(event, TrackFailed):
                raise event.error
    with audio.events.subscribe() as told:
        for event in told:
            if isinstance(event, Stalled):
                yield event.position


def a_glance_and_the_shape(file: BinaryIO, audio: Audio) -> list[Column]:
    assert_type(probe(file), MediaInfo)
    peaks = Peaks(width=1000)
    peaks.feed(audio.read(4096))
    return peaks.columns()
