"""Whatever ends a reader wakes it at once with the typed error, and nothing of it is left."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from kithara_file import (
    Cancelled,
    CancelToken,
    DownloadComplete,
    File,
    FileConfig,
    FileSession,
    Stream,
    StreamClosed,
    aopen_file,
    open_file,
)
from tests.system.kit import SOON, started
from tests.world import NeverAnswer, Origin, PatternBody, StallAt, plain, ranged, when
from tests.world.crash import Child

pytestmark = pytest.mark.system

MIB = 1 << 20
BODY = PatternBody(8 * MIB)
FAR = 6 * MIB


def stalling(origin: Origin) -> str:
    """Serve a body whose ranges never bring a byte, so that whoever reads far ahead is blocked."""
    return origin.serve("/song", BODY, always=[when(ranged, StallAt(0)), when(plain, StallAt(MIB))])


def blocked_at(origin: Origin, read: Callable[[], bytes]) -> Future[bytes]:
    """Read in a thread, and return when its demand has reached the origin."""
    future = started(read)
    origin.wait_for(lambda log: any(one.range and one.stalled for one in log.requests("/song")))
    assert not future.done()
    return future


def test_closing_a_stream_wakes_the_thread_that_reads_it(origin: Origin, store_dir: Path) -> None:
    stream = Stream.open(File, FileConfig(stalling(origin), store=store_dir))
    stream.seek(FAR)
    reading = blocked_at(origin, lambda: stream.read(10))
    stream.close()
    assert isinstance(reading.exception(SOON), StreamClosed)
    origin.wait_disconnected()


def test_closing_the_buffer_wakes_the_thread_that_reads_it(origin: Origin, store_dir: Path) -> None:
    file = open_file(stalling(origin), store=store_dir)
    file.seek(FAR)
    reading = blocked_at(origin, lambda: file.read(10))
    file.close()
    assert isinstance(reading.exception(SOON), ValueError)
    assert file.closed
    assert file.raw.closed
    origin.wait_disconnected()


def test_a_token_wakes_the_reader_and_ends_the_download(origin: Origin, store_dir: Path) -> None:
    token = CancelToken()
    with Stream.open(File, FileConfig(stalling(origin), store=store_dir, cancel=token)) as stream:
        stream.seek(FAR)
        reading = blocked_at(origin, lambda: stream.read(10))
        token.cancel()
        assert isinstance(reading.exception(SOON), Cancelled)
        origin.wait_disconnected()
        with pytest.raises(Cancelled, match="was cancelled"):
            stream.read(10)


def test_a_token_of_one_handle_leaves_others_alone(origin: Origin, store_dir: Path) -> None:
    url, token = origin.serve("/song", BODY), CancelToken()
    with (
        File.open(FileConfig(url, store=store_dir)) as other,
        File.open(FileConfig(url, store=store_dir, cancel=token)) as session,
    ):
        token.cancel()
        assert session.closed
        other.wait_complete(SOON)
        with other.stream() as stream:
            assert stream.read() == BODY[:]


def test_a_token_that_is_cancelled_already_opens_nothing(origin: Origin, store_dir: Path) -> None:
    url, token = origin.serve("/song", BODY), CancelToken()
    token.cancel()
    with pytest.raises(Cancelled):
        Stream.open(File, FileConfig(url, store=store_dir, cancel=token))


def test_a_token_gives_up_an_opening(origin: Origin, store_dir: Path) -> None:
    url, token = origin.serve("/song", BODY, always=[NeverAnswer()]), CancelToken()
    opening = started(lambda: Stream.open(File, FileConfig(url, store=store_dir, cancel=token)))
    origin.wait_stalled("/song")
    token.cancel()
    assert isinstance(opening.exception(SOON), Cancelled)
    origin.wait_disconnected()


def test_closing_the_handle_leaves_its_streams_alone(origin: Origin, store_dir: Path) -> None:
    url = origin.serve("/song", BODY)
    with File.open(FileConfig(url, store=store_dir)) as session:
        stream = session.stream()
    with stream:
        assert stream.read() == BODY[:]
    with pytest.raises(StreamClosed, match="session is closed"):
        session.stream()


def test_closing_the_handle_wakes_whoever_waits_for_completion(origin: Origin, store_dir: Path) -> None:
    session = File.open(FileConfig(stalling(origin), store=store_dir))
    waiting = started(session.wait_complete)
    origin.wait_stalled("/song")
    session.close()
    assert isinstance(waiting.exception(SOON), StreamClosed)
    origin.wait_disconnected()


def raw_file(url: str, **options: Any) -> Stream:
    return Stream.open(File, FileConfig(url, **options))


@pytest.mark.parametrize("opening", [open_file, raw_file])
def test_a_dropped_file_ends_its_download(origin: Origin, store_dir: Path, opening: Callable[..., object]) -> None:
    file = opening(stalling(origin), store=store_dir)
    origin.wait_stalled("/song")
    del file
    origin.wait_disconnected()


def test_a_dropped_cycle_of_files_ends_its_download(origin: Origin, store_dir: Path) -> None:
    file = open_file(stalling(origin), store=store_dir)
    origin.wait_stalled("/song")
    file.raw.around = file  # type: ignore[attr-defined]
    del file
    gc.collect()
    origin.wait_disconnected()


def test_a_dropped_handle_ends_its_download(origin: Origin, store_dir: Path) -> None:
    session = File.open(FileConfig(stalling(origin), store=store_dir, look_ahead_bytes=None))
    origin.wait_stalled("/song")
    assert isinstance(session, FileSession)
    del session
    gc.collect()
    origin.wait_disconnected()


def test_one_of_two_streams_may_go(origin: Origin, store_dir: Path) -> None:
    with File.open(FileConfig(origin.serve("/song", BODY), store=store_dir)) as session:
        one, two = session.stream(), session.stream()
        assert one.read(1000) == BODY[:1000]
        one.close()
        assert two.read() == BODY[:]
        two.close()


def test_cancelling_a_task_takes_its_read_back_and_no_more(origin: Origin, store_dir: Path) -> None:
    url = stalling(origin)

    async def main() -> bytes:
        async with await aopen_file(url, store=store_dir) as stream:
            await stream.seek(FAR)
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.2):
                    await stream.read(10)
            origin.always("/song")
            origin.release("/song")
            assert stream.tell() == FAR
            return await stream.read(10)

    assert asyncio.run(main()) == BODY[FAR : FAR + 10]


def test_cancelling_an_open_gives_it_up(origin: Origin, store_dir: Path) -> None:
    url = origin.serve("/song", BODY, always=[NeverAnswer()])

    async def main() -> None:
        opening = asyncio.create_task(Stream.aopen(File, FileConfig(url, store=store_dir)))
        await asyncio.to_thread(origin.wait_stalled, "/song")
        opening.cancel()
        with pytest.raises(asyncio.CancelledError):
            await opening
        await asyncio.to_thread(origin.wait_disconnected)

    asyncio.run(main())


INTERRUPTED = """
    # Read until Ctrl-C.
    url, store = argv
    import sys

    from kithara_file import open_file

    try:
        with open_file(url, store=store) as file:
            file.read(1000)
            file.seek(6 << 20)
            print("reading", flush=True)
            file.read(10)
    except KeyboardInterrupt:
        print("interrupted", flush=True)
        sys.exit(130)
"""


def test_ctrl_c_wakes_a_blocked_reader(origin: Origin, store_dir: Path) -> None:
    with Child(INTERRUPTED, stalling(origin), store_dir) as child:
        child.wait_line("reading")
        origin.wait_for(lambda log: any(one.range and one.stalled for one in log.requests("/song")))
        os.kill(child.pid, signal.SIGINT)
        child.wait_line("interrupted")
        assert child.wait() == 130
        assert child.errors == []
    origin.wait_disconnected()


def test_detached_the_download_goes_on_to_its_end(origin: Origin, store_dir: Path) -> None:
    url = origin.serve("/song", BODY, faults=[StallAt(100_000)])
    with File.open(FileConfig(url, store=store_dir, detach=True)) as session, session.stream() as stream:
        assert stream.read(10) == BODY[:10]
        events = session.events.subscribe()
    origin.release("/song")
    assert any(isinstance(event, DownloadComplete) for event in events)
    with open_file(url, store=store_dir, offline_mode=True) as file:
        assert file.read() == BODY[:]


def test_detached_the_download_ends_by_its_token(origin: Origin, store_dir: Path) -> None:
    token = CancelToken()
    url = origin.serve("/song", BODY, always=[StallAt(MIB)])
    with Stream.open(File, FileConfig(url, store=store_dir, detach=True, cancel=token)) as stream:
        assert stream.read(10) == BODY[:10]
    origin.wait_stalled("/song")
    token.cancel()
    origin.wait_disconnected()
