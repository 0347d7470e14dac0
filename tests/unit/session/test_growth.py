"""The store hears of a download's growth at its first byte and after each step."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

import pytest

from kithara_file.errors import StorageError
from kithara_file.session.growth import WRITE_BACK_BYTES, Growth
from kithara_file.session.holding import Holding
from kithara_file.storage.memory import MemoryResource
from tests.world.background import InlineBackground
from tests.world.entry import MemoryEntry

T = TypeVar("T")


class CountingEntry(MemoryEntry):
    """Counts how often room was made, and answers as it is told."""

    def __init__(self, step: int | None, error: Exception | None = None) -> None:
        super().__init__()
        self.step, self.error, self.asked = step, error, 0

    def make_room(self) -> int | None:
        self.asked += 1
        if self.error is not None:
            raise self.error
        return self.step


async def asked(entry: CountingEntry, *landings: int) -> int:
    """Land `landings` one after another, each when all is quiet; return how often room was made."""
    growth = Growth(Holding(entry, lambda: None), InlineBackground())
    for size in landings:
        growth.landed(size)
        await growth.shut()
    return entry.asked


@pytest.mark.parametrize(
    "step, landings, times",
    [
        (100, (1,), 1),
        (100, (1, 99), 1),
        (100, (1, 101), 2),
        (100, (500, 500), 2),
        (None, (1, 10**9), 1),
        (0, (1, 1), 2),
    ],
)
def test_room_is_made_at_the_first_byte_and_after_each_step(
    step: int | None, landings: tuple[int, ...], times: int
) -> None:
    assert asyncio.run(asked(CountingEntry(step), *landings)) == times


class Behind(InlineBackground):
    """Has no turn for long work."""

    async def on_disk(self, work: Callable[[], T], *, long: bool = False) -> T:
        if long:
            await asyncio.Event().wait()
        return work()


async def all_others() -> None:
    """Wait until no other task runs."""
    while others := asyncio.all_tasks() - {asyncio.current_task()}:
        await asyncio.wait(others)


class WrittenBack(MemoryResource):
    """Counts how often it was to be written out."""

    times = 0

    def write_back(self) -> None:
        self.times += 1


def test_the_disk_is_set_to_work_after_each_of_its_steps() -> None:
    async def written_back(*landings: int) -> int:
        holding = Holding(MemoryEntry(), lambda: None)
        holding.resource = resource = WrittenBack()
        growth = Growth(holding, InlineBackground())
        for size in landings:
            growth.landed(size)
            await all_others()
        return resource.times

    assert asyncio.run(written_back(WRITE_BACK_BYTES - 1)) == 0
    assert asyncio.run(written_back(WRITE_BACK_BYTES - 1, 1, 1, WRITE_BACK_BYTES)) == 2


def test_the_disk_is_not_set_to_work_twice_at_once() -> None:
    async def twice() -> int:
        holding = Holding(MemoryEntry(), lambda: None)
        holding.resource = resource = WrittenBack()
        growth = Growth(holding, InlineBackground(disk_seconds=0.01))
        growth.landed(WRITE_BACK_BYTES)
        growth.landed(WRITE_BACK_BYTES)
        await all_others()
        return resource.times

    assert asyncio.run(twice()) == 1


def test_a_disk_that_was_not_set_to_work_yet_is_not_waited_for() -> None:
    async def ended() -> int:
        holding = Holding(MemoryEntry(), lambda: None)
        holding.resource = resource = WrittenBack()
        growth = Growth(holding, Behind())
        growth.landed(WRITE_BACK_BYTES)
        await asyncio.wait_for(growth.shut(), 30)
        return resource.times

    assert asyncio.run(ended()) == 0


def test_a_store_that_fails_ends_no_download(caplog: pytest.LogCaptureFixture) -> None:
    assert asyncio.run(asked(CountingEntry(1, StorageError("broken")), 1, 10)) == 1
    assert "no room made: broken" in caplog.text


def test_room_is_made_once_at_a_time() -> None:
    async def twice() -> int:
        entry = CountingEntry(1)
        growth = Growth(Holding(entry, lambda: None), InlineBackground(disk_seconds=0.01))
        growth.landed(10)
        growth.landed(10)
        await growth.shut()
        return entry.asked

    assert asyncio.run(twice()) == 1
