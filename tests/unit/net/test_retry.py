"""What is tried again, when, and how often."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress

import pytest

from kithara_file.config import Retry
from kithara_file.errors import (
    AccessDenied,
    BodyBroken,
    ConnectFailed,
    InvalidResponse,
    NetError,
    NotFound,
    RangeNotSatisfiable,
    StatusError,
    Unavailable,
)
from kithara_file.net.client import WHOLE, NotModified
from kithara_file.net.retry import RetryClient
from tests.world.clock import run_virtual
from tests.world.remote import BreakAt, Raise, ScriptedRemote, StallAt, timeout

URL = "http://h/a"
STEADY = Retry(jitter=0)

Maker = Callable[[str], NetError]


def unavailable(retry_after: float | None = None) -> Maker:
    """Return a maker of 503."""
    return lambda url: Unavailable(503, url=url, retry_after=retry_after)


def moments(remote: ScriptedRemote, retry: Retry = STEADY, chance: float = 0.0) -> list[float]:
    """Open once, whatever comes of it, and return when each try began, counted from the first."""

    async def main() -> None:
        with suppress(NetError):
            await RetryClient(remote, retry, lambda: chance).open(URL, WHOLE, None)

    run_virtual(main())
    return [round(each.at - remote.log[0].at, 6) for each in remote.log]


@pytest.mark.parametrize(
    "make",
    [
        lambda url: ConnectFailed("refused", url=url),
        timeout("connect"),
        timeout("headers"),
        unavailable(),
        lambda url: BodyBroken("stream reset", url=url, at=0, expected=None),
    ],
)
def test_what_may_pass_is_tried_again_with_doubling_delays(make: Maker) -> None:
    assert moments(ScriptedRemote(b"x").always(Raise(make))) == [0, 0.1, 0.3, 0.7]


@pytest.mark.parametrize(
    "make",
    [
        lambda url: ConnectFailed("bad certificate", url=url, recoverable=False),
        lambda url: InvalidResponse("a lie", url=url),
        lambda url: AccessDenied(403, url=url),
        lambda url: NotFound(404, url=url),
        lambda url: RangeNotSatisfiable(url=url),
        lambda url: StatusError(418, url=url),
    ],
)
def test_what_would_come_back_is_raised_at_once(make: Maker) -> None:
    assert moments(ScriptedRemote(b"x").always(Raise(make))) == [0]


def test_a_success_ends_the_trying() -> None:
    assert moments(ScriptedRemote(b"x").then(Raise(unavailable())).then(Raise(unavailable()))) == [0, 0.1, 0.3]


def test_the_origin_says_when() -> None:
    remote = ScriptedRemote(b"x").then(Raise(unavailable(7.0))).then(Raise(unavailable(0.0)))
    assert moments(remote) == [0, 7, 7]


def test_an_origin_that_asks_for_too_long_is_not_waited_for() -> None:
    assert moments(ScriptedRemote(b"x").then(Raise(unavailable(31.0)))) == [0]
    assert moments(ScriptedRemote(b"x").then(Raise(unavailable(30.0)))) == [0, 30]


def test_delays_grow_to_their_limit_and_jitter_only_adds() -> None:
    retry = Retry(retries=4, first_delay=1, max_delay=3, jitter=0.5)
    remote = ScriptedRemote(b"x").always(Raise(unavailable()))
    assert moments(remote, retry, chance=1.0) == [0, 1.5, 4.5, 9, 13.5]


def test_no_retries_are_one_try() -> None:
    assert moments(ScriptedRemote(b"x").always(Raise(unavailable())), Retry(retries=0)) == [0]


def test_the_last_error_is_raised_and_tells_how_often() -> None:
    async def main() -> None:
        remote = ScriptedRemote(b"x").always(Raise(unavailable()))
        with pytest.raises(Unavailable) as caught:
            await RetryClient(remote, STEADY).open(URL, WHOLE, None)
        assert caught.value.__notes__ == ["tried 4 times"]

    run_virtual(main())


def test_a_body_that_breaks_is_not_asked_for_again() -> None:
    async def main() -> None:
        remote = ScriptedRemote(bytes(100)).then(BreakAt(50))
        response = await RetryClient(remote, STEADY).open(URL, WHOLE, None)
        assert not isinstance(response, NotModified)
        with pytest.raises(BodyBroken):
            async for _ in response:
                pass
        assert len(remote.log) == 1

    run_virtual(main())


@pytest.mark.parametrize("fault", [Raise(unavailable(20.0)), StallAt()])
def test_cancelling_ends_the_waiting(fault: Raise | StallAt) -> None:
    async def main() -> None:
        remote = ScriptedRemote(b"x").always(fault)
        task = asyncio.create_task(RetryClient(remote, STEADY).open(URL, WHOLE, None))
        await asyncio.sleep(1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert len(remote.log) == 1

    run_virtual(main())
