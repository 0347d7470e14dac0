"""What every `Client` promises to the session, held by the real one over a loopback origin and by the scripted one."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Protocol

import pytest

from kithara_file.errors import BodyBroken, Cancelled, RangeNotSatisfiable
from kithara_file.net.client import WHOLE, Client, NotModified, Response, Want
from kithara_file.net.engine import Engine
from kithara_file.net.http import HttpClient
from kithara_file.net.remote import Validator
from kithara_file.ranges import ByteRange, OpenRange
from tests.world import faults, remote
from tests.world.clock import run_virtual
from tests.world.origin import Origin

DATA = bytes(range(256)) * 8192
LENGTH = len(DATA)
V1, V2 = Validator('"v1"'), Validator('"v2"')
ANYWHERE: list[tuple[Want, int, int]] = [
    (WHOLE, 0, LENGTH),
    (OpenRange(0), 0, LENGTH),
    (OpenRange(1_000_001), 1_000_001, LENGTH),
    (ByteRange(5, 6), 5, 6),
    (ByteRange(300_000, 900_000), 300_000, 900_000),
    (ByteRange(LENGTH - 10, LENGTH + 10), LENGTH - 10, LENGTH),
]


class Far(Protocol):
    """A far end with DATA under V1, told how to misbehave at the next request."""

    url: str

    def run(self, main: Callable[[Client], Awaitable[None]]) -> None:
        """Run a test with a client of it."""

    def changes(self, data: bytes) -> None:
        """Have `data` under V2 from now on."""

    def breaks_at(self, at: int) -> None:
        """Break the next body after `at` bytes."""

    def stalls_at(self, at: int) -> None:
        """Say nothing more after `at` bytes of the next body, until `release`."""

    def never_answers(self) -> None:
        """Say nothing to the next request."""

    def release(self) -> None:
        """Go on."""

    def ignores_range(self) -> None:
        """Answer the next request with everything."""

    def ignores_if_range(self) -> None:
        """Answer the next request with a part of whatever there is."""

    def tells_no_length(self) -> None:
        """Send the next body without a length."""

    def fails(self) -> None:
        """Do not answer the next request rightly."""


class ScriptedFar:
    """The scripted remote, in virtual time."""

    url = "http://host/data"

    def __init__(self) -> None:
        self.far = remote.ScriptedRemote(remote.Version(DATA, V1), latency=0.01, rate=1e7)

    def run(self, main: Callable[[Client], Awaitable[None]]) -> None:
        async def scope() -> None:
            await main(self.far)

        run_virtual(scope())

    def changes(self, data: bytes) -> None:
        self.far.become(remote.Version(data, V2))

    def breaks_at(self, at: int) -> None:
        self.far.then(remote.BreakAfter(at))

    def stalls_at(self, at: int) -> None:
        self.far.then(remote.StallAt(at))

    def never_answers(self) -> None:
        self.far.then(remote.StallAt())

    def release(self) -> None:
        self.far.release()

    def ignores_range(self) -> None:
        self.far.then(remote.IgnoreRange())

    def ignores_if_range(self) -> None:
        self.far.then(remote.IgnoreIfRange())

    def tells_no_length(self) -> None:
        self.far.then(remote.Untold())

    def fails(self) -> None:
        self.far.then(remote.Raise(remote.refuse("a lie")))


class HttpFar:
    """The real client, in real time."""

    def __init__(self, origin: Origin) -> None:
        self.origin = origin
        self.url = origin.serve("/data", DATA)

    def run(self, main: Callable[[Client], Awaitable[None]]) -> None:
        async def scope() -> None:
            engine = Engine(asyncio.get_running_loop())
            try:
                await main(HttpClient(engine))
            finally:
                assert engine.running == 0
                engine.close()

        asyncio.run(scope())

    def changes(self, data: bytes) -> None:
        self.origin.replace("/data", data, etag=V2.etag)

    def breaks_at(self, at: int) -> None:
        self.origin.next("/data", faults.CloseAt(at))

    def stalls_at(self, at: int) -> None:
        self.origin.next("/data", faults.StallAt(at))

    def never_answers(self) -> None:
        self.origin.next("/data", faults.NeverAnswer())

    def release(self) -> None:
        self.origin.release("/data")

    def ignores_range(self) -> None:
        self.origin.next("/data", faults.IgnoreRange())

    def ignores_if_range(self) -> None:
        self.origin.next("/data", faults.IgnoreIfRange())

    def tells_no_length(self) -> None:
        self.origin.next("/data", faults.Chunked())

    def fails(self) -> None:
        self.origin.next("/data", faults.Header("Content-Length", "many"))


@pytest.fixture(params=["scripted", "http"])
def far(request: pytest.FixtureRequest) -> Iterator[Far]:
    """Make a far end of each kind."""
    if request.param == "scripted":
        yield ScriptedFar()
    else:
        with Origin() as origin:
            yield HttpFar(origin)


async def opened(client: Client, far: Far, want: Want = WHOLE, same_as: Validator | None = None) -> Response:
    """Open a body."""
    answer = await client.open(far.url, want, same_as)
    assert not isinstance(answer, NotModified)
    return answer


async def collect(response: Response, pieces: list[bytes]) -> None:
    """Read a body to its end, whichever it is, into `pieces`."""
    async for chunk in response:
        pieces += chunk.pieces


async def read(response: Response) -> bytes:
    """Read a body to its end, checking that no byte is missing, doubled or misplaced."""
    at = response.start
    pieces: list[bytes] = []
    async for chunk in response:
        assert chunk.start == at
        assert chunk.size == sum(map(len, chunk.pieces)) > 0
        at = chunk.end
        pieces += chunk.pieces
    assert response.end is None or at == response.end
    return b"".join(pieces)


@pytest.mark.parametrize("want,start,end", ANYWHERE)
def test_what_was_wanted_comes_from_its_start_to_its_end(far: Far, want: Want, start: int, end: int) -> None:
    async def main(client: Client) -> None:
        response = await opened(client, far, want)
        assert (response.start, response.end) == (start, end)
        assert (response.remote.length, response.remote.ranges, response.remote.validator) == (LENGTH, True, V1)
        assert await read(response) == DATA[start:end]

    far.run(main)


@pytest.mark.parametrize("wanted", [True, False])
def test_a_hurried_body_has_the_same_bytes(far: Far, *, wanted: bool) -> None:
    async def main(client: Client) -> None:
        response = await opened(client, far)
        response.hurry(wanted)
        assert await read(response) == DATA

    far.run(main)


def test_after_its_end_a_body_stays_at_its_end(far: Far) -> None:
    async def main(client: Client) -> None:
        response = await opened(client, far, ByteRange(0, 10))
        assert await read(response) == DATA[:10]
        await response.aclose()
        assert [chunk async for chunk in response] == []

    far.run(main)


def test_a_range_beyond_the_end_is_not_satisfiable_and_tells_the_length(far: Far) -> None:
    async def main(client: Client) -> None:
        with pytest.raises(RangeNotSatisfiable) as caught:
            await client.open(far.url, OpenRange(LENGTH), None)
        assert caught.value.length == LENGTH

    far.run(main)


def test_a_version_that_is_current_is_not_sent_again(far: Far) -> None:
    async def main(client: Client) -> None:
        answer = await client.open(far.url, WHOLE, V1)
        assert isinstance(answer, NotModified)
        assert answer.remote.validator == V1

    far.run(main)


@pytest.mark.parametrize("want", [WHOLE, OpenRange(1000)])
def test_a_version_that_is_not_current_is_replaced_from_its_start(far: Far, want: Want) -> None:
    async def main(client: Client) -> None:
        far.changes(DATA[::-1])
        response = await opened(client, far, want, V1)
        assert (response.start, response.remote.validator) == (0, V2)
        assert await read(response) == DATA[::-1]

    far.run(main)


def test_a_part_of_another_version_says_so(far: Far) -> None:
    async def main(client: Client) -> None:
        far.changes(DATA[::-1])
        far.ignores_if_range()
        response = await opened(client, far, OpenRange(1000), V1)
        assert response.start == 1000
        assert response.remote.validator.agrees(V1) is False
        await response.aclose()

    far.run(main)


def test_an_origin_that_ignores_ranges_sends_everything_from_zero(far: Far) -> None:
    async def main(client: Client) -> None:
        far.ignores_range()
        response = await opened(client, far, OpenRange(LENGTH - 1))
        assert response.start == 0
        assert await read(response) == DATA

    far.run(main)


def test_a_body_that_breaks_gives_all_it_had_and_then_says_where(far: Far) -> None:
    async def main(client: Client) -> None:
        far.breaks_at(700_000)
        response = await opened(client, far, OpenRange(1000))
        came: list[bytes] = []
        with pytest.raises(BodyBroken) as caught:
            await collect(response, came)
        assert b"".join(came) == DATA[1000:701_000]
        assert (caught.value.at, caught.value.expected) == (701_000, LENGTH)

    far.run(main)


def test_a_body_without_a_length_ends_where_it_proves_to(far: Far) -> None:
    async def main(client: Client) -> None:
        far.tells_no_length()
        response = await opened(client, far)
        assert (response.end, response.remote.length) == (None, None)
        assert await read(response) == DATA

    far.run(main)


def test_a_cancelled_step_loses_nothing(far: Far) -> None:
    async def main(client: Client) -> None:
        far.stalls_at(300_000)
        response = await opened(client, far)
        steps, came = aiter(response), b""
        while len(came) < 300_000:
            came += b"".join((await anext(steps)).pieces)
        waiting = asyncio.ensure_future(anext(steps))
        await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        far.release()
        async for chunk in response:
            came += b"".join(chunk.pieces)
        assert came == DATA

    far.run(main)


def test_a_body_given_up_never_looks_like_one_that_ended(far: Far) -> None:
    async def main(client: Client) -> None:
        response = await opened(client, far)
        await response.aclose()
        await response.aclose()
        with pytest.raises(Cancelled):
            await anext(aiter(response))

    far.run(main)


def test_cancelling_an_open_leaves_the_client_as_it_was(far: Far) -> None:
    async def main(client: Client) -> None:
        far.never_answers()
        opening = asyncio.ensure_future(client.open(far.url, WHOLE, None))
        await asyncio.sleep(0.05)
        opening.cancel()
        with pytest.raises(asyncio.CancelledError):
            await opening
        assert await read(await opened(client, far, ByteRange(7, 9))) == DATA[7:9]

    far.run(main)


def test_an_answer_that_is_refused_leaves_the_client_as_it_was(far: Far) -> None:
    async def main(client: Client) -> None:
        far.fails()
        with pytest.raises(OSError, match="cannot be used"):
            await client.open(far.url, WHOLE, None)
        assert await read(await opened(client, far, ByteRange(7, 9))) == DATA[7:9]

    far.run(main)


def test_many_bodies_come_at_once(far: Far) -> None:
    async def main(client: Client) -> None:
        async def part(start: int) -> bool:
            response = await opened(client, far, ByteRange(start, start + 60_000))
            return await read(response) == DATA[start : start + 60_000]

        assert all(await asyncio.gather(*(part(start) for start in range(0, 1_600_000, 100_000))))

    far.run(main)
