"""When gathered bytes are handed over."""

from __future__ import annotations

from kithara_file.net.gather import BOUND, HURRIED_LINGER, LINGER, QUIET, STEADY, STEP, Gather


def test_what_was_put_is_taken_in_order_and_once() -> None:
    gather = Gather(0.0)
    gather.put(b"ab")
    gather.put(b"c")
    assert gather.size == 3
    assert gather.take(0.0) == ((b"ab", b"c"), 3)
    assert gather.take(0.0) == ((), 0)


def test_a_step_is_ripe_and_the_bound_is_full() -> None:
    gather = Gather(0.0)
    seen = []
    for size in (STEP - 1, 1, BOUND - STEP):
        gather.put(bytes(size))
        seen.append((gather.ripe, gather.full))
    assert seen == [(False, False), (True, False), (True, True)]


def test_nobody_in_need_lets_bytes_linger() -> None:
    assert Gather(0.0).patience(0.0) == LINGER


def test_the_first_bytes_of_a_body_are_handed_to_who_waits_at_once() -> None:
    gather = Gather(0.0)
    gather.hurried = True
    assert gather.patience(0.0) == 0.0


def test_a_steady_stream_is_gathered_a_little_even_in_a_hurry() -> None:
    gather = Gather(0.0)
    gather.hurried = True
    gather.put(bytes(STEADY))
    gather.take(1.0)
    assert gather.patience(1.0 + QUIET / 2) == HURRIED_LINGER


def test_after_a_quiet_spell_the_next_byte_is_news_again() -> None:
    gather = Gather(0.0)
    gather.hurried = True
    gather.put(bytes(STEADY))
    gather.take(1.0)
    assert gather.patience(1.0 + QUIET) == 0.0
