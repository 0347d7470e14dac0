"""Who asks first, and what has to be asked before the first read."""

from __future__ import annotations

import pytest

from kithara_file.errors import NetTimeout
from kithara_file.net.client import WHOLE
from kithara_file.net.remote import Freshness, Remote
from kithara_file.ranges import OpenRange
from kithara_file.session.opening import PATIENCE_SECONDS
from tests.unit.session.hall import URL, Hall, body_of, present_clock
from tests.world.clock import run_virtual
from tests.world.entry import MemoryEntry
from tests.world.remote import Raise, ScriptedRemote, timeout

BODY = body_of(100_000)


class Queue(MemoryEntry):
    """A place in a store where another process asks first, until `answered`."""

    def __init__(self, entry: MemoryEntry | None = None) -> None:
        super().__init__()
        self.answered = False
        self.ended = 0
        self.found = entry

    def take_turn(self) -> bool:
        """Refuse the turn until the other has its answer."""
        return self.answered

    def end_turn(self) -> None:
        """Count."""
        self.ended += 1

    def join(self) -> bool:
        """Find what the other has stored."""
        if self.found is not None and self.resource is None:
            self.remote, self.resource = self.found.remote, self.found.resource
        return self.resource is not None


def stored(freshness: Freshness | None = None) -> MemoryEntry:
    entry = MemoryEntry()
    remote = Remote(len(BODY), ranges=True, freshness=freshness or Freshness())
    entry.begin(remote).write_at(0, BODY)
    return entry


def test_with_nothing_stored_the_whole_is_asked_for() -> None:
    async def check() -> None:
        far = ScriptedRemote(BODY)
        async with Hall(far) as hall:
            await hall.opened()
            assert [each.want for each in far.log] == [WHOLE]

    run_virtual(check())


def test_an_open_waits_for_the_process_that_asks_first_and_joins_what_it_stored() -> None:
    async def check() -> None:
        far, entry = ScriptedRemote(BODY), Queue(stored(Freshness(lifetime=1e12)))
        async with Hall(far, entry) as hall:
            present_clock()
            hall.background.loop.call_later(1.0, setattr, entry, "answered", True)
            await hall.opened()
            assert far.log == []
            assert entry.ended >= 1
            assert await hall.stream().read() == BODY
        assert far.log == []

    run_virtual(check())


def test_an_open_whose_forerunner_has_stored_nothing_asks_itself() -> None:
    async def check() -> None:
        far, entry = ScriptedRemote(BODY), Queue()
        async with Hall(far, entry) as hall:
            hall.background.loop.call_later(1.0, setattr, entry, "answered", True)
            await hall.opened()
            assert [each.want for each in far.log] == [WHOLE]

    run_virtual(check())


def test_a_forerunner_that_never_answers_is_not_waited_for_longer_than_patience() -> None:
    async def check() -> None:
        far, clock = ScriptedRemote(BODY), present_clock()
        begun = clock.monotonic()
        async with Hall(far, Queue()) as hall:
            await hall.opened()
            assert PATIENCE_SECONDS <= clock.monotonic() - begun <= PATIENCE_SECONDS + 1

    run_virtual(check())


def test_what_is_complete_and_stale_is_asked_for_once_by_its_validator() -> None:
    async def check() -> None:
        far = ScriptedRemote(BODY)
        entry = MemoryEntry()
        async with Hall(far, entry) as hall:
            await hall.complete()
        async with Hall(far, entry.reopened()) as hall:
            await hall.opened()
            assert [each.answer for each in far.log] == ["200", "304"]

    run_virtual(check())


def test_what_is_partial_and_stale_is_proven_by_its_first_missing_byte() -> None:
    async def check() -> None:
        far, entry = ScriptedRemote(BODY), MemoryEntry()
        entry.begin(far.version.remote()).write_at(0, BODY[:5000])
        async with Hall(far, entry) as hall:
            await hall.opened()
            assert far.log[0].want.start == 5000  # type: ignore[union-attr]
            assert isinstance(far.log[0].same_as, type(far.version.validator))

    run_virtual(check())


def test_a_session_that_is_shut_while_it_waits_for_its_turn_asks_nothing() -> None:
    async def check() -> None:
        far = ScriptedRemote(BODY)
        async with Hall(far, Queue()):
            pass
        assert far.log == []

    run_virtual(check())


def test_an_open_that_fails_tells_why() -> None:
    async def check() -> None:
        far = ScriptedRemote(BODY).always(Raise(timeout("headers")))
        async with Hall(far) as hall:
            with pytest.raises(NetTimeout) as caught:
                await hall.opened()
            assert caught.value.url == URL

    run_virtual(check())


def test_an_open_range_is_never_the_first_request_for_nothing() -> None:
    async def check() -> None:
        far = ScriptedRemote(BODY)
        async with Hall(far) as hall:
            await hall.complete()
        assert not any(isinstance(each.want, OpenRange) for each in far.log)

    run_virtual(check())
