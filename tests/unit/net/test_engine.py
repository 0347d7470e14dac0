"""Connections kept, replaced and let go of, and transfers that are ended from outside."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

import pytest

from kithara_file.config import Timeouts
from kithara_file.errors import (
    Cancelled,
    KitharaError,
    Unavailable,
)
from kithara_file.net.client import WHOLE
from kithara_file.net.engine import AT_ONCE, MANY, ROOM, Engine
from kithara_file.net.http import HttpClient
from kithara_file.ranges import OpenRange
from tests.unit.net.loopback import DATA, at_rest, body, opened, run
from tests.world.faults import (
    ConnectionClose,
    HangUp,
    NeverAnswer,
    StallAt,
    Status,
    Then,
)
from tests.world.origin import Origin


def test_connections_are_used_again(origin: Origin) -> None:
    async def main(client: HttpClient, engine: Engine) -> None:
        url = origin.serve("/a", DATA, faults=[None, Status(503), Status(404)])
        await body(await opened(client, url))
        for kind in (Unavailable, KitharaError):
            with pytest.raises(kind):
                await client.open(url, WHOLE, None)
            assert engine.running == 0
        await body(await opened(client, url, OpenRange(9)))

    run(main)
    assert origin.connections == 1


@pytest.mark.parametrize("act", ["close", "reset"])
def test_a_kept_connection_that_was_closed_meanwhile_is_replaced_unnoticed(origin: Origin, act: Any) -> None:
    async def main(client: HttpClient, _: Engine) -> None:
        url = origin.serve("/a", DATA[:10], faults=[Then(act)])
        assert await body(await opened(client, url)) == DATA[:10]
        assert await body(await opened(client, url)) == DATA[:10]

    run(main)


@pytest.mark.parametrize("reset", [True, False])
def test_a_kept_connection_that_fails_on_first_use_is_replaced_unnoticed(origin: Origin, *, reset: bool) -> None:
    async def main(client: HttpClient, _: Engine) -> None:
        url = origin.serve("/a", DATA[:10], faults=[None, HangUp(reset=reset)])
        assert await body(await opened(client, url)) == DATA[:10]
        assert await body(await opened(client, url)) == DATA[:10]

    run(main)
    assert len(origin.requests("/a")) == 3


def test_who_is_not_answered_goes_over_to_a_connection_that_comes_free(origin: Origin) -> None:
    """Some servers hear nobody else for as long as they have a connection."""
    held = origin.serve("/held", DATA, faults=[StallAt(10)])
    deaf = origin.serve("/deaf", DATA, faults=[NeverAnswer()])

    async def main(client: HttpClient, _: Engine) -> None:
        first = await opened(client, held)
        second = asyncio.ensure_future(opened(client, deaf))
        await asyncio.to_thread(origin.wait_requests, "/deaf")
        origin.release("/held")
        assert await body(first) == DATA
        assert await body(await second) == DATA

    run(main, timeouts=Timeouts(headers=60))
    assert [each.connection for each in origin.requests("/deaf")] == [2, 1]


def test_who_is_not_answered_stays_where_no_connection_comes_free(
    origin: Origin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kithara_file.net.transfer.SWITCH_SECONDS", 0.0)
    held = origin.serve("/held", DATA, faults=[(StallAt(10), ConnectionClose())])
    slow = origin.serve("/slow", DATA, faults=[NeverAnswer()])

    async def main(client: HttpClient, _: Engine) -> None:
        first = await opened(client, held)
        second = asyncio.ensure_future(opened(client, slow))
        await asyncio.to_thread(origin.wait_requests, "/slow")
        origin.release("/held")
        assert await body(first) == DATA
        await asyncio.to_thread(origin.wait_for, lambda log: log.open_connections == 1)
        origin.release("/slow")
        await (await second).aclose()

    run(main)
    assert len(origin.requests("/slow")) == 1


def test_who_has_gone_over_once_stays(origin: Origin, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else one that is slow to answer would be asked anew, again and again, among many that come and go."""
    held = origin.serve("/held", DATA, faults=[StallAt(10), StallAt(10)])
    slow = origin.serve("/slow", DATA, always=[NeverAnswer()])

    async def main(client: HttpClient, _: Engine) -> None:
        first = await opened(client, held)
        waiting = asyncio.ensure_future(opened(client, slow))
        await asyncio.to_thread(origin.wait_requests, "/slow")
        origin.release("/held")
        assert await body(first) == DATA
        second = await opened(client, held)  # it takes what was offered
        await asyncio.to_thread(origin.wait_requests, "/slow", 2)
        monkeypatch.setattr("kithara_file.net.transfer.SWITCH_SECONDS", 0.0)
        origin.release("/held")
        assert await body(second) == DATA
        assert await body(await opened(client, origin.serve("/a", DATA))) == DATA
        origin.release("/slow")
        await (await waiting).aclose()

    run(main)
    assert len(origin.requests("/slow")) == 2


def test_the_engine_lets_go_of_its_connections_when_it_has_rested(origin: Origin) -> None:
    async def main() -> None:
        engine = Engine(asyncio.get_running_loop(), idle_seconds=0.05)
        client = HttpClient(engine)
        url = origin.serve("/a", DATA)
        for _ in range(2):
            assert await body(await opened(client, url)) == DATA
            await asyncio.to_thread(origin.wait_disconnected)
        engine.close()

    asyncio.run(main())
    assert origin.connections == 2


def test_an_engine_told_to_rest_does_so_when_its_last_transfer_ends(origin: Origin) -> None:
    async def main(client: HttpClient, engine: Engine) -> None:
        response = await opened(client, origin.serve("/a", DATA))
        engine.rest()
        assert await body(response) == DATA
        await asyncio.to_thread(origin.wait_disconnected)
        assert await body(await opened(client, origin.url("/a"))) == DATA

    run(main)
    assert origin.connections == 2


def test_what_many_transfers_held_is_given_back_as_they_go(origin: Origin) -> None:
    relieved: list[int] = []

    async def main() -> None:
        engine = Engine(asyncio.get_running_loop(), relieved=lambda: relieved.append(engine.running))
        client, url = HttpClient(engine), origin.serve("/a", DATA)
        for many in (2 * MANY, MANY - 1):
            answers = [await opened(client, url) for _ in range(many)]
            for each in answers:
                await each.aclose()
        engine.close()

    asyncio.run(main())
    assert relieved == [MANY, MANY // 2]


def test_closing_the_engine_ends_every_wait(origin: Origin) -> None:
    async def main(client: HttpClient, engine: Engine) -> None:
        url = origin.serve("/a", DATA, faults=[StallAt(10), NeverAnswer()])
        response = await opened(client, url)
        assert (await anext(aiter(response))).size == 10
        waiting = [asyncio.ensure_future(anext(aiter(response))), asyncio.ensure_future(client.open(url, WHOLE, None))]
        await asyncio.to_thread(origin.wait_requests, "/a", 2)
        engine.close()
        for each in waiting:
            with pytest.raises(Cancelled):
                await each
        await asyncio.to_thread(origin.wait_disconnected)

    run(main)


def test_cancelling_at_any_moment_leaves_nothing_running(origin: Origin) -> None:
    async def main(client: HttpClient, engine: Engine) -> None:
        url = origin.serve("/a", DATA)

        async def work() -> None:
            response = await opened(client, url)
            try:
                await body(response)
            finally:
                await response.aclose()

        for turns in range(40):
            task = asyncio.ensure_future(work())
            for _ in range(turns):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.wait([task])
        await at_rest(engine)
        assert await body(await opened(client, url)) == DATA

    run(main)


def test_who_waits_for_the_first_sockets_is_served_before_the_last_ones_are_read(origin: Origin) -> None:
    """All of them were ready at one time, and what they bring is not to lie in memory together."""

    async def main(client: HttpClient, engine: Engine) -> None:
        url = origin.serve("/a", DATA, always=[StallAt(3)])
        bodies = [await opened(client, url) for _ in range(3 * AT_ONCE)]
        for each in bodies:
            await anext(aiter(each))
        asked: list[int] = []
        sockets = list(engine._watched)[: 2 * AT_ONCE + 1]
        for fd in [*sockets, *sockets]:
            engine._readable(fd, partial(asked.append, fd))
        seen = []
        for _ in range(4):
            await asyncio.sleep(0)
            seen.append(len(asked))
        assert asked == sockets
        assert seen == [AT_ONCE, 2 * AT_ONCE, 2 * AT_ONCE + 1, 2 * AT_ONCE + 1]
        for each in bodies:
            await each.aclose()

    run(main)


def test_all_transfers_together_share_the_room_for_what_they_hold(origin: Origin) -> None:
    async def main(client: HttpClient, engine: Engine) -> None:
        url = origin.serve("/a", DATA, always=[StallAt(3)])
        assert engine.share == ROOM
        found = []
        bodies = []
        for _ in range(3):
            bodies.append(await opened(client, url))
            found.append(engine.share)
        assert found == [ROOM, ROOM // 2, ROOM // 3]
        for each in bodies:
            await each.aclose()

    run(main)


def test_one_that_fails_to_read_does_not_stop_the_others(origin: Origin) -> None:
    async def main(client: HttpClient, engine: Engine) -> None:
        heard: list[int] = []
        told = []

        def fail() -> None:
            raise ValueError("of one")

        asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context["exception"]))
        for fd in (-1, -2, -3):
            engine._readable(fd, partial(heard.append, fd) if fd < -1 else fail)
        for _ in range(3):
            await asyncio.sleep(0)
        assert heard == [-2, -3]
        assert [str(each) for each in told] == ["of one"]

    run(main)
