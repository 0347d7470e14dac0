"""A `Client` that does not wait for ever on another one.

Must not know: what the other one does with the network, or how often it is asked again.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from kithara_file.config import Timeouts
from kithara_file.errors import NetTimeout
from kithara_file.net.client import Chunk, Client, NotModified, Response, Want
from kithara_file.net.remote import Remote, Validator


class TimeoutClient:
    """Ends an `open` that takes longer than connecting and answering may together, and a body that falls silent.

    A body has no total limit: silence is counted only while somebody waits for its next bytes, and one byte ends it.
    """

    def __init__(self, client: Client, timeouts: Timeouts) -> None:
        self._client = client
        self._timeouts = timeouts

    async def open(self, url: str, want: Want, same_as: Validator | None) -> Response | NotModified:
        """Open, or raise `NetTimeout` with stage ``headers``; then nothing of the request is left."""
        seconds = self._timeouts.connect + self._timeouts.headers
        limit = asyncio.timeout(seconds)
        try:
            async with limit:
                answer = await self._client.open(url, want, same_as)
        except TimeoutError as error:
            if not limit.expired():
                raise
            raise NetTimeout(url=url, stage="headers", seconds=seconds) from error
        return answer if isinstance(answer, NotModified) else TimeoutResponse(answer, url, self._timeouts.idle)

    def __repr__(self) -> str:
        return f"<TimeoutClient {self._timeouts} around {self._client!r}>"


class TimeoutResponse:
    """A body whose every step ends within `seconds`."""

    def __init__(self, response: Response, url: str, seconds: float) -> None:
        self._response = response
        self._steps = aiter(response)
        self._url = url
        self._seconds = seconds

    @property
    def remote(self) -> Remote:
        """What the answer told of the far end."""
        return self._response.remote

    @property
    def start(self) -> int:
        """The offset of the first byte."""
        return self._response.start

    @property
    def end(self) -> int | None:
        """Where the body promises to end."""
        return self._response.end

    def hurry(self, wanted: bool) -> None:
        """Hand over the next bytes however few, or gather."""
        self._response.hurry(wanted)

    def __aiter__(self) -> AsyncIterator[Chunk]:
        return self

    async def __anext__(self) -> Chunk:
        """Return the next bytes, or raise `NetTimeout` with stage ``body``; the body can still be read on."""
        limit = asyncio.timeout(self._seconds)
        try:
            async with limit:
                return await anext(self._steps)
        except TimeoutError as error:
            if not limit.expired():
                raise
            raise NetTimeout(url=self._url, stage="body", seconds=self._seconds) from error

    async def aclose(self) -> None:
        """Give the body up."""
        await self._response.aclose()

    def __repr__(self) -> str:
        return f"<TimeoutResponse {self._seconds:g} s around {self._response!r}>"
