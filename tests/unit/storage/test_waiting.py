"""Unit tests of the queue of demands beyond the contract: no lost wake-up, no needless one, no lock held."""

from __future__ import annotations

import gc
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from kithara_file.clock import CancelToken, Deadline
from kithara_file.errors import Cancelled, KitharaError, OfflineMiss, StorageError
from kithara_file.ranges import ByteRange, Coverage
from kithara_file.storage.resource import Demand
from kithara_file.storage.waiting import Waitable
from kithara_file.storage.waking import ThreadDemand

SOON = 30.0


class Shelf(Waitable):
    """A resource without bytes: only what is waited for."""

    def land(self, start: int, end: int) -> None:
        """Say that bytes are in place."""
        self._land(start, end)


def wait(shelf: Shelf, token: CancelToken, start: int = 0) -> ByteRange | None:
    return shelf.wait_range(ByteRange(start, start + 10), Deadline.after(SOON), token)


class Cycle:
    """Garbage that cancels a token when it is collected, as a stream does which nobody holds any more."""

    def __init__(self, token: CancelToken) -> None:
        self.token = token
        self.itself = self

    def __del__(self) -> None:
        self.token.cancel()


def test_a_token_cancelled_by_the_garbage_collector_between_look_and_sleep_ends_the_wait(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shelf, token = Shelf(), CancelToken()
    sleep = ThreadDemand.sleep

    def collected_just_before(demand: ThreadDemand, seconds: float | None) -> None:
        Cycle(token)
        gc.collect()
        sleep(demand, seconds)

    monkeypatch.setattr(ThreadDemand, "sleep", collected_just_before)
    with pytest.raises(Cancelled):
        wait(shelf, token)


def test_a_token_cancelled_by_the_garbage_collector_while_the_lock_is_held_ends_the_wait() -> None:
    shelf, token = Shelf(), CancelToken()
    stands = threading.Event()
    shelf.on_demand = stands.set
    with ThreadPoolExecutor() as threads:
        waiting = threads.submit(wait, shelf, token)
        assert stands.wait(SOON)
        with shelf._lock:
            Cycle(token)
            gc.collect()
        assert isinstance(waiting.exception(SOON), Cancelled)


def test_thousands_of_races_of_landing_and_waiting_lose_no_wake_up() -> None:
    shelf, token = Shelf(), CancelToken()
    count = 3000
    done = threading.Event()

    def reader() -> bool:
        for at in range(count):
            shelf.wait_range(ByteRange(at, at + 1), Deadline.after(SOON), token)
        done.set()
        return True

    with ThreadPoolExecutor() as threads:
        reading = threads.submit(reader)
        for at in range(count):
            shelf.land(at, at + 1)
            if at % 7 == 0:
                time.sleep(0)  # lets the reader come near, so that it often has to wait
        assert reading.result(30)


def test_a_landing_wakes_only_whom_it_serves(monkeypatch: pytest.MonkeyPatch) -> None:
    shelf = Shelf()
    woken: list[int] = []
    demands = [ThreadDemand(ByteRange(start, start + 5)) for start in (0, 10, 20)] + [ThreadDemand(None)]
    for each in demands:
        shelf._demands[each] = None
    monkeypatch.setattr(ThreadDemand, "wake", lambda each: woken.append(each.wanted.start if each.wanted else -1))
    shelf.land(1, 10)
    assert woken == []
    shelf.land(8, 12)
    assert woken == [10]
    shelf.announce(20)
    assert woken == [10, 20, -1]


def test_the_most_lasting_reason_is_told_first() -> None:
    shelf, token, late = Shelf(), CancelToken(), Deadline.after(0)
    demand = Demand(ByteRange(0, 1))
    told: list[type[Exception]] = []

    def tell() -> None:
        try:
            shelf._check(demand, late, token)
        except (TimeoutError, KitharaError) as error:
            told.append(type(error))

    tell()
    demand.error = OfflineMiss(url="a", start=0, end=1)
    tell()
    shelf.fail(StorageError("broken"))
    tell()
    token.cancel()
    tell()
    assert told == [TimeoutError, OfflineMiss, StorageError, Cancelled]


def test_the_first_failure_is_the_one_that_stays() -> None:
    shelf = Shelf()
    shelf.fail(StorageError("first"))
    shelf.fail(StorageError("second"))
    with pytest.raises(StorageError, match="first"):
        wait(shelf, CancelToken())


def test_an_error_from_on_demand_takes_the_demand_back() -> None:
    shelf, token = Shelf(), CancelToken()

    def broken() -> None:
        raise RuntimeError("the loop is gone")

    shelf.on_demand = broken
    with pytest.raises(RuntimeError):
        wait(shelf, token)
    assert shelf.demands() == ()


def test_refusing_who_no_longer_waits_hurts_nobody() -> None:
    shelf = Shelf()
    shelf.refuse(StorageError("late"), Demand(ByteRange(0, 1)))
    shelf.land(0, 5)
    assert wait(shelf, CancelToken()) == ByteRange(0, 5)


def test_complete_needs_the_length_and_every_byte() -> None:
    shelf = Shelf(coverage=Coverage([ByteRange(0, 5)]))
    answers = [shelf.complete]
    shelf.announce(6)
    answers.append(shelf.complete)
    shelf.land(5, 6)
    answers.append(shelf.complete)
    assert answers == [False, False, True]
    assert shelf.progress == "6 of 6 bytes"
