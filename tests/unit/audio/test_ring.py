"""Between the decoder and its listener."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from kithara_file.audio.media import Samples, Spec
from kithara_file.audio.ring import Ring, Work
from kithara_file.clock import Deadline
from kithara_file.errors import DecodeFailed, StreamClosed

SOON = 30.0


def ramp(start: int, end: int) -> Samples:
    return np.arange(start, end, dtype=np.float32)[:, None]


def values(samples: Samples) -> list[int]:
    return [int(value) for value in samples[:, 0]]


@pytest.fixture
def ring() -> Ring:
    return Ring(Spec(100, 1), 10)


def test_frames_come_out_in_order_in_any_portions(ring: Ring) -> None:
    ring.put(0, ramp(0, 4))
    ring.put(0, ramp(4, 8))
    assert values(ring.take(3)) == [0, 1, 2]
    assert values(ring.take(3)) == [3, 4, 5]
    assert ring.position == 6
    out = np.full((5, 1), -1, np.float32)
    assert ring.fill(out) == 2
    assert values(out) == [6, 7, -1, -1, -1]


def test_a_block_is_handed_on_without_a_copy(ring: Ring) -> None:
    block = ramp(0, 4)
    ring.put(0, block)
    got = ring.take_block()
    assert got is not None
    assert np.shares_memory(got, block)
    assert values(got) == [0, 1, 2, 3]
    assert ring.take_block() is None


def test_a_seek_drops_what_is_there_and_what_comes_for_an_older_epoch(ring: Ring) -> None:
    ring.put(0, ramp(0, 4))
    assert ring.seek(50) == 1
    assert ring.frames == 0
    assert not ring.put(0, ramp(4, 8))
    ring.end(0)
    ring.fail(0, DecodeFailed("old"))
    assert not ring.finished
    assert not ring.failed
    assert ring.put(1, ramp(50, 52))
    assert values(ring.take(9)) == [50, 51]
    assert ring.position == 52


def test_what_is_taken_of_an_epoch_is_of_no_other(ring: Ring) -> None:
    ring.put(0, ramp(0, 4))
    out = np.zeros((2, 1), np.float32)
    assert ring.fill_of(0, out) == 2
    assert values(out) == [0, 1]
    ring.seek(50)
    ring.put(1, ramp(50, 52))
    assert ring.fill_of(0, out) is None
    assert values(ring.take(9)) == [50, 51]


def test_the_producer_waits_for_room_and_hears_of_a_seek(ring: Ring) -> None:
    assert ring.await_work(0) == Work(0, 0, 10)
    ring.put(0, ramp(0, 10))
    works: list[Work | None] = []
    producer = threading.Thread(target=lambda: works.append(ring.await_work(0)))
    producer.start()
    ring.seek(7)
    producer.join(SOON)
    assert works == [Work(1, 7, 10)]


def test_a_full_ring_has_room_again_when_half_of_it_is_taken(ring: Ring) -> None:
    ring.put(0, ramp(0, 10))
    works: list[Work | None] = []
    producer = threading.Thread(target=lambda: works.append(ring.await_work(0)))
    producer.start()
    while not ring._resting:
        producer.join(0.001)
    ring.take(4)
    producer.join(0.01)
    assert works == [], "a producer that is woken for every packet costs more than to decode it"
    ring.take(1)
    producer.join(SOON)
    assert works == [Work(0, 0, 5)]


def test_all_is_taken_or_nothing(ring: Ring) -> None:
    ring.put(0, ramp(0, 3))
    assert ring.take_all(4) is None
    assert ring.take_all(0) is None
    got = ring.take_all(3)
    assert got is not None
    assert values(got) == [0, 1, 2]


def test_a_wait_ends_with_frames_the_end_an_error_or_the_deadline(ring: Ring) -> None:
    assert not ring.await_frames(1, Deadline.after(0.001))
    ring.put(0, ramp(0, 1))
    assert ring.await_frames(1, Deadline.after(SOON))
    assert not ring.await_frames(2, Deadline.after(0.001))
    ring.end(0)
    assert ring.await_frames(2, Deadline.after(SOON))
    assert not ring.finished
    ring.take(1)
    assert ring.finished


def test_more_than_fits_is_awaited_as_much_as_fits(ring: Ring) -> None:
    ring.put(0, ramp(0, 10))
    assert ring.await_frames(1000, Deadline.after(SOON))


def test_an_error_is_raised_until_a_seek(ring: Ring) -> None:
    ring.fail(0, DecodeFailed("broken"))
    for _ in range(2):
        with pytest.raises(DecodeFailed, match="broken"):
            ring.raise_error()
    ring.seek(0)
    ring.raise_error()


def test_what_is_given_back_is_taken_again(ring: Ring) -> None:
    ring.put(0, ramp(0, 6))
    pieces = [ring.take(2), ring.take(2)]
    ring.give_back(0, pieces)
    assert ring.position == 0
    assert values(ring.take(6)) == [0, 1, 2, 3, 4, 5]
    ring.seek(0)
    ring.give_back(0, pieces)
    assert ring.frames == 0


def test_close_wakes_everybody(ring: Ring) -> None:
    ring.put(0, ramp(0, 10))
    works: list[object] = []
    producer = threading.Thread(target=lambda: works.append(ring.await_work(0)))
    listener = threading.Thread(target=lambda: works.append(ring.await_frames(11, Deadline.after(SOON))))
    producer.start()
    listener.start()
    ring.close()
    producer.join(SOON)
    listener.join(SOON)
    assert None in works
    assert ring.closed
    assert not ring.put(0, ramp(0, 1))
    for call in (lambda: ring.take(1), lambda: ring.seek(0), ring.raise_error):
        with pytest.raises(StreamClosed):
            call()
