"""One store, several processes: what each of them reads is right, and nothing in use goes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from kithara_file.assets import database, ledger
from kithara_file.assets.meta import read_meta
from kithara_file.assets.store import AssetStore
from kithara_file.errors import LeaseHeld
from kithara_file.ranges import ByteRange
from tests.unit.assets.goods import BODY, KEY, fill, key, put, remote, stored
from tests.world.crash import Child

pytestmark = pytest.mark.system


class Gate:
    """Where a child waits by ``os.read(os.open(path, os.O_RDONLY), 1)`` until it is let through."""

    def __init__(self, path: Path) -> None:
        os.mkfifo(path)
        self.path = path
        self._fd = os.open(path, os.O_RDWR)

    def open(self, children: int = 1) -> None:
        """Let so many waiting children through."""
        os.write(self._fd, b"\n" * children)

    def close(self) -> None:
        """Put the gate away."""
        os.close(self._fd)


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[Gate]:
    gate = Gate(tmp_path / "gate")
    yield gate
    gate.close()


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let this process be as patient as its children; undone after the test."""
    monkeypatch.setattr(database, "_BUSY_SECONDS", 60.0)
    monkeypatch.setattr(ledger, "_TURN_SECONDS", 60.0)


@pytest.fixture
def store(store_dir: Path) -> Iterator[AssetStore]:
    with AssetStore(store_dir) as store:
        yield store


WRITER = """
    import os
    from kithara_file.assets.store import AssetStore
    from tests.unit.assets.goods import *
    root, gate, etag, start, end = argv
    store = AssetStore(root)
    entry = store.open(KEY)
    resource = entry.begin(remote(etag))
    resource.write_at(int(start), BODY[int(start):int(end)])
    resource.flush()
    print("landed", flush=True)
    os.read(os.open(gate, os.O_RDONLY), 1)
"""
READS_ON = """
    got = bytearray(len(BODY))
    resource.read_at(int(start), memoryview(got)[int(start):])
    print(got[int(start):int(end)] == BODY[int(start):int(end)], flush=True)
"""


def writer(root: Path, gate: Gate, etag: str, start: int, end: int, then: str = "") -> Child:
    """Return a process that lands a part of `BODY`, says so, waits at the gate and does the rest."""
    return Child(WRITER + then, root, gate.path, etag, start, end)


def test_two_that_begin_the_same_version_join_and_the_bytes_of_both_stay(store: AssetStore, gate: Gate) -> None:
    with store.open(KEY) as mine, writer(store.root, gate, '"1"', 0, 2000, "\n    entry.close()") as child:
        assert mine.resource is None
        child.wait_line("landed")
        resource = mine.begin(remote())
        assert list(resource.snapshot()) == [ByteRange(0, 2000)]
        resource.write_at(2000, BODY[2000:])
        gate.open()
        child.output()
    with store.open(KEY) as entry:
        assert entry.resource is not None
        assert entry.resource.snapshot().covers(0, len(BODY))
        assert stored(entry) == BODY
        entry.commit()
        assert entry.committed


def test_bytes_that_another_lands_come_to_those_who_joined(store: AssetStore, gate: Gate) -> None:
    lands_more = """
    resource.write_at(2000, BODY[2000:])
    resource.flush()
    print("more", flush=True)
    os.read(os.open(gate, os.O_RDONLY), 1)
    """
    with store.open(KEY) as mine, writer(store.root, gate, '"1"', 0, 2000, lands_more) as child:
        child.wait_line("landed")
        resource = mine.begin(remote())
        gate.open()
        child.wait_line("more")
        resource.catch_up()
        assert stored(mine) == BODY


def test_what_a_killed_process_landed_stays(store: AssetStore, gate: Gate) -> None:
    with writer(store.root, gate, '"1"', 0, 2000) as child:
        child.wait_line("landed")
        child.kill()
        child.wait()
    with store.open(KEY) as entry:
        assert entry.remote == remote()
        assert stored(entry) == BODY[:2000]


def test_a_newer_version_owns_the_name_and_the_older_stays_right_for_its_readers(
    store: AssetStore, gate: Gate, store_dir: Path
) -> None:
    finish = "\n    resource.write_at(0, BODY[:1000])\n    entry.commit()\n    print(entry.committed, flush=True)"
    with writer(store_dir, gate, '"old"', 1000, len(BODY), finish + READS_ON) as child:
        child.wait_line("landed")
        with store.open(KEY) as mine:
            assert stored(mine, 10) == b""
            mine.begin(remote('"new"')).write_at(0, BODY[::-1])
            gate.open()
            assert child.output() == "landed\nTrue\nTrue"
            mine.commit()
            assert stored(mine) == BODY[::-1]
    with store.open(KEY) as entry:
        assert entry.committed
        assert entry.remote == remote('"new"')
        assert stored(entry) == BODY[::-1]


def test_an_older_version_that_is_committed_late_overwrites_nothing(store: AssetStore, gate: Gate) -> None:
    finish = "\n    resource.write_at(0, BODY[:1000])\n    entry.commit()\n    entry.close()"
    with writer(store.root, gate, '"old"', 1000, len(BODY), finish) as child:
        child.wait_line("landed")
        with store.open(KEY) as mine:
            fill(mine, BODY[::-1], '"new"')
        gate.open()
        child.output()
    meta = read_meta(store.root / "assets" / KEY.asset_id / f"{KEY.resource_hash}.json")
    assert meta is not None
    assert (meta.remote, meta.committed) == (remote('"new"'), True)
    with store.open(KEY) as entry:
        assert stored(entry) == BODY[::-1]


def test_a_killed_holder_holds_no_lease(store: AssetStore, gate: Gate) -> None:
    with writer(store.root, gate, '"1"', 0, 2000) as child:
        child.wait_line("landed")
        with pytest.raises(LeaseHeld):
            store.remove(KEY)
        child.kill()
        child.wait()
        store.remove(KEY)
    with store.open(KEY) as entry:
        assert entry.resource is None


def test_nothing_that_another_process_uses_is_evicted(store_dir: Path, gate: Gate) -> None:
    with AssetStore(store_dir, max_bytes=0) as strict, writer(store_dir, gate, '"1"', 0, 2000, READS_ON) as child:
        child.wait_line("landed")
        put(strict, 1)
        assert strict.gc().assets == 0
        assert (store_dir / "assets" / KEY.asset_id / f"{KEY.resource_hash}.data").exists()
        gate.open()
        assert child.output() == "landed\nTrue"
        assert strict.gc().assets == 1
    assert list(store_dir.glob("assets/*/*")) == []


def test_the_size_of_what_a_killed_process_left_counts(store_dir: Path, gate: Gate) -> None:
    with writer(store_dir, gate, '"1"', 0, len(BODY)) as child:
        child.wait_line("landed")
    with AssetStore(store_dir, max_bytes=len(BODY) - 1) as strict:
        freed = strict.gc()
    assert freed.assets == 1
    assert freed.bytes >= len(BODY)


def test_many_that_make_the_store_at_once_all_get_it(store_dir: Path, gate: Gate) -> None:
    snippet = """
        import os
        from kithara_file.assets.store import AssetStore
        from tests.unit.assets.goods import *
        be_patient()
        print("ready", flush=True)
        os.read(os.open(argv[1], os.O_RDONLY), 1)
        for number in range(10):
            with AssetStore(argv[0], max_bytes=10**9) as store:
                put(store, number)
        print("done")
    """
    with ExitStack() as stack:
        children = [stack.enter_context(Child(snippet, store_dir, gate.path)) for _ in range(3)]
        for child in children:
            child.wait_line("ready")
        gate.open(len(children))
        for child in children:
            child.output()
            assert child.errors == []
    with AssetStore(store_dir) as store:
        for number in range(10):
            with store.open(key(number)) as entry:
                assert entry.committed
                assert stored(entry) == bytes(len(BODY))
    with AssetStore(store_dir, max_assets=0) as strict:
        assert strict.gc().assets == 10


def test_an_index_deleted_and_spoilt_while_in_use_costs_nothing_but_order(store_dir: Path, gate: Gate) -> None:
    snippet = """
        import os
        from kithara_file.assets.store import AssetStore
        from tests.unit.assets.goods import *
        be_patient()
        store = AssetStore(argv[0], max_bytes=10**9)
        for number in range(12):
            put(store, number)
            print(number, flush=True)
            os.read(os.open(argv[1], os.O_RDONLY), 1)
    """
    index = store_dir / "index.sqlite3"
    with AssetStore(store_dir, max_bytes=10**9) as store, Child(snippet, store_dir, gate.path) as child:
        for number in range(12):
            assert child.next_line() == str(number)
            if number % 3 == 0:
                index.unlink()
            elif number % 3 == 1:
                index.write_bytes(b"garbage" * 3000)
            put(store, 100 + number)
            gate.open()
        child.output()
        for number in [*range(12), *range(100, 112)]:
            with store.open(key(number)) as entry:
                assert entry.committed
    with AssetStore(store_dir, max_assets=0) as strict:
        strict.gc()
        left = [each for each in store_dir.glob("assets/*") if each.is_dir()]
        index.unlink(missing_ok=True)
        assert strict.gc().assets == len(left)
    assert [each for each in store_dir.glob("assets/*") if each.is_dir()] == []


def test_no_order_of_opening_replacing_and_evicting_gives_a_wrong_byte(store_dir: Path, gate: Gate) -> None:
    snippet = """
        import os, random
        from kithara_file.assets.store import AssetStore
        from tests.unit.assets.goods import *
        be_patient()
        chance = random.Random(int(argv[2]))
        store = AssetStore(argv[0], max_bytes=3 * 4096)
        print("ready", flush=True)
        os.read(os.open(argv[1], os.O_RDONLY), 1)
        for _ in range(80):
            number, version = chance.randrange(4), chance.randrange(3)
            with store.open(key(number)) as entry:
                body = bytes([number, version]) * 1024
                if entry.remote is None or chance.random() < 0.5:
                    resource = entry.begin(remote(f'"{version}"', len(body)))
                else:
                    body = bytes([number, int(entry.remote.validator.etag.strip('"'))]) * 1024
                    resource = entry.resource
                half = chance.randrange(2) * 1024
                resource.write_at(half, body[half:half + 1024])
                if chance.random() < 0.7:
                    resource.write_at(1024 - half, body[1024 - half:2048 - half])
                    entry.commit()
                for present in resource.snapshot():
                    got = bytearray(len(present))
                    assert resource.read_at(present.start, memoryview(got)) == len(present)
                    assert got == body[present.start:present.end], (number, version, present)
        store.gc()
        print("done")
    """
    with ExitStack() as stack:
        children = [stack.enter_context(Child(snippet, store_dir, gate.path, seed)) for seed in range(3)]
        for child in children:
            child.wait_line("ready")
        gate.open(len(children))
        for child in children:
            child.output()
            assert child.errors == []
    with AssetStore(store_dir, max_bytes=3 * 4096) as store:
        store.gc()
        files = [each.stat().st_size for each in store_dir.glob("assets/*/*")]
        assert sum(files) <= 3 * 4096
