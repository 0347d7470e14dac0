"""The promise that everything is present and committed: kept once, told to everybody, and tried again when wanted."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from kithara_file.errors import (
    AccessDenied,
    Cancelled,
    DiskFull,
    KitharaError,
    OfflineMiss,
    ResourceChanged,
    StorageError,
)
from kithara_file.events import (
    CacheBypassed,
    DownloadComplete,
    DownloadError,
    DownloadProgress,
    Error,
    Phase,
    PhaseChanged,
)
from kithara_file.net.remote import Validator
from kithara_file.storage.digest import WrongDigest
from tests.unit.session.hall import Hall, body_of
from tests.world.clock import run_virtual
from tests.world.entry import MemoryEntry
from tests.world.remote import KIB, BreakAt, Raise, ScriptedRemote, StallAt, Version

BODY = body_of(600 * KIB)


def tell(far: ScriptedRemote, story: Callable[[Hall], Any], entry: MemoryEntry | None = None, **options: Any) -> None:
    async def main() -> None:
        async with Hall(far, entry, **options) as hall:
            await story(hall)

    run_virtual(main())


def denied(url: str) -> KitharaError:
    return AccessDenied(403, url=url)


def test_everything_is_downloaded_committed_and_told_in_order() -> None:
    async def story(hall: Hall) -> None:
        await hall.opened()
        assert not hall.session.completion.settled
        await asyncio.gather(hall.complete(), hall.complete())
        assert (hall.session.completion.settled, hall.entry.log) == (True, ["begin", "commit"])
        assert hall.front.phase is Phase.COMPLETE
        told = hall.events(object)  # type: ignore[type-var]
        assert told[-3:] == [
            DownloadProgress(len(BODY), len(BODY)),
            PhaseChanged(Phase.COMPLETE),
            DownloadComplete(len(BODY)),
        ]
        await hall.complete()
        assert hall.entry.log == ["begin", "commit"]

    tell(ScriptedRemote(BODY), story, look_ahead_bytes=20 * KIB)


def test_reading_to_the_end_completes_it_too_though_nobody_asked() -> None:
    async def story(hall: Hall) -> None:
        await hall.opened()
        await hall.within(hall.stream().read())
        await asyncio.sleep(1)
        assert hall.entry.held.committed
        await hall.complete()
        assert hall.entry.log == ["begin", "commit"]

    tell(ScriptedRemote(BODY), story)


def test_an_empty_file_completes() -> None:
    async def story(hall: Hall) -> None:
        await hall.complete()
        assert hall.entry.held.committed

    tell(ScriptedRemote(b""), story)


def test_what_is_committed_already_is_complete() -> None:
    async def story(hall: Hall) -> None:
        await hall.complete()
        assert hall.entry.log == []

    entry = MemoryEntry.storing(Version(BODY).remote(), BODY, committed=True)
    tell(ScriptedRemote(BODY), story, entry, revalidate="never")


@pytest.mark.parametrize(
    "error, told", [(DiskFull("full"), DiskFull), (OSError(5, "EIO"), StorageError), (Cancelled(), Cancelled)]
)
def test_a_commit_that_fails_is_told_and_tried_again_only_when_wanted(error: Exception, told: type[Exception]) -> None:
    async def story(hall: Hall) -> None:
        hall.entry.fail("commit", error)
        with pytest.raises(told):
            await hall.complete()
        hall.front.poke()
        await asyncio.sleep(100)
        assert hall.entry.log == ["begin", "commit"]
        assert [type(each.error) for each in hall.events(CacheBypassed)] == [told]
        assert await hall.read(0, len(BODY)) == BODY
        await hall.complete()
        assert hall.entry.log == ["begin", "commit", "commit"]

    tell(ScriptedRemote(BODY), story)


def test_a_download_that_was_given_up_is_tried_again_when_wanted_again() -> None:
    async def story(hall: Hall) -> None:
        with pytest.raises(AccessDenied):
            await hall.complete()
        await asyncio.sleep(100)
        assert len(far.log) == 2
        await hall.complete()

    far = ScriptedRemote(BODY).then(BreakAt(1000)).then(Raise(denied))
    tell(far, story)


def test_given_up_and_then_completed_by_a_reader_it_is_complete_for_whoever_wants_it_again() -> None:
    async def story(hall: Hall) -> None:
        with pytest.raises(AccessDenied):
            await hall.complete()
        assert await hall.read(0, len(BODY)) == BODY
        await asyncio.sleep(1)
        assert hall.entry.held.committed
        await hall.complete()
        assert len(hall.events(DownloadComplete)) == 1

    tell(ScriptedRemote(BODY).then(BreakAt(1000)).then(Raise(denied)), story)


def test_a_changed_remote_is_never_complete() -> None:
    async def story(hall: Hall) -> None:
        await hall.opened()
        stream = hall.stream()
        assert await stream.read(10) == BODY[:10]
        far.become(Version(BODY[:-1], Validator('"2"')))
        for _ in range(2):
            with pytest.raises(ResourceChanged):
                await hall.complete()
        assert len(far.log) == 2
        await stream.close()

    far = ScriptedRemote(BODY, latency=0.1).then(BreakAt(300 * KIB))
    tell(far, story)


def test_closing_lets_a_commit_end_and_tells_who_waits_for_more() -> None:
    async def main() -> None:
        async with Hall(ScriptedRemote(BODY), disk_seconds=5.0) as hall:
            wanted = asyncio.wrap_future(hall.front.want_everything(hall))
            await asyncio.sleep(1)
            closing = asyncio.ensure_future(hall.session.shut())
            await wanted
            await closing
        assert hall.entry.log == ["begin", "commit", "close"]
        async with Hall(ScriptedRemote(BODY).always(StallAt(1000))) as stuck:
            wanted = asyncio.wrap_future(stuck.front.want_everything(stuck))
            await asyncio.sleep(1)
            await stuck.session.shut()
            with pytest.raises(Cancelled):
                await wanted
            with pytest.raises(Cancelled):
                await asyncio.wrap_future(stuck.front.want_everything(stuck))

    run_virtual(main())


def test_past_a_full_disk_nothing_is_ever_complete_and_reading_goes_on() -> None:
    async def story(hall: Hall) -> None:
        await hall.opened()
        hall.entry.held.lost = DiskFull("full")
        with pytest.raises(DiskFull):
            await hall.complete()
        assert await hall.read(0, len(BODY)) == BODY
        assert len(hall.events(CacheBypassed)) >= 1
        with pytest.raises(DiskFull):  # nor is it waited for in vain when it is wanted again
            await hall.complete()

    tell(ScriptedRemote(BODY, latency=0.1, rate=1e6), story)


def test_offline_a_missing_byte_is_told_at_once() -> None:
    async def story(hall: Hall) -> None:
        with pytest.raises(OfflineMiss):
            await hall.complete()

    tell(ScriptedRemote(BODY), story, MemoryEntry.storing(Version(BODY).remote(), BODY, [(0, 9)]), offline_mode=True)


@pytest.mark.parametrize("times, read_first", [(1, True), (2, False)])
def test_bytes_that_are_not_those_promised_end_the_session(times: int, read_first: bool) -> None:
    async def story(hall: Hall) -> None:
        await hall.opened()
        stream = hall.stream()
        if read_first:
            assert await hall.within(stream.read(10)) == BODY[:10]
        hall.entry.fail("commit", *[WrongDigest("not the promised bytes")] * times)
        with pytest.raises(WrongDigest):
            await hall.complete()
        assert hall.front.lost
        assert [type(each.error) for each in hall.events(DownloadError)] == [WrongDigest]
        await stream.close()

    tell(ScriptedRemote(BODY, latency=0.1, rate=1e6), story)


def test_bytes_that_nobody_has_seen_are_given_a_second_chance() -> None:
    async def story(hall: Hall) -> None:
        hall.entry.fail("commit", WrongDigest("not the promised bytes"))
        await hall.complete()
        assert hall.entry.log == ["begin", "commit", "commit"]
        assert [each.recoverable for each in hall.events(Error)] == [True]

    tell(ScriptedRemote(BODY), story)
