"""Whatever is done in whatever order, a reader sees right bytes of one version, a typed error, or the proven end.

The model is one `bytes` per version. Sessions and streams of several look-aheads, on- and offline, share one store over
an origin that is given faults and new versions as it goes. A crash is a copy of the store made at that moment, on which
all goes on with nothing but what was on disk.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from kithara_file import (
    BodyBroken,
    Cancelled,
    CancelToken,
    ConnectFailed,
    File,
    FileConfig,
    FileSession,
    InvalidResponse,
    NetTimeout,
    OfflineMiss,
    ResourceChanged,
    Retry,
    StatusError,
    Stream,
    StreamClosed,
    Timeouts,
)
from kithara_file.config import Revalidate
from tests.system.kit import started
from tests.world import (
    Chunked,
    CloseAt,
    CloseDelimited,
    HangUp,
    IgnoreIfRange,
    IgnoreRange,
    Item,
    Origin,
    OtherRange,
    PatternBody,
    RefuseRange,
    ResetAt,
    SayRange,
    StallAt,
    Status,
)

pytestmark = pytest.mark.system

LENGTHS = [300_000, 300_000, 299_999, 70_000, 0]
"""Of the versions, as they follow one another: the same length, one less, much less, none."""
BODIES = [PatternBody(length, seed=seed)[:] if length else b"" for seed, length in enumerate(LENGTHS)]
TYPED = (
    BodyBroken,
    Cancelled,
    ConnectFailed,
    InvalidResponse,
    NetTimeout,
    OfflineMiss,
    ResourceChanged,
    StatusError,
    StreamClosed,  # by a token, behind the reader's back
)
FAULTS: list[Item] = [
    None,
    CloseAt(0),
    CloseAt(50_000),
    ResetAt(120_000),
    StallAt(10_000),
    HangUp(),
    HangUp(reset=True),
    Status(503),
    Status(500),
    Status(404),
    IgnoreRange(),
    IgnoreIfRange(),
    OtherRange(stop=-1000),
    OtherRange(start=7, stop=7),
    SayRange(total="*"),
    SayRange(start=1, stop=1),
    RefuseRange(),
    Chunked(),
    (Chunked(), CloseAt(40_000)),
    CloseDelimited(),
]
HASTY = {
    "timeouts": Timeouts(connect=2, headers=0.1, idle=0.1),
    "retry": Retry(retries=1, first_delay=0.001, max_delay=0.002, jitter=0.0, max_failures=3),
}
BRIEFLY = settings(
    max_examples=120, stateful_step_count=20, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
)
T = TypeVar("T")


PATIENCE = 30.0
"""Seconds in which anything must come to an end: several times what the retries and timeouts above add up to."""


def ends(work: Callable[[], T]) -> T:
    """Return what `work` returns or raises; it is a failure of its own when it does neither in time."""
    done = started(work)
    try:
        return done.result(PATIENCE)
    except TimeoutError:
        if done.done():
            raise
        raise AssertionError(f"{work} does not end") from None


class Reading:
    """A stream, and the model of it: which version it can be of, and where it is."""

    def __init__(self, stream: Stream, versions: set[int]) -> None:
        self.stream = stream
        self.versions = versions
        self.position = 0

    def read(self, size: int) -> None:
        """Read at the position and compare with every version that it can be of still."""
        try:
            data = ends(lambda: self.stream.read(size))
        except TYPED:
            assert self.stream.tell() == self.position
            self.stream.retry()
            return
        start, end = self.position, self.position + len(data)
        fitting = {each for each in self.versions if BODIES[each][start:end] == data}
        assert fitting, f"bytes {start} to {end} are of no version of {self.versions}"
        if len(data) < size:
            fitting = {each for each in fitting if len(BODIES[each]) <= end}
            assert fitting, f"an end at {end} is the end of no version of {self.versions}"
        if data:
            self.versions &= fitting  # from the first byte on it is one version and stays that one
        self.position = end
        assert self.stream.tell() == end


@dataclass(frozen=True)
class Opened:
    """What an open brought.

    One that fails brings nothing: by its clock it may fail on one machine and not on another, and what can be done next
    must not depend on that, or Hypothesis takes the difference for an error.
    """

    session: FileSession | None
    token: CancelToken


class Life(RuleBasedStateMachine):
    """Readers of one URL, their origin and their disk."""

    sessions = Bundle("sessions")
    readings = Bundle("readings")

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        self.work = Path(self.stack.enter_context(tempfile.TemporaryDirectory(ignore_cleanup_errors=True)))
        self.store = self.work / "store"
        self.stores = 0
        self.origin = self.stack.enter_context(Origin())
        self.version = 0
        self.seen = {0}
        self.live: list[Reading] = []
        self.handles: list[FileSession] = []

    @initialize(tagged=st.booleans())
    def begin(self, tagged: bool) -> None:
        self.tagged = tagged
        self.url = self.origin.serve("/song", BODIES[0], etag=self.etag)

    @property
    def etag(self) -> str | None:
        return f'"v{self.version}"' if self.tagged else None

    # -- what readers do ---------------------------------------------------------------------------------------------

    @rule(
        target=sessions,
        ahead=st.sampled_from([None, 1, 20_000, 16 << 20]),
        offline=st.booleans(),
        revalidate=st.sampled_from(["auto", "always", "never"]),
    )
    def open(self, ahead: int | None, offline: bool, revalidate: Revalidate) -> object:
        token = CancelToken()
        config = FileConfig(
            self.url,
            store=self.store,
            look_ahead_bytes=ahead,
            offline_mode=offline,
            cancel=token,
            revalidate=revalidate,
            **HASTY,  # type: ignore[arg-type]
        )
        with suppress(*TYPED):
            self.handles.append(ends(lambda: File.open(config)))
            return Opened(self.handles[-1], token)
        return Opened(None, token)

    @rule(target=readings, opened=sessions)
    def stream(self, opened: Opened) -> object:
        with suppress(ValueError, Cancelled):  # closed or cancelled
            if opened.session is not None:
                self.live.append(Reading(opened.session.stream(), set(self.seen)))
                return self.live[-1]
        return None

    @rule(reading=readings, size=st.sampled_from([1, 100, 5_000, 65_536, 200_000]))
    def read(self, reading: Reading | None, size: int) -> None:
        if reading is not None and not reading.stream.closed:
            reading.versions |= self.seen if reading.position == 0 and len(reading.versions) > 1 else set()
            reading.read(size)

    @rule(reading=readings, position=st.integers(0, max(LENGTHS) + 10))
    def seek(self, reading: Reading | None, position: int) -> None:
        if reading is not None and not reading.stream.closed:
            reading.position = reading.stream.seek(position)

    @rule(reading=consumes(readings))
    def close(self, reading: Reading | None) -> None:
        if reading is not None:
            reading.stream.close()

    @rule(opened=consumes(sessions))
    def close_session(self, opened: Opened) -> None:
        if opened.session is not None:
            opened.session.close()

    @rule(opened=sessions)
    def cancel(self, opened: Opened) -> None:
        opened.token.cancel()

    @rule(opened=sessions)
    def complete(self, opened: Opened) -> None:
        if (session := opened.session) is not None:
            with suppress(*TYPED, TimeoutError, ValueError):
                ends(lambda: session.wait_complete(2))

    # -- what happens to them ----------------------------------------------------------------------------------------

    @rule(faults=st.lists(st.sampled_from(FAULTS), min_size=1, max_size=4))
    def spoil(self, faults: list[Item]) -> None:
        self.origin.next("/song", *faults)

    @rule()
    def break_connections(self) -> None:
        self.origin.drop_connections(reset=True)

    @rule(down=st.booleans())
    def power_of_the_origin(self, down: bool) -> None:
        self.origin.go_down()
        if not down:
            self.origin.come_back()
        else:
            for reading in self.live:
                if not reading.stream.closed:
                    reading.read(10)
            self.origin.come_back()

    @rule()
    def change(self) -> None:
        if not self.tagged or self.version + 1 == len(BODIES):
            return  # without any validator only lengths and overlaps can tell, which is another test's promise
        self.version += 1
        self.seen.add(self.version)
        self.origin.replace("/song", BODIES[self.version], etag=self.etag)

    @rule()
    def crash(self) -> None:
        """Go on with a copy of the disk as it is at this moment; who reads from the old one reads on."""
        if not self.store.exists():
            return
        self.stores += 1
        copy = self.work / f"store {self.stores}"
        with suppress(shutil.Error, FileNotFoundError):  # what vanished meanwhile
            shutil.copytree(self.store, copy)
        self.store = copy

    # -- what always holds -------------------------------------------------------------------------------------------

    @invariant()
    def what_is_claimed_is_there(self) -> None:
        for session in self.handles:
            if session.closed:
                continue
            for each in session.coverage:
                assert each.end <= max(LENGTHS)

    def teardown(self) -> None:
        for reading in self.live:
            reading.stream.close()
        for session in self.handles:
            session.close()
        self.what_the_disk_claims_is_true()
        self.stack.close()

    def what_the_disk_claims_is_true(self) -> None:
        """Read offline all that each copy of the store says it has: it is of one version."""
        if not hasattr(self, "url"):
            return
        for store in self.work.glob("store*"):
            try:
                session = File.open(FileConfig(self.url, store=store, offline_mode=True))
            except OfflineMiss:
                continue
            with session, session.stream() as stream:
                held = {each.start: bytearray() for each in session.coverage}
                for each in session.coverage:
                    stream.seek(each.start)
                    held[each.start] += stream.read(len(each))
                    assert len(held[each.start]) == len(each)
            fitting = [b for b in BODIES if all(b[at : at + len(part)] == part for at, part in held.items())]
            assert fitting, f"{store.name} mixes versions"


def test_a_life_of_reads_faults_changes_and_crashes_shows_no_wrong_byte() -> None:
    """Briefly; `make stress` lives longer."""
    run_state_machine_as_test(Life, settings=BRIEFLY)
