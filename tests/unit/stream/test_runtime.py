"""One thread, one loop, and a hand for the disk that is there only while it has work."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import pytest

from kithara_file.stream.runtime import DiskHand, Runtime
from tests.world.crash import run_child

SOON = 30.0


@pytest.fixture
def runtime() -> Iterator[Runtime]:
    """Start a runtime of the test's own."""
    runtime = Runtime()
    yield runtime
    runtime.stop()


def test_the_process_has_one_runtime_in_a_daemon_thread() -> None:
    runtime = Runtime.current()
    assert Runtime.current() is runtime
    assert runtime.alive
    (thread,) = [each for each in threading.enumerate() if each.name == "kithara-file"]
    assert thread.daemon


def test_threads_that_ask_at_once_get_the_same_runtime() -> None:
    barrier, found = threading.Barrier(8), []

    def ask() -> None:
        barrier.wait(SOON)
        found.append(Runtime.current())

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(SOON)
    assert len(found) == 8
    assert len(set(map(id, found))) == 1


def test_calls_run_on_the_loop_in_order(runtime: Runtime) -> None:
    told: list[int] = []
    done = threading.Event()
    for number in range(5):
        runtime.call(told.append, number)
    runtime.call(done.set)
    assert done.wait(SOON)
    assert told == [0, 1, 2, 3, 4]


def test_submitted_work_returns_and_raises(runtime: Runtime) -> None:
    async def fail() -> None:
        raise LookupError("no")

    async def here() -> bool:
        return runtime.here

    assert runtime.submit(here()).result(SOON) is True
    assert runtime.here is False
    with pytest.raises(LookupError, match="no"):
        runtime.submit(fail()).result(SOON)


def test_cancelling_the_future_cancels_the_task(runtime: Runtime) -> None:
    begun, ended = threading.Event(), threading.Event()

    async def wait() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    future = runtime.submit(wait())
    assert begun.wait(SOON)
    future.cancel()
    assert ended.wait(SOON)


def test_disk_work_runs_off_the_loop_and_in_order(runtime: Runtime) -> None:
    told: list[int] = []

    async def main() -> list[bool]:
        return list(await asyncio.gather(*(runtime.on_disk(lambda n=n: work(n)) for n in range(5))))  # type: ignore[misc]

    def work(number: int) -> bool:
        told.append(number)
        return runtime.here

    assert runtime.submit(main()).result(SOON) == [False] * 5
    assert told == [0, 1, 2, 3, 4]


def test_disk_work_that_fails_raises_where_it_is_awaited(runtime: Runtime) -> None:
    def fail() -> None:
        raise OSError(5, "sick disk")

    async def main() -> None:
        await runtime.on_disk(fail)

    with pytest.raises(OSError, match="sick disk"):
        runtime.submit(main()).result(SOON)


def test_what_may_never_end_keeps_no_disk_work_waiting(runtime: Runtime) -> None:
    go = threading.Event()
    strange = runtime.submit(runtime.aside(lambda: go.wait(SOON)))
    assert runtime.submit(runtime.on_disk(lambda: 7)).result(SOON) == 7
    assert not strange.done()
    go.set()
    assert strange.result(SOON)


def test_disk_work_of_a_cancelled_task_still_ends(runtime: Runtime) -> None:
    begun, go, ended = threading.Event(), threading.Event(), threading.Event()

    def work() -> None:
        begun.set()
        assert go.wait(SOON)
        ended.set()

    async def main() -> None:
        await runtime.on_disk(work)

    future = runtime.submit(main())
    assert begun.wait(SOON)
    future.cancel()
    go.set()
    assert ended.wait(SOON)


def test_work_that_was_cancelled_before_its_turn_is_left_out() -> None:
    hand, go, done = DiskHand(), threading.Event(), []
    first = hand.submit(lambda: go.wait(SOON))
    second = hand.submit(lambda: done.append(2))
    third = hand.submit(lambda: done.append(3))
    assert second.cancel()
    go.set()
    assert first.result(SOON)
    third.result(SOON)
    assert done == [3]


def _refuse(thread: threading.Thread) -> None:
    raise RuntimeError("can't start new thread")


def test_without_room_for_a_thread_disk_work_is_done_by_who_asks_and_by_a_thread_again_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hand = DiskHand()
    with monkeypatch.context() as crowded:
        crowded.setattr(threading.Thread, "start", _refuse)
        for _ in range(2):
            assert hand.submit(threading.current_thread).result(SOON) is threading.current_thread()
    assert hand.submit(threading.current_thread).result(SOON) is not threading.current_thread()


def test_without_room_for_a_thread_a_strangers_work_is_not_begun(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = threading.Event()
    with monkeypatch.context() as crowded:
        crowded.setattr(threading.Thread, "start", _refuse)
        with pytest.raises(RuntimeError, match="new thread"):
            runtime.submit(runtime.aside(begun.set)).result(SOON)
    assert not begun.is_set()


def test_a_runtime_without_room_for_its_thread_leaves_nothing_open(monkeypatch: pytest.MonkeyPatch) -> None:
    loop = asyncio.new_event_loop()
    monkeypatch.setattr(asyncio, "new_event_loop", lambda: loop)
    with monkeypatch.context() as crowded:
        crowded.setattr(threading.Thread, "start", _refuse)
        with pytest.raises(RuntimeError, match="new thread"):
            Runtime()
    assert loop.is_closed()


def test_farewells_are_said_in_reverse_and_the_thread_ends() -> None:
    runtime, said = Runtime(), []

    async def say(what: str) -> None:
        said.append(what)

    runtime.at_stop(lambda: say("first made"))
    runtime.at_stop(lambda: say("last made"))
    runtime.stop()
    assert said == ["last made", "first made"]
    assert not runtime.alive
    assert runtime.loop.is_closed()
    runtime.stop()
    runtime.call(said.append, "never")
    assert "ended" in repr(runtime)
    assert said == ["last made", "first made"]


def test_a_farewell_that_fails_or_hangs_does_not_hold_the_end_up() -> None:
    runtime = Runtime()

    async def hang() -> None:
        await asyncio.Event().wait()

    runtime.at_stop(hang)
    stopping = threading.Thread(target=runtime.stop)
    stopping.start()
    stopping.join(SOON)
    assert not stopping.is_alive()
    assert not runtime.alive


def test_the_runtime_does_not_wait_for_itself(runtime: Runtime) -> None:
    async def main() -> None:
        runtime.stop()

    runtime.submit(main()).result(SOON)
    assert runtime.alive


def test_a_stopped_runtime_is_replaced() -> None:
    program = """
        from kithara_file.stream.runtime import Runtime
        first = Runtime.current()
        first.stop()
        second = Runtime.current()
        print(first is second, second.alive, second.submit(__import__("asyncio").sleep(0, 7)).result(30))
    """
    assert run_child(program) == "False True 7"


def test_the_child_of_a_fork_makes_its_own() -> None:
    program = """
        import os
        from kithara_file.stream.runtime import Runtime
        parent = Runtime.current()
        child = os.fork()
        if child == 0:
            own = Runtime.current()
            right = own is not parent and own.alive and not parent.alive
            parent.call(os._exit, 9)
            os._exit(7 if right else 8)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), parent.alive)
    """
    assert run_child(program) == "7 True"
