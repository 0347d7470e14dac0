"""What stands in for the calls that other operating systems lack keeps the same promises."""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pytest

from kithara_file.assets.store import AssetStore
from kithara_file.clock import Deadline
from kithara_file.errors import LeaseHeld
from kithara_file.storage import copying, platform, system
from kithara_file.storage.system import OpenFile
from tests.unit.assets.goods import BODY, KEY, fill, key, put, stored
from tests.unit.storage.places import Place, pattern, read
from tests.world.crash import fork_holding, fork_while_held


class ByteLocks:
    """Locks of ranges for one, as `msvcrt` has them; here by open file descriptions."""

    LK_UNLCK, LK_NBLCK = 0, 2

    @classmethod
    def locking(cls, fd: int, mode: int, size: int) -> None:
        """Lock or unlock `size` bytes where the file stands."""
        kind = fcntl.F_UNLCK if mode == cls.LK_UNLCK else fcntl.F_WRLCK
        start = os.lseek(fd, 0, os.SEEK_CUR)
        fcntl.fcntl(fd, fcntl.F_OFD_SETLK, struct.pack("hhqqi4x", kind, os.SEEK_SET, start, size, 0))


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take away what only Linux, or only POSIX, has."""
    monkeypatch.setattr(platform, "preadv", platform.preadv_by_position)
    monkeypatch.setattr(platform, "pwritev", platform.pwritev_by_position)
    monkeypatch.setattr(platform, "datasync", os.fsync)
    monkeypatch.setattr(platform, "DIRECTORY", 0)
    monkeypatch.setattr(platform, "NOFOLLOW", 0)
    monkeypatch.setattr(platform, "NONBLOCK", 0)
    monkeypatch.setattr(platform, "_fcntl", None)
    monkeypatch.setattr(platform, "_msvcrt", ByteLocks)
    monkeypatch.setattr(copying, "_ioctl", None)
    monkeypatch.delattr(os, "copy_file_range")
    monkeypatch.setattr(system, "_BOOT_ID", Path("/nowhere"))
    system.boot_id.cache_clear()


@pytest.fixture(autouse=True)
def boot_id_is_asked_again() -> Iterator[None]:
    yield
    system.boot_id.cache_clear()


@pytest.mark.usefixtures("elsewhere")
def test_a_resource_lands_reads_commits_and_comes_back(place: Place) -> None:
    resource = place.create(length=1000)
    resource.write_at(500, pattern(500, 700), pattern(700, 1000))
    resource.write_at(0, pattern(0, 500))
    assert read(resource, 100, 800) == pattern(100, 900)
    resource.commit()
    resource.close()
    again = place.reopen(length=1000, committed=True)
    assert again.committed
    assert not again.verify()
    assert read(again, 0, 1000) == pattern(0, 1000)
    again.close()


@pytest.mark.usefixtures("elsewhere")
def test_threads_that_share_one_position_read_what_they_asked_for(tmp_path: Path) -> None:
    (tmp_path / "data").write_bytes(pattern(0, 100_000))
    file = OpenFile.existing(tmp_path / "data")
    wrong: list[int] = []

    def work(first: int) -> None:
        for at in range(first, 90_000, 977):
            buffer = bytearray(1000)
            file.read_into(memoryview(buffer), at)
            file.write(at, [pattern(at, at + 10)])
            if buffer != pattern(at, at + 1000):
                wrong.append(at)

    threads = [threading.Thread(target=work, args=(each,)) for each in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert wrong == []


@pytest.mark.usefixtures("elsewhere")
def test_a_store_keeps_evicts_pins_and_exports(store_dir: Path, tmp_path: Path) -> None:
    with AssetStore(store_dir) as store:
        with store.open(KEY) as entry:
            fill(entry)
            with pytest.raises(LeaseHeld):
                store.remove(KEY)
        put(store, 0)
        store.pin(key(0))
        store.export(KEY, tmp_path / "out")
        assert (tmp_path / "out").read_bytes() == BODY
        assert all(each.good for each in store.verify())
    with AssetStore(store_dir, max_assets=0) as store:
        assert store.gc().assets == 1
        with store.open(key(0)) as entry:
            assert stored(entry) == bytes(len(BODY))


@contextmanager
def opened(path: Path) -> Iterator[int]:
    fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        yield fd
    finally:
        os.close(fd)


@pytest.mark.parametrize("by_bytes", [False, True], ids=["flock", "ranges"])
def test_a_lock_is_shared_or_held_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, by_bytes: bool) -> None:
    if by_bytes:
        monkeypatch.setattr(platform, "_fcntl", None)
        monkeypatch.setattr(platform, "_msvcrt", ByteLocks)
    path = tmp_path / "lock"
    with opened(path) as one, opened(path) as two, opened(path) as three:
        assert platform.try_lock(one, alone=False)
        assert platform.try_lock(two, alone=False)
        assert not platform.try_lock(three, alone=True)
        platform.unlock(one)
        assert not platform.try_lock(three, alone=True)
        assert platform.try_lock(two, alone=True)
        assert not platform.try_lock(three, alone=False)
        platform.unlock(two)
        assert platform.try_lock(three, alone=False)
        assert platform.try_lock(three, alone=True)


@pytest.mark.parametrize("error, told", [(errno.EACCES, False), (errno.EDEADLK, False), (errno.EIO, True)])
def test_trouble_with_a_lock_is_told_and_a_taken_one_is_not_trouble(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: int, *, told: bool
) -> None:
    def locking(_fd: int, mode: int, _size: int) -> None:
        raise OSError(errno.EACCES if mode == 0 else error, "")

    monkeypatch.setattr(platform, "_fcntl", None)
    monkeypatch.setattr(platform, "_msvcrt", SimpleNamespace(locking=locking, LK_UNLCK=0, LK_NBLCK=2))
    with opened(tmp_path / "lock") as fd:
        if told:
            with pytest.raises(OSError, match=f"Errno {error}"):
                platform.try_lock(fd, alone=True)
        else:
            assert not platform.try_lock(fd, alone=True)
            assert not platform.try_lock(fd, alone=False)


def test_what_a_system_does_not_tell_is_guessed_on_the_safe_side(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    told = SimpleNamespace(st_size=1000)
    assert platform.taken_bytes(told) == 1000  # type: ignore[arg-type]
    assert platform.taken_bytes(SimpleNamespace(st_size=1000, st_blocks=1)) == 512  # type: ignore[arg-type]
    assert platform.free_bytes(tmp_path) > 0
    monkeypatch.delattr(os, "sysconf")
    assert platform._most_buffers() == 16


@pytest.mark.parametrize("known", [True, False])
def test_bytes_are_the_same_before_and_after_they_are_written_out(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, *, known: bool
) -> None:
    if not known:
        monkeypatch.setattr(ctypes, "CDLL", lambda _: None)
        platform._of_libc.cache_clear()
    with opened(tmp_path / "data") as fd:
        os.pwrite(fd, b"0123456789", 3)
        platform.begin_write_back(fd)
        os.pwrite(fd, b"ab", 3)
        platform.begin_write_back(fd)
        assert os.pread(fd, 20, 0) == b"\0\0\0ab23456789"
    platform.begin_write_back(-1)
    platform.give_memory_back()
    platform._of_libc.cache_clear()


@pytest.mark.parametrize("patience, half", [(60.0, 0), (0.01, 1)])
def test_no_child_finds_a_lock_held_nor_if_it_can_be_helped_what_it_guards_half_changed(
    monkeypatch: pytest.MonkeyPatch, patience: float, half: int
) -> None:
    monkeypatch.setattr(platform, "FORK_SECONDS", patience)
    lock, state, held, forked = platform.lock_of_forks(), [0, 0], threading.Event(), threading.Event()

    def change() -> None:
        with lock:
            state[0] = 1
            held.set()
            forked.wait(60 if half else 0.1)  # who does not lose patience forks only after this
            state[1] = 1

    changing = threading.Thread(target=change)
    changing.start()
    held.wait(30)
    child = os.fork()
    if child == 0:
        free = lock.acquire(timeout=60)
        os._exit(2 if not free else abs(state[0] - state[1]))
    forked.set()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == half
    changing.join()
    with lock:
        assert state == [1, 1]


@pytest.mark.parametrize("make", [platform.lock_of_forks, platform.lock_renewed_by_forks])
def test_who_forks_while_it_holds_a_lock_holds_it_in_both(make: Callable[[], threading.RLock]) -> None:
    assert fork_holding(make()) == 0


def test_no_fork_waits_for_a_lock_that_it_renews(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "FORK_SECONDS", 60.0)
    lock = platform.lock_renewed_by_forks()
    for each in (lock, platform._turn):
        begun = time.monotonic()
        assert fork_while_held(each, lambda each=each: each.__enter__()) == 0  # type: ignore[misc]
        assert time.monotonic() - begun < 30


def test_without_forks_there_is_nothing_to_do_after_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "register_at_fork")
    platform.after_fork_in_child(lambda: None)


def test_a_lock_that_is_waited_for_in_vain_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from kithara_file.assets.locks import FileLock  # noqa: PLC0415 - beside what it stands on

    monkeypatch.setattr(platform, "_fcntl", None)
    monkeypatch.setattr(platform, "_msvcrt", ByteLocks)
    one, two = FileLock(tmp_path / "lock"), FileLock(tmp_path / "lock")
    one.share(Deadline.after(1.0))
    with pytest.raises(LeaseHeld):
        two.alone(Deadline.after(0.01))
    one.close()
    two.alone(Deadline.after(1.0))
    two.close()
