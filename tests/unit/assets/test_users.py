"""Which processes hold the lease of an asset."""

from __future__ import annotations

import os
from contextlib import closing
from pathlib import Path

import pytest

from kithara_file.assets.locks import FileLock
from kithara_file.assets.users import users_of
from tests.world.crash import Child

HOLDING = """
    import signal
    from pathlib import Path
    from kithara_file.assets.locks import FileLock
    lock = FileLock(Path(argv[0]))
    assert lock.try_share()
    print("held", flush=True)
    signal.pause()
"""


def test_every_process_that_holds_it_is_told(tmp_path: Path) -> None:
    lease = tmp_path / "lease"
    with closing(FileLock(lease)) as lock, Child(HOLDING, lease) as child:
        assert lock.try_share()
        child.wait_line("held")
        assert users_of(lease) == tuple(sorted((os.getpid(), child.pid)))
        child.kill()
        child.wait()
        assert users_of(lease) == (os.getpid(),)


def test_a_lease_that_nobody_holds_or_that_is_not_there_has_no_users(tmp_path: Path) -> None:
    assert users_of(tmp_path / "lease") == ()
    (tmp_path / "lease").touch()
    assert users_of(tmp_path / "lease") == ()


def table(proc: Path, *lines: str) -> Path:
    (proc / "locks").write_text("\n".join(lines) + "\n")
    return proc


def test_who_waits_and_who_locks_in_another_way_does_not_hold_it(tmp_path: Path) -> None:
    lease = tmp_path / "lease"
    lease.touch()
    status = lease.stat()
    place = f"{os.major(status.st_dev):02x}:{os.minor(status.st_dev):02x}:{status.st_ino}"
    proc = table(
        tmp_path,
        f"1: FLOCK  ADVISORY  READ 7 {place} 0 EOF",
        f"1: -> FLOCK  ADVISORY  WRITE 8 {place} 0 EOF",
        f"2: POSIX  ADVISORY  WRITE 9 {place} 0 EOF",
        f"3: FLOCK  ADVISORY  READ 0 {place} 0 EOF",
        "4: FLOCK  ADVISORY  READ 10 00:00:1 0 EOF",
        "nonsense",
    )
    assert users_of(lease, proc) == (7,)


@pytest.mark.parametrize("told", [True, False])
def test_where_the_table_tells_nothing_open_files_are_looked_at(tmp_path: Path, *, told: bool) -> None:
    lease, proc = tmp_path / "lease", tmp_path / "proc"
    lease.touch()
    for process in ("11", "12", "self"):
        (proc / process / "fd").mkdir(parents=True)
    (proc / "12" / "fd" / "3").symlink_to(lease)
    (proc / "11" / "fd" / "3").symlink_to(tmp_path)
    (proc / "13").mkdir()
    if told:
        table(proc, "1: FLOCK  ADVISORY  READ 7 ff:ff:1 0 EOF")
    assert users_of(lease, proc) == (12,)
