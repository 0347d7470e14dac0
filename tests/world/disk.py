"""Disks that fail: full, read-only, rotten. Real ones, mounted for a test; where that is not allowed it is skipped.

    with small_disk(folder, "size=512k"): ...       # or "nr_inodes=9": ENOSPC when a file is made, not when written
    with small_disk(folder, "size=512k"):
        with filled(folder): ...                    # takes no byte more, until the block is left
    with read_only(folder): ...                     # also for root, whom no mode bits stop
    with bad_disk(tmp_path) as disk:                # a file system on a device that can lose its sectors
        disk.rot(path)                              # what is read of that file from now on is EIO
        disk.refuse()                               # what is written from now on is EIO, at the sync
    vanish(folder)                                  # gone at once, whoever is making files in it

Must not know: what is kept on the disks.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from errno import ENOSPC
from pathlib import Path

import pytest

MIB = 1 << 20
PAGE = 4096


def _mount(*arguments: object) -> None:
    command = ["mount", *map(str, arguments)]
    found = subprocess.run(command, check=False, capture_output=True, text=True)
    if found.returncode:
        pytest.skip(f"mounting is not allowed here: {found.stderr.strip()}")


def _unmount(folder: Path) -> None:
    # Lazily: a test that failed may still hold a file on it.
    subprocess.run(["umount", "--lazy", folder], check=True)


@contextmanager
def small_disk(folder: Path, *options: str) -> Iterator[Path]:
    """Mount a disk in memory with these options of tmpfs(5) at `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    _mount("-t", "tmpfs", "-o", ",".join(("mode=0700", *options)), "tmpfs", folder)
    try:
        yield folder
    finally:
        _unmount(folder)


def resize(folder: Path, option: str) -> None:
    """Change the size of a small disk that is mounted."""
    subprocess.run(["mount", "-o", f"remount,{option}", folder], check=True)


@contextmanager
def filled(folder: Path, *, but: int = 0) -> Iterator[None]:
    """Fill the disk of `folder` to its last byte but so many, and free it again."""
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as file:
        for size in (64 * PAGE, PAGE, 1):
            _write_all(file.fileno(), bytes(size))
        file.truncate(max(0, file.tell() - but))
    try:
        yield
    finally:
        ballast.unlink()


def vanish(folder: Path) -> None:
    """Delete a folder in one step, also while others make files in it: those are made in a new one, or not at all."""
    gone = folder.rename(folder.with_name(f"{folder.name} that was deleted"))
    shutil.rmtree(gone, ignore_errors=True)


def _write_all(fd: int, piece: bytes) -> None:
    try:
        while os.write(fd, piece):
            pass
    except OSError as error:
        if error.errno != ENOSPC:
            raise


@contextmanager
def read_only(folder: Path) -> Iterator[Path]:
    """Let nobody write to `folder`, not even root."""
    with bound(folder, folder):
        _mount("-o", "remount,bind,ro", folder)
        yield folder


@contextmanager
def bound(there: Path, here: Path) -> Iterator[None]:
    """Let the path `here`, which exists, lead to the file or folder `there`, perhaps of another disk."""
    _mount("--bind", there, here)
    try:
        yield
    finally:
        _unmount(here)


class BadDisk:
    """A file system on a loop device whose image lies on a small disk of its own."""

    def __init__(self, folder: Path, image: Path) -> None:
        self.folder = folder
        self._image = image
        self._stack = ExitStack()

    def rot(self, path: Path) -> None:
        """Lose the sectors of a file: reading what is not in the page cache is EIO from now on, and nothing is."""
        with path.open("rb") as file:
            os.fsync(file.fileno())
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        os.truncate(self._image, MIB)  # where the directories are

    def refuse(self) -> None:
        """Have no room for sectors: what is written is taken, and EIO when it is synced."""
        self._stack.enter_context(filled(self._image.parent))

    def close(self) -> None:
        """Free what `refuse` took."""
        self._stack.close()


@contextmanager
def bad_disk(work: Path, size: int = 24 * MIB) -> Iterator[BadDisk]:
    """Mount a file system of the size (ext4 without a journal of its own) that can be made to fail."""
    with ExitStack() as stack:
        below = stack.enter_context(small_disk(work / "below", f"size={size}"))
        image, folder = below / "image", work / "bad"
        with image.open("wb") as file:
            file.truncate(size)
        try:
            make = ["mkfs.ext4", "-q", "-F", "-m", "0", "-O", "^has_journal", image]
            subprocess.run(list(map(str, make)), check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError) as error:
            pytest.skip(f"no file system can be made here: {error}")
        folder.mkdir()
        _mount("-o", "loop", image, folder)
        stack.callback(_unmount, folder)
        disk = BadDisk(folder, image)
        stack.callback(disk.close)
        yield disk


@contextmanager
def nobody(*folders: Path) -> Iterator[int]:
    """Give these folders, and the way to them, to the user `nobody`; return the number of that user."""
    if os.geteuid() != 0:
        pytest.skip("only root can become somebody else")
    uid = 65534
    for folder in folders:
        os.chown(folder, uid, uid)
        for above in folder.parents:
            with suppress(PermissionError):
                above.chmod(above.stat().st_mode | 0o011)
    yield uid
