"""What a session stands on: where it runs, and who counts its holders.

Must not know: how either does it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from kithara_file.config import FileConfig
    from kithara_file.session.front import Front

T = TypeVar("T")


class Background(Protocol):
    """Where a session runs."""

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The loop of every session."""

    @property
    def alive(self) -> bool:
        """False when nothing that is called will run: in the child of a fork, and at the end of the interpreter."""

    @property
    def forsaken(self) -> bool:
        """True when whoever waits here and now would wait for ever, and has to be told."""

    @property
    def here(self) -> bool:
        """True on the thread of the loop."""

    def call(self, function: Callable[..., object], *args: object) -> None:
        """Run `function` on the loop soon; from any thread, also from a finalizer."""

    async def on_disk(self, work: Callable[[], T], *, long: bool = False) -> T:
        """Run blocking work off the loop, one after the other; the `long` beside the short."""

    async def aside(self, work: Callable[[], T]) -> T:
        """Run work that may never end off the loop, so that nothing waits behind it."""


class House(Protocol):
    """Who counts the holders of a session."""

    def join(self, config: FileConfig, holder: object) -> Front:
        """Return the session of `config`, held by `holder` until it leaves."""

    def hold(self, front: Front, holder: object) -> None:
        """Let `holder` hold the session too."""

    def leave(self, front: Front, holder: object, *, wait: bool) -> None:
        """Take `holder` off; the last one ends the session."""
