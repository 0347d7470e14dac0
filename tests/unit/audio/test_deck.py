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

SOON = 5.0
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
    deck.expect(1)
    deck.paused = False
    filled(deck, 1000, 100)
    assert deck.fill(deck.spec.silence(64)) == 0  # the last track is left behind
    assert not deck.await_end(0)
    deck.add(track(stack, TONE[1000:2000]))
    deck.expect(0)
    assert np.abs(filled(deck, 1000, 100) - TONE[1000:2000]).max() < 1e-4
    while not deck.await_end(0):  # a device goes on asking
        assert deck.fill(deck.spec.silence(64)) == 0


def test_an_expected_track_that_never_comes_is_the_end(stack: ExitStack) -> None:
    told: list[Audio | None] = []
    deck = Deck(SPEC, told.append)
    deck.add(track(stack, TONE[:1000]))
    deck.expect(1)
    deck.drop()
    assert not deck.await_end(0)
    deck.expect(0)
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
