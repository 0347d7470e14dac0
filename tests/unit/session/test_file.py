"""The handle on one file: opening, the facts, the whole of it, cancelling, closing."""

from __future__ import annotations

import asyncio
import errno
import gc
import pickle
import threading
from collections.abc import Callable
from contextlib import ExitStack
from copy import copy, deepcopy
from pathlib import Path

import pytest

from kithara_file.clock import CancelToken
from kithara_file.config import FileConfig, Retry
from kithara_file.errors import Cancelled, ConfigError, NotFound, OfflineMiss, StreamClosed
from kithara_file.events import Phase
from kithara_file.ranges import ByteRange, Coverage
from kithara_file.session import local
from kithara_file.session.file import File, FileSession, local_path
from kithara_file.storage.local import local_resource
from kithara_file.storage.resource import Resource
from kithara_file.stream.aio import AsyncStream
from kithara_file.stream.stream import Stream
from tests.unit.session.shelf import BODY, URL, put
from tests.world import NeverAnswer, Origin, StallAt, Status

SOON = 20.0
ONCE = Retry(retries=0, jitter=0.0)


@pytest.fixture
def config(tmp_path: Path) -> FileConfig:
    """Return the way to open what is stored completely, without a network."""
    put(tmp_path)
    return FileConfig(URL, store=tmp_path, offline_mode=True)


@pytest.fixture
def stalled(tmp_path: Path, origin: Origin) -> Callable[..., FileConfig]:
    """Return the way to open what never comes beyond byte 1000."""
    url = origin.serve("/song", BODY, always=[StallAt(1000)])
    return lambda **options: FileConfig(url, store=tmp_path / "store", **options)


# -- what is opened ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url, path",
    [
        ("http://h/a", None),
        ("HTTPS://h/a", None),
        ("song.flac", "song.flac"),
        ("/music/song.flac", "/music/song.flac"),
        ("C:\\music\\song.flac", "C:\\music\\song.flac"),
        ("file:///music/a%20song.flac", "/music/a song.flac"),
        ("file:/music/song.flac", "/music/song.flac"),
        ("FILE://localhost/music/song.flac", "/music/song.flac"),
        ("file:///music/s%C3%B6ng%FF.flac", "/music/söng\udcff.flac"),
    ],
)
def test_which_urls_are_paths(url: str, path: str | None) -> None:
    assert local_path(url) == path


@pytest.mark.parametrize(
    "url",
    [
        "ftp://h/a",
        "data:,x",
        "file://elsewhere/a",
        "kithara:song",
        "file://[::1/a",
        "file://\u2100/a",
        "file:///a%00b",
        "a\0b",
        "/a\ud800b",
    ],
)
def test_what_nobody_here_can_open_is_said(url: str) -> None:
    with pytest.raises(ConfigError):
        local_path(url)


def test_a_path_may_look_like_a_scheme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("live:song.flac").write_bytes(b"x")
    assert local_path("live:song.flac") == "live:song.flac"


@pytest.mark.parametrize("form", [str, lambda path: path.as_uri(), lambda path: path])
def test_a_local_file_is_itself(tmp_path: Path, form: Callable[[Path], str]) -> None:
    path = tmp_path / "song.flac"
    path.write_bytes(BODY)
    with File.open(FileConfig(form(path))) as session, session.stream() as stream:
        assert stream.read() == BODY
        assert (session.name, session.length, session.remote, session.media_type) == (str(path), len(BODY), None, None)
        assert (session.phase, session.coverage) == (Phase.COMPLETE, Coverage([ByteRange(0, len(BODY))]))
        session.wait_complete()
        session.events.subscribe().close()
    with pytest.raises(OSError, match="missing") as caught:
        File.open(FileConfig(tmp_path / "missing"))
    assert caught.value.errno == errno.ENOENT


# -- facts -------------------------------------------------------------------------------------------------------------


def test_the_facts_of_what_is_stored(config: FileConfig) -> None:
    with File.open(config) as session:
        assert session.name == "http://origin.invalid/song"
        assert (session.length, session.media_type, session.phase) == (len(BODY), "audio/flac", Phase.COMPLETE)
        assert session.remote is not None
        assert session.coverage == Coverage([ByteRange(0, len(BODY))])
        assert session.statistics().present_bytes == len(BODY)
        assert repr(session) == "<FileSession http://origin.invalid/song 100 % · 0 fetching · 0 waiting>"
    assert session.closed
    assert repr(session) == "<FileSession http://origin.invalid/song closed>"


def test_a_share_of_nothing_known_is_shown_in_bytes(tmp_path: Path, origin: Origin) -> None:
    with File.open(FileConfig(origin.serve("/empty", b""), store=tmp_path)) as session:
        assert " 0 bytes · " in repr(session)


def test_streams_are_independent_and_outlive_their_handle(config: FileConfig) -> None:
    with File.open(config) as session:
        one, two = session.stream(), session.stream()
    one.seek(100)
    assert (one.read(10), two.read(10)) == (BODY[100:110], BODY[:10])
    one.close()
    assert two.read(10) == BODY[10:20]
    two.close()


def test_async_readers_have_the_same_surface(config: FileConfig) -> None:
    async def main() -> None:
        async with await File.aopen(config) as session, session.async_stream() as stream:
            assert isinstance(stream, AsyncStream)
            await session.await_complete()
            assert await stream.read() == BODY
        assert session.closed

    asyncio.run(main())


def test_who_opens_does_not_wait_while_the_digest_of_another_file_is_looked_at(
    config: FileConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looking, enough = threading.Event(), threading.Event()

    def look(path: Path, digest: str | None) -> Resource:
        looking.set()
        assert enough.wait(SOON)
        return local_resource(path, None)

    monkeypatch.setattr(local, "local_resource", look)
    (tmp_path / "large").write_bytes(BODY)

    async def main() -> None:
        large = FileConfig(tmp_path / "large", digest="sha256:" + 64 * "0")
        slow = asyncio.ensure_future(File.aopen(large))
        await asyncio.to_thread(looking.wait, SOON)
        try:
            async with asyncio.timeout(SOON), await File.aopen(config):
                assert not slow.done()
        finally:
            enough.set()
            (await slow).close()

    asyncio.run(main())


# -- opening that fails ------------------------------------------------------------------------------------------------


def test_an_open_that_fails_is_told_and_keeps_nothing_open(tmp_path: Path, origin: Origin) -> None:
    url = origin.serve("/song", BODY, always=[Status(404)])
    with pytest.raises(NotFound):
        File.open(FileConfig(url, store=tmp_path, retry=ONCE))

    async def main() -> None:
        with pytest.raises(NotFound):
            await File.aopen(FileConfig(url, store=tmp_path, retry=ONCE))

    asyncio.run(main())
    with pytest.raises(OfflineMiss):
        File.open(FileConfig(url, store=tmp_path, offline_mode=True))


def test_an_open_that_takes_too_long_can_be_cancelled(tmp_path: Path, origin: Origin) -> None:
    config = FileConfig(origin.serve("/song", BODY, always=[NeverAnswer()]), store=tmp_path)

    async def main() -> None:
        opening = asyncio.ensure_future(File.aopen(config))
        await asyncio.to_thread(origin.wait_requests, "/song", 1)
        opening.cancel()
        await asyncio.wait([opening])

    asyncio.run(main())
    origin.wait_disconnected()


def test_a_token_that_is_cancelled_already_opens_nothing(config: FileConfig) -> None:
    token = CancelToken()
    token.cancel(Cancelled("enough"))
    with pytest.raises(Cancelled, match="enough"):
        File.open(FileConfig(URL, store=config.store, offline_mode=True, cancel=token))


# -- the whole ---------------------------------------------------------------------------------------------------------


def test_everything_is_fetched_whatever_the_look_ahead(tmp_path: Path, origin: Origin) -> None:
    url = origin.serve("/song", BODY)
    with File.open(FileConfig(url, store=tmp_path, look_ahead_bytes=1000)) as session:
        session.wait_complete(30)
        assert session.phase is Phase.COMPLETE
    with File.open(FileConfig(url, store=tmp_path, offline_mode=True)) as session, session.stream() as stream:
        assert stream.read() == BODY


def test_a_wait_for_the_whole_ends_by_time_closing_or_token(stalled: Callable[..., FileConfig]) -> None:
    token = CancelToken()
    with File.open(stalled(cancel=token)) as session:
        with pytest.raises(TimeoutError, match=r"^Waited 0.01 s in vain for all of http://"):
            session.wait_complete(0.01)
        other = File.open(stalled())
        gate = other._completion()
        other.close()
        with pytest.raises(StreamClosed):
            gate.result(30)
        gate = session._completion()
        token.cancel(Cancelled("enough"))
        with pytest.raises(Cancelled, match="enough"):
            gate.result(30)
        with pytest.raises(Cancelled):
            session.stream()


def test_waiting_a_little_again_and_again_leaves_nothing_behind(stalled: Callable[..., FileConfig]) -> None:
    with File.open(stalled()) as session:
        gate = session._completion()
        for _ in range(3):
            with pytest.raises(TimeoutError):
                session.wait_complete(0)
            assert session._completion() is gate


def test_a_wait_that_is_cancelled_cancels_no_other(stalled: Callable[..., FileConfig]) -> None:
    async def main() -> None:
        async with await File.aopen(stalled()) as session:
            other = asyncio.create_task(session.await_complete())
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(session.await_complete(), 0.01)
            with pytest.raises(TimeoutError):
                session.wait_complete(0)
            assert not other.done()
        with pytest.raises(StreamClosed):
            await other

    asyncio.run(main())


# -- the end -----------------------------------------------------------------------------------------------------------


def test_a_closed_handle_gives_nothing_more(config: FileConfig) -> None:
    session = File.open(config)
    session.close()
    session.close()
    for use in (session.stream, session.async_stream, session.wait_complete):
        with pytest.raises(StreamClosed):
            use()


def test_a_token_ends_handles_and_streams_and_the_download(stalled: Callable[..., FileConfig], origin: Origin) -> None:
    token = CancelToken()
    session = File.open(stalled(cancel=token, detach=True))
    stream = session.stream()
    assert stream.read(1000) == BODY[:1000]
    token.cancel(Cancelled("enough"))
    with pytest.raises(Cancelled, match="enough"):
        stream.read(1)
    assert session.closed
    origin.wait_disconnected()
    stream.close()


@pytest.mark.parametrize("duplicate", [copy, deepcopy, pickle.dumps])
def test_nothing_open_is_copied_since_a_copy_that_is_dropped_would_close_it(
    config: FileConfig, stalled: Callable[..., FileConfig], duplicate: Callable[[object], object]
) -> None:
    with ExitStack() as stack:
        whole, partial = (stack.enter_context(File.open(each)) for each in (config, stalled()))
        streams = [stack.enter_context(each.stream()) for each in (whole, partial)]
        bare = whole.async_stream()
        stack.callback(lambda: asyncio.run(bare.close()))
        for each in (whole, *streams, bare):
            with pytest.raises(TypeError, match=f"cannot pickle '{type(each).__name__}' object"):
                duplicate(each)
        assert [each.read(5) for each in streams] == [BODY[:5]] * 2
        assert not whole.closed


def test_dropping_is_closing_at_once(stalled: Callable[..., FileConfig], origin: Origin) -> None:
    token = CancelToken()  # which outlives the handle, and does not keep it
    session: FileSession | None = File.open(stalled(cancel=token))
    stream: Stream | None = session.stream() if session is not None else None
    gc.disable()
    try:
        session = None
        assert stream is not None
        assert stream.read(10) == BODY[:10]
        stream = None
        origin.wait_disconnected()
    finally:
        gc.enable()
    token.cancel()


def test_a_handle_that_could_not_be_made_is_dropped_in_silence() -> None:
    with pytest.raises(ConfigError):
        FileSession(FileConfig("ftp://h/a"))
    gc.collect()
