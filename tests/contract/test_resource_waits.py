"""The contract of a resource, against every implementation: every wait ends, and for the right reason."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from random import Random

import pytest

from kithara_file.clock import CancelToken, Deadline
from kithara_file.errors import Cancelled, KitharaError, OfflineMiss, StreamClosed
from kithara_file.ranges import ByteRange
from kithara_file.storage import Demand, Resource
from tests.contract.resources import MAKERS, SOON, blocked, made, read, wait


@pytest.fixture(params=MAKERS, ids=lambda make: make.__name__)
def resource(request: pytest.FixtureRequest) -> Iterator[Resource]:
    with made(request.param) as one:
        yield one


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor() as pool:
        yield pool


# -- waits that end with bytes or at the end -------------------------------------------------------------------------


def test_present_bytes_are_not_waited_for(resource: Resource) -> None:
    resource.write_at(0, b"abcdef")
    resource.on_demand = lambda: pytest.fail("nothing was missing")
    assert wait(resource, 1, 4) == ByteRange(1, 4)
    assert wait(resource, 4, 10) == ByteRange(4, 6)


def test_a_wait_at_the_length_is_at_the_proven_end(resource: Resource) -> None:
    resource.announce(3)
    assert wait(resource, 3, 4) is None
    assert wait(resource, 100, 200) is None


def test_an_empty_resource_is_at_its_end_from_the_start(resource: Resource) -> None:
    resource.announce(0)
    assert wait(resource, 0, 1) is None
    assert read(resource, 0, 10) == b""


def test_no_data_yet_is_never_the_end(resource: Resource) -> None:
    with pytest.raises(TimeoutError, match="byte 0"):
        resource.wait_range(ByteRange(0, 1), Deadline.after(0), CancelToken())
    resource.announce(3)
    with pytest.raises(TimeoutError):
        resource.wait_range(ByteRange(2, 9), Deadline.after(0), CancelToken())


def test_the_first_chunk_that_serves_a_reader_wakes_it(resource: Resource, threads: ThreadPoolExecutor) -> None:
    (found,) = blocked(resource, threads, partial(wait, resource, 5, 100))
    resource.write_at(0, b"abcde")
    resource.write_at(6, b"gh")
    assert len(resource.demands()) == 1
    resource.write_at(5, b"f")
    assert found.result(SOON) == ByteRange(5, 8)


def test_bytes_that_begin_before_what_is_wanted_serve_it(resource: Resource, threads: ThreadPoolExecutor) -> None:
    (found,) = blocked(resource, threads, partial(wait, resource, 5, 7))
    resource.write_at(0, b"abcdefghijk")
    assert found.result(SOON) == ByteRange(5, 7)


def test_one_landing_serves_all_who_want_it(resource: Resource, threads: ThreadPoolExecutor) -> None:
    found = blocked(resource, threads, partial(wait, resource, 0, 4), count=4)
    resource.write_at(0, b"abcd")
    assert [each.result(SOON) for each in found] == [ByteRange(0, 4)] * 4


def test_the_length_ends_waits_beyond_it(resource: Resource, threads: ThreadPoolExecutor) -> None:
    (found,) = blocked(resource, threads, partial(wait, resource, 10, 20))
    resource.announce(10)
    assert found.result(SOON) is None


def test_a_demand_is_there_when_the_owner_is_told_of_it_and_gone_with_the_wait(resource: Resource) -> None:
    seen: list[tuple[Demand, ...]] = []

    def deliver() -> None:
        seen.append(resource.demands())
        resource.write_at(5, b"x")

    resource.on_demand = deliver
    assert wait(resource, 5, 9) == ByteRange(5, 6)
    assert [[each.wanted for each in demands] for demands in seen] == [[ByteRange(5, 9)]]
    assert resource.demands() == ()


def test_the_owner_is_told_without_a_lock_held(resource: Resource, threads: ThreadPoolExecutor) -> None:
    def deliver_elsewhere() -> None:
        threads.submit(resource.write_at, 0, b"x").result(SOON)

    resource.on_demand = deliver_elsewhere
    assert wait(resource, 0, 1) == ByteRange(0, 1)


def test_demands_come_longest_first(resource: Resource, threads: ThreadPoolExecutor) -> None:
    for start in (30, 10, 20):
        blocked(resource, threads, partial(wait, resource, start, start + 1))
    assert [each.wanted and each.wanted.start for each in resource.demands()] == [30, 10, 20]
    resource.announce(0)


# -- waits that end otherwise ----------------------------------------------------------------------------------------


def cancel_it(resource: Resource, token: CancelToken) -> None:
    token.cancel()


def close_it(resource: Resource, token: CancelToken) -> None:
    resource.close()


def fail_it(resource: Resource, token: CancelToken) -> None:
    resource.fail(OfflineMiss(url="http://a/b", start=0, end=1))


def refuse_it(resource: Resource, token: CancelToken) -> None:
    resource.refuse(OfflineMiss(url="http://a/b", start=0, end=1), *resource.demands())


ENDS = [(cancel_it, Cancelled), (close_it, StreamClosed), (fail_it, OfflineMiss), (refuse_it, OfflineMiss)]
ends = pytest.mark.parametrize("end, error", ENDS, ids=lambda each: getattr(each, "__name__", ""))
End = Callable[[Resource, CancelToken], None]


@ends
def test_every_way_out_wakes_a_thread(
    resource: Resource, threads: ThreadPoolExecutor, end: End, error: type[KitharaError]
) -> None:
    token = CancelToken()
    found = blocked(resource, threads, partial(wait, resource, 0, 1, token), count=3)
    end(resource, token)
    assert [type(each.exception(SOON)) for each in found] == [error] * 3
    assert resource.demands() == ()


@ends
def test_every_way_out_wakes_who_waits_for_the_length(
    resource: Resource, threads: ThreadPoolExecutor, end: End, error: type[KitharaError]
) -> None:
    token = CancelToken()
    (found,) = blocked(resource, threads, partial(resource.wait_length, Deadline.after(SOON), token))
    end(resource, token)
    with pytest.raises(error):
        found.result(SOON)


async def _ended(resource: Resource, end: End, token: CancelToken, what: str) -> None:
    stands = asyncio.Event()
    loop = asyncio.get_running_loop()
    resource.on_demand = stands.set
    deadline = Deadline.after(SOON)
    waiting = (
        resource.await_length(deadline, token)
        if what == "length"
        else resource.await_range(ByteRange(0, 1), deadline, token)
    )
    task = asyncio.ensure_future(waiting)
    await stands.wait()
    await loop.run_in_executor(None, end, resource, token)
    await task


@pytest.mark.parametrize("what", ["length", "range"])
@ends
def test_every_way_out_wakes_a_task(resource: Resource, end: End, error: type[KitharaError], what: str) -> None:
    with pytest.raises(error):
        asyncio.run(_ended(resource, end, CancelToken(), what))
    assert resource.demands() == ()


def test_readers_get_errors_of_their_own(resource: Resource, threads: ThreadPoolExecutor) -> None:
    one, other = blocked(resource, threads, partial(wait, resource, 0, 1), count=2)
    fail_it(resource, CancelToken())
    assert one.exception(SOON) is not other.exception(SOON)


@ends
def test_present_bytes_are_returned_whatever_else_went_wrong(
    resource: Resource, end: End, error: type[KitharaError]
) -> None:
    token = CancelToken()
    resource.write_at(0, b"abc")
    resource.announce(5)
    end(resource, token)
    if end is close_it:
        with pytest.raises(StreamClosed):
            wait(resource, 0, 3, token)
        return
    assert wait(resource, 0, 5, token) == ByteRange(0, 3)
    assert read(resource, 0, 5) == b"abc"
    assert wait(resource, 5, 6, token) is None


def test_a_refused_reader_may_ask_again(resource: Resource, threads: ThreadPoolExecutor) -> None:
    (found,) = blocked(resource, threads, partial(wait, resource, 0, 1))
    refuse_it(resource, CancelToken())
    assert isinstance(found.exception(SOON), OfflineMiss)
    (found,) = blocked(resource, threads, partial(wait, resource, 0, 1))
    resource.write_at(0, b"x")
    assert found.result(SOON) == ByteRange(0, 1)


def test_a_refusal_reaches_only_whom_it_names(resource: Resource, threads: ThreadPoolExecutor) -> None:
    (one,) = blocked(resource, threads, partial(wait, resource, 0, 1))
    first = resource.demands()
    (other,) = blocked(resource, threads, partial(wait, resource, 5, 6))
    resource.refuse(OfflineMiss(url="http://a/b", start=0, end=1), *first)
    assert isinstance(one.exception(SOON), OfflineMiss)
    assert [each.wanted for each in resource.demands()] == [ByteRange(5, 6)]
    resource.write_at(5, b"x")
    assert other.result(SOON) == ByteRange(5, 6)


def test_a_failure_is_final_and_starts_no_fetch(resource: Resource) -> None:
    fail_it(resource, CancelToken())
    resource.on_demand = lambda: pytest.fail("a failed resource shall not be fetched")
    for _ in range(2):
        with pytest.raises(OfflineMiss):
            wait(resource, 0, 1)


def test_a_cancelled_token_starts_no_fetch(resource: Resource) -> None:
    token = CancelToken()
    token.cancel()
    resource.on_demand = lambda: pytest.fail("a cancelled wait shall not start a fetch")
    with pytest.raises(Cancelled):
        wait(resource, 0, 1, token)


def test_the_reason_of_the_token_is_what_is_raised(resource: Resource, threads: ThreadPoolExecutor) -> None:
    token = CancelToken()
    (found,) = blocked(resource, threads, partial(wait, resource, 0, 1, token))
    token.cancel(StreamClosed("gone"))
    with pytest.raises(StreamClosed, match="gone"):
        found.result(SOON)


def test_a_wait_cancelled_from_within_the_owner_ends(resource: Resource) -> None:
    token = CancelToken()
    resource.on_demand = token.cancel
    with pytest.raises(Cancelled):
        wait(resource, 0, 1, token)


def test_a_deadline_ends_a_wait_that_nothing_else_does(resource: Resource) -> None:
    with pytest.raises(TimeoutError, match="the length"):
        resource.wait_length(Deadline.after(0.01), CancelToken())
    with pytest.raises(TimeoutError, match="byte 3"):
        asyncio.run(resource.await_range(ByteRange(3, 4), Deadline.after(0.01), CancelToken()))
    assert resource.demands() == ()


def test_a_token_keeps_nothing_of_a_wait_that_is_over(resource: Resource) -> None:
    token = CancelToken()
    for _ in range(3):
        with pytest.raises(TimeoutError):
            resource.wait_range(ByteRange(0, 1), Deadline.after(0), token)
        resource.on_demand = lambda: resource.write_at(7, b"x")
        resource.wait_range(ByteRange(7, 8), Deadline.after(SOON), token)
    assert not token._callbacks  # noqa: SLF001 - a leak that no behaviour shows


# -- tasks -----------------------------------------------------------------------------------------------------------


def test_a_task_is_woken_from_another_thread(resource: Resource) -> None:
    async def main() -> ByteRange | None:
        loop = asyncio.get_running_loop()
        resource.on_demand = lambda: void(loop.run_in_executor(None, resource.write_at, 2, b"cd"))
        return await resource.await_range(ByteRange(2, 9), Deadline.after(SOON), CancelToken())

    assert asyncio.run(main()) == ByteRange(2, 4)


def void(_: object) -> None:
    """Forget a value that a callback may not return."""


def test_a_task_is_woken_by_another_task_of_its_loop(resource: Resource) -> None:
    async def main() -> tuple[int, ByteRange | None]:
        stands = asyncio.Event()
        resource.on_demand = stands.set
        waits = (
            asyncio.ensure_future(resource.await_length(Deadline.after(SOON), CancelToken())),
            asyncio.ensure_future(resource.await_range(ByteRange(5, 6), Deadline.after(SOON), CancelToken())),
        )
        await stands.wait()
        resource.announce(5)
        return await waits[0], await waits[1]

    assert asyncio.run(main()) == (5, None)


def test_cancelling_a_task_takes_its_demand_back(resource: Resource) -> None:
    async def main() -> None:
        stands = asyncio.Event()
        resource.on_demand = stands.set
        task = asyncio.ensure_future(resource.await_range(ByteRange(0, 1), Deadline.never(), CancelToken()))
        await stands.wait()
        assert len(resource.demands()) == 1
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert resource.demands() == ()

    asyncio.run(main())


def test_a_loop_that_was_closed_does_not_hurt_the_writer(resource: Resource) -> None:
    loop = asyncio.new_event_loop()
    wait = resource.await_range(ByteRange(0, 1), Deadline.never(), CancelToken())

    async def begin() -> None:
        wait.send(None)

    loop.run_until_complete(begin())
    assert len(resource.demands()) == 1
    loop.close()
    resource.write_at(0, b"x")
    wait.close()
    assert resource.demands() == ()


# -- the length -----


def test_who_waits_for_the_length_gets_it(resource: Resource, threads: ThreadPoolExecutor) -> None:
    waiting = partial(resource.wait_length, Deadline.after(SOON), CancelToken())
    (length,) = blocked(resource, threads, waiting)
    assert [each.wanted for each in resource.demands()] == [None]
    resource.announce(9)
    assert length.result(SOON) == 9


def test_bytes_do_not_wake_who_waits_for_the_length(resource: Resource, threads: ThreadPoolExecutor) -> None:
    waiting = partial(resource.wait_length, Deadline.after(SOON), CancelToken())
    (length,) = blocked(resource, threads, waiting)
    resource.write_at(0, b"abc")
    assert len(resource.demands()) == 1
    resource.announce(3)
    assert length.result(SOON) == 3


# -- all at once ----


def test_readers_beside_a_writer_see_right_bytes_and_all_of_them(
    resource: Resource, threads: ThreadPoolExecutor
) -> None:
    size, step = 400_000, 3001
    whole = Random(1).randbytes(size)
    start_together = threading.Barrier(5)

    def reader(stride: int) -> bool:
        start_together.wait(SOON)
        at = 0
        while (found := wait(resource, at, at + stride)) is not None:
            got = read(resource, at, len(found))
            if got != whole[at : at + len(got)]:
                return False
            at += len(got)
        return at == size

    readers = [threads.submit(reader, stride) for stride in (1000, 7777, 65536, 300_000)]
    start_together.wait(SOON)
    offsets = [at for first in (1, 0) for at in range(first * step, size, 2 * step)]
    for at in offsets:
        resource.write_at(at, whole[at : min(size, at + step)])
    resource.announce(size)
    assert all(each.result(30) for each in readers)
