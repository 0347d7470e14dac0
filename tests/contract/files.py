"""Files of every kind, for their contract suite: where the bytes are, who brings them, and threads or tasks.

`Place.file` opens a file whose bytes all are there or will come. A `Wild` place also has files that starve: only the
first `HELD` bytes of them come, until `feed`; and `refuse` lets a read beyond those fail.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from contextlib import ExitStack
from io import BufferedReader
from pathlib import Path
from random import Random
from typing import Any, Protocol, Self, TypeVar

from kithara_file import AsyncStream, File, FileConfig, NotFound, Retry, Stream
from kithara_file.clock import CancelToken, Deadline
from kithara_file.ranges import ByteRange
from kithara_file.storage import MemoryResource
from kithara_file.storage.resource import Descriptor
from tests.world import NeverAnswer, Origin, StallAt, Status, plain, ranged, when

T = TypeVar("T")
Opening = Callable[[bytes], BufferedReader]
"""Puts bytes somewhere and opens them."""

SOON = 30.0
BODY = Random(71).randbytes(700_000) + b"".join(b"line %d\n" % n for n in range(20_000))
HELD = 64 * 1024
FAR = len(BODY) - 1000
"""Far beyond what is held."""


class FileLike(Protocol):
    """What a `Stream` promises."""

    error: Any

    @property
    def closed(self) -> bool: ...
    @property
    def length(self) -> int | None: ...
    @property
    def name(self) -> str: ...
    def read(self, size: int = -1) -> bytes: ...
    def readinto(self, buffer: bytearray) -> int: ...
    def seek(self, offset: int, whence: int = 0) -> int: ...
    def tell(self) -> int: ...
    def retry(self) -> None: ...
    def readable(self) -> bool: ...
    def seekable(self) -> bool: ...
    def close(self) -> None: ...


class Place(Protocol):
    """Where files come from."""

    def file(self) -> FileLike: ...


class Wild(Place, Protocol):
    """Where they may not come."""

    def starving(self) -> FileLike: ...
    def wait_blocked(self) -> None: ...
    def feed(self) -> None: ...
    def refuse(self) -> None: ...


class MemorySource:
    """A `Source` over a resource in memory."""

    name = "memory"
    read_timeout: float | None = None

    def __init__(self, resource: MemoryResource) -> None:
        self._resource = resource
        self.moves: list[int] = []
        self.reads: list[tuple[int, int]] = []
        self.closed: list[bool] = []

    @property
    def length(self) -> int | None:
        return self._resource.length

    def descriptor(self) -> Descriptor | None:
        return None

    def read_at(self, start: int, buffer: memoryview) -> int:
        return self._resource.read_at(start, buffer)

    def wait_range(self, wanted: ByteRange, deadline: Deadline, cancel: CancelToken) -> ByteRange | None:
        return self._resource.wait_range(wanted, deadline, cancel)

    async def await_range(self, wanted: ByteRange, deadline: Deadline, cancel: CancelToken) -> ByteRange | None:
        return await self._resource.await_range(wanted, deadline, cancel)

    def wait_length(self, deadline: Deadline, cancel: CancelToken) -> int:
        return self._resource.wait_length(deadline, cancel)

    async def await_length(self, deadline: Deadline, cancel: CancelToken) -> int:
        return await self._resource.await_length(deadline, cancel)

    def seeking(self, position: int) -> None:
        self.moves.append(position)

    def consumed(self, start: int, count: int) -> None:
        self.reads.append((start, count))

    def close(self, *, wait: bool) -> None:
        self.closed.append(wait)


class InMemory:
    """A stream over a resource that this test feeds."""

    def __init__(self, stack: ExitStack, folder: Path) -> None:
        self._stack = stack
        self._resource = MemoryResource()
        self._blocked = threading.Event()
        self._error: NotFound | None = None

    def _open(self) -> FileLike:
        return self._stack.enter_context(Stream(MemorySource(self._resource)))

    def file(self) -> FileLike:
        file = self.starving()
        self.feed()
        return file

    def starving(self) -> FileLike:
        self._resource.announce(len(BODY))
        self._resource.write_at(0, BODY[:HELD])
        self._resource.on_demand = self._demanded
        return self._open()

    def _demanded(self) -> None:
        self._blocked.set()
        if self._error is not None:
            self._resource.refuse(self._error, *self._resource.demands())

    def wait_blocked(self) -> None:
        assert self._blocked.wait(SOON)

    def feed(self) -> None:
        self._error = None
        self._resource.write_at(HELD, BODY[HELD:])

    def refuse(self) -> None:
        self._error = NotFound(404, url="http://test/")


class InMemoryAsync(InMemory):
    """The same for asyncio."""

    def _open(self) -> FileLike:
        return self._stack.enter_context(Awaited(lambda: _instant(AsyncStream(MemorySource(self._resource)))))


class Online:
    """A session over the loopback origin."""

    def __init__(self, stack: ExitStack, folder: Path) -> None:
        self._stack = stack
        self._origin = stack.enter_context(Origin())
        self._folder = folder

    def _open(self, url: str) -> FileLike:
        return self._stack.enter_context(Stream.open(File, self._config(url)))

    def _config(self, url: str) -> FileConfig:
        return FileConfig(url, store=self._folder / "store", retry=Retry(retries=0, max_failures=1, jitter=0.0))

    def file(self) -> FileLike:
        return self._open(self._origin.serve("/song", BODY))

    def starving(self) -> FileLike:
        always = [when(plain, StallAt(HELD)), when(ranged, NeverAnswer())]
        return self._open(self._origin.serve("/song", BODY, always=always))

    def wait_blocked(self) -> None:
        self._origin.wait_for(lambda log: any(one.range and one.stalled for one in log.requests()))

    def feed(self) -> None:
        self._origin.always("/song")
        self._origin.release("/song")

    def refuse(self) -> None:
        self._origin.always("/song", when(ranged, Status(404)))


class OnlineAsync(Online):
    """The same for asyncio."""

    def _open(self, url: str) -> FileLike:
        return self._stack.enter_context(Awaited(lambda: AsyncStream.open(File, self._config(url))))


class Cached(Online):
    """A committed file of the store, offline."""

    def _config(self, url: str) -> FileConfig:
        return FileConfig(url, store=self._folder / "store", offline_mode=True)

    def file(self) -> FileLike:
        url = self._origin.serve("/song", BODY)
        with File.open(FileConfig(url, store=self._folder / "store")) as session:
            session.wait_complete(SOON)
        self._origin.go_down()
        return self._open(url)


class CachedAsync(Cached, OnlineAsync):
    """The same for asyncio."""


class Local:
    """A file of this machine."""

    def __init__(self, stack: ExitStack, folder: Path) -> None:
        self._stack = stack
        self._path = folder / "song.bin"
        self._path.write_bytes(BODY)

    def file(self) -> FileLike:
        return self._stack.enter_context(Stream.open(File, FileConfig(self._path)))


class LocalAsync(Local):
    """The same for asyncio."""

    def file(self) -> FileLike:
        return self._stack.enter_context(Awaited(lambda: AsyncStream.open(File, FileConfig(self._path))))


PLACES: list[Callable[[ExitStack, Path], Place]] = [
    Local,
    LocalAsync,
    InMemory,
    InMemoryAsync,
    Online,
    OnlineAsync,
    Cached,
    CachedAsync,
]
WILD: list[Callable[[ExitStack, Path], Wild]] = [InMemory, InMemoryAsync, Online, OnlineAsync]


async def _instant(value: T) -> T:
    return value


class Awaited:
    """An `AsyncStream` in a loop of its own, used from threads as a `Stream` is."""

    def __init__(self, opening: Callable[[], Coroutine[Any, Any, AsyncStream]]) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="asking loop", daemon=True)
        self._thread.start()
        self.stream = self._do(opening())

    def _do(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(2 * SOON)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)

    def read(self, size: int = -1) -> bytes:
        return self._do(self.stream.read(size))

    def readinto(self, buffer: bytearray) -> int:
        return self._do(self.stream.readinto(buffer))

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._do(self.stream.seek(offset, whence))

    def close(self) -> None:
        self._do(self.stream.close())

    def __repr__(self) -> str:
        return repr(self.stream)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(SOON)
        self._loop.close()
