"""Tracks as one sound."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from contextlib import ExitStack

import numpy as np
import pytest

from kithara_file.audio import Audio, Spec
from kithara_file.audio.deck import Deck
from kithara_file.audio.media import Samples
from kithara_file.errors import ConfigError
from tests.world.music import RECIPES, encode, sine

SOON = 30.0
SPEC = Spec(44_100, 2)
TONE = sine(30_000)


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def track(stack: ExitStack, sound: Samples) -> Audio:
    return stack.enter_context(Audio(io.BytesIO(encode(sound, RECIPES["wav"]))))


def filled(deck: Deck, frames: int, block: int) -> Samples:
    """Pull as a device does, but no faster than there is sound."""
    out: list[Samples] = []
    while sum(map(len, out)) < frames:
        part = deck.spec.silence(block)
        count = deck.fill(part)
        if count:
            out.append(part[:count].copy())
    return np.concatenate(out)


def test_the_frame_after_the_last_of_a_track_is_the_first_of_the_next(stack: ExitStack) -> None:
    deck = Deck(SPEC)
    for part in (TONE[:10_001], TONE[10_001:10_002], TONE[10_002:]):
        deck.add(track(stack, part))
    deck.paused = False
    assert np.abs(filled(deck, 30_000, 512) - TONE).max() < 1e-4


def test_a_sink_that_waits_gets_the_same_and_then_the_end(stack: ExitStack) -> None:
    told: list[Audio | None] = []
    deck = Deck(SPEC, told.append)
    tracks = [track(stack, TONE[:12_345]), track(stack, TONE[12_345:])]
    for each in tracks:
        deck.add(each)
    deck.paused = False
    parts = []
    while len(part := deck.read(700)):
        parts.append(part)
    assert [len(part) for part in parts[:-1]] == [700] * (len(parts) - 1)
    assert np.abs(np.concatenate(parts) - TONE).max() < 1e-4
    assert told == [*tracks, None]
    assert deck.await_end(0)


def test_a_paused_deck_is_silent_and_loses_nothing(stack: ExitStack) -> None:
    deck = Deck(SPEC)
    deck.add(track(stack, TONE))
    out = np.ones((256, 2), np.float32)
    assert deck.fill(out) == 0
    assert not out.any()
    deck.paused = False
    assert np.abs(filled(deck, 1000, 100) - TONE[:1000]).max() < 1e-4


def test_a_change_of_volume_is_spread_over_a_block(stack: ExitStack) -> None:
    deck = Deck(SPEC)
    deck.add(track(stack, np.full((20_000, 2), 0.5, np.float32)))
    deck.paused = False
    deck.volume = 0.5
    sound = np.concatenate([deck.read(1000), deck.read(1000)])[:, 0]
    assert sound[0] == pytest.approx(0.5, abs=1e-3)
    assert np.abs(np.diff(sound)).max() < 0.001
    assert sound[1000:] == pytest.approx(np.full(1000, 0.25), abs=1e-3)


def test_silence_until_an_expected_track_comes_is_not_the_end(stack: ExitStack) -> None:
    deck = Deck(SPEC)
    deck.add(track(stack, TONE[:1000]))
    deck.expect(more=True)
    deck.paused = False
    filled(deck, 1000, 100)
    assert deck.fill(deck.spec.silence(64)) == 0  # the last track is left behind
    assert not deck.await_end(0)
    deck.add(track(stack, TONE[1000:2000]))
    deck.expect(more=False)
    assert np.abs(filled(deck, 1000, 100) - TONE[1000:2000]).max() < 1e-4
    while not deck.await_end(0):  # a device goes on asking
        assert deck.fill(deck.spec.silence(64)) == 0


def test_an_expected_track_that_never_comes_is_the_end(stack: ExitStack) -> None:
    told: list[Audio | None] = []
    deck = Deck(SPEC, told.append)
    first = track(stack, TONE[:1000])
    deck.add(first)
    deck.expect(more=True)
    deck.drop(first)
    assert not deck.await_end(0)
    deck.expect(more=False)
    assert deck.await_end(0)
    assert told == [None]


def test_a_track_of_another_kind_is_refused(stack: ExitStack) -> None:
    with pytest.raises(ConfigError, match="cannot follow"):
        Deck(Spec(48_000, 2)).add(track(stack, TONE))


def test_what_a_sink_failed_with_ends_the_wait() -> None:
    deck = Deck(SPEC)
    waiting: list[bool] = []
    waiter = threading.Thread(target=lambda: waiting.append(deck.await_end(SOON)))
    waiter.start()
    deck.broke(OSError("no space"))
    waiter.join(SOON)
    assert waiting == [True]
    with pytest.raises(OSError, match="no space"):
        deck.raise_error()


def test_closing_ends_a_read_that_waits_for_the_end_of_a_pause() -> None:
    deck = Deck(SPEC)
    got: list[Samples] = []
    reader = threading.Thread(target=lambda: got.append(deck.read(10)))
    reader.start()
    deck.close()
    reader.join(SOON)
    assert len(got[0]) == 0


def test_what_is_opened_for_an_older_epoch_comes_too_late(stack: ExitStack) -> None:
    deck = Deck(SPEC)
    first, second = track(stack, TONE[:1000]), track(stack, TONE[1000:2000])
    assert deck.add(first)
    deck.clear(more=True)
    assert not deck.add(second, 0)
    deck.expect(more=False, epoch=0)
    assert not deck.await_end(0), "what is expected now is another track"
    assert deck.add(second, deck.epoch)
    assert deck.tracks == (second,)
    deck.drop(first)
    assert deck.current is second
    deck.close()
    assert not deck.add(first, deck.epoch)


def test_without_tracks_and_expectations_it_is_the_end_and_told_once(stack: ExitStack) -> None:
    told: list[Audio | None] = []
    deck = Deck(SPEC, told.append)
    deck.add(track(stack, TONE[:1000]))
    deck.clear(more=False)
    deck.clear(more=False)
    assert told == [None]
    assert deck.await_end(0)
    deck.clear(more=True)
    assert not deck.await_end(0)


def test_that_the_end_of_the_last_track_is_near_is_told_once(stack: ExitStack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kithara_file.audio.deck.NEAR_SECONDS", 0.2)
    near: list[float] = []
    deck = Deck(SPEC, on_near=lambda: near.append(deck.current.position if deck.current else -1.0))
    deck.add(track(stack, TONE))
    deck.paused = False
    left = len(TONE)
    while left:
        left -= len(deck.read(441))
    assert len(near) == 1
    assert len(TONE) / 44_100 - near[0] == pytest.approx(0.2, abs=0.011)


class Failing(io.BytesIO):
    """Fails behind its first half, as long as it shall."""

    fails = True

    def read1(self, size: int | None = -1, /) -> bytes:
        if self.fails and self.tell() > len(self.getvalue()) // 2:
            raise OSError("the line is cut")
        return super().read1(size)


@pytest.mark.parametrize("way", ["read", "fill"])
def test_a_track_that_fails_is_heard_as_far_as_it_came_and_then_waits(stack: ExitStack, way: str) -> None:
    file = Failing(encode(TONE, RECIPES["wav"]))
    one = stack.enter_context(Audio(file, ahead_seconds=0.1))
    deck = Deck(SPEC)
    deck.add(one)
    deck.paused = False
    counts, out, done = [0], SPEC.silence(1000), threading.Event()

    def take() -> None:
        while not done.is_set():
            counts.append(len(deck.read(1000)) if way == "read" else deck.fill(out))

    taker = threading.Thread(target=take)
    taker.start()
    assert deck.await_end(SOON)
    with pytest.raises(OSError, match="the line is cut"):
        deck.raise_error()
    came, file.fails = one.position, False
    assert one.buffered == 0
    one.seek(came)
    deck.restart()
    assert not deck.await_end(0)
    done.set()
    deck.close()
    taker.join(SOON)
    assert sum(counts) >= SPEC.frames(came) > 0


def test_a_reader_blocked_in_a_track_that_is_left_and_closed_goes_on_with_the_next(stack: ExitStack) -> None:
    class Gate(io.BytesIO):
        reached, closed_now = threading.Event(), threading.Event()

        def read1(self, size: int | None = -1, /) -> bytes:
            if self.tell() > 80_000:
                self.reached.set()
                assert self.closed_now.wait(SOON)
            return super().read1(size)

        def close(self) -> None:
            self.closed_now.set()

    file = Gate(encode(TONE, RECIPES["wav"]))
    slow, follows = stack.enter_context(Audio(file)), track(stack, TONE[:500])
    deck = Deck(SPEC)
    deck.add(slow)
    deck.add(follows)
    deck.paused = False
    got: list[Samples] = []
    reader = threading.Thread(target=lambda: got.append(deck.read(44_100)))
    reader.start()
    assert file.reached.wait(SOON)
    deck.drop(slow)
    slow.close()
    reader.join(SOON)
    assert np.abs(got[0][-500:] - TONE[:500]).max() < 1e-4


def test_a_track_that_somebody_closes_is_over(stack: ExitStack) -> None:
    deck = Deck(SPEC)
    one = track(stack, TONE)
    deck.add(one)
    deck.paused = False
    one.close()
    assert deck.fill(SPEC.silence(10)) == 0
    assert len(deck.read(10)) == 0
    assert deck.await_end(0)
