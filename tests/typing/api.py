"""What a user may write, and what types it has. Never run: mypy reads it as part of `make types`."""

from __future__ import annotations

import io
from collections.abc import Iterator
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


def a_token_ends_every_wait(cancel: CancelToken) -> bool:
    cancel.cancel()
    return cancel.cancelled
