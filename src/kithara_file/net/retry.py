"""A `Client` that asks another one again when that may help, and only before a body has begun.

Must not know: the network, what is stored. What a body loses on its way is for whoever knows what has landed.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable

from kithara_file.config import Retry
from kithara_file.errors import BodyBroken, ConnectFailed, NetError, NetTimeout, Unavailable
from kithara_file.net.client import Client, NotModified, Response, Want
from kithara_file.net.remote import Validator

_log = logging.getLogger("kithara_file.net")
_WORTH_IT = (ConnectFailed, NetTimeout, Unavailable, BodyBroken)


class RetryClient:
    """Tries up to `retry.retries` times more, waiting longer each time, or as long as the origin asks.

    Never after an error that would come back: those are raised at once, and so is an `Unavailable` whose Retry-After is
    above `retry.max_retry_after`. The last error is raised as it came, with a note of how often it was tried.
    """

    def __init__(self, client: Client, retry: Retry, chance: Callable[[], float] = random.random) -> None:
        self._client = client
        self._retry = retry
        self._chance = chance

    async def open(self, url: str, want: Want, same_as: Validator | None) -> Response | NotModified:
        """Open, trying again as often as allowed; cancelling ends the waiting too."""
        failures = 0
        while True:
            try:
                return await self._client.open(url, want, same_as)
            except _WORTH_IT as error:
                failures += 1
                seconds = self._patience(error, failures)
                if seconds is None:
                    if failures > 1:
                        error.add_note(f"tried {failures} times")
                    raise
                _log.debug("! %s; again in %.3g s", error, seconds)
            await asyncio.sleep(seconds)

    def _patience(self, error: NetError, failures: int) -> float | None:
        """Return for how long to wait before the next try; None when there is to be none."""
        if not error.recoverable or failures > self._retry.retries:
            return None
        told = error.retry_after if isinstance(error, Unavailable) else None
        if told is not None:
            return told if told <= self._retry.max_retry_after else None
        return self._retry.delay(failures) * (1 + self._retry.jitter * self._chance())

    def __repr__(self) -> str:
        return f"<RetryClient {self._retry.retries} retries around {self._client!r}>"
