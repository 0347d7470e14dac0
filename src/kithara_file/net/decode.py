"""Content codings taken off a body that came with one although none was asked for (RFC 9110, 8.4.1).

Must not know: libcurl, which decodes too but takes a stream that stops in its middle for one that is complete. Here the
end of a coded stream has to be seen before the end of the body counts as proven.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Generator, Iterable, Iterator
from types import ModuleType
from typing import Protocol

PIECE = 256 * 1024
"""Decoded bytes come in pieces of no more than this, however well they were packed."""
TURN = PIECE
"""So much work is done in one go, a millisecond of it, or 15 where a stream is made to be slow."""
CODED = 4
"""The work of a coded byte, where that of a decoded one is 1: there are streams that give nothing."""
CALL = 1024
"""The work of any step at all."""
FIRST = 256
"""How many coded bytes are given to a stream at first, since what it does not need is copied and it may end soon."""
STRIDE = 32 * 1024
"""How many are given to it later."""

OURS = frozenset({"gzip", "x-gzip", "deflate"})
"""What we can take off wherever we are."""

_GZIP = 16 + zlib.MAX_WBITS
_ZLIB = zlib.MAX_WBITS
_RAW = -zlib.MAX_WBITS
_ZEROS = re.compile(rb"\0*")

_Step = tuple[bytes, int]
"""What a small amount of work gave, maybe nothing, and how much it was."""


class BadCoding(ValueError):
    """The bytes are not what their Content-Encoding says."""


def decodable(codings: Iterable[str]) -> bool:
    """Tell whether `Decoder` can take all of them off."""
    return all(each in OURS or (each == "br" and _brotli().found()) for each in codings)


def _brotli() -> ModuleType:
    from kithara_file.net import brotli  # noqa: PLC0415 - hardly anybody needs it

    return brotli


class _Stage(Protocol):
    @property
    def complete(self) -> bool:
        """True when the coded stream may end here."""

    def feed(self, data: bytes) -> Iterator[_Step]:
        """Do the steps that decode `data`, which is not empty, one at a time."""


class Decoder:
    """Takes `codings` off again, the last applied first; they are in the order of Content-Encoding."""

    def __init__(self, codings: Iterable[str]) -> None:
        self._stages = [_stage(each) for each in reversed(list(codings))]

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield the decoded pieces of the next coded bytes, an empty one after much work for nothing.

        Between two of them there is no more than a `TURN` of work, and little beyond. Raises `BadCoding`, after all
        that came before.
        """
        pieces, size, work = list[bytes](), 0, 0
        try:
            for piece, cost in self._through(data, 0):
                if size + len(piece) > PIECE:
                    yield b"".join(pieces)
                    pieces, size, work = [], 0, 0
                pieces.append(piece)
                size += len(piece)
                work += cost
                if work >= TURN:
                    yield b"".join(pieces)
                    pieces, size, work = [], 0, 0
        except BadCoding:
            yield b"".join(pieces)
            raise
        if pieces:
            yield b"".join(pieces)

    def _through(self, data: bytes, depth: int) -> Iterator[_Step]:
        last = depth == len(self._stages) - 1
        for piece, cost in self._stages[depth].feed(data):
            yield piece if last else b"", cost
            if piece and not last:
                yield from self._through(piece, depth + 1)

    @property
    def complete(self) -> bool:
        """True when every stream has come to its end."""
        return all(stage.complete for stage in self._stages)


def _stage(coding: str) -> _Stage:
    return _Brotli() if coding == "br" else _Deflate() if coding == "deflate" else _Gzip()


class _Gzip:
    """Gzip, of any number of members (RFC 1952, 2.2), zero padding after the last forgiven."""

    def __init__(self) -> None:
        self._member = _Inflate(_GZIP)
        self._members = 0

    @property
    def complete(self) -> bool:
        return self._members > 0 and not self._member.begun

    def feed(self, data: bytes) -> Iterator[_Step]:
        at = 0
        while at < len(data):
            padding = _ZEROS.match(data, at, at + STRIDE) if self.complete else None
            if padding is not None and padding[0]:
                at = padding.end()
                yield b"", CALL + len(padding[0])
                continue
            at = yield from _steps(self._member, data, at)
            if self._member.eof:
                self._member = _Inflate(_GZIP)
                self._members += 1


class _Deflate:
    """Deflate, in its zlib wrapping or, as some servers send it, without."""

    def __init__(self) -> None:
        self._inflate: _Inflate | None = None

    @property
    def complete(self) -> bool:
        return self._inflate is not None and self._inflate.eof

    def feed(self, data: bytes) -> Iterator[_Step]:
        if self._inflate is None:
            wrapped = data[0] & 0x0F == 8 and data[0] >> 4 <= 7
            self._inflate = _Inflate(_ZLIB if wrapped else _RAW)
        yield from _steps(self._inflate, data, 0)


class _Brotli:
    """Brotli, and nothing behind its end."""

    def __init__(self) -> None:
        self._stream: _Stream = _brotli().Brotli(STRIDE, PIECE)

    @property
    def complete(self) -> bool:
        return self._stream.eof

    def feed(self, data: bytes) -> Iterator[_Step]:
        at = yield from _steps(self._stream, data, 0)
        if at < len(data):
            raise BadCoding("it goes on behind its end")


class _Inflate:
    """One stream of zlib."""

    def __init__(self, wbits: int) -> None:
        self._inflate = zlib.decompressobj(wbits)
        self._stride = FIRST
        self.begun = False
        self.full = False

    @property
    def eof(self) -> bool:
        return self._inflate.eof

    def step(self, data: bytes, at: int) -> tuple[bytes, int]:
        self.begun = True
        part = memoryview(data)[at : at + self._stride]
        piece = self._inflate.decompress(part, PIECE)
        left = len(self._inflate.unused_data if self.eof else self._inflate.unconsumed_tail)
        if not left:  # so that no more is copied, all in all, than was used
            self._stride = min(2 * self._stride, STRIDE)
        self.full = len(piece) == PIECE
        return piece, len(part) - left


class _Stream(Protocol):
    full: bool
    """True when it may hold more than it gave."""

    @property
    def eof(self) -> bool:
        """True when it has come to its end."""

    def step(self, data: bytes, at: int) -> tuple[bytes, int]:
        """Return a piece of what `data` from `at` on decodes to, and how many bytes of it were used."""


def _steps(stream: _Stream, data: bytes, at: int) -> Generator[_Step, None, int]:
    """Decode `data` from `at` on, up to the end of it or of the stream, which is returned."""
    while not stream.eof and (at < len(data) or stream.full):
        try:
            piece, used = stream.step(data, at)
        except (ValueError, zlib.error) as error:
            raise BadCoding(str(error)) from error
        at += used
        yield piece, CALL + CODED * used + len(piece)
    return at
