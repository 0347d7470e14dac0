"""Content codings taken off a body that came with one although none was asked for (RFC 9110, 8.4.1).

Must not know: libcurl, which decodes too but takes a stream that stops in its middle for one that is complete. Here the
end of a coded stream has to be seen before the end of the body counts as proven.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from typing import Protocol

PIECE = 256 * 1024
"""Decoded bytes come in pieces of no more than this, however well they were packed."""

CODINGS = frozenset({"gzip", "x-gzip", "deflate"})
"""What `Decoder` can take off."""

_GZIP = 16 + zlib.MAX_WBITS
_ZLIB = zlib.MAX_WBITS
_RAW = -zlib.MAX_WBITS


class BadCoding(ValueError):
    """The bytes are not what their Content-Encoding says."""


class _Stage(Protocol):
    @property
    def complete(self) -> bool:
        """True when the coded stream may end here."""

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield what `data` decodes to."""


class Decoder:
    """Takes `codings` off again, the last applied first; they are in the order of Content-Encoding."""

    def __init__(self, codings: Iterable[str]) -> None:
        self._stages = [_stage(each) for each in reversed(list(codings))]

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield the decoded pieces of the next coded bytes; raises `BadCoding`."""
        return self._through(data, 0)

    def _through(self, data: bytes, depth: int) -> Iterator[bytes]:
        if depth == len(self._stages):
            yield data
            return
        for piece in self._stages[depth].feed(data):
            yield from self._through(piece, depth + 1)

    @property
    def complete(self) -> bool:
        """True when every stream has come to its end."""
        return all(stage.complete for stage in self._stages)


def _stage(coding: str) -> _Stage:
    return _Deflate() if coding == "deflate" else _Gzip()


class _Gzip:
    """Gzip, of any number of members (RFC 1952, 2.2), zero padding after the last forgiven."""

    def __init__(self) -> None:
        self._inflate = zlib.decompressobj(_GZIP)
        self._begun = False
        self._members = 0

    @property
    def complete(self) -> bool:
        return self._members > 0 and not self._begun

    def feed(self, data: bytes) -> Iterator[bytes]:
        while data:
            if not self._begun and self._members:
                data = data.lstrip(b"\0")
                if not data:
                    return
            self._begun = True
            yield from _inflated(self._inflate, data)
            if not self._inflate.eof:
                return
            data = self._inflate.unused_data
            self._inflate, self._begun = zlib.decompressobj(_GZIP), False
            self._members += 1


class _Deflate:
    """Deflate, in its zlib wrapping or, as some servers send it, without."""

    def __init__(self) -> None:
        self._inflate: zlib._Decompress | None = None

    @property
    def complete(self) -> bool:
        return self._inflate is not None and self._inflate.eof

    def feed(self, data: bytes) -> Iterator[bytes]:
        if self._inflate is None:
            wrapped = data[0] & 0x0F == 8 and data[0] >> 4 <= 7
            self._inflate = zlib.decompressobj(_ZLIB if wrapped else _RAW)
        yield from _inflated(self._inflate, data)


def _inflated(inflate: zlib._Decompress, data: bytes) -> Iterator[bytes]:
    try:
        while data and not inflate.eof:
            piece = inflate.decompress(data, PIECE)
            data = inflate.unconsumed_tail
            if piece:
                yield piece
        while not inflate.eof and (piece := inflate.decompress(b"", PIECE)):
            yield piece
    except zlib.error as error:
        raise BadCoding(str(error)) from error
