"""One resource, held open."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from kithara_file.assets import stored as stored_module
from kithara_file.assets.entry import Entry
from kithara_file.assets.locks import FileLock
from kithara_file.assets.meta import read_meta
from kithara_file.assets.store import AssetStore
from kithara_file.errors import AssetError, StorageError, StreamClosed
from kithara_file.net.remote import Freshness
from kithara_file.ranges import ByteRange
from kithara_file.storage import platform
from tests.unit.assets.goods import BODY, KEY, all_files, fill, remote, stored
from tests.world.clock import FakeClock


@pytest.fixture
def store(store_dir: Path, clock: FakeClock) -> Iterator[AssetStore]:
    with AssetStore(store_dir, clock=clock) as store:
        yield store


@pytest.fixture
def entry(store: AssetStore) -> Iterator[Entry]:
    with store.open(KEY) as entry:
        yield entry


def files(store: AssetStore) -> list[str]:
    """Return the suffixes of what is stored of resources."""
    return [each.suffix for each in all_files(store.root / "assets") if each.suffix in {".data", ".journal", ".json"}]


def meta_file(store: AssetStore) -> Path:
    return store.root / "assets" / KEY.asset_id / f"{KEY.resource_hash}.json"


def test_what_was_never_stored_is_absent(entry: Entry) -> None:
    assert (entry.resource, entry.remote, entry.committed) == (None, None, False)
    assert "absent" in repr(entry)


def test_what_was_committed_is_there_again(store: AssetStore) -> None:
    with store.open(KEY) as entry:
        fill(entry)
        assert entry.committed
    with store.open(KEY) as entry:
        assert entry.committed
        assert entry.remote == remote()
        assert stored(entry) == BODY


def test_who_opens_what_another_verifies_waits_the_longer_the_more_there_is(
    store: AssetStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    with store.open(KEY) as entry:
        entry.begin(remote()).write_at(100, BODY[100:200])
    verifying = FileLock(store.root / "assets" / KEY.asset_id / "lock")
    assert verifying.try_alone()
    attempts = iter(range(1000))

    def try_alone(lock: FileLock) -> bool:
        if next(attempts) == 2:
            verifying.close()
        return platform.try_lock(lock._fd, alone=True)

    monkeypatch.setattr(FileLock, "try_alone", try_alone)
    monkeypatch.setattr(stored_module, "PATIENCE_SECONDS", 0.0)
    monkeypatch.setattr(stored_module, "_PROVEN_PER_SECOND", 1)
    with store.open(KEY) as entry:
        assert entry.resource is not None
        assert list(entry.resource.snapshot()) == [ByteRange(100, 200)]


def test_what_landed_is_there_again_without_a_commit(store: AssetStore) -> None:
    with store.open(KEY) as entry:
        entry.begin(remote()).write_at(100, BODY[100:200])
    with store.open(KEY) as entry:
        assert not entry.committed
        assert entry.resource is not None
        assert list(entry.resource.snapshot()) == [ByteRange(100, 200)]
        assert entry.resource.length == len(BODY)


def test_a_length_told_late_is_kept_by_the_commit(store: AssetStore) -> None:
    with store.open(KEY) as entry:
        resource = entry.begin(remote(length=None))
        resource.write_at(0, BODY)
        resource.announce(len(BODY))
        entry.commit()
    with store.open(KEY) as entry:
        assert entry.committed
        assert entry.resource is not None
        assert entry.resource.length == len(BODY)


def test_a_new_version_replaces_the_old_which_its_readers_keep(store: AssetStore) -> None:
    with store.open(KEY) as old, store.open(KEY) as new:
        fill(old)
        fill(new, BODY[::-1], '"2"')
        assert stored(old) == BODY
        assert stored(new) == BODY[::-1]
    with store.open(KEY) as entry:
        assert stored(entry) == BODY[::-1]
        assert entry.remote == remote('"2"')


def test_only_the_owner_of_the_name_commits_its_meta(store: AssetStore) -> None:
    with store.open(KEY) as old, store.open(KEY) as new:
        old.begin(remote()).write_at(0, BODY)
        new.begin(remote('"2"')).write_at(0, b"new")
        old.commit()
        old.refresh(remote(lifetime=60.0))
        assert old.committed
        meta = read_meta(meta_file(store))
        assert meta is not None
        assert (meta.remote, meta.committed) == (remote('"2"'), False)
    with store.open(KEY) as entry:
        assert stored(entry) == b"new"


def test_the_same_version_is_joined(store: AssetStore) -> None:
    with store.open(KEY) as one, store.open(KEY) as other:
        mine = one.begin(remote())
        mine.write_at(0, BODY[:1000])
        mine.flush()
        theirs = other.begin(remote())
        theirs.write_at(1000, BODY[1000:])
        assert stored(other) == BODY
        other.commit()
        assert one.begin(remote()) is mine
        mine.catch_up()
        assert stored(one) == BODY
    with store.open(KEY) as entry:
        assert entry.committed
        assert stored(entry) == BODY


@pytest.mark.parametrize(
    "first, second",
    [
        (remote('"1"'), remote('"2"')),
        (remote('"1"'), remote('"1"', 5)),
        (remote('W/"1"'), remote('W/"1"')),
        (remote(None), remote(None)),
        (remote('"1"'), remote('"1"', no_store=True)),
    ],
)
def test_what_is_not_proven_the_same_is_not_joined(store: AssetStore, first: object, second: object) -> None:
    with store.open(KEY) as one, store.open(KEY) as other:
        one.begin(first).write_at(0, b"one")  # type: ignore[arg-type]
        other.begin(second).write_at(0, b"two")  # type: ignore[arg-type]
        assert (stored(one), stored(other)) == (b"one", b"two")


@pytest.mark.parametrize("damage", ["data", "journal", "both", "other journal"])
def test_what_does_not_fit_together_is_absent_and_begun_anew(store: AssetStore, damage: str) -> None:
    with store.open(KEY) as entry:
        fill(entry)
    meta = meta_file(store)
    if damage in {"data", "both"}:
        meta.with_suffix(".data").unlink()
    if damage in {"journal", "both"}:
        meta.with_suffix(".journal").unlink()
    if damage == "other journal":
        meta.write_bytes(
            meta.read_bytes().replace(b'"generation": "', b'"generation": "0', 1).replace(b'",\n "remote', b'"')
        )
        meta.write_text(meta.read_text())
    with store.open(KEY) as entry:
        assert entry.resource is None
        fill(entry)
        assert stored(entry) == BODY


@pytest.mark.parametrize("suffix", [".data", ".journal", ".json"])
def test_a_planted_link_is_neither_read_nor_written(store: AssetStore, tmp_path: Path, suffix: str) -> None:
    with store.open(KEY) as entry:
        fill(entry)
    victim = tmp_path / "victim"
    planted = meta_file(store).with_suffix(suffix)
    planted.rename(victim)
    before = victim.read_bytes()
    planted.symlink_to(victim)
    with store.open(KEY) as entry:
        assert entry.resource is None
        fill(entry, BODY[::-1], '"2"')
    assert victim.read_bytes() == before


def test_a_cut_file_is_not_committed_and_says_what_is_left(store: AssetStore) -> None:
    with store.open(KEY) as entry:
        fill(entry)
    with meta_file(store).with_suffix(".data").open("r+b") as data:
        data.truncate(1000)
    with store.open(KEY) as entry:
        assert not entry.committed
        assert stored(entry) == b""  # the one record speaks for all bytes, some of which are gone
        assert entry.resource is not None
        entry.resource.write_at(0, BODY)
        entry.commit()
    with store.open(KEY) as entry:
        assert entry.committed


def test_freshness_is_stored_and_nothing_else_of_a_304(store: AssetStore) -> None:
    with store.open(KEY) as entry:
        fill(entry)
        entry.refresh(remote(None, None, lifetime=60.0))
    with store.open(KEY) as entry:
        assert entry.committed
        assert entry.remote == remote(lifetime=60.0)
        assert entry.remote.freshness == Freshness(lifetime=60.0)


def test_what_may_not_be_stored_has_no_name_on_the_disk(store: AssetStore) -> None:
    with store.open(KEY) as entry:
        fill(entry)
    with store.open(KEY) as entry:
        entry.begin(remote('"2"', no_store=True)).write_at(0, BODY)
        assert files(store) == []
        assert stored(entry) == BODY
        entry.commit()
        assert entry.committed
    assert list((store.root / "assets").glob("*/*")) == []


def test_what_may_not_be_stored_any_more_goes(store: AssetStore) -> None:
    with store.open(KEY) as entry:
        fill(entry)
        entry.refresh(remote(no_store=True))
        assert stored(entry) == BODY
    assert files(store) == []


def test_removing_takes_the_names_and_not_the_bytes_of_readers(store: AssetStore) -> None:
    with store.open(KEY) as entry:
        fill(entry)
        entry.remove()
        assert files(store) == []
        assert stored(entry) == BODY
    assert [each for each in (store.root / "assets").iterdir() if each.is_dir()] == []


def test_an_entry_in_which_nothing_was_begun_leaves_no_folder(store: AssetStore, entry: Entry) -> None:
    entry.close()
    entry.close()
    assert [each for each in (store.root / "assets").iterdir() if each.is_dir()] == []


def test_nothing_begun_is_nothing_to_commit_or_refresh(entry: Entry) -> None:
    entry.refresh(remote())
    with pytest.raises(AssetError):
        entry.commit()


def test_an_incomplete_resource_is_not_committed(store: AssetStore, entry: Entry) -> None:
    entry.begin(remote()).write_at(0, b"x")
    with pytest.raises(StorageError):
        entry.commit()
    meta = read_meta(meta_file(store))
    assert meta is not None
    assert not meta.committed


def test_a_store_deleted_under_an_entry_is_made_again(store: AssetStore, entry: Entry) -> None:
    fill(entry)
    shutil.rmtree(store.root)
    assert stored(entry) == BODY
    fill(entry, BODY[::-1], '"2"')
    with store.open(KEY) as other:
        assert stored(other) == BODY[::-1]


def test_a_commit_into_a_store_that_was_deleted_writes_nothing(store: AssetStore, entry: Entry) -> None:
    entry.begin(remote()).write_at(0, BODY)
    shutil.rmtree(store.root / "assets" / KEY.asset_id)
    entry.commit()
    assert files(store) == []


def test_a_disk_that_refuses_leaves_nothing_half_begun_and_is_read_past(store: AssetStore, entry: Entry) -> None:
    meta_file(store).mkdir()
    resource = entry.begin(remote())
    resource.write_at(0, BODY)
    assert stored(entry) == BODY
    assert isinstance(resource.fault, StorageError)
    assert not resource.lies_at(meta_file(store).with_suffix(".data"))
    entry.refresh(remote('"2"'))
    with pytest.raises(StorageError, match="Cannot begin"):
        entry.commit()
    assert [each for each in files(store) if each != ".json"] == []


def test_a_closed_entry_begins_nothing(entry: Entry) -> None:
    entry.close()
    with pytest.raises(StreamClosed):
        entry.begin(remote())


def test_no_secret_of_the_url_is_in_any_file(store: AssetStore) -> None:
    with store.open(KEY) as entry:
        fill(entry)
        entry.close()
        for each in all_files(store.root):
            content = each.read_bytes()
            assert b"hush" not in content
            assert b"pass" not in content
        assert b"https://example.org/music/song.flac" in meta_file(store).read_bytes()


def test_a_last_word_of_another_user_after_the_commit_is_taken_into_the_seal(store: AssetStore) -> None:
    with store.open(KEY) as late, store.open(KEY) as quick:
        late.begin(remote()).write_at(0, BODY[:10])
        fill(quick)
    before = read_meta(meta_file(store))
    with store.open(KEY) as entry:
        assert entry.committed
    after = read_meta(meta_file(store))
    assert before is not None
    assert after is not None
    assert before.sealed != after.sealed == meta_file(store).with_suffix(".journal").stat().st_size
