"""A disk that is full, at any step: readers read on past the cache, are told, and nothing stored is damaged."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from kithara_file import DiskFull, StorageError
from kithara_file.assets.meta import read_meta, write_meta
from tests.system.bad_machine import BODY, DATA, claims, fill, look, reads_right, refetched, serve, session_of, stored
from tests.system.kit import SOON
from tests.world import Origin
from tests.world.crash import run_child
from tests.world.disk import PAGE, bound, filled, resize, small_disk

pytestmark = pytest.mark.system


@pytest.fixture
def url(origin: Origin) -> str:
    return serve(origin)


def read_past(url: str, store: Path) -> None:
    """Read the whole file rightly though the disk is full, and be told so."""
    seen = look(url, store)
    assert seen.data == DATA
    assert seen.bypassed
    assert isinstance(seen.completion, DiskFull)
    assert "No space left" in str(seen.completion)


def test_a_disk_that_fills_up_in_the_data_is_read_past_and_told(url: str, tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "size=400k") as disk:
        read_past(url, disk / "store")
        assert 200_000 < claims(url, disk / "store") < 400_000


def test_after_space_is_freed_the_next_open_goes_on_from_what_is_stored(
    origin: Origin, url: str, tmp_path: Path
) -> None:
    with small_disk(tmp_path / "disk", "size=400k") as disk:
        read_past(url, disk / "store")
        held = claims(url, disk / "store")
        resize(disk, "size=4m")
        assert refetched(origin, url, disk / "store") == BODY.length - held


def test_a_full_disk_is_sought_in_and_read_twice(url: str, tmp_path: Path) -> None:
    with (
        small_disk(tmp_path / "disk", "size=400k") as disk,
        session_of(url, disk / "store") as session,
        session.stream() as stream,
    ):
        for start in (0, 900_000, 300_000, 1_000_000, 10, 600_000, 0):
            stream.seek(start)
            assert stream.read(150_000) == DATA[start : start + 150_000]


@pytest.mark.parametrize("pages", range(9))
def test_a_disk_without_room_for_the_first_steps_is_read_past(url: str, tmp_path: Path, pages: int) -> None:
    """Page by page: folder, lease, index, data, journal and meta each come to the point where there is no room."""
    with small_disk(tmp_path / "disk", f"size={(pages + 1) * PAGE}") as disk:
        read_past(url, disk / "store")
        assert claims(url, disk / "store") <= pages * PAGE
        resize(disk, "size=8m")
        reads_right(url, disk / "store")


@pytest.mark.parametrize("files", range(2, 14))
def test_a_disk_on_which_no_further_file_can_be_made_is_read_past(url: str, tmp_path: Path, files: int) -> None:
    """One by one: each file and folder that a store makes is the one for which there is no inode."""
    with small_disk(tmp_path / "disk", f"nr_inodes={files}") as disk:
        seen = look(url, disk / "store")
        assert seen.data == DATA
        assert seen.completion is None or isinstance(seen.completion, DiskFull)
        assert bool(seen.bypassed) == (seen.completion is not None)
        assert claims(url, disk / "store") in (0, BODY.length)
        resize(disk, "nr_inodes=99")
        reads_right(url, disk / "store")


def test_a_journal_that_cannot_grow_is_told_and_claims_nothing_it_did_not_record(
    origin: Origin, url: str, tmp_path: Path
) -> None:
    """The journal alone lies on a disk that is full."""
    store = tmp_path / "store"
    fill(url, store, 300_000)
    held = claims(url, store)
    journal = stored(store, ".journal")
    with small_disk(tmp_path / "disk", "size=64k") as disk:
        apart = disk / "journal"
        apart.write_bytes(journal.read_bytes().ljust(PAGE, b"\0"))  # the next record needs a page of its own
        with bound(apart, journal), filled(disk):
            seen = look(url, store)
            assert seen.data == DATA
            assert any(isinstance(each, DiskFull) for each in seen.bypassed)
            assert isinstance(seen.completion, DiskFull)
            assert claims(url, store) == held
    assert refetched(origin, url, store) == BODY.length - held


def test_a_meta_file_that_cannot_be_sealed_leaves_the_bytes_uncommitted_and_right(
    origin: Origin, url: str, tmp_path: Path
) -> None:
    with small_disk(tmp_path / "disk", "size=3m") as disk:
        store = disk / "store"
        with session_of(url, store) as session, session.stream() as stream:
            assert stream.read() == DATA
            session.wait_complete(SOON)
        meta = read_meta(stored(store, ".json"))
        assert meta is not None
        write_meta(stored(store, ".json"), replace(meta, committed=False, sealed=None))
        with filled(disk):
            seen = look(url, store)
            assert seen.data == DATA
            assert isinstance(seen.completion, DiskFull)
            assert isinstance(seen.bypassed[0], DiskFull)
            assert claims(url, store) == BODY.length
        assert refetched(origin, url, store) == 0


def test_an_index_without_room_costs_nothing_but_the_order_of_use(origin: Origin, url: str, tmp_path: Path) -> None:
    store = tmp_path / "store"
    fill(url, store)
    for each in store.glob("index.sqlite3*"):
        each.unlink()
    with small_disk(tmp_path / "disk", "size=16k") as disk:
        (store / "index.sqlite3").touch()
        (disk / "index").touch()
        with filled(disk), bound(disk / "index", store / "index.sqlite3"):
            assert refetched(origin, url, store) == 0
            reads_right(origin.serve("/other", BODY), store)


def test_a_limit_on_the_size_of_files_is_read_past_as_a_full_disk_is(url: str, store_dir: Path) -> None:
    """Needs no mount, so that it runs everywhere: in a child, because the limit is the whole process's."""
    program = """
        import resource, signal
        from pathlib import Path
        from tests.system.bad_machine import DATA, look, serve
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(argv[2]), int(argv[2])))
        seen = look(argv[0], Path(argv[1]))
        print(seen.data == DATA, len(seen.bypassed) > 0, seen.completion is not None)
    """
    for limit in (30, 300, 5_000, 200_000):
        assert run_child(program, url, store_dir, limit) == "True True True"
        assert claims(url, store_dir) <= limit
    reads_right(url, store_dir)


def test_the_error_of_a_full_disk_is_one_sentence_with_its_facts(url: str, tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "size=400k") as disk:
        completion = look(url, disk / "store").completion
    assert isinstance(completion, StorageError)
    assert completion.recoverable
    assert completion.filename is not None
    assert completion.filename.startswith(str(disk))
    assert "\n" not in str(completion)
