"""Packets become blocks, in their places."""

from __future__ import annotations

import io

import numpy as np
import pytest

from kithara_file.audio.decoder import FIRST_BATCH, MAX_BAD_PACKETS, Decoder
from kithara_file.audio.door import Door
from kithara_file.audio.media import Samples, Spec
from kithara_file.audio.opening import open_media
from kithara_file.errors import DecodeFailed, UnsupportedMedia
from tests.world.music import song

Damage = list[tuple[int, str]]


def decoder(data: bytes, damage: Damage | None = None) -> Decoder:
    opened = open_media(Door(io.BytesIO(data)))
    told = [] if damage is None else damage
    return Decoder(opened.source, opened.info.spec, lambda frame, reason: told.append((frame, reason)))


def everything(source: Decoder) -> Samples:
    blocks: list[Samples] = []
    while (block := source.next()) is not None:
        assert block.start == sum(map(len, blocks))
        blocks.append(block.samples)
    return np.concatenate(blocks)


def test_blocks_follow_each_other_and_the_first_is_small() -> None:
    source = decoder(song("mp3 cbr").data)
    first, second = source.next(), source.next()
    assert first is not None
    assert second is not None
    assert len(first.samples) < FIRST_BATCH <= len(second.samples)
    assert second.start == first.end
    source.close()


def test_blocks_are_as_large_as_is_asked_for_and_small_when_in_a_hurry() -> None:
    source = decoder(song("mp3 cbr").data)

    def size(most: int) -> int:
        block = source.next(most)
        return 0 if block is None else len(block.samples)

    assert 20_000 <= [size(20_000) for _ in range(9)][-1] < 20_000 + 1152
    source.hurry()
    assert size(20_000) == 1152
    assert size(1) == 1152
    source.close()


@pytest.mark.parametrize("name", ["flac", "alac"])
def test_damage_is_silence_of_its_length_and_is_told(name: str) -> None:
    one = song(name)
    middle = len(one.data) // 2
    noise = np.random.default_rng(2).bytes(3000)
    damage: Damage = []
    source = decoder(one.data[:middle] + noise + one.data[middle + 3000 :], damage)
    got = everything(source)
    assert len(got) == len(one.sound)
    right = np.abs(got - one.sound).max(axis=1) < 1e-4
    assert damage
    assert 0.8 < right.mean() < 1
    first_wrong = int(np.argmin(right))
    assert any(abs(frame - first_wrong) < 10_000 for frame, _ in damage)
    assert not got[~right].any() or name == "alac"
    source.close()


def test_a_seek_to_what_is_cut_off_is_damage_and_no_failure() -> None:
    one = song("mp3 vbr")
    damage: Damage = []
    source = decoder(one.data[: len(one.data) // 2], damage)
    source.seek(len(one.sound) - 1)
    assert source.next() is None
    assert [frame for frame, _ in damage] == [len(one.sound) - 1]
    source.seek(20_000)
    assert source.next() is not None


def test_a_file_in_which_nothing_can_be_decoded_says_so() -> None:
    one = song("flac")
    source = decoder(one.data)
    source.close()
    head = 8288
    with pytest.raises(DecodeFailed, match="Nothing in this file"):
        decoder(one.data[:head]).next()


def test_nothing_but_damage_is_given_up() -> None:
    data = bytearray(song("alac", 30.05).data)
    start = data.index(b"mdat") + 4
    end = data.index(b"moov")
    data[start + 30_000 : end] = np.random.default_rng(1).bytes(end - start - 30_000)
    source = decoder(bytes(data))
    try:
        with pytest.raises(DecodeFailed, match=f"{MAX_BAD_PACKETS + 1} packets in a row"):
            everything(source)
    finally:
        source.close()


def test_the_total_is_what_was_decoded_once_the_end_was_seen() -> None:
    source = decoder(song("mp3 cbr without a table").data)
    length = len(everything(source))
    assert source.total == length
    source.seek(length - 10)
    block = source.next()
    assert block is not None
    assert (block.start, len(block.samples)) == (length - 10, 10)
    assert source.next() is None
    assert source.total == length
    source.seek(length + 1000)
    assert source.next() is None
    assert source.total == length
    source.close()


def test_sound_that_changes_its_shape_is_refused() -> None:
    opened = open_media(Door(io.BytesIO(song("wav").data)))
    source = Decoder(opened.source, Spec(44_100, 1))
    with pytest.raises(UnsupportedMedia, match="changes to 44100 Hz with 2 channels"):
        source.next()
    source.close()
