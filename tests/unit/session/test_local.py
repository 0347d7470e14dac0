"""A file of this machine behind the same handle."""

from __future__ import annotations

import asyncio
import errno
from pathlib import Path

import pytest

from kithara_file.clock import CancelToken, Deadline
from kithara_file.config import FileConfig
from kithara_file.errors import StreamClosed
from kithara_file.events import EndOfStream, Phase
from kithara_file.ranges import ByteRange
from kithara_file.session.local import LocalSession
from kithara_file.session.statistics import Statistics
from tests.world.crash import fork_while_held


@pytest.fixture
def song(tmp_path: Path) -> Path:
    path = tmp_path / "song.flac"
    path.write_bytes(b"0123456789")
    return path


def read(session: LocalSession, start: int) -> bytes:
    buffer = bytearray(4)
    return bytes(buffer[: session.resource.read_at(start, memoryview(buffer))])


def test_all_is_here_and_nothing_runs(song: Path) -> None:
    session = LocalSession(str(song))
    assert (session.shown_url, session.phase, session.remote) == (str(song), Phase.COMPLETE, None)
    assert session.opened.result(0) is session.want_everything(session).result(0) is None
    assert session.statistics() == Statistics(phase=Phase.COMPLETE, length=10, present_bytes=10)
    session.poke()
    assert read(session, 3) == b"3456"
    session.leave(object(), wait=True)


def test_the_file_is_closed_when_the_last_holder_goes(song: Path) -> None:
    session, config = LocalSession(str(song)), FileConfig(song)
    ear = session.events.subscribe()
    one, two = session.reader(config, CancelToken()), session.reader(config, CancelToken())
    session.leave(object(), wait=False)
    one.close(wait=True)
    assert two.wait_range(ByteRange(0, 4), Deadline.never(), CancelToken()) == ByteRange(0, 4)
    two.consumed(0, 4)
    two.consumed(10, 0)
    two.close(wait=True)
    assert list(ear) == [EndOfStream(10)]
    with pytest.raises(StreamClosed):
        read(session, 0)


def test_the_token_of_the_configuration_closes_its_readers(song: Path) -> None:
    session, outer, inner = LocalSession(str(song)), CancelToken(), CancelToken()
    session.reader(FileConfig(song, cancel=outer), inner)
    session.leave(object(), wait=False)
    outer.cancel()
    assert inner.cancelled
    with pytest.raises(StreamClosed):
        read(session, 0)


def test_many_threads_leave_and_the_last_one_closes(song: Path) -> None:
    async def main() -> None:
        session, config = LocalSession(str(song)), FileConfig(song)
        readers = [session.reader(config, CancelToken()) for _ in range(50)]
        session.leave(object(), wait=False)
        await asyncio.gather(*(asyncio.to_thread(each.close, wait=False) for each in readers))
        with pytest.raises(StreamClosed):
            read(session, 0)

    asyncio.run(main())


@pytest.mark.parametrize("name", ["missing", "."])
def test_what_is_no_file_is_an_error_of_the_system(tmp_path: Path, name: str) -> None:
    with pytest.raises(OSError, match=r".") as caught:
        LocalSession(str(tmp_path / name))
    assert caught.value.errno in (errno.ENOENT, errno.EISDIR)


def test_a_child_of_a_fork_lets_go_while_others_came_and_went(song: Path) -> None:
    session = LocalSession(str(song))
    assert fork_while_held(session._lock, lambda: session.leave(object(), wait=True)) == 0
    assert not session.resource.closed
    session.leave(object(), wait=True)
