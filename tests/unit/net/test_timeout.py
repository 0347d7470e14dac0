"""Silence is counted where somebody waits for it to end, and nowhere else."""

from __future__ import annotations

import asyncio

import pytest

from kithara_file.config import Timeouts
from kithara_file.errors import NetTimeout
from kithara_file.net.client import WHOLE, NotModified, Response
from kithara_file.net.timeout import TimeoutClient
from tests.world.clock import run_virtual
from tests.world.remote import KIB, Late, Raise, ScriptedRemote, StallAt, timeout

URL = "http://h/a"
LIMITS = Timeouts(connect=3, headers=4, idle=5)


async def opened(remote: ScriptedRemote) -> Response:
    """Open through the client under test."""
    answer = await TimeoutClient(remote, LIMITS).open(URL, WHOLE, None)
    assert not isinstance(answer, NotModified)
    return answer


def test_an_answer_that_never_comes_is_a_timeout_of_the_headers() -> None:
    async def main() -> None:
        remote = ScriptedRemote(b"x").then(StallAt())
        began = asyncio.get_running_loop().time()
        with pytest.raises(NetTimeout) as caught:
            await opened(remote)
        assert asyncio.get_running_loop().time() - began == LIMITS.connect + LIMITS.headers
        assert caught.value.stage == "headers"
        assert remote.log[0].answer == "cancelled"

    run_virtual(main())


def test_an_answer_within_the_limit_is_passed_on() -> None:
    async def main() -> None:
        response = await opened(ScriptedRemote(bytes(9)).then(Late(6.9)))
        assert (response.start, response.end, response.remote.length) == (0, 9, 9)
        await response.aclose()

    run_virtual(main())


def test_a_body_that_falls_silent_is_a_timeout_of_the_body_and_can_be_read_on() -> None:
    async def main() -> None:
        remote = ScriptedRemote(bytes(1000)).then(StallAt(400))
        response = await opened(remote)
        steps = aiter(response)
        assert (await anext(steps)).end == 400
        with pytest.raises(NetTimeout) as caught:
            await anext(steps)
        assert (caught.value.stage, caught.value.seconds) == ("body", LIMITS.idle)
        remote.release()
        assert (await anext(steps)).start == 400
        await response.aclose()

    run_virtual(main())


def test_a_drip_is_progress() -> None:
    async def main() -> None:
        remote = ScriptedRemote(bytes(20), rate=1 / 4, piece=1)
        response = await opened(remote)
        response.hurry(wanted=True)
        assert sum([chunk.size async for chunk in response]) == 20

    run_virtual(main())


def test_a_body_that_nobody_reads_never_times_out() -> None:
    async def main() -> None:
        response = await opened(ScriptedRemote(bytes(600 * KIB)))
        steps = aiter(response)
        await anext(steps)
        await asyncio.sleep(3600)
        assert (await anext(steps)).size

    run_virtual(main())


def test_a_timeout_from_below_keeps_its_own_facts() -> None:
    async def main() -> None:
        remote = ScriptedRemote(b"x").then(Raise(timeout("connect", 1.5)))
        with pytest.raises(NetTimeout) as caught:
            await opened(remote)
        assert (caught.value.stage, caught.value.seconds) == ("connect", 1.5)

    run_virtual(main())


def test_closing_closes_the_body_below() -> None:
    async def main() -> None:
        remote = ScriptedRemote(bytes(1000))
        response = await opened(remote)
        await response.aclose()
        assert remote.log[0].closed

    run_virtual(main())
