"""The rules that every open file follows, whoever waits for its bytes."""

from __future__ import annotations

import errno
import os

import pytest

from kithara_file.clock import CancelToken
from kithara_file.errors import Cancelled, KitharaError, NetTimeout, NotFound, StreamClosed
from kithara_file.storage import MemoryResource
from kithara_file.stream.handle import BLIND_STEP, LARGEST_STEP, Handle, step_of_all
from tests.contract.files import MemorySource

GONE = NotFound(404, url="http://host/")


class Bare(Handle):
    """A handle and nothing else."""

    closed = False


@pytest.fixture
def token() -> CancelToken:
    """Make a token."""
    return CancelToken()


@pytest.fixture
def handle(token: CancelToken) -> Bare:
    """Make a handle at 40 of a source that heard nothing yet."""
    handle = Bare(MemorySource(MemoryResource(100)), token)
    handle._move(40, 0)
    return handle


@pytest.mark.parametrize(
    "length, position, step",
    [
        (None, 0, BLIND_STEP),
        (100, 0, 100),
        (100, 99, 1),
        (100, 100, 1),
        (100, 500, 1),
        (2**63 - 1, 0, LARGEST_STEP),
        (0, 0, 1),
    ],
)
def test_all_there_is_costs_no_memory_before_it_comes(length: int | None, position: int, step: int) -> None:
    assert step_of_all(length, position) == step


@pytest.mark.parametrize("whence, base", [(os.SEEK_SET, 0), (os.SEEK_CUR, 40), (os.SEEK_END, None)])
def test_an_offset_counts_from_the_start_the_place_or_the_end(handle: Bare, whence: int, base: int | None) -> None:
    assert handle._base(whence) == base


def test_it_cannot_count_from_elsewhere(handle: Bare) -> None:
    with pytest.raises(ValueError, match="whence cannot be 3"):
        handle._base(3)


def test_before_the_start_is_nowhere(handle: Bare) -> None:
    with pytest.raises(OSError, match=os.strerror(errno.EINVAL)):
        handle._move(-41, 40)
    assert handle.tell() == 40


def test_an_error_sticks_until_a_move_or_a_retry(handle: Bare) -> None:
    for forget in (lambda: handle._move(1, 0), handle.retry):
        with pytest.raises(NotFound):
            handle._fail(GONE)
        assert (type(handle.error), str(handle.error)) == (NotFound, str(GONE))
        with pytest.raises(NotFound):
            handle._check()
        handle._check(sticky=False)
        forget()
        handle._check()


def test_what_only_asked_for_the_length_leaves_nothing_behind(handle: Bare) -> None:
    with pytest.raises(NotFound):
        handle._fail(GONE, sticky=False)
    assert handle.error is None


@pytest.mark.parametrize(
    "reason, error, told",
    [
        (None, GONE, GONE),
        (None, StreamClosed(), StreamClosed),
        (Cancelled("enough"), StreamClosed(), Cancelled),
        (Cancelled("enough"), GONE, Cancelled),
        (StreamClosed(), StreamClosed(), StreamClosed),
    ],
)
def test_who_was_given_up_is_told_that_and_not_what_it_led_to(
    handle: Bare, token: CancelToken, reason: KitharaError | None, error: KitharaError, told: object
) -> None:
    if reason is not None:
        token.cancel(reason)
    with pytest.raises(KitharaError) as caught:
        handle._fail(error)
    assert caught.value is told or type(caught.value) is told


def test_a_wait_that_was_too_long_names_the_file_and_the_seconds(handle: Bare) -> None:
    with pytest.raises(NetTimeout, match=r"^Waited 0 s in vain for another byte from memory$"):
        handle._fail(TimeoutError())


def test_its_patience_is_that_of_the_source(handle: Bare) -> None:
    assert handle._patience().remaining() is None
    handle._source.read_timeout = 0.0  # type: ignore[misc]
    assert handle._patience().passed


def test_closed_it_answers_nothing(handle: Bare) -> None:
    handle.closed = True
    for ask in (handle.tell, handle.readable, handle.seekable, handle._check):
        with pytest.raises(StreamClosed):
            ask()


def test_it_says_what_it_is_and_where(handle: Bare) -> None:
    assert (handle.name, handle.mode, handle.length, handle.readable(), handle.seekable()) == (
        "memory", "rb", 100, True, True,
    )  # fmt: skip
    assert repr(handle) == "<Bare memory at 40 of 100>"
    handle.closed = True
    assert repr(handle) == "<Bare memory closed>"
