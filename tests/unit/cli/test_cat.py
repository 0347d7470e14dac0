"""Bytes go to the output as they were asked for, and no further look-ahead is used than was asked for."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from kithara_file import RangeNotSatisfiable
from kithara_file.cli.cat import cat, look_ahead
from kithara_file.cli.options import Source
from kithara_file.cli.span import Span
from tests.unit.cli.kit import DATA, local_file

LENGTH = len(DATA)


@pytest.mark.parametrize(
    "span,meant",
    [
        (Span(), DATA),
        (Span(10, 20), DATA[10:20]),
        (Span(LENGTH - 5), DATA[-5:]),
        (Span(last=7), DATA[-7:]),
        (Span(last=LENGTH * 2), DATA),
        (Span(5, LENGTH * 2), DATA[5:]),
    ],
)
def test_what_was_asked_for_is_written(span: Span, meant: bytes, tmp_path: Path) -> None:
    out = io.BytesIO()
    cat(str(local_file(tmp_path)), span, Source(), out)
    assert out.getvalue() == meant


def test_a_range_beyond_the_end_is_an_error_and_not_nothing(tmp_path: Path) -> None:
    path = local_file(tmp_path)
    with pytest.raises(RangeNotSatisfiable) as raised:
        cat(str(path), Span(LENGTH), Source(), io.BytesIO())
    assert raised.value.length == LENGTH
    assert str(raised.value) == f"{path} has {LENGTH} bytes, none of them in the range {LENGTH}-"


def test_an_empty_file_has_no_last_bytes(tmp_path: Path) -> None:
    with pytest.raises(RangeNotSatisfiable, match="has 0 bytes, none of them in the range -7"):
        cat(str(local_file(tmp_path, data=b"")), Span(last=7), Source(), io.BytesIO())


def test_an_empty_file_is_written_as_nothing(tmp_path: Path) -> None:
    out = io.BytesIO()
    cat(str(local_file(tmp_path, data=b"")), Span(), Source(), out)
    assert out.getvalue() == b""


@pytest.mark.parametrize(
    "span,most",
    [(Span(), 16 << 20), (Span(5), 16 << 20), (Span(0, 100), 100), (Span(0, 10**9), 256 << 10), (Span(last=50), 50)],
)
def test_the_look_ahead_does_not_reach_far_beyond_the_range(span: Span, most: int) -> None:
    assert look_ahead(span) <= most
