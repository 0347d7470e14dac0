"""Frames of MP3 as packets, from any place on."""

from __future__ import annotations

import io
from typing import Any

import pytest

from kithara_file.audio.door import Door
from kithara_file.audio.mp3 import find_frame, parse_head
from kithara_file.audio.mp3_packets import Mp3Packets, read_mp3
from kithara_file.errors import DecodeFailed
from tests.world.clock import FakeClock
from tests.world.music import RecordingFile, song


def packets(data: bytes, **options: Any) -> Mp3Packets:
    door = Door(io.BytesIO(data))
    known = read_mp3(door)
    assert known is not None
    return Mp3Packets(door, known, **options)


def places(source: Mp3Packets) -> list[int]:
    found = []
    while (unit := source.next()) is not None:
        found.append(unit.packet.pts)
    return found


def test_places_count_from_the_first_frame_that_shall_be_heard() -> None:
    source = packets(song("mp3 cbr").data)
    assert source.total == len(song("mp3 cbr").sound)
    found = places(source)
    assert found == [1152 * number - 1105 for number in range(len(found))]
    assert found[-1] < source.total


@pytest.mark.parametrize("name", ["mp3 cbr", "mp3 vbr", "mp3 cbr without a table", "mp3 mono 22 kHz"])
def test_a_packet_after_a_seek_is_the_one_that_stands_there(name: str) -> None:
    source = packets(song(name).data)
    everything = {}
    while (unit := source.next()) is not None:
        everything[unit.packet.pts] = bytes(unit.packet)
    for frame in (0, 5000, 90_000, 60_000):
        source.seek(frame, 0)
        unit = source.next()
        assert unit is not None
        assert unit.packet.pts <= frame
        assert everything[unit.packet.pts] == bytes(unit.packet)
        assert source.exact


def test_a_far_seek_where_the_bit_rate_varies_goes_by_the_table_and_says_so() -> None:
    one = song("mp3 vbr", 20.05)
    clock = FakeClock()
    file = SlowFile(one.data, clock)
    known = read_mp3(Door(file))
    assert known is not None
    source = Mp3Packets(Door(file), known, clock)
    file.spans.clear()
    source.seek(len(one.sound) * 3 // 4, 0)
    assert not source.exact
    assert not file.touched(known.first + 40_000, len(one.data) // 2)
    unit = source.next()
    assert unit is not None
    assert len(one.sound) * 0.6 < unit.packet.pts < len(one.sound) * 3 / 4
    source.seek(0, 0)
    assert source.exact


class SlowFile(RecordingFile):
    """A file of which every read takes a while of a clock."""

    def __init__(self, data: bytes, clock: FakeClock) -> None:
        super().__init__(data)
        self._clock = clock

    def read1(self, size: int | None = -1, /) -> bytes:
        """Read, slowly."""
        self._clock.advance(0.11)
        return super().read1(min(size or 2048, 2048))


def stamps(data: bytes) -> dict[bytes, int]:
    """Return the true place of each packet."""
    source, found = packets(data), {}
    while (unit := source.next()) is not None:
        found[bytes(unit.packet)] = int(unit.packet.pts)
    return found


def test_near_a_guess_places_are_off_by_as_much_as_the_guess() -> None:
    """Five seconds on are five seconds on, although nobody knows from where."""
    one = song("mp3 vbr", 20.05)
    clock = FakeClock()
    file = SlowFile(one.data, clock)
    known = read_mp3(Door(file))
    assert known is not None
    file.spans.clear()
    source, true = Mp3Packets(Door(file), known, clock), stamps(one.data)
    off = []
    for frame in (600_000, 640_000, 610_000, 660_000):
        source.seek(frame, 0)
        unit = source.next()
        assert unit is not None
        assert unit.packet.pts <= frame
        assert not source.exact
        off.append(true[bytes(unit.packet)] - unit.packet.pts)
    assert len(set(off)) == 1
    assert not file.touched(known.first + 40_000, len(one.data) // 2)


@pytest.mark.parametrize("name", ["mp3 vbr", "mp3 vbr without a table"])
def test_a_file_that_is_read_quickly_is_counted_through(name: str) -> None:
    data, true = song(name, 20.05).data, stamps(song(name, 20.05).data)
    source = packets(data, clock=FakeClock())
    for frame in (600_000, 100_000, 800_000):
        source.seek(frame, 0)
        unit = source.next()
        assert unit is not None
        assert source.exact
        assert unit.packet.pts == true[bytes(unit.packet)] <= frame


@pytest.mark.parametrize("name", ["mp3 cbr", "mp3 vbr", "mp3 cbr without a table"])
def test_a_seek_behind_the_end_of_a_slow_file_reads_little_and_spoils_no_later_one(name: str) -> None:
    one = song(name, 20.05)
    clock = FakeClock()
    file = SlowFile(one.data, clock)
    door = Door(file)
    known = read_mp3(door)
    assert known is not None
    file.spans.clear()
    source, true, left = Mp3Packets(door, known, clock), stamps(one.data), 0
    source.seek(50 * 44_100, 0)
    while source.next() is not None:
        left += 1
    assert left < 40
    assert not file.touched(known.first + 40_000, len(one.data) * 3 // 4)
    source.seek(15 * 44_100, 0)
    unit = source.next()
    assert unit is not None
    assert source.exact is name.startswith("mp3 cbr")
    assert abs(true[bytes(unit.packet)] - unit.packet.pts) < (1 if source.exact else 44_100)


def test_junk_between_frames_is_stepped_over_and_its_frames_are_counted() -> None:
    data = song("mp3 cbr").data
    middle = len(data) // 2
    damaged = data[:middle] + bytes(2 * 418) + data[middle + 2 * 418 :]
    whole, rest = places(packets(data)), places(packets(damaged))
    assert rest[-1] == whole[-1]
    assert 1 <= len(whole) - len(rest) <= 4


def test_trailing_tags_are_not_sound() -> None:
    data = song("mp3 cbr without a table").data
    tag = b"APETAGEX" + bytes(400) + b"TAG" + bytes(125)
    assert places(packets(data + tag)) == places(packets(data))


@pytest.mark.parametrize(
    "between", [b"", b"TAG" + bytes(125), b"ID3\3\0\0\0\2\0\0" + bytes(1 << 15)], ids=["", "v1", "v2"]
)
@pytest.mark.parametrize("names", [("mp3 cbr", "mp3 vbr"), ("mp3 vbr", "mp3 cbr")], ids=str)
def test_a_table_that_tells_of_the_first_of_several_parts_does_not_end_the_sound(
    names: tuple[str, str], between: bytes
) -> None:
    one, other = (song(name).data for name in names)
    alone, table = places(packets(one)), 1
    source = packets(one + between + other)
    found = places(source)
    assert len(found) == len(alone) + table + len(places(packets(other)))
    assert found[: len(alone)] == alone, "what the encoder put before the first part is left out all the same"
    for number in (len(found) - 3, len(alone) + 5, 2):
        source.seek(found[number], 0)
        unit = source.next()
        while unit is not None and unit.packet.pts < found[number]:
            unit = source.next()
        assert unit is not None
        assert (unit.packet.pts, source.exact) == (found[number], True)


@pytest.mark.parametrize("name", ["mp3 cbr", "mp3 vbr"])
def test_a_file_that_is_cut_says_once_how_much_is_missing(name: str) -> None:
    one = song(name)
    source = packets(one.data[: len(one.data) // 2])
    with pytest.raises(DecodeFailed, match=r"^The last 2\.\d{3} s are missing$"):
        places(source)
    assert source.next() is None
    source.seek(10 * len(one.sound), 0)
    with pytest.raises(DecodeFailed):
        places(source)


def test_a_table_that_counts_itself_is_not_taken_for_a_cut() -> None:
    one = song("mp3 cbr")
    at = one.data.index(b"Info") + 8
    frames = int.from_bytes(one.data[at : at + 4], "big")
    counted = one.data[:at] + (frames + 1).to_bytes(4, "big") + one.data[at + 4 :]
    assert len(places(packets(counted))) == frames


def test_two_id3_tags_and_junk_stand_before_the_first_frame() -> None:
    data = song("mp3 cbr without a table").data
    tag = b"ID3\x04\x00\x00\x00\x00\x02\x01" + bytes(257)
    assert places(packets(tag + tag + bytes(20_000) + data)) == places(packets(data))


def test_a_bit_rate_that_only_looks_constant_is_found_out() -> None:
    """Frames alike at the begin and where a seek looks, and others in between, put the latter off their grid."""
    data = song("mp3 cbr without a table", 10.05).data
    middle = _whole_frames(data, 40_000)
    other = bytes.fromhex("fffb7044") + bytes(313 - 4)  # 96 kbit/s
    crafted = data[:middle] + other * 101 + data[middle:]
    stamps, counted = {}, packets(crafted)
    while (each := counted.next()) is not None:
        stamps[each.packet.pts] = bytes(each.packet)
    source = packets(crafted)
    source.seek(400_000, 0)
    unit = source.next()
    assert unit is not None
    assert stamps[unit.packet.pts] == bytes(unit.packet)


def _whole_frames(data: bytes, size: int) -> int:
    at = find_frame(data) or 0
    while (head := parse_head(data, at)) is not None and at + head.size <= size:
        at += head.size
    return at


def test_what_is_no_mp3_is_left_to_others() -> None:
    assert read_mp3(Door(io.BytesIO(song("wav").data[:100_000]))) is None
    assert read_mp3(Door(io.BytesIO(b""))) is None
