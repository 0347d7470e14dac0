"""A far end in memory: a `Client` whose bodies, faults and delays are scripted, and which logs what it was asked.

Time is the loop's (`asyncio.sleep`), so that a loop with virtual time makes every delay free and exact. Faults are
queued with `then` (one per request, in order) or stand for every request with `always`.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

from kithara_file.errors import BodyBroken, Cancelled, InvalidResponse, NetError, NetTimeout, RangeNotSatisfiable, Stage
from kithara_file.net.client import WHOLE, Chunk, NotModified, Response, Want
from kithara_file.net.remote import Freshness, Remote, Validator
from kithara_file.ranges import ByteRange

KIB = 1024
LINGER = 0.02


@dataclass(frozen=True, slots=True)
class Raise:
    """Fail before the headers with what `make(url)` returns, after `delay` seconds."""

    make: Callable[[str], BaseException]
    delay: float = 0.0


@dataclass(frozen=True, slots=True)
class BreakAt:
    """Send what lies before offset `at` of the resource, then break: `BodyBroken`, or what `make(url)` returns."""

    at: int
    make: Callable[[str], BaseException] | None = None


@dataclass(frozen=True, slots=True)
class BreakAfter:
    """The same, counted in bytes of this body."""

    count: int
    make: Callable[[str], BaseException] | None = None


@dataclass(frozen=True, slots=True)
class StallAt:
    """Send what lies before offset `at` (None: not even headers), then nothing until `release()`."""

    at: int | None = None


@dataclass(frozen=True, slots=True)
class Late:
    """Send the headers `seconds` later than otherwise."""

    seconds: float


@dataclass(frozen=True, slots=True)
class IgnoreRange:
    """Answer 200 with the whole body, whatever was asked."""


@dataclass(frozen=True, slots=True)
class IgnoreIfRange:
    """Answer 206 of the current version, although If-Range named another."""


@dataclass(frozen=True, slots=True)
class ShortTo:
    """Answer a range with at most `count` bytes of it (a short 206)."""

    count: int


@dataclass(frozen=True, slots=True)
class Untold:
    """Tell no length: chunked, or ``*`` as the total of a 206."""


Fault = Raise | BreakAt | BreakAfter | StallAt | Late | IgnoreRange | IgnoreIfRange | ShortTo | Untold


def timeout(stage: Stage, seconds: float = 10.0) -> Callable[[str], NetError]:
    """Return a maker of `NetTimeout` for `Raise` and `BreakAt`."""
    return lambda url: NetTimeout(url=url, stage=stage, seconds=seconds)


@dataclass(slots=True)
class Asked:
    """One request as the log keeps it."""

    url: str
    want: Want
    same_as: Validator | None
    at: float
    """Loop time of the call."""
    answer: str = "pending"
    """``200``, ``206``, ``304``, ``416``, the name of the error raised, or ``cancelled``."""
    delivered: int = 0
    """Bytes handed to the caller."""
    closed: bool = False


@dataclass(frozen=True, slots=True)
class Version:
    """The bytes at the far end, and how it describes them."""

    body: bytes
    validator: Validator = field(default_factory=lambda: Validator(etag='"v1"'))
    media_type: str | None = "audio/wav"
    ranges: bool = True
    freshness: Freshness = field(default_factory=Freshness)

    def remote(self, *, told: bool = True) -> Remote:
        """Return what an answer of this version says."""
        length = len(self.body) if told else None
        return Remote(length, self.ranges, self.validator, self.media_type, self.freshness)


class ScriptedRemote:
    """A `Client` that serves `version` of every URL.

    `latency` seconds before the headers of each answer; `rate` bytes per second for each body (None: at once, but
    never without letting the loop turn); bytes arrive in `piece`s and are gathered to `step`, as the real one does it.
    """

    def __init__(
        self,
        version: Version | bytes,
        *,
        latency: float = 0.0,
        rate: float | None = None,
        piece: int = 16 * KIB,
        step: int = 256 * KIB,
    ) -> None:
        self.version = version if isinstance(version, Version) else Version(version)
        self.latency = latency
        self.rate = rate
        self.piece = piece
        self.step = step
        self.log: list[Asked] = []
        self.bodies: list[ScriptedBody] = []
        """Every body opened, the newest last."""
        self._queue: deque[tuple[Fault, ...]] = deque()
        self._standing: tuple[Fault, ...] = ()
        self._released = asyncio.Event()

    def then(self, *faults: Fault) -> ScriptedRemote:
        """Let the next request without a script meet these faults (none: be well served); return self to chain."""
        self._queue.append(faults)
        return self

    def always(self, *faults: Fault) -> ScriptedRemote:
        """Let every request beyond the queue meet these faults; none ends it."""
        self._standing = faults
        return self

    def become(self, version: Version) -> None:
        """Change the far end for every later request; bodies under way go on with the old bytes."""
        self.version = version

    def release(self) -> None:
        """End every stall, also the later ones."""
        self._released.set()

    @property
    def delivered(self) -> int:
        """Bytes handed over by all bodies together."""
        return sum(each.delivered for each in self.log)

    @property
    def flying(self) -> int:
        """Bodies that are neither closed nor at their end."""
        return sum(not each.done for each in self.bodies)

    async def open(self, url: str, want: Want, same_as: Validator | None) -> Response | NotModified:
        """Answer as the script says."""
        asked = Asked(url, want, same_as, asyncio.get_running_loop().time())
        self.log.append(asked)
        faults = self._queue.popleft() if self._queue else self._standing
        try:
            return await self._answer(asked, faults)
        except asyncio.CancelledError:
            asked.answer = "cancelled"
            raise
        except NetError as error:
            asked.answer = "416" if isinstance(error, RangeNotSatisfiable) else type(error).__name__
            raise

    async def _answer(self, asked: Asked, faults: tuple[Fault, ...]) -> Response | NotModified:
        await asyncio.sleep(self.latency + sum(each.seconds for each in faults if isinstance(each, Late)))
        for fault in faults:
            if isinstance(fault, StallAt) and fault.at is None:
                await self._released.wait()
            if isinstance(fault, Raise):
                await asyncio.sleep(fault.delay)
                raise fault.make(asked.url)
        version = self.version
        if asked.want is WHOLE and _unchanged(asked.same_as, version.validator):
            asked.answer = "304"
            return NotModified(version.remote())
        start, end = self._span(asked, version, faults)
        remote = version.remote(told=not any(isinstance(each, Untold) for each in faults))
        body = ScriptedBody(self, asked, version.body, remote, (start, end), faults)
        self.bodies.append(body)
        return body

    def _span(self, asked: Asked, version: Version, faults: tuple[Fault, ...]) -> tuple[int, int]:
        size = len(version.body)
        kinds = {type(each) for each in faults}
        changed = (
            asked.same_as is not None
            and asked.same_as.if_range is not None
            and (asked.same_as.agrees(version.validator) is not True)
        )
        if_range = changed and IgnoreIfRange not in kinds
        if asked.want is WHOLE or not version.ranges or if_range or IgnoreRange in kinds:
            asked.answer = "200"
            return 0, size
        start = asked.want.start
        end = min(asked.want.end, size) if isinstance(asked.want, ByteRange) else size
        if start >= size:
            raise RangeNotSatisfiable(url=asked.url, length=size)
        asked.answer = "206"
        short = min((each.count for each in faults if isinstance(each, ShortTo)), default=end - start)
        return start, min(end, start + short)

    def __repr__(self) -> str:
        return f"<ScriptedRemote {len(self.version.body)} bytes · {len(self.log)} asked · {self.delivered} delivered>"


def _unchanged(held: Validator | None, current: Validator) -> bool:
    if held is None:
        return False
    if held.etag is not None and current.etag is not None:
        return held.etag.removeprefix("W/") == current.etag.removeprefix("W/")
    return held.last_modified is not None and held.last_modified == current.last_modified


class ScriptedBody:
    """A `Response` that hands out `data[start:end]` as its script says. Bytes arrive only while somebody asks."""

    def __init__(
        self,
        owner: ScriptedRemote,
        asked: Asked,
        data: bytes,
        remote: Remote,
        span: tuple[int, int],
        faults: tuple[Fault, ...],
    ) -> None:
        self.asked = asked
        self.hurried = False
        self._owner = owner
        self._data = data
        self._remote = remote
        self._start, self._stop = span
        self._at = self._arrived = self._start
        self._breaks, self._breaker = _break(faults, self._start)
        self._stalls = min((f.at for f in faults if isinstance(f, StallAt) and f.at is not None), default=None)
        self.ended = False

    @property
    def remote(self) -> Remote:
        """What the answer told."""
        return self._remote

    @property
    def start(self) -> int:
        """Offset of the first byte."""
        return self._start

    @property
    def end(self) -> int | None:
        """Promised end; None when no length was told to a plain GET."""
        return None if self.asked.answer == "200" and self._remote.length is None else self._stop

    @property
    def done(self) -> bool:
        """True once closed, broken or at the end."""
        return self.ended or self.asked.closed

    def hurry(self, wanted: bool) -> None:
        """Hand over what is there at once, or gather."""
        self.hurried = wanted

    def __aiter__(self) -> AsyncIterator[Chunk]:
        return self

    async def __anext__(self) -> Chunk:
        """Return the next chunk; cancelled, it loses nothing."""
        if self.ended:
            raise StopAsyncIteration
        first = None
        loop = asyncio.get_running_loop()
        while self._wants_more(first, loop.time()):
            if not await self._arrive(waiting=self._arrived > self._at):
                break
            first = loop.time() if first is None else first
        if self.asked.closed:
            raise Cancelled("The body was given up")
        return self._take()

    def _wants_more(self, first: float | None, now: float) -> bool:
        gathered = self._arrived - self._at
        if gathered and (self.hurried or (first is not None and now - first >= LINGER)):
            return False
        return gathered < self._owner.step

    async def _arrive(self, *, waiting: bool) -> bool:
        """Let one more piece arrive; False when nothing more will, or (`waiting`: bytes are held) not soon."""
        limits = [x for x in (self._stop, self._breaks, self._stalls) if x is not None]
        until = min(self._arrived + self._owner.piece, max(self._arrived, min(limits)))
        if until > self._arrived:
            await asyncio.sleep((until - self._arrived) / self._owner.rate if self._owner.rate else 0)
            self._arrived = until
            return True
        stalled = self._stalls is not None and self._arrived >= self._stalls and not self._reached_end()
        if stalled and not waiting:
            await self._owner._released.wait()  # noqa: SLF001  # the two are one thing
            self._stalls = None
            return True
        return False

    def _reached_end(self) -> bool:
        return self._arrived >= self._stop or (self._breaks is not None and self._arrived >= self._breaks)

    def _take(self) -> Chunk:
        start, self._at = self._at, self._arrived
        if start == self._at:
            self.ended = True
            if self._breaks is not None and self._at >= self._breaks and self._at < self._stop:
                raise self._broken()
            raise StopAsyncIteration
        self.asked.delivered += self._at - start
        return Chunk(start, (self._data[start : self._at],), self._at - start)

    def _broken(self) -> BaseException:
        if self._breaker is not None:
            return self._breaker(self.asked.url)
        return BodyBroken("the script broke it", url=self.asked.url, at=self._at, expected=self.end)

    async def aclose(self) -> None:
        """Give it up."""
        self.asked.closed = True
        await asyncio.sleep(0)

    def __repr__(self) -> str:
        return f"<ScriptedBody {self._start}-{self._stop} at {self._at}{' done' if self.done else ''}>"


def _break(faults: tuple[Fault, ...], start: int) -> tuple[int | None, Callable[[str], BaseException] | None]:
    for fault in faults:
        if isinstance(fault, BreakAt):
            return max(start, fault.at), fault.make
        if isinstance(fault, BreakAfter):
            return start + fault.count, fault.make
    return None, None


def refuse(reason: str) -> Callable[[str], InvalidResponse]:
    """Return a maker of `InvalidResponse` for `Raise`."""
    return lambda url: InvalidResponse(reason, url=url)
