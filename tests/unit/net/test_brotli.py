"""Brotli, a piece at a time, and where there is no decoder of it."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import xxhash  # noqa: F401 - any library that knows nothing of it

from kithara_file.net import brotli
from kithara_file.net.brotli import Brotli, found
from tests.world.brotli import brotli as packed
from tests.world.brotli import brotli_zeros

DATA = bytes(range(256)) * 1000


def unpacked(stream: Brotli, data: bytes) -> bytes:
    """Take all of `data`, step by step."""
    came, at = b"", 0
    while at < len(data) or stream.full:
        piece, used = stream.step(data, at)
        assert len(piece) <= 1000
        assert used <= 700
        came, at = came + piece, at + used
    return came


def test_a_stream_takes_and_gives_no_more_in_a_step_than_was_said() -> None:
    stream = Brotli(taken=700, given=1000)
    assert unpacked(stream, packed(DATA)) == DATA
    assert stream.eof
    assert "ended" in repr(stream)


def test_few_bytes_that_give_much_are_given_bit_by_bit() -> None:
    stream = Brotli(taken=700, given=1000)
    assert unpacked(stream, brotli_zeros(1 << 20)) == bytes(1 << 20)
    assert stream.eof


def test_a_stream_that_stops_in_its_middle_has_no_end() -> None:
    stream = Brotli(taken=700, given=1000)
    assert DATA.startswith(unpacked(stream, packed(DATA)[:-1]))
    assert not stream.eof
    assert "hungry" in repr(stream)


def test_what_is_behind_the_end_is_left_alone() -> None:
    stream = Brotli(taken=700, given=1000)
    coded = packed(b"hello")
    assert stream.step(b"??" + coded + b"more", 2) == (b"hello", len(coded))
    assert stream.eof


def test_what_is_no_brotli_is_told_in_words() -> None:
    with pytest.raises(ValueError, match=r"^format [a-z ]+$"):
        unpacked(Brotli(taken=700, given=1000), b"<html>not at all</html>" * 10)


@pytest.mark.parametrize("path", ["/nowhere/at/all.so", __file__, str(sys.modules["xxhash._xxhash"].__file__)])
def test_a_library_without_it_has_no_decoder(path: str) -> None:
    assert brotli._linked(path) is None


def test_where_there_is_none_it_is_not_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(brotli, "_calls", lambda: brotli._linked(str(tmp_path / "pycurl.so")))
    assert not found()
    with pytest.raises(LookupError):
        Brotli(taken=700, given=1000)


def test_a_stream_for_which_there_is_no_memory_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(brotli, "_calls", lambda: SimpleNamespace(CreateInstance=lambda *_: None))
    with pytest.raises(MemoryError):
        Brotli(taken=700, given=1000)
