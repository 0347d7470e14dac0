"""Unit tests of the window of memory, and of reading on past disks that are really full or read-only."""

from __future__ import annotations

import resource as limits
import signal
import subprocess
import sys
from errno import EFBIG, ENOSPC, EROFS
from pathlib import Path

import pytest

from kithara_file.errors import DiskFull, StorageError
from kithara_file.ranges import ByteRange
from kithara_file.storage.spill import OVERHEAD, Window
from tests.unit.storage.places import Place, pattern, read, remount, small_disk, spans

STEP = 16 * 1024


def test_what_is_kept_is_found_from_any_offset_in_it() -> None:
    window = Window(10_000)
    window.put(10, b"abcde")
    window.put(30, b"xyz")
    found = [bytes(window.find(at) or b"") for at in (9, 10, 14, 15, 29, 32, 33)]
    assert found == [b"", b"abcde", b"e", b"", b"", b"z", b""]
    assert [window.next_start(at, 100) for at in (0, 10, 29, 30)] == [10, 30, 30, 100]
    assert window.next_start(0, 5) == 5


def test_the_oldest_go_first_and_are_told() -> None:
    window = Window(3 * (OVERHEAD + 10))
    assert [window.put(start, b"x" * 10) for start in (50, 0, 20)] == [[], [], []]
    assert window.put(90, b"x" * 20) == [ByteRange(50, 60), ByteRange(0, 10)]
    assert sorted(each.start for each in window) == [20, 90]


def test_a_piece_larger_than_the_window_is_kept_alone() -> None:
    window = Window(10)
    window.put(0, b"a")
    assert window.put(5, b"x" * 1000) == [ByteRange(0, 1)]
    assert bytes(window.find(5) or b"") == b"x" * 1000


def test_tiny_pieces_cannot_outgrow_the_bound_by_their_number() -> None:
    window = Window(100 * OVERHEAD)
    for start in range(1000):
        window.put(2 * start, b"x")
    assert len(list(window)) <= 100


def test_reading_goes_on_past_a_full_disk_and_nothing_stored_is_lost(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk") as folder:
        place = Place(folder)
        resource = place.create(length=1 << 20)
        for at in range(0, 1 << 20, STEP):
            resource.write_at(at, pattern(at, at + STEP // 2), pattern(at + STEP // 2, at + STEP))
            assert read(resource, at, STEP) == pattern(at, at + STEP)
        assert resource.spilling
        assert isinstance(resource.fault, DiskFull)
        assert resource.fault.errno == ENOSPC
        assert read(resource, 0, 1 << 20) == pattern(0, 1 << 20)  # over the seam of disk and memory
        with pytest.raises(DiskFull, match="No space left"):
            resource.commit()
        resource.close()
        resource = place.reopen(length=1 << 20)
        stored = resource.coverage.end
        assert 256 * 1024 < stored < 512 * 1024
        assert read(resource, 0, 1 << 20) == pattern(0, stored)
        resource.close()


def test_what_falls_out_of_the_window_is_absent_and_lands_again(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "64k") as folder:
        resource = Place(folder).create(length=1 << 20, memory_bytes=4 * (STEP + OVERHEAD))
        for at in range(0, 1 << 20, STEP):
            resource.write_at(at, pattern(at, at + STEP))
        disk, memory = spans(resource)
        assert memory == ((1 << 20) - 4 * STEP, 1 << 20)
        assert read(resource, disk[1], 10) == b""
        resource.write_at(disk[1] - 5, pattern(disk[1] - 5, disk[1] + STEP))
        assert read(resource, 0, 1 << 20) == pattern(0, disk[1] + STEP)
        resource.close()


def test_a_window_read_across_many_pieces_is_right(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "64k") as folder:
        resource = Place(folder).create()
        resource.write_at(0, pattern(0, 100_000))
        assert resource.spilling
        for at in range(200_000, 210_000, 200):
            resource.write_at(at, pattern(at, at + 100))
        for at in range(200_100, 210_000, 200):
            resource.write_at(at - 7, pattern(at - 7, at + 107))
        assert read(resource, 200_000, 20_000) == pattern(200_000, 210_007)
        assert read(resource, 90_000, 20_000) == pattern(90_000, 100_000)
        resource.close()


def test_a_cache_that_became_read_only_is_read_and_read_past(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk") as folder:
        place = Place(folder)
        resource = place.create(length=100)
        resource.write_at(0, pattern(0, 50))
        resource.close()
        remount(folder, "ro")
        resource = place.reopen(length=100)
        assert read(resource, 0, 100) == pattern(0, 50)
        assert not resource.spilling
        resource.write_at(50, pattern(50, 100))
        assert read(resource, 0, 100) == pattern(0, 100)
        assert resource.fault is not None
        assert resource.fault.errno == EROFS
        with pytest.raises(StorageError, match="Read-only"):
            resource.commit()
        resource.close()
        remount(folder, "rw")


def test_a_file_that_may_not_grow_is_read_past() -> None:
    """Needs no mount, so that it runs everywhere: in a child, because the limit is the whole process's."""
    child = subprocess.run([sys.executable, "-c", _LIMITED], check=True, capture_output=True, text=True, timeout=60)
    assert child.stdout.split() == ["True", str(EFBIG), "True", "100000"]


_LIMITED = f"""
import resource, signal, tempfile
from pathlib import Path
from tests.unit.storage.places import Place, pattern, read
signal.signal({int(signal.SIGXFSZ)}, signal.SIG_IGN)
resource.setrlimit({limits.RLIMIT_FSIZE}, (100_000, 100_000))
with tempfile.TemporaryDirectory() as folder:
    place = Place(Path(folder))
    made = place.create()
    made.write_at(0, pattern(0, 150_000))
    print(made.spilling, made.fault.errno, read(made, 0, 200_000) == pattern(0, 150_000))
    made.close()
    print(place.reopen().coverage.end)
"""
