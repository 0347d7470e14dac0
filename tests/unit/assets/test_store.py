"""The store as a whole."""

from __future__ import annotations

import os
import shutil
import threading
from contextlib import nullcontext
from pathlib import Path

import platformdirs
import pytest

from kithara_file.assets.ledger import Freed
from kithara_file.assets.store import AssetStore
from kithara_file.config import StoreLike
from kithara_file.errors import ConfigError, LeaseHeld, StorageError, StreamClosed
from tests.leaks import open_files
from tests.unit.assets.goods import BODY, KEY, all_files, fill, key, put, remote, stored
from tests.world.clock import FakeClock
from tests.world.crash import fork_while_held, run_child


def held(store: AssetStore, number: int) -> bool:
    """Tell whether all of a resource is stored."""
    with store.open(key(number)) as entry:
        return entry.committed


def test_nothing_is_touched_before_the_first_open(store_dir: Path) -> None:
    store = AssetStore(store_dir)
    assert isinstance(store, StoreLike)
    assert store.root == store_dir
    store.close()
    assert not store_dir.exists()


def test_the_default_is_the_users_cache_directory() -> None:
    assert AssetStore().root == Path(platformdirs.user_cache_dir("kithara-file", appauthor=False))


def test_a_relative_root_stays_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert AssetStore("cache").root == tmp_path / "cache"


def test_a_limit_below_nothing_is_refused(store_dir: Path) -> None:
    with pytest.raises(ConfigError):
        AssetStore(store_dir, max_bytes=-1)


def test_all_is_for_the_owner_only(store_dir: Path) -> None:
    with AssetStore(store_dir) as store, store.open(KEY) as entry:
        fill(entry)
        assert {each.stat().st_mode & 0o777 for each in all_files(store_dir)} == {0o600}


def test_the_quota_holds_after_each_close(store_dir: Path, clock: FakeClock) -> None:
    with AssetStore(store_dir, max_bytes=25_000, clock=clock) as store:
        for number in range(4):
            put(store, number, 10_000)
            clock.advance(1.0)
        assert [held(store, number) for number in range(4)] == [False, False, True, True]
        assert sum(each.stat().st_size for each in all_files(store_dir / "assets")) <= 25_000


def test_a_use_saves_an_asset(store_dir: Path, clock: FakeClock) -> None:
    with AssetStore(store_dir, max_bytes=25_000, clock=clock) as store:
        for number in (0, 1):
            put(store, number, 10_000)
            clock.advance(1.0)
        assert held(store, 0)
        clock.advance(1.0)
        put(store, 2, 10_000)
        assert [held(store, number) for number in range(3)] == [True, False, True]


def test_a_commit_evicts_too_but_not_what_is_open(store_dir: Path, clock: FakeClock) -> None:
    with AssetStore(store_dir, max_bytes=15_000, clock=clock) as store:
        put(store, 0, 10_000)
        with store.open(key(1)) as entry:
            fill(entry, bytes(20_000))
            assert not held(store, 0)
            assert stored(entry, 20_000) == bytes(20_000)
        assert not held(store, 1)


def test_what_could_not_go_while_it_was_read_goes_with_its_last_reader(store_dir: Path, clock: FakeClock) -> None:
    with AssetStore(store_dir, clock=clock) as generous:
        put(generous, 0, 10_000)
    with AssetStore(store_dir, max_bytes=0, clock=clock) as strict:
        with strict.open(key(0)) as entry:
            assert strict.gc() == Freed()
            assert entry.committed
        assert not held(strict, 0)


def test_collecting_on_demand_says_what_was_freed(store_dir: Path, clock: FakeClock) -> None:
    with AssetStore(store_dir, clock=clock) as generous:
        put(generous, 0, 10_000)
    with AssetStore(store_dir, max_assets=0, clock=clock) as strict:
        freed = strict.gc()
        assert freed.assets == 1
        assert 10_000 <= freed.bytes < 11_000
        assert strict.gc() == Freed()


def test_removing_what_is_in_use_is_refused(store_dir: Path) -> None:
    with AssetStore(store_dir) as store:
        with store.open(KEY) as entry:
            fill(entry)
            with pytest.raises(LeaseHeld) as caught:
                store.remove(KEY)
            assert str(caught.value) == f"{KEY.url} is in use, so that it cannot be removed"
        store.remove(KEY)
        store.remove(KEY)
        with store.open(KEY) as entry:
            assert entry.resource is None


@pytest.mark.parametrize("place", ["file", "file/below", "loop", "dangling"])
def test_an_unusable_root_is_one_typed_error(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    with AssetStore(tmp_path / place) as store, pytest.raises(StorageError) as caught:
        store.open(KEY)
    assert str(caught.value).startswith(f"Cannot use the cache directory {tmp_path / place}: ")


REFUSED = """
    import os
    from kithara_file.assets.store import AssetStore
    from kithara_file.errors import StorageError
    from tests.unit.assets.goods import BODY, KEY, key, put, stored
    with AssetStore(argv[1]) as ours:       # whatever is imported late must be so before the user changes
        assert all(put(ours, 0) == key(0) for _ in range(2))
    if os.geteuid() == 0:
        os.setuid(65534)
    try:
        with AssetStore(argv[0]).open(KEY) as entry:
            print(entry.committed, stored(entry) == BODY)
    except StorageError as error:
        print(type(error).__name__, isinstance(error, PermissionError))
"""


def test_a_root_that_may_not_be_written_is_one_typed_error(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    root = _for_others(tmp_path_factory.mktemp("refused"))
    assert run_child(REFUSED, root, tmp_path) == "FileRefused True"


def test_a_root_that_may_only_be_read_serves_what_is_complete(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    root = _for_others(tmp_path_factory.mktemp("read-only"))
    with AssetStore(root) as store, store.open(KEY) as entry:
        fill(entry)
    for each in [root, *root.rglob("*")]:
        each.chmod(0o555 if each.is_dir() else 0o444)
    assert run_child(REFUSED, root, tmp_path) == "True True"


def _for_others(root: Path) -> Path:
    """Let other users come to `root`, but not write there."""
    root.chmod(0o555)
    for parent in root.parents:
        if parent.stat().st_uid == os.getuid() and parent != Path("/"):
            parent.chmod(parent.stat().st_mode | 0o055)
    return root


def test_a_closed_store_opens_nothing_but_its_entries_stay_good(store_dir: Path) -> None:
    store = AssetStore(store_dir)
    with store.open(KEY) as entry:
        store.close()
        store.close()
        with pytest.raises(StreamClosed):
            store.open(KEY)
        fill(entry)
        assert stored(entry) == BODY
    with AssetStore(store_dir) as again, again.open(KEY) as entry:
        assert entry.committed
    assert "closed" in repr(store)


@pytest.mark.parametrize("damage", ["missing", "garbage", "directory", "empty"])
def test_the_store_does_not_depend_on_its_index(store_dir: Path, damage: str, clock: FakeClock) -> None:
    with AssetStore(store_dir, max_bytes=25_000, clock=clock) as store:
        put(store, 0, 10_000)
        index = store_dir / "index.sqlite3"
        index.unlink()
        if damage == "directory":
            index.mkdir()
        elif damage != "missing":
            index.write_bytes(b"garbage" * 3000 if damage == "garbage" else b"")
        put(store, 1, 10_000)
        assert held(store, 0)
        assert held(store, 1)
        if damage != "directory":
            put(store, 2, 10_000)
            assert [held(store, number) for number in range(3)].count(True) == 2


def test_an_index_found_damaged_during_an_eviction_is_made_anew_at_once(store_dir: Path, clock: FakeClock) -> None:
    with AssetStore(store_dir, clock=clock) as store:
        put(store, 0)
        put(store, 1)
    (store_dir / "index.sqlite3").write_bytes(b"garbage" * 3000)
    with AssetStore(store_dir, max_assets=1, clock=clock) as store:
        assert store.gc().assets == 1


def test_a_directory_deleted_between_two_uses_is_made_again(store_dir: Path) -> None:
    with AssetStore(store_dir) as store:
        put(store, 0)
        shutil.rmtree(store_dir)
        assert not held(store, 0)
        put(store, 0)
        assert held(store, 0)


def test_an_entry_that_is_never_closed_is_let_go_with_its_last_reference(store_dir: Path) -> None:
    with AssetStore(store_dir) as store:
        entry = store.open(KEY)
        entry.begin(remote())
        with pytest.raises(LeaseHeld):
            store.remove(KEY)
        del entry
        store.remove(KEY)


def test_opening_and_closing_does_not_grow(store_dir: Path) -> None:
    with AssetStore(store_dir) as store:
        put(store, 0)
        before = open_files()
        for _ in range(200):
            assert held(store, 0)
        assert open_files() == before


def test_a_forked_child_opens_the_store_and_cannot_use_its_parents_entries(store_dir: Path) -> None:
    said = run_child(
        """
        import os
        from kithara_file.assets.store import AssetStore
        from kithara_file.errors import StreamClosed
        from tests.unit.assets.goods import *
        store = AssetStore(argv[0])
        put(store, 0)
        mine = store.open(key(1))
        child = os.fork()
        if not child:
            try:
                mine.begin(remote())
            except StreamClosed:
                mine.close()
                with store.open(key(0)) as entry:
                    put(store, 2)
                    os._exit(7 if stored(entry) == bytes(len(BODY)) else 1)
            os._exit(2)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        fill(mine)
        mine.close()
        print(status, [store.open(key(number)).committed for number in range(3)])
        """,
        store_dir,
    )
    assert said == "7 [True, True, True]"


class SlowFolder:
    """A directory whose name is long in coming."""

    def __init__(self, path: Path) -> None:
        self.asked, self.told = threading.Event(), threading.Event()
        self._path = path

    def __fspath__(self) -> str:
        self.asked.set()
        self.told.wait(30)
        return str(self._path)


def test_no_child_waits_for_what_another_thread_asks_of_another_store(store_dir: Path) -> None:
    slow = SlowFolder(store_dir)
    asking = threading.Thread(target=AssetStore(slow).usage)
    asking.start()
    assert slow.asked.wait(30)
    ended = fork_while_held(nullcontext(), lambda: AssetStore(store_dir).usage())
    slow.told.set()
    asking.join(30)
    assert ended == 0


def test_threads_that_ask_at_once_have_one_ledger(store_dir: Path) -> None:
    slow = SlowFolder(store_dir)
    store, ledgers = AssetStore(slow), []
    asking = [threading.Thread(target=lambda: ledgers.append(store._ledger)) for _ in range(2)]
    for each in asking:
        each.start()
    slow.told.set()
    for each in asking:
        each.join(30)
    assert ledgers == [store._ledger] * 2
