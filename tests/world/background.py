"""The `Background` of tests: the running loop itself, on which the disk's work is done in place.

Must not know: what runs on it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class InlineBackground:
    """Runs everything on the loop it was made in; the disk takes `disk_seconds` of that loop's time."""

    def __init__(self, disk_seconds: float = 0.0) -> None:
        self.loop = asyncio.get_running_loop()
        self.here = True
        self.disk_seconds = disk_seconds
        self.called = 0
        """How often it was asked to run something."""
        self._forked = False

    @property
    def alive(self) -> bool:
        """False once the loop is closed, and in what `fork` made a child."""
        return not (self._forked or self.loop.is_closed())

    @property
    def forsaken(self) -> bool:
        """True when whoever waits would wait for ever."""
        return not self.alive

    def fork(self) -> None:
        """Be what the child of a fork sees: a loop that nobody runs."""
        self._forked = True

    def call(self, function: Callable[..., object], *args: object) -> None:
        """Run `function` on the loop soon, unless dead."""
        self.called += 1
        if self.alive:
            self.loop.call_soon(function, *args)

    async def on_disk(self, work: Callable[[], T], *, long: bool = False) -> T:
        """Run `work` after the disk's time; cancelling takes it back."""
        await asyncio.sleep(self.disk_seconds)
        return work()

    async def aside(self, work: Callable[[], T]) -> T:
        """Do the same beside the disk."""
        return await self.on_disk(work)

    def __repr__(self) -> str:
        return f"<InlineBackground {'alive' if self.alive else 'dead'}>"
