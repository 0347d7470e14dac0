"""How the bytes are asked for, by which URL and with which credentials, and how else when the origin refuses that.

Must not know: what is asked for, what a refusal means to readers when nothing else is left. Called on the loop, but
for `join`.
"""

from __future__ import annotations

import asyncio
import os
from collections import deque
from collections.abc import Callable
from math import inf
from typing import TYPE_CHECKING

from kithara_file.errors import AccessDenied, KitharaError, NotFound
from kithara_file.net.address import Address

if TYPE_CHECKING:
    from kithara_file.config import FileConfig
    from kithara_file.net.client import Client
    from kithara_file.session.fetcher import Fetcher
    from kithara_file.session.session import Session

REFRESH_SECONDS = 30.0
"""How long `FileConfig.refresh_url` may take."""

_REMEMBERED = 4
"""So many of those who ask for the same in another way are remembered, the latest."""


class Access:
    """The URL and the client of a session, and those of others who have joined it."""

    def __init__(self, session: Session, config: FileConfig, client: Client) -> None:
        self._session = session
        self.url = os.fspath(config.url)
        self.client = client
        self._config = config
        self._others: deque[tuple[FileConfig, Client]] = deque(maxlen=_REMEMBERED)
        self._refreshed = False
        self._refreshing: asyncio.Task[None] | None = None

    def join(self, config: FileConfig, client: Callable[[FileConfig], Client]) -> None:
        """Remember how somebody asks who has joined, if that is another way than those known; from any thread."""
        if all(_differ(config, each) for each in (self._config, *(other for other, _ in self._others))):
            self._others.append((config, client(config)))

    def refused(self, fetcher: Fetcher, error: KitharaError) -> bool:
        """Tell whether what was refused will be asked for in another way, which is no failure of the download."""
        denied = isinstance(error, (AccessDenied, NotFound)) and self._session.holding.remote is not None
        if not denied or (self._config.refresh_url is None and not self._others):
            return False
        if (fetcher.url, fetcher.client) != (self.url, self.client) or self._refreshing is not None:
            return True  # several fetches may be refused before there is another way, and after
        if self._refreshed or self._config.refresh_url is None:
            return self._ask_as_another()
        self._refreshed = True
        self._session.trouble.not_before = inf
        work = self._refresh(self._config.refresh_url, error)
        self._refreshing = asyncio.get_running_loop().create_task(work)
        return True

    def _ask_as_another(self) -> bool:
        if not self._others:
            return False
        self._config, self.client = self._others.pop()
        self.url = os.fspath(self._config.url)
        self._refreshed = False
        self._session.trouble.forgive()
        return True

    async def _refresh(self, refresh: Callable[[], str], error: KitharaError) -> None:
        session = self._session
        try:
            async with asyncio.timeout(REFRESH_SECONDS):
                self.url = _checked(await session.background.aside(refresh))
            session.trouble.forgive()
        except (Exception, SystemExit, KeyboardInterrupt) as failure:  # noqa: BLE001 - the caller's may raise anything
            error.add_note(f"refresh_url failed: {failure!r}")
            self._refreshed = False  # there is no new URL: a demand that comes after this asks for one once more
            if not self._ask_as_another():
                session.failures.give_up(error)
        finally:
            self._refreshing = None
            session.step()

    def landed(self) -> None:
        """Take in that something came: the next refusal is a new one."""
        self._refreshed = False

    def close(self) -> None:
        """Give up a refresh under way."""
        if self._refreshing is not None:
            self._refreshing.cancel()


def _differ(one: FileConfig, other: FileConfig) -> bool:
    ours, theirs = ((os.fspath(each.url), each.headers, each.refresh_url) for each in (one, other))
    return ours != theirs


def _checked(url: object) -> str:
    """Return what `refresh_url` gave if that may be asked for; raises what is wrong with it."""
    if not isinstance(url, str):
        msg = f"it returned {type(url).__name__} and no URL"
        raise TypeError(msg)
    Address.of(url)
    return url
