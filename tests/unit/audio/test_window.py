"""Bytes from a place on."""

from __future__ import annotations

import io

from kithara_file.audio.door import Door
from kithara_file.audio.window import CHUNK, Window


def test_the_place_in_the_file_stays_while_bytes_come_in() -> None:
    data = bytes(range(256)) * 200
    window = Window(Door(io.BytesIO(data)), 100)
    assert window.fill(10)
    window.at += 5
    place = window.offset
    assert window.fill(CHUNK + 7)
    assert window.offset == place == 105
    assert window.data[window.at] == 105
    assert window.left >= CHUNK + 7


def test_the_end_of_the_file_is_told_and_going_back_forgets_it() -> None:
    window = Window(Door(io.BytesIO(b"12345")), 0)
    assert not window.fill(6)
    assert window.left == 5
    window.go(3)
    assert window.fill(2)
    assert window.data == b"45"
    assert repr(window) == "<Window on 2 bytes from 3>"
