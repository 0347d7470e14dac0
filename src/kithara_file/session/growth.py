"""The growth of a download, told to the store often enough that it keeps its limits meanwhile.

Must not know: what the limits are, who is evicted. Called on the loop.
"""

from __future__ import annotations

import asyncio
import logging
from math import inf

from kithara_file.errors import KitharaError
from kithara_file.session.holding import Holding
from kithara_file.session.seams import Background

_log = logging.getLogger(__name__)


class Growth:
    """Has the store make room off the loop, at the first landed byte and after each of its steps."""

    def __init__(self, holding: Holding, background: Background) -> None:
        self._holding = holding
        self._background = background
        self._left: float = 0
        self._landed = 0
        self._task: asyncio.Task[None] | None = None

    def landed(self, size: int) -> None:
        """Take in that so many new bytes have landed."""
        self._left -= size
        self._landed += size
        if self._left < 0 and (self._task is None or self._task.done()):
            self._task = self._background.loop.create_task(self._make_room())

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
        """Let what is under way end."""
        if self._task is not None:
            await asyncio.gather(self._task, return_exceptions=True)

    def __repr__(self) -> str:
        return f"<Growth {self._left} bytes until more room is made>"
