"""What happens is told, in order, at a rate that a person can follow, and never at the sender's cost."""

from __future__ import annotations

import asyncio
import threading
import time
from pathlib import Path

import pytest

from kithara_file import (
    ByteProgress,
    DownloadComplete,
    DownloadError,
    DownloadProgress,
    EndOfStream,
    Error,
    FetchStarted,
    File,
    FileConfig,
    FileEvent,
    Landed,
    NotFound,
    Phase,
    PhaseChanged,
    open_file,
)
from kithara_file.stream.quick import buffer_of
from tests.system.kit import SOON, TWICE, heard, started
from tests.world import CloseAt, Link, Origin, PatternBody, StallAt, Status, plain, ranged, when
from tests.world.fixtures import MakeOrigin

pytestmark = pytest.mark.system

MIB = 1 << 20
BODY = PatternBody(6 * MIB, seed=11)


def phases(told: list[FileEvent]) -> list[Phase]:
    return [each.phase for each in told if isinstance(each, PhaseChanged)]


def test_a_download_tells_its_phases_and_its_end_in_order(origin: Origin, store_dir: Path) -> None:
    url = origin.serve("/song", BODY, faults=[StallAt(MIB)])
    with File.open(FileConfig(url, store=store_dir)) as session:
        before = session.phase
        with heard(session) as told:
            origin.release("/song")
            session.wait_complete(SOON)
        assert (before, session.phase) == (Phase.SEQUENTIAL, Phase.COMPLETE)
    assert phases(told)[-1] is Phase.COMPLETE
    assert isinstance(told[-1], DownloadComplete)
    assert told[-1].length == BODY.length
    progress = [each.present for each in told if isinstance(each, DownloadProgress)]
    assert progress == sorted(progress)
    assert progress[-1] == BODY.length


def test_gaps_behind_the_download_are_filled_in_a_phase_of_their_own(origin: Origin, store_dir: Path) -> None:
    """The reader jumps ahead, the download runs from there to the end, then what was jumped over is fetched."""
    url = origin.serve("/song", PatternBody(24 * MIB), always=[when(plain, StallAt(MIB))])
    session = File.open(FileConfig(url, store=store_dir, look_ahead_bytes=4 * MIB))
    with session, session.stream() as stream, heard(session) as told:
        stream.seek(12 * MIB)
        while stream.read(MIB):
            pass
        session.wait_complete(2 * SOON)
    assert phases(told)[-2:] == [Phase.GAP_FILLING, Phase.COMPLETE]
    assert any(isinstance(each, FetchStarted) and each.start < 12 * MIB for each in told), "the gap was fetched"
    filling = told.index(PhaseChanged(Phase.GAP_FILLING))
    gaps = [each for each in told[filling:] if isinstance(each, FetchStarted)]
    assert all(each.end is not None and each.end - each.start <= 2 * MIB for each in gaps), gaps


def test_at_most_four_gaps_are_filled_at_once(origin: Origin, store_dir: Path) -> None:
    body = PatternBody(30 * MIB)
    url = origin.serve("/song", body, always=[when(plain, StallAt(MIB))])
    with (
        File.open(FileConfig(url, store=store_dir, max_fetches=8, look_ahead_bytes=MIB)) as session,
        session.stream() as stream,
    ):
        stream.seek(20 * MIB)
        while stream.read(MIB):
            pass
        origin.always("/song", when(ranged, StallAt(1000)))
        waiting = started(session.wait_complete)
        origin.drop_connections()
        origin.wait_for(lambda log: sum(one.stalled for one in log.requests("/song")) >= 4)
        assert session.statistics().fetches_flying == 4
        assert not waiting.done()
        origin.always("/song")
        origin.release("/song")
        waiting.result(SOON)


def test_progress_is_told_at_a_rate_for_people(make_origin: MakeOrigin, store_dir: Path) -> None:
    origin = make_origin(link=Link(rate=8e6))
    url, begun = origin.serve("/song", BODY), time.monotonic()
    with File.open(FileConfig(url, store=store_dir)) as session, heard(session) as told, session.stream() as stream:
        while stream.read(4096):
            pass
        session.wait_complete(SOON)
        with session.stream() as second:
            second.read(10)
    seconds = time.monotonic() - begun
    for kind in (DownloadProgress, ByteProgress):
        count = sum(isinstance(each, kind) for each in told)
        assert 2 <= count <= 10 * seconds + 3, kind  # the first and the last come besides
    assert told.count(EndOfStream(BODY.length)) == 1


def test_a_slow_listener_loses_the_oldest_and_can_count_them(origin: Origin, store_dir: Path) -> None:
    url = origin.serve("/song", BODY, faults=[StallAt(0)])
    with File.open(FileConfig(url, store=store_dir)) as session:
        session.events.subscribe().close()  # the first one also hears of the past
        with session.events.subscribe(capacity=2) as slow, heard(session) as told:
            origin.release("/song")
            session.wait_complete(SOON)
            session.events.close()
        kept = list(slow)
    assert kept == told[-2:]
    assert slow.dropped == len(told) - 2


def test_a_callback_hears_everything_in_a_thread_of_its_own(origin: Origin, store_dir: Path) -> None:
    url = origin.serve("/song", BODY, faults=[StallAt(0)])
    told: list[FileEvent] = []
    threads: set[str] = set()
    complete = threading.Event()

    def callback(event: FileEvent) -> None:
        told.append(event)
        threads.add(threading.current_thread().name)
        if isinstance(event, DownloadComplete):
            complete.set()

    with File.open(FileConfig(url, store=store_dir)) as session, session.events.subscribe(callback):
        origin.release("/song")
        session.wait_complete(SOON)
        assert complete.wait(SOON)
    assert threads == {"kithara-file-events"}
    assert phases(told)[-1] is Phase.COMPLETE


def test_a_callback_that_fails_is_logged_and_called_again(
    origin: Origin, store_dir: Path, caplog: pytest.LogCaptureFixture
) -> None:
    url = origin.serve("/song", BODY, faults=[StallAt(0)])
    complete = threading.Event()

    def callback(event: FileEvent) -> None:
        if isinstance(event, DownloadComplete):
            complete.set()
        raise RuntimeError("the listener's own fault")

    with File.open(FileConfig(url, store=store_dir)) as session, session.events.subscribe(callback):
        origin.release("/song")
        session.wait_complete(SOON)
        assert complete.wait(SOON)
    assert "a listener failed" in caplog.text


def test_a_task_hears_events_and_the_end_of_the_session_ends_its_loop(origin: Origin, store_dir: Path) -> None:
    url = origin.serve("/song", BODY, faults=[StallAt(0)])

    async def main() -> list[FileEvent]:
        session = await File.aopen(FileConfig(url, store=store_dir))
        events = session.events.subscribe()

        async def listen() -> list[FileEvent]:
            return [each async for each in events]

        listening = asyncio.create_task(listen())
        origin.release("/song")
        await session.await_complete()
        session.close()
        return await asyncio.wait_for(listening, SOON)

    told = asyncio.run(main())
    assert any(isinstance(each, DownloadComplete) for each in told)


def test_a_failure_that_heals_is_told_as_recoverable(origin: Origin, store_dir: Path) -> None:
    url = origin.serve("/song", BODY, faults=[(StallAt(MIB), CloseAt(2 * MIB))])
    with File.open(FileConfig(url, store=store_dir, retry=TWICE)) as session, heard(session) as told:
        origin.release("/song")
        session.wait_complete(SOON)
    failures = [each for each in told if isinstance(each, Error)]
    assert [each.recoverable for each in failures] == [True]
    assert not any(isinstance(each, DownloadError) for each in told)
    assert any(isinstance(each, Landed) and each.range.start == 0 for each in told)


def test_a_download_that_gives_up_says_so_once(origin: Origin, store_dir: Path) -> None:
    url = origin.serve("/song", BODY, always=[when(ranged, Status(404))], faults=[StallAt(MIB)])
    with File.open(FileConfig(url, store=store_dir)) as session, heard(session) as told:
        origin.drop_connections()
        with pytest.raises(NotFound):
            session.wait_complete(SOON)
    assert [type(each.error) for each in told if isinstance(each, DownloadError)] == [NotFound]
    assert [each.recoverable for each in told if isinstance(each, Error)][-1] is False


def test_the_end_of_the_stream_is_told_when_a_reader_comes_to_it(origin: Origin, store_dir: Path) -> None:
    url = origin.serve("/song", BODY)
    with File.open(FileConfig(url, store=store_dir)) as session, heard(session) as told, session.stream() as stream:
        stream.read()
    assert EndOfStream(BODY.length) in told


def test_events_of_a_file_that_is_complete_already(origin: Origin, store_dir: Path) -> None:
    url = origin.serve("/song", BODY, headers={"Cache-Control": "max-age=60"})
    with File.open(FileConfig(url, store=store_dir)) as session:
        session.wait_complete(SOON)
    with File.open(FileConfig(url, store=store_dir)) as session, heard(session) as told:
        session.wait_complete(SOON)
        assert session.phase is Phase.COMPLETE
        assert session.statistics().network_bytes == 0
    assert not any(isinstance(each, FetchStarted) for each in told)
    with open_file(url, store=store_dir) as file:
        assert file.read(3) == BODY[:3]


@pytest.mark.parametrize("local", [False, True])
@pytest.mark.parametrize("buffered", [False, True])
@pytest.mark.parametrize("size", [100_000, -1])
def test_who_reads_what_is_complete_is_told_of_too_and_each_end_once(
    origin: Origin, store_dir: Path, tmp_path: Path, local: bool, buffered: bool, size: int
) -> None:
    url = str(tmp_path / "song") if local else origin.serve("/song", BODY, headers={"Cache-Control": "max-age=60"})
    (tmp_path / "song").write_bytes(BODY[:])
    with File.open(FileConfig(url, store=store_dir)) as session:
        session.wait_complete(SOON)
        with heard(session) as told, session.stream() as stream:
            file = buffer_of(stream, 4096) if buffered else stream
            for _ in range(2):
                file.seek(0)
                while file.read(size):
                    pass
                assert file.read(1) == b""
            file.seek(BODY.length - 10)
            assert len(file.read()) == 10
    assert [each for each in told if isinstance(each, EndOfStream)] == [EndOfStream(BODY.length)] * 3
    assert local or any(isinstance(each, ByteProgress) for each in told)
