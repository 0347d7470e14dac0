"""Unit tests of deadlines and of giving up."""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

import pytest

from kithara_file import clock
from kithara_file.clock import CancelToken, Clock, Deadline, SystemClock
from kithara_file.errors import Cancelled, StreamClosed
from tests.world.crash import fork_while_held


@dataclass
class Hand:
    """A clock that is moved by hand."""

    now: float = 100.0

    def monotonic(self) -> float:
        """Return where the hand stands."""
        return self.now

    def wall(self) -> float:
        """Return the same."""
        return self.now


def test_the_system_clock_is_that_of_the_system() -> None:
    clock: Clock = SystemClock()
    before = time.monotonic(), time.time()
    now = clock.monotonic(), clock.wall()
    assert before[0] <= now[0] <= time.monotonic()
    assert abs(now[1] - before[1]) < 60


def test_a_deadline_comes_once_its_time_has_come() -> None:
    clock = Hand()
    deadline = Deadline.after(5, clock)
    seen = []
    for now in (100.0, 104.0, 105.0, 999.0):
        clock.now = now
        seen.append((deadline.remaining(), deadline.passed))
    assert seen == [(5.0, False), (1.0, False), (0.0, True), (0.0, True)]


@pytest.mark.parametrize("deadline", [Deadline.never(), Deadline.after(None), Deadline.after(None, Hand(1e300))])
def test_a_deadline_that_never_comes_sets_no_limit(deadline: Deadline) -> None:
    assert deadline.remaining() is None
    assert not deadline.passed


def test_a_deadline_of_no_time_has_come() -> None:
    assert Deadline.after(0).passed


# -- giving up -------------------------------------------------------------------------------------------------------


def test_a_token_is_armed_until_it_is_cancelled() -> None:
    token = CancelToken()
    token.check()
    states = [(token.cancelled, repr(token))]
    token.cancel()
    states.append((token.cancelled, repr(token)))
    assert states == [(False, "<CancelToken armed>"), (True, "<CancelToken cancelled>")]
    with pytest.raises(Cancelled):
        token.check()


def test_the_first_reason_stays_and_everybody_gets_a_copy() -> None:
    token, reason = CancelToken(), StreamClosed("closed")
    token.cancel(reason)
    token.cancel(Cancelled())
    with pytest.raises(StreamClosed, match="closed") as caught:
        token.check()
    assert caught.value is not reason


def test_callbacks_are_called_once_and_know_the_reason() -> None:
    token = CancelToken()
    called: list[object] = []
    token.on_cancel(lambda: called.append(token.reason))
    token.cancel()
    token.cancel()
    assert [type(each) for each in called] == [Cancelled]


def test_a_callback_of_a_cancelled_token_is_called_at_once() -> None:
    token = CancelToken()
    token.cancel()
    called: list[int] = []
    take_back = token.on_cancel(lambda: called.append(1))
    take_back()
    assert called == [1]


def test_a_callback_that_was_taken_back_is_not_called() -> None:
    token = CancelToken()
    called: list[str] = []
    take_back = token.on_cancel(lambda: called.append("gone"))
    token.on_cancel(lambda: called.append("kept"))
    take_back()
    take_back()
    token.cancel()
    take_back()
    assert called == ["kept"]


def test_callbacks_run_without_the_lock() -> None:
    token = CancelToken()
    seen: list[bool] = []

    def ask_elsewhere() -> None:
        other = threading.Thread(target=lambda: token.on_cancel(lambda: seen.append(True)))
        other.start()
        other.join(30)

    token.on_cancel(ask_elsewhere)
    token.cancel()
    assert seen == [True]


def test_a_token_can_be_cancelled_by_the_garbage_collector_in_the_thread_that_uses_it() -> None:
    token = CancelToken()

    class Cycle:
        def __init__(self) -> None:
            self.itself = self

        def __del__(self) -> None:
            token.cancel()

    token.on_cancel(lambda: None)
    Cycle()
    gc.collect()
    assert token.cancelled


@pytest.mark.parametrize("_attempt", range(20))
def test_whoever_comes_first_gives_the_reason_and_each_callback_is_called_once(_attempt: int) -> None:
    token, called, together = CancelToken(), list[int](), threading.Barrier(4)
    reasons = [Cancelled(str(number)) for number in range(2)]
    seen: list[object] = []

    def give_up(reason: Cancelled) -> None:
        together.wait(30)
        token.cancel(reason)
        seen.append(token.reason)

    def wait(first: int) -> None:
        together.wait(30)
        for number in range(first, first + 50):
            token.on_cancel(partial(called.append, number))

    threads = [threading.Thread(target=give_up, args=(each,)) for each in reasons]
    threads += [threading.Thread(target=wait, args=(first,)) for first in (0, 50)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(30)
    assert seen == [token.reason] * 2
    assert sorted(called) == list(range(100))


def test_a_child_of_a_fork_gives_up_what_a_thread_of_its_parent_was_giving_up(monkeypatch: pytest.MonkeyPatch) -> None:
    token, reason, within = CancelToken(), StreamClosed(), threading.Event()
    let_go = threading.Event()

    def slowly() -> Cancelled:
        within.set()
        let_go.wait(30)
        return Cancelled()

    monkeypatch.setattr(clock, "Cancelled", slowly)
    thread = threading.Thread(target=token.cancel)

    @contextmanager
    def in_the_middle() -> Iterator[None]:
        thread.start()
        within.wait(30)
        yield
        let_go.set()
        thread.join(30)

    assert fork_while_held(in_the_middle(), lambda: token.cancel(reason)) == 0
    assert token.cancelled
