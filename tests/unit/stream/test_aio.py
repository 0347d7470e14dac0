"""What an `AsyncStream` does with its source; what it promises its users is in the contract suite."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Coroutine
from contextlib import aclosing, suppress
from typing import Any

import pytest

from kithara_file.clock import CancelToken
from kithara_file.errors import Cancelled, NetTimeout, NotFound, StreamClosed
from kithara_file.storage import MemoryResource
from kithara_file.stream.aio import AsyncStream
from tests.contract.files import MemorySource
from tests.unit.stream.trickle import Trickle

DATA = bytes(range(256)) * 1000
GONE = NotFound(404, url="http://host/")


def complete() -> MemorySource:
    resource = MemoryResource(len(DATA))
    resource.write_at(0, DATA)
    return MemorySource(resource)


def do(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(work, 30))


def test_it_iterates_in_pieces_from_where_it_is() -> None:
    async def main() -> None:
        async with AsyncStream(complete()) as stream:
            await stream.seek(10)
            pieces = [piece async for piece in stream]
            assert b"".join(pieces) == DATA[10:]
            assert {len(each) for each in pieces[:-1]} == {65_536}

    do(main())


def test_the_source_hears_what_was_read_and_is_closed_without_waiting() -> None:
    source = complete()

    async def main() -> None:
        stream = AsyncStream(source)
        await stream.read(100)
        await stream.seek(5)
        await stream.close()
        await stream.close()

    do(main())
    assert (source.reads, source.moves, source.closed) == ([(0, 100)], [5], [False])


def test_contextlib_can_close_it() -> None:
    source = complete()

    async def main() -> None:
        async with aclosing(AsyncStream(source)) as stream:
            await stream.read(1)
        assert stream.closed

    do(main())
    assert source.closed == [False]


def test_all_of_it_comes_in_steps_and_a_failure_takes_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kithara_file.stream.handle.LARGEST_STEP", 100_000)
    resource = MemoryResource(len(DATA))
    resource.write_at(0, DATA[:200_000])

    async def main() -> None:
        stream = AsyncStream(MemorySource(resource))
        await stream.seek(10)
        reading = asyncio.ensure_future(stream.read())
        await asyncio.sleep(0)
        resource.fail(GONE)
        with pytest.raises(NotFound):
            await reading
        assert stream.tell() == 10
        whole = AsyncStream(complete())
        assert await whole.read() == DATA
        assert await whole.read() == b""
        await whole.seek(1)
        assert await whole.read(None) == DATA[1:]

    do(main())


@pytest.mark.parametrize("size", [len(DATA), -1])
def test_a_read_is_of_one_place_though_a_seek_comes_in_its_midst(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kithara_file.stream.handle.LARGEST_STEP", 100_000)
    resource = MemoryResource(len(DATA))
    resource.write_at(0, DATA[:150_000])

    async def main() -> None:
        asked = asyncio.Event()
        resource.on_demand = asked.set
        async with AsyncStream(MemorySource(resource)) as stream:
            reading = asyncio.create_task(stream.read(size))
            await asked.wait()
            await stream.seek(7)
            resource.write_at(150_000, DATA[150_000:])
            assert await reading == DATA
            assert stream.tell() == 7

    do(main())


@pytest.mark.parametrize("told", [True, False])
@pytest.mark.parametrize("size", [len(DATA), -1])
def test_all_waits_of_one_read_have_one_deadline(size: int, told: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kithara_file.stream.handle.LARGEST_STEP", 10_000)
    source = Trickle(DATA, told=told)

    async def main() -> None:
        async with AsyncStream(source) as stream:
            assert await stream.read(size) == DATA

    do(main())
    assert len(source.deadlines) > 10
    assert len(set(source.deadlines)) == 1


def test_a_dropped_stream_lets_its_source_go() -> None:
    source = complete()
    stream = AsyncStream(source)
    del stream
    gc.collect()
    assert source.closed == [False]


def test_a_stream_dropped_after_an_error_lets_its_source_go_before_any_collection() -> None:
    resource = MemoryResource(10)
    resource.fail(GONE)
    source = MemorySource(resource)

    async def main() -> None:
        stream = AsyncStream(source)
        with suppress(NotFound):
            await stream.read(1)
        del stream
        assert source.closed == [False]

    gc.disable()
    try:
        do(main())
    finally:
        gc.enable()


def test_a_cancelled_read_takes_its_demand_back() -> None:
    resource = MemoryResource(10)

    async def main() -> None:
        asked = asyncio.Event()
        resource.on_demand = asked.set
        async with AsyncStream(MemorySource(resource)) as stream:
            reading = asyncio.create_task(stream.read(5))
            await asked.wait()
            assert len(resource.demands()) == 1
            reading.cancel()
            (found,) = await asyncio.gather(reading, return_exceptions=True)
            assert isinstance(found, asyncio.CancelledError)
            assert resource.demands() == ()
            assert stream.tell() == 0
            resource.write_at(0, b"0123456789")
            assert await stream.read() == b"0123456789"

    do(main())


def test_close_ends_a_pending_read() -> None:
    resource = MemoryResource(10)

    async def main() -> None:
        asked = asyncio.Event()
        resource.on_demand = asked.set
        stream = AsyncStream(MemorySource(resource))
        reading = asyncio.create_task(stream.read(5))
        await asked.wait()
        await stream.close()
        with pytest.raises(StreamClosed):
            await reading

    do(main())


def test_the_token_ends_a_pending_read() -> None:
    resource, token = MemoryResource(10), CancelToken()
    resource.on_demand = token.cancel

    async def main() -> None:
        async with AsyncStream(MemorySource(resource), token) as stream:
            with pytest.raises(Cancelled):
                await stream.readinto(bytearray(5))

    do(main())


@pytest.mark.parametrize("told", [True, False])
def test_waits_end_with_a_typed_timeout(told: bool) -> None:
    source = MemorySource(MemoryResource(10 if told else None))
    source.read_timeout = 0.01

    async def main() -> None:
        async with AsyncStream(source) as stream:
            with pytest.raises(NetTimeout, match=r"^Waited 0.01 s in vain"):
                await (stream.read(1) if told else stream.seek(0, 2))

    do(main())


def test_a_length_that_cannot_be_had_raises_why() -> None:
    resource = MemoryResource()
    resource.fail(NotFound(404, url="http://host/"))

    async def main() -> None:
        async with AsyncStream(MemorySource(resource)) as stream:
            with pytest.raises(NotFound):
                await stream.read()

    do(main())


def test_two_loops_may_wait_for_one_resource() -> None:
    resource = MemoryResource(10)

    async def main() -> bytes:
        async with AsyncStream(MemorySource(resource)) as stream:
            return await stream.read(5)

    async def other() -> None:
        asked = asyncio.Event()
        loop = asyncio.get_running_loop()

        def demanded() -> None:
            loop.call_soon_threadsafe(asked.set)

        resource.on_demand = demanded
        elsewhere = asyncio.create_task(asyncio.to_thread(asyncio.run, main()))
        await asked.wait()
        resource.write_at(0, b"0123456789")
        assert await elsewhere == b"01234"

    do(other())
