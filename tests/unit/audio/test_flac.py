"""The heads of FLAC."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kithara_file.audio.flac import (
    FlacHead,
    StreamInfo,
    crc8,
    find_flac_frame,
    parse_flac_head,
    parse_seek_table,
    parse_stream_info,
)
from tests.world.music import song


def info_of(data: bytes) -> StreamInfo:
    return parse_stream_info(data[8:42])


def coded(number: int) -> bytes:
    """Code a number like UTF-8, up to 36 bits."""
    if number < 0x80:
        return bytes([number])
    tail: list[int] = []
    room = 6
    while number >= 1 << room:
        tail.insert(0, 0x80 | number & 0x3F)
        number >>= 6
        room = 6 - len(tail)
    lead = (0xFF << (7 - len(tail))) & 0xFF
    return bytes([lead | number, *tail])


INFO = StreamInfo(4096, 14, 44_100, 2, 16, 1 << 33, b"")


@given(number=st.integers(0, (1 << 36) - 1), junk=st.binary(max_size=9))
def test_a_header_says_its_number_however_large(number: int, junk: bytes) -> None:
    junk = junk.replace(b"\xff", b"\xfe")
    head = b"\xff\xf9\xc9\x18" + coded(number)
    assert find_flac_frame(junk + head + bytes([crc8(head)]) + bytes(9), 0, INFO) == (len(junk), FlacHead(number, 4096))


def test_frames_of_a_fixed_size_are_numbered_and_the_last_one_is_shorter() -> None:
    head = b"\xff\xf8\x79\x18\x05" + (1233).to_bytes(2, "big")
    found = parse_flac_head(head + bytes([crc8(head)]), 0, INFO)
    assert found == FlacHead(5 * 4096, 1234)
    assert found is not None
    assert found.end == 5 * 4096 + 1234


@pytest.mark.parametrize(
    "sizes_and_sound",
    [
        b"\xca\x18",
        b"\xc9\x08",
        b"\xc9\x28",
        b"\xc9\x14",
        b"\xc9\x16",
        b"\x09\x18",
        b"\xcf\x18",
        b"\xc9\xb8",
        b"\xc9\x19",
    ],
    ids=["rate", "mono", "three channels", "12 bits", "no bits", "no block", "no rate", "no channels", "reserved"],
)
def test_a_header_of_another_stream_is_none(sizes_and_sound: bytes) -> None:
    head = b"\xff\xf8" + sizes_and_sound + b"\x07"
    assert parse_flac_head(head + bytes([crc8(head)]), 0, INFO) is None


@pytest.mark.parametrize(
    "sizes_and_sound", [b"\xc9\x18", b"\xc0\x10", b"\xc9\xa8"], ids=["spoken", "not said", "mid-side"]
)
def test_a_header_may_leave_to_the_stream_what_it_is(sizes_and_sound: bytes) -> None:
    head = b"\xff\xf8" + sizes_and_sound + b"\x07"
    assert parse_flac_head(head + bytes([crc8(head)]), 0, INFO) == FlacHead(7 * 4096, 4096)


@given(st.binary(min_size=0, max_size=40))
def test_a_header_whose_check_fails_is_none(data: bytes) -> None:
    head = parse_flac_head(data, 0, INFO)
    assert head is None or data[:2] in (b"\xff\xf8", b"\xff\xf9")
    good = b"\xff\xf9\xc9\x18\x07"
    assert parse_flac_head(good + bytes([crc8(good) ^ 1]), 0, INFO) is None


def test_the_stream_says_its_rate_channels_and_length() -> None:
    one = song("flac 24 bit 96 kHz")
    info = info_of(one.data)
    assert (info.sample_rate, info.channels, info.total) == (96_000, 2, len(one.sound))
    assert info.raw == one.data[8:42]


def test_placeholders_of_a_seek_table_are_no_points() -> None:
    points = [(0, 0), (4096, 9000), ((1 << 64) - 1, 0)]
    data = b"".join(start.to_bytes(8, "big") + at.to_bytes(8, "big") + bytes(2) for start, at in points)
    assert parse_seek_table(data) == ((0, 0), (4096, 9000))
