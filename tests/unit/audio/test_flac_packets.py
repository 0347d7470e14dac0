"""Frames of FLAC as packets, from any place on."""

from __future__ import annotations

import io
from random import Random

import pytest

from kithara_file.audio.door import Door
from kithara_file.audio.flac import crc8
from kithara_file.audio.flac_packets import FlacHeads, FlacPackets, read_flac
from tests.world.music import RecordingFile, song

FLACS = ["flac", "flac 24 bit 96 kHz"]


def packets(data: bytes, file: io.BytesIO | None = None) -> FlacPackets:
    door = Door(file or io.BytesIO(data))
    heads = read_flac(door)
    assert heads is not None
    return FlacPackets(door, heads)


def everything(source: FlacPackets) -> dict[int, bytes]:
    found = {}
    while (unit := source.next()) is not None:
        found[unit.packet.pts] = bytes(unit.packet)
    return found


@pytest.mark.parametrize("name", FLACS)
def test_packets_together_are_the_file(name: str) -> None:
    one = song(name)
    source = packets(one.data)
    assert one.data.endswith(b"".join(everything(source).values()))
    assert source.total == len(one.sound)


@pytest.mark.parametrize("name", FLACS)
def test_a_seek_lands_on_the_frame_that_holds_the_place_after_few_looks(name: str) -> None:
    one = song(name, 10.05)
    file = RecordingFile(one.data)
    source = packets(one.data, file)
    found = everything(source)
    random = Random(3)
    for _ in range(60):
        frame = random.randrange(len(one.sound))
        file.spans.clear()
        source.seek(frame, 0)
        unit = source.next()
        assert unit is not None
        assert unit.packet.pts == max(start for start in found if start <= frame)
        assert bytes(unit.packet) == found[unit.packet.pts]
        assert file.bytes_read < 300_000


def test_a_seek_behind_the_end_lands_on_the_last_frame() -> None:
    one = song("flac")
    source = packets(one.data)
    last = max(everything(source))
    source.seek(10 * len(one.sound), 0)
    unit = source.next()
    assert unit is None or unit.packet.pts == last


def test_points_of_a_seek_table_are_used() -> None:
    one = song("flac", 20.05)
    file = RecordingFile(one.data)
    door = Door(file)
    heads = read_flac(door)
    assert heads is not None
    at, points = 0, []
    source = FlacPackets(door, heads)
    for start, data in everything(source).items():
        points.append((start, at))
        at += len(data)
    file.spans.clear()
    source = FlacPackets(door, FlacHeads(heads.info, heads.first, tuple(points)))
    source.seek(500_000, 0)
    assert source.next() is not None
    assert file.bytes_read < 3 * 16_384


def test_damage_costs_the_frames_that_it_hits() -> None:
    one = song("flac")
    middle = len(one.data) // 2
    damaged = one.data[:middle] + bytes(20_000) + one.data[middle + 20_000 :]
    whole, rest = everything(packets(one.data)), everything(packets(damaged))
    assert set(rest) < set(whole)
    assert max(rest) == max(whole)


def test_sound_that_looks_like_a_header_does_not_end_a_frame() -> None:
    one = song("flac")
    whole = everything(packets(one.data))
    disguised, at = bytearray(one.data), 0
    for start, data in whole.items():
        at = one.data.index(data, at)
        false = data[:4] + b"\x2a"  # of this very stream, but not the next in its count
        middle = at + len(data) // 2
        disguised[middle : middle + 6] = false + bytes([crc8(false)])
        assert start != 0x2A * 4096 - 4096
    found = everything(packets(bytes(disguised)))
    assert {start: len(data) for start, data in found.items()} == {start: len(data) for start, data in whole.items()}


def test_the_last_frame_is_found_behind_a_lost_one() -> None:
    one = song("flac")
    whole = everything(packets(one.data))
    *_, lost, last = whole
    at = one.data.index(whole[lost])
    rest = everything(packets(one.data[:at] + one.data[at + len(whole[lost]) :]))
    assert rest[last] == whole[last]
    assert set(rest) == set(whole) - {lost}


def test_what_is_no_flac_is_left_to_others() -> None:
    assert read_flac(Door(io.BytesIO(song("wav").data[:1000]))) is None
    assert read_flac(Door(io.BytesIO(b"fLaC"))) is None
    assert repr(packets(song("flac").data)).startswith("<FlacPackets at byte ")
