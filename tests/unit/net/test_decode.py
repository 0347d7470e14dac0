"""Codings taken off, and streams that stop in their middle."""

from __future__ import annotations

import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kithara_file.net.decode import PIECE, BadCoding, Decoder

DATA = bytes(range(256)) * 100


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


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
def test_what_is_not_coded_is_refused(coding: str) -> None:
    with pytest.raises(BadCoding):
        decoded(Decoder([coding]), b"<html>not at all</html>", 100)


def test_a_flipped_bit_is_found() -> None:
    coded = bytearray(gzip.compress(DATA))
    coded[-5] ^= 1
    with pytest.raises(BadCoding):
        decoded(Decoder(["gzip"]), bytes(coded), 100)


def test_a_bomb_goes_off_in_small_pieces() -> None:
    pieces = Decoder(["gzip"]).feed(gzip.compress(bytes(32 << 20)))
    assert max(len(piece) for piece in pieces) <= PIECE


@given(st.binary(max_size=3000), st.integers(1, 100))
def test_any_bytes_survive(data: bytes, step: int) -> None:
    assert decoded(Decoder(["deflate", "gzip"]), gzip.compress(zlib.compress(data)), step) == data
