"""A crew that writes down what fetchers tell it, for tests of fetchers alone.

Must not know: what a session would do.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from kithara_file.errors import KitharaError
from kithara_file.net.client import Chunk, NotModified, Response
from kithara_file.session.fetcher import Fetcher
from kithara_file.session.landing import Mismatch
from tests.unit.session.hall import URL
from tests.world.remote import ScriptedRemote


class Crew:
    """Accepts every body and keeps what lands; `on_chunk` may do something about a chunk, such as raise."""

    def __init__(self, *, compare: bool = False) -> None:
        self.compare = compare
        self.answers: list[tuple[Response | NotModified, float]] = []
        self.chunks: list[Chunk] = []
        self.seconds: list[float] = []
        self.ends: list[KitharaError | Mismatch | None] = []
        self.on_answer: Callable[[], None] = lambda: None
        self.on_chunk: Callable[[], None] = lambda: None
        self.over = asyncio.Event()

    def answered(self, fetcher: Fetcher, answer: Response | NotModified, seconds: float) -> None:
        self.answers.append((answer, seconds))
        if not isinstance(answer, NotModified):
            fetcher.accept(answer, compare=self.compare)
        self.on_answer()

    def landed(self, fetcher: Fetcher, chunk: Chunk, seconds: float) -> None:
        self.chunks.append(chunk)
        self.seconds.append(seconds)
        fetcher.position = chunk.end
        self.on_chunk()

    def ended(self, fetcher: Fetcher, error: KitharaError | Mismatch | None) -> None:
        self.ends.append(error)
        self.over.set()

    @property
    def spans(self) -> list[tuple[int, int]]:
        """Where chunks landed."""
        return [(each.start, each.end) for each in self.chunks]

    @property
    def content(self) -> bytes:
        """What landed, in order."""
        return b"".join(piece for each in self.chunks for piece in each.pieces)

    async def sees(self, fetcher: Fetcher, remote: ScriptedRemote) -> Crew:
        """Let `fetcher` fly to its end."""
        fetcher.go(URL, remote, self)
        await self.over.wait()
        return self
