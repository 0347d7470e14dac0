"""Packets with a place."""

from __future__ import annotations

from kithara_file.audio.packets import Unit


def test_a_packet_ends_where_it_ends_unless_the_file_says_otherwise() -> None:
    assert (Unit(b"").end, Unit(b"").discard) == (None, 0)
