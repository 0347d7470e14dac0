"""The growth of a download, told to the store and to the disk often enough that both keep up with it.

Must not know: what the limits are, who is evicted. Called on the loop.
"""

from __future__ import annotations

import asyncio
import logging
from math import inf

from kithara_file.config import MIB
from kithara_file.errors import KitharaError
from kithara_file.session.holding import Holding
from kithara_file.session.seams import Background

_log = logging.getLogger(__name__)


WRITE_BACK_BYTES = 32 * MIB
"""So much lands before the disk is set to work: the commit then waits for no more than about that."""


class Growth:
    """Has the store make room off the loop, at the first landed byte and after each of its steps.

    Has the system begin to write out what it would else keep until the commit, for which whoever closes last waits.
    """

    def __init__(self, holding: Holding, background: Background) -> None:
        self._holding = holding
        self._background = background
        self._left: float = 0
        self._landed = 0
        self._unwritten = 0
        self._task: asyncio.Task[None] | None = None
        self._writing: asyncio.Task[None] | None = None
        self._at_work = False

    def landed(self, size: int) -> None:
        """Take in that so many new bytes have landed."""
        self._left -= size
        self._landed += size
        if self._left < 0 and (self._task is None or self._task.done()):
            self._task = self._background.loop.create_task(self._make_room())
        self._unwritten += size
        if self._unwritten >= WRITE_BACK_BYTES and (self._writing is None or self._writing.done()):
            self._unwritten = 0
            self._writing = self._background.loop.create_task(self._write_back())

    async def _write_back(self) -> None:
        await self._background.on_disk(self._begin_write_back, long=True)

    def _begin_write_back(self) -> None:
        self._at_work = True
        if (resource := self._holding.resource) is not None:
            resource.write_back()
        self._at_work = False

    async def _make_room(self) -> None:
        """Have room made, again for what has landed meanwhile: a burst is over before the disk has answered once."""
        while self._left < 0:
            self._landed = 0
            try:
                step = await self._background.on_disk(self._holding.entry.make_room)
            except (KitharaError, OSError) as error:  # no reason to end a download
                _log.warning("! no room made: %s", error)
                step = None
            self._left = inf if step is None else step - self._landed

    async def shut(self) -> None:
        """Let what is under way end; what waits for its turn behind a long commit is not needed any more."""
        if self._writing is not None and not self._at_work:
            self._writing.cancel()
        await asyncio.gather(*filter(None, (self._task, self._writing)), return_exceptions=True)

    def __repr__(self) -> str:
        return f"<Growth {self._left} bytes until more room is made>"
