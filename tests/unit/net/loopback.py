"""A client on an engine of its own, for tests over the loopback origin.

Must not know: what the origin does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import pytest

from kithara_file.errors import (
    KitharaError,
)
from kithara_file.net.client import WHOLE, NotModified, Response, Want
from kithara_file.net.engine import Engine
from kithara_file.net.http import HttpClient

T = TypeVar("T")
DATA = bytes(range(256)) * 4096
LENGTH = len(DATA)


def run(main: Callable[[HttpClient, Engine], Awaitable[T]], **options: Any) -> T:
    """Run a test with a client on an engine of its own."""

    async def scope() -> T:
        engine = Engine(asyncio.get_running_loop())
        try:
            return await main(HttpClient(engine, **options), engine)
        finally:
            engine.close()

    return asyncio.run(scope())


async def opened(client: HttpClient, url: str, want: Want = WHOLE) -> Response:
    """Open a body."""
    answer = await client.open(url, want, None)
    assert not isinstance(answer, NotModified)
    return answer


async def collect(response: Response, pieces: list[bytes]) -> None:
    """Read a body to its end, whichever it is, into `pieces`."""
    async for chunk in response:
        pieces += chunk.pieces


async def body(response: Response) -> bytes:
    """Read a body to its end."""
    pieces: list[bytes] = []
    await collect(response, pieces)
    return b"".join(pieces)


async def at_rest(engine: Engine) -> None:
    """Wait until nothing is transferred; the engine tells nobody, so it is looked at."""
    async with asyncio.timeout(5):
        while engine.running:  # noqa: ASYNC110
            await asyncio.sleep(0.001)


def fetch(url: str, want: Want = WHOLE, **options: Any) -> bytes:
    """Open and read."""

    async def main(client: HttpClient, _: Engine) -> bytes:
        return await body(await opened(client, url, want))

    return run(main, **options)


def refused(url: str, kind: type[KitharaError], want: Want = WHOLE, **options: Any) -> str:
    """Fail to open and read; return the sentence."""
    with pytest.raises(kind) as caught:
        fetch(url, want, **options)
    assert type(caught.value) is kind
    return str(caught.value)
