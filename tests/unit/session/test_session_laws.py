"""Whatever the far end does and the readers want: right bytes of one version, a typed error, or a proven end, in time.

A far end with scripted faults, up to three readers with programs of their own, and a model that is `bytes`.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

from hypothesis import event, given, note, settings
from hypothesis import strategies as st

from kithara_file.config import Retry, Timeouts
from kithara_file.errors import (
    AccessDenied,
    ConnectFailed,
    KitharaError,
    NetTimeout,
    NotFound,
    ResourceChanged,
    Unavailable,
)
from kithara_file.net.remote import Validator
from kithara_file.net.retry import RetryClient
from kithara_file.net.timeout import TimeoutClient
from kithara_file.stream.aio import AsyncStream
from tests.unit.session.hall import Hall, body_of
from tests.world.clock import run_virtual
from tests.world.entry import MemoryEntry
from tests.world.remote import (
    KIB,
    BreakAfter,
    BreakAt,
    Fault,
    IgnoreIfRange,
    IgnoreRange,
    Late,
    Raise,
    ScriptedRemote,
    ShortTo,
    StallAt,
    Untold,
    Version,
    refuse,
)

RETRY = Retry(jitter=0.0, max_retry_after=5.0)
TIMEOUTS = Timeouts(connect=5, headers=5, idle=5)
SIZES = (1600 * KIB, 700 * KIB, 300 * KIB, 4 * KIB, 1, 0)
OFTEN = settings(max_examples=2 * settings().max_examples)
VALIDATORS = (Validator('"1"'), Validator('W/"1"'), Validator())

ERRORS = (
    lambda url: Unavailable(503, url=url),
    lambda url: Unavailable(503, url=url, retry_after=2.0),
    lambda url: Unavailable(503, url=url, retry_after=99.0),
    lambda url: AccessDenied(403, url=url),
    lambda url: NotFound(404, url=url),
    lambda url: ConnectFailed("refused", url=url),
    lambda url: NetTimeout(url=url, stage="headers", seconds=9),
    refuse("nonsense"),
)

offsets = st.integers(0, 1700 * KIB)
faults: st.SearchStrategy[Fault] = st.one_of(
    st.builds(BreakAfter, st.one_of(st.just(0), st.integers(0, 400 * KIB))),
    st.builds(BreakAt, offsets),
    st.builds(StallAt, st.none() | offsets),
    st.builds(Raise, st.sampled_from(ERRORS)),
    st.builds(ShortTo, st.integers(1, 100 * KIB)),
    st.builds(Late, st.sampled_from([0.3, 30.0])),
    st.sampled_from([IgnoreRange(), IgnoreIfRange(), Untold()]),
)


@dataclass(frozen=True)
class Step:
    """What a reader does next: wait, seek (None: read on from where it is), read."""

    pause: float
    seek: int | None
    size: int


@dataclass(frozen=True)
class Case:
    """One far end, one way to open it, and what its readers do."""

    size: int
    readers: tuple[tuple[Step, ...], ...]
    script: tuple[tuple[Fault, ...], ...] = ()
    validator: Validator = VALIDATORS[0]
    ranges: bool = True
    told: bool = True
    change_after: int | None = None
    """After how many requests the far end becomes another version, which its validator tells; None: never."""
    rate: float | None = None
    latency: float = 0.0
    options: dict[str, Any] = field(default_factory=dict)

    def version(self, number: int) -> Version:
        body = body_of(self.size - number * (self.size // 9), number + 1)
        validator = self.validator if number == 0 else Validator(f'"{number + 1}"')
        return Version(body, validator, ranges=self.ranges)


steps = st.builds(
    Step,
    st.sampled_from([0.0, 0.0, 0.2, 20.0]),
    st.none() | offsets,
    st.sampled_from([1, 1000, 64 * KIB, 500 * KIB, 2000 * KIB]),
)
options = st.fixed_dictionaries(
    {
        "look_ahead_bytes": st.sampled_from([None, 20 * KIB, 300 * KIB, 16 << 20]),
        "max_fetches": st.integers(1, 3),
    }
)
cases = st.builds(
    Case,
    st.sampled_from(SIZES),
    st.lists(st.lists(steps, min_size=2, max_size=5).map(tuple), min_size=1, max_size=3).map(tuple),
    st.lists(st.lists(faults, max_size=2).map(tuple), min_size=2, max_size=8).map(tuple),
    st.sampled_from(VALIDATORS),
    st.booleans() | st.just(True),
    st.booleans() | st.just(True),
    st.none(),
    st.sampled_from([None, 400_000.0]),
    st.sampled_from([0.0, 0.05]),
    options,
)
changes = st.builds(
    lambda case, after: Case(**{**case.__dict__, "validator": VALIDATORS[0], "change_after": after}),
    cases,
    st.integers(1, 4),
)


class Turning(ScriptedRemote):
    """Becomes another version after so many requests."""

    def __init__(self, case: Case) -> None:
        super().__init__(case.version(0), rate=case.rate, latency=case.latency)
        self._case = case
        for each in case.script:
            self.then(*each)
        if not case.told:
            self.always(Untold())

    async def open(self, url, want, same_as):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
        """Answer, as the present version."""
        if len(self.log) == self._case.change_after:
            self.become(self._case.version(1))
        return await super().open(url, want, same_as)


class Witness:
    """Reads as its program says, and holds what it gets against every version there is."""

    def __init__(self, case: Case, hall: Hall) -> None:
        self.case = case
        self.hall = hall
        self.possible = {number: case.version(number).body for number in (0, 1) if number == 0 or case.change_after}

    async def run(self, program: tuple[Step, ...]) -> None:
        stream = self.hall.stream()
        for step in program:
            await asyncio.sleep(step.pause)
            stream.retry()
            if step.seek is not None:
                await stream.seek(step.seek)
            try:
                self.take(stream.tell(), step.size, await self.hall.within(stream.read(step.size)))
            except KitharaError as error:
                event(f"told of {type(error).__name__}")
        await stream.close()

    def take(self, start: int, size: int, got: bytes) -> None:
        kept = {number: body for number, body in self.possible.items() if body[start : start + size] == got}
        assert kept, f"{len(got)} bytes at {start} are of no version, or not of the one begun with"
        if got:
            self.possible = kept


async def read_to_the_end(witness: Witness, tries: int = 40) -> None:
    """Read everything with new readers, and try again after each error, until the script has no faults left."""
    for _ in range(tries):
        stream = witness.hall.stream()
        try:
            witness.take(0, 1 << 40, await read_all(witness.hall, stream))
        except ResourceChanged:
            assert witness.hall.session.dead
            return
        except KitharaError as error:
            note(f"{error}")
        else:
            return
        finally:
            await stream.close()
    raise AssertionError("never well again")


async def read_all(hall: Hall, stream: AsyncStream) -> bytes:
    """Read in steps to the proven end, without asking for the length."""
    parts = []
    while part := await hall.within(stream.read(100 * KIB)):
        parts.append(part)
    return b"".join(parts)


def claims_only_right_bytes(case: Case, entry: MemoryEntry) -> None:
    if entry.remote is None:
        return
    versions = [case.version(number) for number in (0, 1)]
    body = next(each.body for each in versions if each.validator == entry.remote.validator)
    for start, content in entry.reopened().held.content():
        assert body[start : start + len(content)] == content
    assert entry.held.length in (None, len(body))


async def live(case: Case) -> None:
    """Open, as often as it takes, and let the readers do what they do; each session finds what the last one left."""
    far, entry = Turning(case), MemoryEntry()
    client = RetryClient(TimeoutClient(far, TIMEOUTS), RETRY)
    for _ in range(20):
        async with Hall(client, entry, far=far, retry=RETRY, **case.options) as hall:
            if await opens(hall):
                await asyncio.gather(*(Witness(case, hall).run(program) for program in case.readers))
                await read_to_the_end(Witness(case, hall))
                claims_only_right_bytes(case, entry)
                break
        entry = entry.reopened()
    else:
        raise AssertionError("never opened")
    asked = len(far.log)
    await asyncio.sleep(100)
    assert len(far.log) == asked, "it asks after it was shut"


async def opens(hall: Hall) -> bool:
    try:
        await hall.opened()
    except KitharaError as error:
        event(f"not opened: {type(error).__name__}")
        return False
    event("opened")
    return True


@OFTEN
@given(cases)
def test_every_read_brings_right_bytes_or_a_typed_error_in_time(case: Case) -> None:
    run_virtual(live(case))


@OFTEN
@given(changes)
def test_two_versions_never_mix(case: Case) -> None:
    run_virtual(live(case))


@OFTEN
@given(st.sampled_from(SIZES), st.lists(st.tuples(offsets, offsets), max_size=4), options, st.booleans())
def test_a_resumed_session_asks_only_for_what_is_missing(
    size: int, spans: list[tuple[int, int]], chosen: dict[str, Any], crashed: bool
) -> None:
    version = Version(body_of(size))
    held = [(min(each), min(max(each), size)) for each in spans if min(each) < size]
    first = MemoryEntry.storing(version.remote(), version.body, held)
    if not crashed:
        first.close()

    async def main() -> None:
        far, entry = ScriptedRemote(version), first.reopened()
        missing = size - entry.held.snapshot().total
        async with Hall(far, entry, **chosen) as hall:
            await hall.opened()
            await hall.complete()
            assert [content for _, content in entry.held.content()] == ([version.body] if size else [])
        assert far.delivered == missing

    run_virtual(main())
