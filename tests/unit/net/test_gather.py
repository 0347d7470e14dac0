"""When gathered bytes are handed over."""

from __future__ import annotations

from kithara_file.net.gather import GROWTH, HURRIED_LINGER, KIB, LINGER, MOST, QUIET, STEADY, STEP, Gather


def test_what_was_put_is_taken_in_order_and_once() -> None:
    gather = Gather(0.0)
    gather.put(b"ab")
    gather.put(b"c")
    assert gather.size == 3
    assert gather.take(0.0) == ((b"ab", b"c"), 3)
    assert gather.take(0.0) == ((), 0)


def most(gather: Gather, share: int) -> int:
    """Return how many bytes it takes before it is full while somebody waits, and take them out again."""
    gather.expect(share)
    size = 0
    while gather.room > 0:
        gather.put(bytes(KIB))
        size += KIB
    gather.take(0.0)
    return size


def test_a_step_is_ripe() -> None:
    gather = Gather(0.0)
    gather.expect(MOST)
    seen = []
    for size in (STEP - 1, 1):
        gather.put(bytes(size))
        seen.append(gather.ripe)
    assert seen == [False, True]


def test_while_nobody_waits_one_piece_fills_it() -> None:
    gather = Gather(0.0)
    seen = []
    for _ in range(2):
        seen.append(gather.room <= 0)
        gather.put(b"x")
        seen.append(gather.room <= 0)
        gather.expect(MOST)
        seen.append(gather.room <= 0)
        gather.take(0.0)
    assert seen == [False, True, False] * 2


def test_what_a_share_allows_is_ripe_and_full_when_it_is_less_than_a_step() -> None:
    gather = Gather(0.0)
    assert most(gather, STEP // 8) == STEP // 8
    gather.expect(STEP // 4)
    gather.put(bytes(STEP // 4))
    assert (gather.ripe, gather.room) == (True, 0)


def test_the_more_a_body_has_brought_the_more_of_it_may_come_in_one_go() -> None:
    gather = Gather(0.0)
    found = []
    for brought in (0, 2 * GROWTH * STEP, 2 * GROWTH * MOST):
        gather.put(bytes(brought))
        gather.take(0.0)
        found.append(most(gather, 2 * MOST))
    assert found[0] == STEP
    assert 2 * STEP <= found[1] < 2 * STEP + STEP // GROWTH + KIB
    assert found[2] == MOST


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
