"""A whole session in one loop of virtual time: real parts around a scripted far end and a store in memory.

Leaving it shuts the session, and finds nothing running, no request in flight, and no fault of ours in the log.

Must not know: what a test wants of it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable
from functools import cache
from types import TracebackType
from typing import Any, Self, TypeVar

from kithara_file.clock import CancelToken
from kithara_file.config import FileConfig
from kithara_file.events import FileEvent
from kithara_file.net.client import Client
from kithara_file.session.audience import Audience
from kithara_file.session.front import Front
from kithara_file.session.holding import Holding
from kithara_file.session.registry import Registry
from kithara_file.session.session import Session
from kithara_file.stream.aio import AsyncStream
from tests.world.background import InlineBackground
from tests.world.clock import FakeClock, VirtualTimeLoop
from tests.world.entry import MemoryEntry
from tests.world.remote import ScriptedRemote

T = TypeVar("T")
E = TypeVar("E", bound=FileEvent)

URL = "http://origin.test/song"
PATIENCE = 3600.0
"""Virtual seconds that anything may take before it counts as stuck."""


@cache
def body_of(size: int, seed: int = 1) -> bytes:
    """Return bytes in which every misplaced range is noticed."""
    return b"".join((seed * 1_000_003 + at).to_bytes(8, "big") for at in range(0, size + 8, 8))[:size]


def present_clock() -> FakeClock:
    """Return the clock of the running loop."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, VirtualTimeLoop)
    return loop.clock


class Collector(logging.Handler):
    """Keeps what is logged as an error."""

    def __init__(self, into: list[str]) -> None:
        super().__init__(logging.ERROR)
        self._into = into

    def emit(self, record: logging.LogRecord) -> None:
        """Keep `record`, with its traceback."""
        self._into.append(self.format(record))


class House(Registry):
    """Counts the holders of a hall's session, and makes the next one for those who have read nothing of a version."""

    def __init__(self, hall: Hall) -> None:
        super().__init__()
        self._hall = hall
        self.made: list[Session] = []

    def join(self, config: FileConfig, holder: object) -> Front:
        """Begin a session beside those that are left behind, in a place of its own."""
        front = self._hall.build(MemoryEntry())
        for each in (holder, self._hall):
            self.hold(front, each)
        self.made.append(front.session)
        front.background.call(front.session.opening.start)
        return front


class Hall:
    """A session and its front: `client` is the `Client`, `entry` the store's place, `options` fields of `FileConfig`.

    `far` is the remote whose bodies must be done at the end, when it is not the `client` itself.
    """

    def __init__(
        self,
        client: Client,
        entry: MemoryEntry | None = None,
        *,
        far: ScriptedRemote | None = None,
        disk_seconds: float = 0.0,
        **options: Any,
    ) -> None:
        self.config = FileConfig(URL, **options)
        self.client = client
        self.far = far or client
        self.entry = entry or MemoryEntry()
        self.background = InlineBackground(disk_seconds)
        self.house = House(self)
        self.let_go = 0
        """How often the holding said that it is closed."""
        self.clock = present_clock()
        self.front = self.build(self.entry)
        self.session = self.front.session
        self.house.hold(self.front, self)
        self.heard = self.session.events.subscribe(capacity=100_000)
        self._events: list[FileEvent] = []
        self.wrong: list[str] = []
        """What went wrong that must not: our own faults, told to the log or to the loop."""
        self._handler = Collector(self.wrong)
        self._before = asyncio.all_tasks()

    def build(self, entry: MemoryEntry) -> Front:
        """Return a new session over `entry`."""
        audience, holding = Audience(self.config.policy), Holding(entry, self._count)
        session = Session(self.config, holding, self.client, self.background, audience, self.clock)
        return Front(session, audience, self.background, self.house)

    def _count(self) -> None:
        self.let_go += 1

    async def __aenter__(self) -> Self:
        """Start; the first answer is not waited for."""
        logging.getLogger("kithara_file").addHandler(self._handler)
        self.background.loop.set_exception_handler(lambda _, context: self.wrong.append(str(context)))
        self.session.opening.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for each in (self.session, *self.house.made):
            await each.shut()
        logging.getLogger("kithara_file").removeHandler(self._handler)
        if error is None:
            assert asyncio.all_tasks() - self._before == set(), "tasks outlive the session"
            assert not isinstance(self.far, ScriptedRemote) or self.far.flying == 0
            assert self.session.flights.views == ()
            assert self.wrong == []

    async def opened(self) -> Self:
        """Wait for the first answer; raises why there is none."""
        await self.within(asyncio.wrap_future(self.front.opened))
        return self

    def stream(self) -> AsyncStream:
        """Return a new reader's file object."""
        cancel = CancelToken()
        return AsyncStream(self.front.reader(self.config, cancel), cancel)

    async def complete(self) -> None:
        """Want everything and wait for it."""
        await self.within(asyncio.wrap_future(self.front.want_everything(self)))

    async def within(self, wait: Awaitable[T], seconds: float = PATIENCE) -> T:
        """Return what `wait` brings; more than `seconds` is a failure of the test."""
        limit = asyncio.timeout(seconds)
        try:
            async with limit:
                return await wait
        except TimeoutError:
            assert not limit.expired(), f"stuck: {self.session!r} {self.client!r}"
            raise

    async def read(self, start: int, size: int, stream: AsyncStream | None = None) -> bytes:
        """Read with a stream, or one that lives for this read."""
        stream = stream or self.stream()
        await stream.seek(start)
        return await self.within(stream.read(size))

    def events(self, kind: type[E]) -> list[E]:
        """Return every event of `kind` so far."""
        while (event := self.heard.take(0)) is not None:
            self._events.append(event)
        return [each for each in self._events if isinstance(each, kind)]
