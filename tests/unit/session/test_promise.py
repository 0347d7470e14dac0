"""A promise is settled once."""

from __future__ import annotations

import sys
import threading
from concurrent.futures import Future
from pathlib import Path
from types import FrameType

import pytest

from kithara_file.errors import Cancelled
from kithara_file.session.promise import Promise, finish


def test_whoever_comes_first_settles_a_promise() -> None:
    kept: Future[None] = Future()
    finish(kept, None)
    finish(kept, Cancelled())
    assert kept.result(0) is None

    broken: Future[None] = Future()
    finish(broken, Cancelled("first"))
    finish(broken, Cancelled("second"))
    finish(broken, None)
    with pytest.raises(Cancelled, match="first"):
        broken.result(0)


def test_no_signal_can_be_heard_between_taking_its_lock_and_letting_it_go() -> None:
    """An exception in the Python code of a lock leaves it taken, and whoever settles the promise would hang."""
    kept = Promise()
    entered: list[str] = []

    def watch(frame: FrameType, event: str, _: object) -> None:
        if event == "call":
            entered.append(Path(frame.f_code.co_filename).name)

    sys.setprofile(watch)
    try:
        kept.done()
        finish(kept, None)
        kept.result(0)
    finally:
        sys.setprofile(None)
    assert "_base.py" in entered  # of concurrent.futures
    assert "threading.py" not in entered


def test_a_promise_is_waited_for_by_a_thread() -> None:
    kept = Promise()
    with pytest.raises(TimeoutError):
        kept.result(0.001)
    threading.Timer(0.01, finish, (kept, None)).start()
    assert kept.result(30) is None
