"""A reader: where it is, how much it wants, what it waits for, and which version it is bound to."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kithara_file.clock import CancelToken, Deadline
from kithara_file.config import KIB, MIB, FileConfig
from kithara_file.errors import Cancelled, NotFound, OfflineMiss, ResourceChanged
from kithara_file.ranges import ByteRange
from kithara_file.session.reader import MOVES, Reader
from kithara_file.session.view import Playhead
from kithara_file.storage.memory import MemoryResource
from tests.unit.session.hall import URL
from tests.world.clock import run_virtual

NEVER = Deadline.never()
CHANGED = ResourceChanged(url=URL, expected="1", found="2")


class Room:
    """A host which remembers what readers told it."""

    shown_url = URL

    def __init__(self, length: int | None = 100 * MIB) -> None:
        self.resource = MemoryResource(length)
        self.told: list[tuple[int, bool]] = []
        self.left: list[bool] = []
        self.opened: Future[None] = Future()
        self.opened.set_result(None)
        self.newer: Room | None = None
        self.stillborn = False

    @property
    def outdated(self) -> bool:
        return self.newer is not None

    def successor(self, reader: Reader, config: FileConfig) -> Room:
        assert self.newer is not None
        self.leave(reader, wait=False)
        return self.newer

    def split(self, *content: bytes) -> Room:
        """Let this session stay with its version, and a newer one be elsewhere."""
        self.newer = Room()
        self.newer.resource.write_at(0, *content)
        self.resource.fail(CHANGED)
        return self.newer

    def poke(self) -> None: ...

    def read_to(self, position: int, *, end: bool) -> None:
        self.told.append((position, end))

    def leave(self, reader: Reader, *, wait: bool) -> None:
        self.left.append(wait)

    def change(self, *content: bytes) -> None:
        older, self.resource = self.resource, MemoryResource(100 * MIB)
        self.resource.write_at(0, *content)
        older.fail(CHANGED)


def of(room: Room, **options: object) -> Reader:
    return Reader(room, FileConfig(URL, **options))  # type: ignore[arg-type]


def read(reader: Reader, start: int, size: int) -> bytes:
    buffer = bytearray(size)
    return bytes(buffer[: reader.read_at(start, memoryview(buffer))])


# -- where it is, and how much it wants --------------------------------------------------------------------------------


def test_the_window_doubles_as_the_reader_reads_on_up_to_the_look_ahead() -> None:
    reader = of(Room(), look_ahead_bytes=8 * MIB)
    windows = [reader.window]
    for start in range(0, 8 * MIB, MIB):
        reader.consumed(start, MIB)
        windows.append(reader.window)
    assert windows == [each * MIB for each in (1, 2, 4, 6, 8, 8, 8, 8, 8)]


def test_without_a_limit_the_window_grows_on() -> None:
    reader = of(Room(), look_ahead_bytes=None)
    reader.consumed(0, 40 * MIB)
    assert reader.window == 80 * MIB


def test_a_far_seek_begins_small_again_and_a_near_one_does_not() -> None:
    reader = of(Room())
    reader.consumed(0, 4 * MIB)
    reader.consumed(6 * MIB, MIB)  # within the window
    assert (reader.playhead.position, reader.window) == (7 * MIB, 14 * MIB)
    reader.consumed(MIB, KIB)  # back to where this run has been
    assert reader.playhead.position == MIB + KIB
    reader.consumed(90 * MIB, KIB)
    assert (reader.playhead.position, reader.window) == (90 * MIB + KIB, 256 * KIB)
    reader.consumed(3, 0)  # before this run
    assert reader.playhead.position == 3


def test_who_reads_little_where_it_has_sought_is_asked_for_less_at_the_next_place() -> None:
    reader, windows = of(Room()), []
    for place, count in [(10, KIB), (20, KIB), (30, KIB), (40, 0), (50, 20 * KIB), (60, 70 * KIB), (70, KIB), (80, 0)]:
        reader.consumed(place * MIB, count)
        windows.append(reader.window // KIB)
    assert windows == [256, 128, 64, 64, 64, 140, 256, 128]


def test_a_seek_alone_moves_nothing() -> None:
    room = Room()
    reader = of(room)
    reader.seeking(90 * MIB)
    assert (reader.playhead.position, room.told) == (0, [])


def test_waiting_somewhere_far_moves_the_playhead_there() -> None:
    room = Room()
    room.resource.write_at(90 * MIB, b"x")
    reader = of(room)
    found = reader.wait_range(ByteRange(90 * MIB, 91 * MIB), NEVER, CancelToken())
    assert (found, reader.playhead.position, room.told) == (
        ByteRange(90 * MIB, 90 * MIB + 1),
        90 * MIB,
        [(90 * MIB, False)],
    )


@given(st.lists(st.integers(1, 200 * KIB), min_size=1, max_size=80))
def test_the_download_hears_of_a_reader_often_enough_and_seldom_enough(sizes: list[int]) -> None:
    room = Room()
    reader, position = of(room, look_ahead_bytes=MIB), 0
    for size in sizes:
        reader.consumed(position, size)
        position += size
    told = [at for at, _ in room.told]
    assert position - (told[-1] if told else 0) < MIB // 8 + 200 * KIB
    assert len(told) <= 1 + position // (32 * KIB)


def test_the_end_is_told_once_until_something_is_read() -> None:
    room = Room(10)
    reader = of(room)
    for _ in range(2):
        reader.consumed(9, 1)
        reader.consumed(10, 0)
        reader.consumed(10, 0)
    assert room.told == [(10, False), (10, True), (10, True)]


# -- bytes, and versions -----------------------------------------------------------------------------------------------


def test_what_is_known_comes_from_the_host() -> None:
    room = Room()
    reader = of(room, read_timeout=3.0)
    assert (reader.name, reader.length, reader.read_timeout) == (URL, 100 * MIB, 3.0)
    assert reader.descriptor() is None
    assert repr(reader) == f"<Reader at 0 · {MIB} ahead>"


def test_a_reader_that_has_consumed_nothing_follows_a_change() -> None:
    room = Room()
    room.resource.write_at(0, b"old")
    reader = of(room)
    room.change(b"new")
    assert read(reader, 0, 3) == b"new"
    reader.consumed(0, 3)
    room.change(b"newer")
    assert (read(reader, 0, 5), reader.length) == (b"new", 100 * MIB)
    with pytest.raises(ResourceChanged):
        reader.wait_range(ByteRange(3, 9), NEVER, CancelToken())


def test_a_change_ends_no_wait_of_a_reader_that_has_consumed_nothing() -> None:
    room, stands = Room(None), threading.Semaphore(0)
    room.resource.on_demand = stands.release
    reader = of(room)
    with ThreadPoolExecutor(2) as pool:
        bytes_ = pool.submit(reader.wait_range, ByteRange(0, 9), NEVER, CancelToken())
        length = pool.submit(reader.wait_length, NEVER, CancelToken())
        assert stands.acquire(timeout=60)
        assert stands.acquire(timeout=60)
        room.change(b"new")
        assert (bytes_.result(30), length.result(30)) == (ByteRange(0, 3), 100 * MIB)


def test_a_change_ends_no_wait_in_a_task_either() -> None:
    async def main() -> None:
        room = Room(None)
        reader = of(room)
        bytes_ = asyncio.ensure_future(reader.await_range(ByteRange(0, 9), NEVER, CancelToken()))
        length = asyncio.ensure_future(reader.await_length(NEVER, CancelToken()))
        await asyncio.sleep(1)
        room.change(b"new")
        assert (await bytes_, await length) == (ByteRange(0, 3), 100 * MIB)
        reader.consumed(0, 3)
        room.change(b"newer")
        with pytest.raises(ResourceChanged):
            await reader.await_range(ByteRange(50, 59), NEVER, CancelToken())

    run_virtual(main())


# -- a version that others hold on to ----------------------------------------------------------------------------------


def test_who_has_read_nothing_goes_over_to_the_next_session() -> None:
    room = Room()
    room.resource.write_at(0, b"old")
    reader = of(room)
    newer = room.split(b"new!")
    assert read(reader, 0, 9) == b""
    assert reader.wait_range(ByteRange(0, 9), NEVER, CancelToken()) == ByteRange(0, 4)
    assert (read(reader, 0, 9), reader.wait_length(NEVER, CancelToken())) == (b"new!", 100 * MIB)
    reader.consumed(0, 4)
    assert newer.told == [(4, False)]
    reader.close(wait=True)
    assert (room.left, newer.left) == ([False], [True])


def test_a_task_goes_over_too() -> None:
    async def main() -> None:
        room = Room()
        reader = of(room)
        room.split(b"new!")
        assert await reader.await_range(ByteRange(0, 9), NEVER, CancelToken()) == ByteRange(0, 4)
        assert await reader.await_length(NEVER, CancelToken()) == 100 * MIB

    asyncio.run(main())


def test_who_has_read_stays_and_is_told() -> None:
    room = Room()
    room.resource.write_at(0, b"old")
    reader = of(room)
    reader.consumed(0, 3)
    room.split(b"new!")
    assert read(reader, 0, 9) == b"old"
    with pytest.raises(ResourceChanged):
        reader.wait_range(ByteRange(3, 9), NEVER, CancelToken())


def test_versions_that_change_without_end_are_told_at_last() -> None:
    room = Room()
    reader = of(room)
    last = room
    for _ in range(MOVES):
        last = last.split()
    last.split()
    with pytest.raises(ResourceChanged):
        reader.wait_range(ByteRange(0, 9), NEVER, CancelToken())


def test_going_over_can_be_given_up() -> None:
    room, token = Room(), CancelToken()
    reader = of(room)
    room.split().opened = Future()
    token.cancel(Cancelled("enough"))
    with pytest.raises(Cancelled, match="enough"):
        reader.wait_range(ByteRange(0, 9), NEVER, token)


def test_a_change_without_another_version_is_told_to_everybody() -> None:
    room = Room()
    reader = of(room)
    room.resource.fail(CHANGED)
    with pytest.raises(ResourceChanged):
        reader.wait_range(ByteRange(0, 9), NEVER, CancelToken())


def test_other_errors_are_raised_as_they_are() -> None:
    room = Room(None)
    reader = of(room)
    room.resource.fail(OfflineMiss(url=URL, start=0, end=9))
    with pytest.raises(OfflineMiss):
        reader.wait_range(ByteRange(0, 9), NEVER, CancelToken())
    with pytest.raises(OfflineMiss):
        reader.wait_length(NEVER, CancelToken())


# -- the end -----------------------------------------------------------------------------------------------------------


def test_closing_leaves_the_host_once() -> None:
    room = Room()
    reader = of(room)
    reader.obey(None, CancelToken())
    reader.close(wait=True)
    reader.close(wait=False)
    assert room.left == [True]


def test_the_token_of_the_configuration_ends_the_waits_then_the_reader() -> None:
    room, outer, inner = Room(), CancelToken(), CancelToken()
    of(room).obey(outer, inner)
    outer.cancel(Cancelled("enough"))
    assert (inner.reason, room.left) == (outer.reason, [False])


def test_a_token_that_is_cancelled_already_ends_the_reader_at_once() -> None:
    room, outer, inner = Room(), CancelToken(), CancelToken()
    outer.cancel()
    of(room).obey(outer, inner)
    assert (inner.cancelled, room.left) == (True, [False])


def test_a_closed_reader_leaves_nothing_with_the_token() -> None:
    room, outer, inner = Room(), CancelToken(), CancelToken()
    reader = of(room)
    reader.obey(outer, inner)
    reader.close(wait=False)
    outer.cancel()
    assert (inner.cancelled, room.left) == (False, [False])


def test_who_closes_while_the_reader_goes_over_to_another_session_leaves_that_too() -> None:
    room = Room()
    newer = room.split(b"new")
    reader = of(room)

    def leave(_: Reader, *, wait: bool) -> None:
        if wait:  # in the midst of it a read that waited goes on
            reader.wait_range(ByteRange(0, 3), NEVER, CancelToken())

    room.leave = leave  # type: ignore[method-assign, assignment]
    reader.close(wait=True)
    assert newer.left == [False]


def test_each_read_is_worth_another_try_to_go_over_to_what_is_there_now() -> None:
    room = Room()
    reader = of(room)
    for _ in range(2 * MOVES):
        room = room.split()
        room.stillborn, room.opened = True, Future()
        room.opened.set_exception(NotFound(404, url=URL))
        with pytest.raises(NotFound):
            reader.wait_range(ByteRange(0, 3), NEVER, CancelToken())
    room.split(b"new")
    reader.wait_range(ByteRange(0, 3), NEVER, CancelToken())
    assert read(reader, 0, 3) == b"new"


def test_who_waits_for_more_than_the_look_ahead_is_brought_that_and_no_more() -> None:
    room = Room()
    reader = of(room, look_ahead_bytes=1)
    room.resource.write_at(9 * MIB, b"first")
    reader.wait_range(ByteRange(9 * MIB, 9 * MIB + 300_000), NEVER, CancelToken())
    assert reader.playhead == Playhead(9 * MIB, 300_000)
    reader.consumed(9 * MIB, 5)
    assert reader.playhead == Playhead(9 * MIB + 5, 1)
