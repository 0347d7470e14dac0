"""Ranges are written as in HTTP."""

from __future__ import annotations

import pytest

from kithara_file.cli.span import Span

DATA = bytes(range(100))


@pytest.mark.parametrize(
    "text,meant",
    [
        ("0-0", DATA[0:1]),
        ("10-19", DATA[10:20]),
        ("10-", DATA[10:]),
        ("-10", DATA[-10:]),
        ("-1000", DATA),
        ("90-1000", DATA[90:]),
        ("100-", b""),
        (" 5-6 ", DATA[5:7]),
    ],
)
def test_a_range_means_what_it_means_in_http(text: str, meant: bytes) -> None:
    start, end = Span.parse(text).within(len(DATA))
    assert DATA[start:end] == meant


@pytest.mark.parametrize(
    "text", ["", "-", "5", "a-b", "5-4", "-0", "1-2,4-5", "0x1-2", "1.5-2", "--5", "٣-٤", "9" * 30 + "-"]
)
def test_what_is_no_range_is_refused_by_name(text: str) -> None:
    with pytest.raises(ValueError, match="range"):
        Span.parse(text)


@pytest.mark.parametrize("text,most", [("10-19", 10), ("10-", None), ("-7", 7)])
def test_a_range_knows_how_much_it_can_be(text: str, most: int | None) -> None:
    assert Span.parse(text).bounded == most


@pytest.mark.parametrize("text", ["10-19", "10-", "-7"])
def test_a_range_reads_as_it_was_written(text: str) -> None:
    assert str(Span.parse(text)) == text
