"""Packets of containers, with places that count from the first frame to be heard."""

from __future__ import annotations

import io
from fractions import Fraction
from typing import Any

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kithara_file.audio.container import ContainerPackets, Timeline
from kithara_file.audio.door import Door, QuietDoor
from kithara_file.errors import DecodeFailed
from tests.world.music import RECIPES, encode, music, song


def packets(data: bytes) -> ContainerPackets:
    door = Door(io.BytesIO(data))

    def opened() -> Any:
        door.seek(0)
        return av.open(QuietDoor(door), "r")

    return ContainerPackets(door, opened(), opened)


@pytest.mark.parametrize(
    "name, first",
    [("m4a moov last", -1024), ("ogg opus", -312), ("webm opus", -312), ("ogg vorbis", -128), ("alac", 0), ("wav", 0)],
)
def test_what_primes_the_decoder_stands_before_frame_zero(name: str, first: int) -> None:
    source = packets(song(name).data)
    unit = source.next()
    assert unit is not None
    assert unit.packet.pts == first
    source.close()


@pytest.mark.parametrize("name", ["m4a moov last", "ogg opus", "ogg vorbis", "alac"])
def test_the_end_of_the_last_packet_is_the_end_of_the_sound(name: str) -> None:
    source = packets(song(name).data)
    ends = []
    while (unit := source.next()) is not None:
        ends.append(unit.end)
    assert ends[-1] == len(song(name).sound)
    assert source.total == pytest.approx(len(song(name).sound), abs=50)
    assert repr(source).startswith("<ContainerPackets ")
    source.close()


@pytest.mark.parametrize("name", ["m4a moov last", "ogg opus", "ogg vorbis", "webm opus", "alac", "wav"])
def test_a_seek_lands_before_the_place_also_on_the_last_page(name: str) -> None:
    source = packets(song(name).data)
    for frame in (len(song(name).sound) - 1, 60_000, 0):
        source.seek(frame, 0)
        unit = source.next()
        assert unit is not None
        assert unit.packet.pts <= frame
    source.close()


def test_what_the_file_raised_comes_before_what_the_container_makes_of_it() -> None:
    class Failing(io.BytesIO):
        broken = False

        def read1(self, size: int | None = -1, /) -> bytes:
            if self.broken:
                raise ConnectionError("the line is cut")
            return super().read1(size)

    file = Failing(song("wav").data)
    door = Door(file)

    def opened() -> Any:
        door.seek(0)
        return av.open(QuietDoor(door), "r")

    source = ContainerPackets(door, opened(), opened)
    Failing.broken = True
    with pytest.raises(ConnectionError, match="the line is cut"):
        all(iter(source.next, None))
    Failing.broken = False
    source.seek(0, 0)
    unit = source.next()
    assert unit is not None
    assert unit.packet.pts == 0
    source.close()


def test_a_file_that_cannot_be_searched_says_so() -> None:
    class Onward(io.BytesIO):
        def seekable(self) -> bool:
            return False

    container = av.open(Onward(song("ogg vorbis").data), "r")
    door = Door(io.BytesIO(b""))
    source = ContainerPackets(door, container, lambda: container)
    try:
        source.seek(100_000, 0)
    except DecodeFailed as error:
        assert "cannot be searched" in str(error)  # noqa: PT017  some versions of FFmpeg do read on to the place
    source.close()


def test_the_count_of_itunes_says_where_the_sound_ends() -> None:
    recipe = RECIPES["m4a moov last"]
    sound = music(1.0)
    smpb = f" 00000000 00000400 00000000 {44_000:016X} 00000000"
    data = encode(sound, recipe, tags={"iTunSMPB": smpb})
    source = packets(data)
    assert source.total in (44_000, 44_100)  # the muxer may not write what it does not know
    source.close()


def test_a_fine_clock_tells_every_frame() -> None:
    time = Timeline(Fraction(1, 90_000), 44_100, 0, 0, 1)
    assert time.exact
    assert [time.frame(round(number * 1024 * 90_000 / 44_100)) for number in range(1000)] == [
        number * 1024 for number in range(1000)
    ]


@given(packet=st.integers(0, 100_000))
def test_a_coarse_clock_tells_packets_of_a_known_size(packet: int) -> None:
    time = Timeline(Fraction(1, 1000), 48_000, -7, 312, 120)
    place = packet * 960 - 312
    assert not time.exact
    assert time.frame(round(place / 48)) == place


@given(frame=st.integers(-1000, 10**9))
def test_the_tick_of_a_frame_is_not_behind_it(frame: int) -> None:
    for time in (Timeline(Fraction(1, 14_112_000), 44_100, 0, 1105, 1), Timeline(Fraction(1, 24_000), 48_000, 0, 0, 1)):
        assert time.frame(time.pts(frame)) <= frame
