"""Codings taken off, and streams that stop in their middle."""

from __future__ import annotations

import gzip
import zlib
from itertools import chain
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kithara_file.net.decode import CALL, PIECE, STRIDE, TURN, BadCoding, Decoder, decodable
from tests.world.brotli import brotli, brotli_zeros

DATA = bytes(range(256)) * 100


class Zlib:
    """Streams of zlib that count what they are asked for."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls = self.taken = self.given = self.copied = 0
        self._make = zlib.decompressobj
        monkeypatch.setattr(zlib, "decompressobj", lambda wbits: Counted(self, self._make(wbits)))

    @property
    def work(self) -> int:
        """Return what has been done since this was asked for the last time: calls, and bytes taken and given."""
        done = self.calls * CALL + self.taken + self.given
        self.calls = self.taken = self.given = 0
        return done


class Counted:
    """One stream of zlib."""

    def __init__(self, counts: Zlib, stream: Any) -> None:
        self._counts = counts
        self._stream = stream

    def decompress(self, data: memoryview, most: int) -> bytes:
        """Count what is copied because it was not needed, and all that was."""
        piece: bytes = self._stream.decompress(data, most)
        left = len(self._stream.unused_data or self._stream.unconsumed_tail)
        self._counts.calls += 1
        self._counts.taken += len(data) - left
        self._counts.given += len(piece)
        self._counts.copied += left
        return piece

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def raw_deflate(data: bytes) -> bytes:
    """Deflate without its wrapping, as some servers do."""
    deflate = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return deflate.compress(data) + deflate.flush()


def decoded(decoder: Decoder, data: bytes, step: int) -> bytes:
    """Feed bytes in steps."""
    cuts = range(0, len(data), step)
    return b"".join(piece for cut in cuts for piece in decoder.feed(data[cut : cut + step]))


CODED = [
    (("gzip",), gzip.compress(DATA)),
    (("x-gzip",), gzip.compress(DATA)),
    (("gzip",), gzip.compress(DATA[:100]) + gzip.compress(DATA[100:])),
    (("gzip",), gzip.compress(DATA) + bytes(7)),
    (("deflate",), zlib.compress(DATA)),
    (("deflate",), raw_deflate(DATA)),
    (("gzip", "deflate"), zlib.compress(gzip.compress(DATA))),
    (("br",), brotli(DATA)),
    (("br", "gzip"), gzip.compress(brotli(DATA))),
]


@pytest.mark.parametrize("codings,coded", CODED)
@pytest.mark.parametrize("step", [1, 7, 1 << 20])
def test_what_was_coded_is_decoded_however_it_is_cut(codings: tuple[str, ...], coded: bytes, step: int) -> None:
    decoder = Decoder(codings)
    assert decoded(decoder, coded, step) == DATA
    assert decoder.complete


@pytest.mark.parametrize("codings,coded", CODED)
def test_a_stream_that_stops_in_its_middle_is_not_complete(codings: tuple[str, ...], coded: bytes) -> None:
    decoder = Decoder(codings)
    assert not decoder.complete
    assert DATA.startswith(decoded(decoder, coded[: len(coded) // 3], 100))
    assert not decoder.complete


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br"])
def test_what_is_not_coded_is_refused(coding: str) -> None:
    with pytest.raises(BadCoding):
        decoded(Decoder([coding]), b"<html>not at all</html>", 100)


def test_a_flipped_bit_is_found() -> None:
    coded = bytearray(gzip.compress(DATA))
    coded[-5] ^= 1
    with pytest.raises(BadCoding):
        decoded(Decoder(["gzip"]), bytes(coded), 100)


def test_a_bomb_goes_off_in_small_pieces() -> None:
    for coding, coded in (("gzip", gzip.compress(bytes(32 << 20))), ("br", brotli_zeros(32 << 20))):
        sizes = [len(piece) for piece in Decoder([coding]).feed(coded)]
        assert (max(sizes), sum(sizes)) == (PIECE, 32 << 20)


def test_nothing_follows_the_end_of_brotli() -> None:
    with pytest.raises(BadCoding, match="behind its end"):
        decoded(Decoder(["br"]), brotli(DATA) + b"x", 1 << 20)


def test_what_can_be_decoded_here_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    assert decodable(["gzip", "br"])
    assert not decodable(["gzip", "zstd"])
    monkeypatch.setattr("kithara_file.net.brotli.found", lambda: False)
    assert decodable(["gzip"])
    assert not decodable(["gzip", "br"])


@given(st.binary(max_size=3000), st.integers(1, 100))
def test_any_bytes_survive(data: bytes, step: int) -> None:
    assert decoded(Decoder(["deflate", "gzip"]), gzip.compress(zlib.compress(data)), step) == data


EMPTY = gzip.compress(b"", mtime=0)
HOLLOW = b"\0\0\0\xff\xff" * 300_000
"""Stored blocks of deflate which hold nothing (RFC 1951, 3.2.4)."""
LABORIOUS = {
    "a bomb": (["gzip"], gzip.compress(bytes(16 << 20), 1), 16 << 20),
    "empty members": (["gzip"], EMPTY * 5_000, 0),
    "small members": (["gzip"], gzip.compress(b"x", mtime=0) * 5_000, 5_000),
    "members between zeros": (["gzip"], (EMPTY + b"\0") * 5_000, 0),
    "zeros in the end": (["gzip"], EMPTY + bytes(4 << 20), 0),
    "empty blocks": (["deflate"], HOLLOW, 0),
    "empty members in a bomb": (["gzip", "gzip"], gzip.compress(EMPTY * 5_000), 0),
    "a bomb in a bomb": (["deflate", "gzip"], gzip.compress(zlib.compress(bytes(16 << 20), 1)), 16 << 20),
    "a bomb behind the end": (["deflate", "gzip"], gzip.compress(zlib.compress(b"") + bytes(16 << 20)), 0),
}


@pytest.mark.parametrize("codings,coded,size", LABORIOUS.values(), ids=LABORIOUS)
def test_the_work_between_two_pieces_is_bounded_whatever_the_body_is(
    codings: list[str], coded: bytes, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    zlib_, came = Zlib(monkeypatch), 0
    for piece in chain(Decoder(codings).feed(coded), [b""]):
        assert zlib_.work <= TURN + PIECE + STRIDE + CALL
        assert len(piece) <= PIECE
        came += len(piece)
    assert came == size


@pytest.mark.parametrize("codings,coded,size", LABORIOUS.values(), ids=LABORIOUS)
def test_no_more_is_copied_than_is_decoded(
    codings: list[str], coded: bytes, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    zlib_ = Zlib(monkeypatch)
    for _ in Decoder(codings).feed(coded):
        pass
    assert zlib_.copied <= 13 * zlib_.taken + zlib_.given


def test_all_that_was_right_comes_before_the_error() -> None:
    coded = gzip.compress(DATA) + b"<html>"
    pieces = Decoder(["gzip"]).feed(coded)
    assert next(pieces) == DATA
    with pytest.raises(BadCoding):
        next(pieces)
