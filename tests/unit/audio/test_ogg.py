"""Chains of Ogg."""

from __future__ import annotations

import io

import pytest

from kithara_file.audio.door import Door
from kithara_file.audio.ogg import is_chain


def page(serial: int, flags: int = 0, body: bytes = b"sound") -> bytes:
    return (
        b"OggS\0" + bytes([flags]) + bytes(8) + serial.to_bytes(4, "little") + bytes(8) + bytes([1, len(body)]) + body
    )


def told(data: bytes) -> bool:
    door = Door(io.BytesIO(data))
    door.seek(7)
    found = is_chain(door)
    assert door.tell() == 7, "who reads on finds the file where it was"
    return found


@pytest.mark.parametrize(
    "data, expected",
    [
        (page(1, 2) + page(1) + page(1, 4), False),
        (page(1, 2) + page(1) + page(2, 2) + page(2), True),
        (page(1, 2) + page(2, 2) + page(1) + page(2), False),
        (page(1, 2) + page(1, body=bytes(200)) + bytes(70_000), False),
        (page(1, 2) + page(1) + page(2)[:20], False),
        (page(1, 2), False),
        (b"OggS", False),
        (b"", False),
    ],
    ids=["one", "two in a row", "two side by side", "no page at the end", "a torn page", "one page", "a word", "empty"],
)
def test_a_chain_ends_in_a_stream_that_does_not_begin_it(data: bytes, expected: bool) -> None:
    assert told(data) is expected


def test_what_can_only_be_read_onward_is_taken_for_a_chain() -> None:
    class Onward(io.BytesIO):
        def seekable(self) -> bool:
            return False

    assert is_chain(Door(Onward(page(1, 2) + page(1))))
