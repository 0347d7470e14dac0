"""Bodies under way: chunks with their offsets, and whether their end was the promised one.

Must not know: how the request was made, who reads.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator

from kithara_file.errors import BodyBroken, Cancelled, InvalidResponse, KitharaError, public_url
from kithara_file.net.client import Chunk
from kithara_file.net.decode import BadCoding, Decoder
from kithara_file.net.faults import within_body
from kithara_file.net.remote import Remote
from kithara_file.net.reply import Accepted
from kithara_file.net.transfer import Transfer

_log = logging.getLogger("kithara_file.net")


class HttpResponse:
    """A body under way; one task reads it, and somebody closes it."""

    def __init__(self, transfer: Transfer, accepted: Accepted, url: str) -> None:
        self._transfer = transfer
        self._accepted = accepted
        self._url = url
        self._at = accepted.start
        self._ended = False

    @property
    def remote(self) -> Remote:
        """What the answer told of the far end."""
        return self._accepted.remote

    @property
    def start(self) -> int:
        """The offset of the first byte."""
        return self._accepted.start

    @property
    def end(self) -> int | None:
        """Where the body promises to end, None when only its end will tell."""
        return self._accepted.end

    def hurry(self, wanted: bool) -> None:
        """Hand over the next bytes however few, or gather larger chunks again."""
        self._transfer.hurry(wanted)

    def __aiter__(self) -> AsyncIterator[Chunk]:
        return self

    async def __anext__(self) -> Chunk:
        """Return the next bytes; stop at the proven end, and only there. Cancelled, it loses nothing."""
        if self._ended:
            raise StopAsyncIteration
        batch = await self._transfer.take()
        if batch is None:
            raise self._last_word()
        chunk = _within(Chunk(self._at, *batch), self._accepted.end)
        self._at = chunk.end
        if chunk.size != batch[1]:  # it goes on beyond its promise, and nobody wants that
            self._ended = True
            self._transfer.close()
        if not chunk.size:
            raise StopAsyncIteration
        return chunk

    def _last_word(self) -> Exception:
        error = self._fault()
        if error is not None:
            _log.debug("! %s", error)
            return error
        self._ended = True
        _log.debug("< the end of %s at byte %d", public_url(self._url), self._at)
        return StopAsyncIteration()

    def _fault(self) -> KitharaError | None:
        outcome, promised = self._transfer.outcome, self._accepted.end
        if outcome is None:
            return Cancelled("The body was given up")
        if outcome.code:
            return within_body(outcome, self._url, self._accepted, self._at)
        if promised is not None and self._at < promised:
            return BodyBroken("it ended early", url=self._url, at=self._at, expected=promised)
        return None

    async def aclose(self) -> None:
        """Give the body up; a small rest is drained in the background for a moment, to keep the connection."""
        promised = self._accepted.end
        self._transfer.dismiss(None if promised is None else promised - self._at)

    def __repr__(self) -> str:
        goal = "?" if self._accepted.end is None else self._accepted.end
        return f"<HttpResponse {public_url(self._url)} at {self._at} of {goal}{' ended' if self._ended else ''}>"


class DecodedResponse:
    """The body of another response without its content codings: unseekable, of a length that only its end tells."""

    def __init__(self, response: HttpResponse, codings: tuple[str, ...], url: str) -> None:
        self._response = response
        self._decoder = Decoder(codings)
        self._pieces: Iterator[bytes] = iter(())
        self._url = url
        self._at = 0

    @property
    def remote(self) -> Remote:
        """What the answer told of the far end."""
        return self._response.remote

    @property
    def start(self) -> int:
        """The offset of the first byte."""
        return 0

    @property
    def end(self) -> int | None:
        """None: only the end will tell."""
        return None

    def hurry(self, wanted: bool) -> None:
        """Hand over the next bytes however few, or gather larger chunks again."""
        self._response.hurry(wanted)

    def __aiter__(self) -> AsyncIterator[Chunk]:
        return self

    async def __anext__(self) -> Chunk:
        """Return the next decoded bytes; stop where the coded stream is complete, and only there.

        Cancelled, it loses nothing. All others have a turn before any decoding: a few coded bytes can be much work.
        """
        piece = b""
        while not piece:
            await asyncio.sleep(0)
            decoded = self._decoded()
            if decoded is None:
                coded = await self._coded()
                self._pieces = self._decoder.feed(b"".join(coded.pieces))
            else:
                piece = decoded
        self._at += len(piece)
        return Chunk(self._at - len(piece), (piece,), len(piece))

    async def _coded(self) -> Chunk:
        try:
            return await anext(self._response)
        except (StopAsyncIteration, BodyBroken) as end:
            if self._decoder.complete and not isinstance(end, BodyBroken):
                raise
            # Told anew, since the other counts the bytes as they are on the wire.
            reason = "its encoded stream stops in its middle"
            raise BodyBroken(reason, url=self._url, at=self._at, expected=None) from end

    def _decoded(self) -> bytes | None:
        try:
            return next(self._pieces, None)
        except BadCoding as error:
            raise InvalidResponse(f"its encoding is broken ({error})", url=self._url, stage="body") from error

    async def aclose(self) -> None:
        """Give the body up."""
        await self._response.aclose()

    def __repr__(self) -> str:
        return f"<DecodedResponse at {self._at} of {self._response!r}>"


def _within(chunk: Chunk, end: int | None) -> Chunk:
    if end is None or chunk.end <= end:
        return chunk
    size = end - chunk.start
    return Chunk(chunk.start, (b"".join(chunk.pieces)[:size],), size)
