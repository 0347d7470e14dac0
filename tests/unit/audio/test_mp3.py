"""The heads of MP3."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kithara_file.audio.mp3 import FrameHead, find_frame, id3_size, parse_head, parse_table
from tests.world.music import song

HEAD = bytes.fromhex("fffb9044")  # MPEG 1, layer III, 128 kbit/s, 44.1 kHz, joint stereo


def test_a_header_says_how_long_its_frame_is() -> None:
    assert parse_head(HEAD) == FrameHead(44_100, 2, 128_000, 417, 1152, 32)
    assert parse_head(bytes.fromhex("fffb9244")) == FrameHead(44_100, 2, 128_000, 418, 1152, 32)
    assert parse_head(bytes.fromhex("fff340c4")) == FrameHead(22_050, 1, 32_000, 104, 576, 9)


@pytest.mark.parametrize(
    "data",
    ["fffd9044", "fffb0044", "fffbf044", "fffb9c44", "ffeb9044", "fffb90", "00fb9044"],
    ids=["layer II", "free format", "bad bit rate", "bad rate", "reserved version", "too short", "no sync"],
)
def test_what_is_no_header_of_layer_three_is_refused(data: str) -> None:
    assert parse_head(bytes.fromhex(data)) is None


@given(st.binary(max_size=64))
def test_any_bytes_are_a_header_or_none(data: bytes) -> None:
    head = parse_head(data)
    assert head is None or head.size > 4 + head.side or head.bit_rate <= 48_000


def test_a_frame_is_believed_only_when_another_follows() -> None:
    frame = HEAD + bytes(413)
    assert find_frame(b"\xff\xfb" + HEAD + bytes(40)) is None
    assert find_frame(b"junk\xff" + frame + frame) == 5


def test_the_size_of_an_id3_tag_counts_seven_bits_a_byte() -> None:
    assert id3_size(b"ID3\x04\x00\x00\x00\x00\x02\x01") == 10 + 257
    assert id3_size(b"ID3\x04\x00\x10\x00\x00\x02\x01") == 20 + 257
    assert id3_size(b"fLaC\x00\x00\x00\x22\x00\x00") == 0


def first_frame(data: bytes) -> tuple[bytes, FrameHead]:
    at = find_frame(data, id3_size(data))
    assert at is not None
    head = parse_head(data, at)
    assert head is not None
    return data[at : at + head.size], head


def test_the_table_of_lame_tells_delay_padding_and_length() -> None:
    one = song("mp3 vbr")
    frame, head = first_frame(one.data)
    table = parse_table(frame, head)
    assert table is not None
    assert not table.constant
    assert table.delay is not None
    assert table.padding is not None
    assert table.frames is not None
    assert table.frames * 1152 - table.delay - table.padding == len(one.sound)
    assert len(table.entries) == 101
    assert list(table.entries) == sorted(table.entries)
    assert table.length == len(one.data) - one.data.index(frame)


def test_a_constant_bit_rate_is_marked_as_such() -> None:
    table = parse_table(*first_frame(song("mp3 cbr").data))
    assert table is not None
    assert table.constant


def test_a_frame_with_sound_is_no_table() -> None:
    assert parse_table(*first_frame(song("mp3 cbr without a table").data)) is None


def test_a_table_of_fraunhofer_is_understood() -> None:
    steps = [100, 120, 80]
    vbri = b"VBRI" + bytes(6) + (300).to_bytes(4, "big") + (30).to_bytes(4, "big")
    vbri += b"".join(number.to_bytes(2, "big") for number in (3, 1, 2, 10, *steps))
    frame = HEAD + bytes(32) + vbri + bytes(417 - 36 - len(vbri))
    head = parse_head(frame)
    assert head is not None
    table = parse_table(frame, head)
    assert table is not None
    assert (table.frames, table.length, table.entries) == (30, 300, (0, 100, 220, 300))


def test_a_table_without_a_tag_of_the_encoder_tells_no_delay() -> None:
    frame = HEAD + bytes(32) + b"Xing" + (1).to_bytes(4, "big") + (77).to_bytes(4, "big") + bytes(400)
    head = parse_head(frame)
    assert head is not None
    table = parse_table(frame[:417], head)
    assert table is not None
    assert (table.frames, table.delay, table.padding, table.entries) == (77, None, None, ())
