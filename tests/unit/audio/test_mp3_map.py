"""What is known of where frames of an MP3 begin."""

from __future__ import annotations

from kithara_file.audio.mp3 import FrameHead, Table
from kithara_file.audio.mp3_map import LAST_LOOK, Anchor, Mp3Map

HEAD = FrameHead(44_100, 2, 128_000, 417, 1152, 32)


def varying() -> Mp3Map:
    # The first half of the time takes three quarters of the bytes.
    entries = (*(round(1500 * part) for part in range(51)), *(75_000 + 500 * part for part in range(1, 51)))
    return Mp3Map(1417, HEAD, Table(1000, 100_000, entries, None, None, constant=False), 1000, None)


def test_a_constant_bit_rate_tells_each_frame_to_the_byte() -> None:
    known = Mp3Map(500, HEAD, None, 500, 500 + 41_796)
    assert known.guess(0) == 500
    assert known.guess(100) == 500 + 41_796
    assert known.frames == 100


def test_a_table_tells_about_where_a_frame_is() -> None:
    known = varying()
    assert known.guess(500) == 1000 + 75_000
    assert known.guess(1000) == 1000 + 100_000 - LAST_LOOK
    assert known.end == 101_000


def test_what_was_seen_is_known_for_certain() -> None:
    known = varying()
    for frame in range(100):
        known.learn(frame, 1417 + 200 * frame)
    assert known.known(0) == Anchor(0, 1417)
    assert known.known(97) == Anchor(96, 1417 + 200 * 96)
    assert known.known(5000) == Anchor(96, 1417 + 200 * 96)
    assert repr(known) == "<Mp3Map 1000 frames · varying · 7 known>"


def test_what_was_counted_from_a_guess_is_told_from_there_and_only_near_it() -> None:
    known = varying()
    assert known.near_guess(600, 10_000) is None
    known.land(600, 81_000)
    for frame in range(600, 650):
        known.explore(frame, 81_000 + 200 * (frame - 600))
    assert known.near_guess(599, 10_000) is None
    assert known.near_guess(620, 10_000) == Anchor(616, 84_200)
    assert known.near_guess(660, 10_000) == Anchor(648, 90_600)
    assert known.near_guess(900, 10_000) is None
    assert known.known(620) == Anchor(0, 1417), "nothing of it is certain"


def test_without_a_table_a_guess_goes_by_what_was_counted_and_stays_inside() -> None:
    known = Mp3Map(500, HEAD, None, 500, 500 + 40_000)
    known.constant = False
    known.learn(16, 500 + 16 * 100)
    assert known.frames == 400
    assert known.guess(200) == 500 + 20_000
    assert 500 < known.guess(10_000) < 500 + 40_000


def test_without_length_and_table_nobody_knows_how_many_frames_there_are() -> None:
    assert Mp3Map(0, HEAD, None, 0, None).frames is None
