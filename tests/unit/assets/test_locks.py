"""Locks that the kernel lets go."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kithara_file.assets.locks import FileLock
from kithara_file.clock import Deadline
from kithara_file.errors import LeaseHeld
from tests.world.crash import Child

Open = Callable[[], FileLock]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "lock"


@pytest.fixture
def locks(place: Path) -> Iterator[Open]:
    with contextlib.ExitStack() as stack:

        def another() -> FileLock:
            return stack.enter_context(contextlib.closing(FileLock(place)))

        yield another


def test_many_share_and_one_alone_excludes_all(locks: Open) -> None:
    one, other, third = locks(), locks(), locks()
    assert one.try_share()
    assert other.try_share()
    assert not third.try_alone()
    one.close()
    assert not third.try_alone()
    other.close()
    assert third.try_alone()
    assert not locks().try_share()


def test_a_wait_for_a_lock_ends_at_its_deadline(locks: Open) -> None:
    assert locks().try_alone()
    with pytest.raises(LeaseHeld, match="holds"):
        locks().share(Deadline.after(0.0))
    with pytest.raises(LeaseHeld):
        locks().alone(Deadline.after(0.01))


def test_a_wait_for_a_lock_ends_when_its_holder_lets_go(locks: Open) -> None:
    holder, waiter = locks(), locks()
    assert holder.try_alone()
    release = threading.Timer(0.01, holder.close)
    release.start()
    waiter.alone(Deadline.after(30.0))
    release.join()
    assert not locks().try_share()


def test_a_lock_whose_file_was_removed_keeps_nobody_out(locks: Open, place: Path) -> None:
    lock = locks()
    before = lock.named
    place.unlink()
    without = lock.named
    other = locks()
    assert (before, without, lock.named, other.named) == (True, False, False, True)


def test_a_closed_lock_is_nothing(locks: Open) -> None:
    lock = locks()
    lock.close()
    lock.close()
    assert not lock.open
    assert not lock.named
    assert "closed" in repr(lock)


def test_a_dropped_lock_is_let_go(locks: Open, place: Path) -> None:
    def take_and_drop() -> None:
        assert FileLock(place).try_alone()

    take_and_drop()
    assert locks().try_alone()


def test_a_killed_process_holds_nothing(locks: Open, place: Path) -> None:
    with Child(
        """
        from pathlib import Path
        from kithara_file.assets.locks import FileLock
        lock = FileLock(Path(argv[0]))
        print(lock.try_alone(), flush=True)
        import signal
        signal.pause()
        """,
        place,
    ) as child:
        assert child.next_line() == "True"
        lock = locks()
        assert not lock.try_share()
        child.kill()
        child.wait()
        assert lock.try_alone()


FORK = """
    import os, signal
    from pathlib import Path
    from kithara_file.assets.locks import FileLock
    lock = FileLock(Path(argv[0]))
    lock.try_alone()
    child = os.fork()
    if not child:
        lock.close()                        # must not take the lock from the parent
        print(os.getpid(), lock.open, flush=True)
        signal.pause()
    signal.pause()
"""


def test_a_forked_child_neither_holds_its_parents_lock_nor_lets_it_go(locks: Open, place: Path) -> None:
    with Child(FORK, place) as parent:
        child, still_open = parent.next_line().split()
        try:
            assert still_open == "False"
            lock = locks()
            assert not lock.try_share()
            parent.kill()
            lock.alone(Deadline.after(10.0))
        finally:
            os.kill(int(child), 9)
