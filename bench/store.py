"""Rows about the store: opening, replaying, evicting."""

from __future__ import annotations

import contextlib
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from bench.measure import SLOW, Figure, Found, Outcome, Row, at_most, repeat, timed
from bench.places import scratch
from kithara_file.assets.index import Index
from kithara_file.assets.index import Row as IndexRow
from kithara_file.assets.keys import ResourceKey
from kithara_file.assets.layout import Layout
from kithara_file.assets.meta import ResourceMeta
from kithara_file.assets.store import AssetStore
from kithara_file.net.remote import Remote, Validator
from kithara_file.storage import StreamingResource

MIB = 1 << 20
GIB = 1 << 30
MANY = 100_000
FEW = 10
EVICTED = 1_000


def key(number: int) -> ResourceKey:
    """Return one of many keys."""
    return ResourceKey.of(f"https://bench.example/{number}")


def put(store: AssetStore, number: int, size: int) -> None:
    """Store and commit `size` bytes."""
    with store.open(key(number)) as entry:
        resource = entry.begin(Remote(size, True, Validator(f'"{number}"')))
        piece = bytes(min(size, MIB))
        for at in range(0, size, MIB):
            resource.write_at(at, piece[: size - at])
        entry.commit()


def crowd(root: Path, first: int, count: int) -> None:
    """Put `count` small assets into a store, as quickly as files can be made."""
    layout = Layout(root)
    index = Index(layout.index, layout.index_lock)
    content = ResourceMeta(remote=Remote(), url="https://bench.example/", committed=True, length=0).to_bytes()
    rows = []
    for number in range(first, first + count):
        each = key(number)
        folder = layout.folder(each)
        folder.resource(each.resource_hash).meta.write_bytes(content)
        rows.append(IndexRow(each.asset_id, each.url, None, len(content), float(number)))
    index.fill(rows)
    index.close()


@contextlib.contextmanager
def stored(size: int) -> Iterator[AssetStore]:
    """Yield a store with one committed resource of `size` bytes."""
    with scratch() as folder, AssetStore(folder / "store") as store:
        put(store, 0, size)
        yield store


def _opening(store: AssetStore, times: int = 200) -> float:
    """Return the milliseconds of one open; closing is not in them."""
    spent = 0.0
    for _ in range(times):
        begun = time.perf_counter()
        entry = store.open(key(0))
        spent += time.perf_counter() - begun
        entry.close()
    return spent / times * 1000


def opening() -> Outcome:
    """Measure opening a committed resource of 1 GiB, in milliseconds."""
    with stored(GIB) as store:
        _opening(store)
        return Outcome((repeat(lambda: _opening(store), " ms"),))


def crowded() -> Outcome:
    """Compare opening in a store of 100 000 assets with opening in one of 10."""
    with stored(MIB) as small, stored(MIB) as large:
        crowd(small.root, 1, FEW - 1)
        crowd(large.root, 1, MANY - 1)
        _opening(small), _opening(large)
        pairs = [(_opening(large), _opening(small)) for _ in range(9)]
        ratio = Figure([ours / theirs for ours, theirs in pairs], "×")
        ours, theirs = Figure([each for each, _ in pairs], " ms"), Figure([each for _, each in pairs], " ms")
        return Outcome((Found(ratio, ours, theirs),))


def evicting() -> Outcome:
    """Compare the eviction of 1 000 assets of a store of 2 000 with the removal of 1 000 such folders."""
    pairs = []
    for _ in range(3):
        with scratch() as folder, AssetStore(folder / "store", max_assets=EVICTED) as store:
            crowd(store.root, 0, 2 * EVICTED)
            ours = timed(lambda: check(store.gc().assets == EVICTED))
            theirs = timed(lambda: remove(store.root))
            pairs.append((ours, theirs))
    figure = Figure([ours / theirs for ours, theirs in pairs], "×")
    return Outcome(
        (Found(figure, Figure([each for each, _ in pairs], " s"), Figure([each for _, each in pairs], " s")),)
    )


def remove(root: Path) -> None:
    """Remove every asset's folder, knowing nothing of the store."""
    for each in Layout(root).every_asset():
        shutil.rmtree(each.path)


def check(held: bool) -> None:
    """Refuse to measure what did not happen."""
    if not held:
        raise AssertionError("the measurement is of something else")


def replaying() -> Outcome:
    """Measure the replay of the journal of 1 GiB that was not committed, in milliseconds."""
    with scratch() as folder:
        data, journal = folder / "data", folder / "journal"
        resource = StreamingResource.create(data, journal, "v1", length=GIB)
        for at in range(0, GIB - MIB, MIB):
            resource.write_at(at, bytes(MIB))
        resource.close()

        def once() -> float:
            begun = time.perf_counter()
            again = StreamingResource.reopen(data, journal, "v1", length=GIB, committed=False)
            spent = time.perf_counter() - begun
            check(again.snapshot().total == GIB - MIB)
            again.close()
            return spent * 1000

        once()
        return Outcome((repeat(once, " ms"),))


# Those that write much come last: the disk is busy with that for a while.
ROWS = (
    Row("store-evict", "evict 1 000 of 2 000 assets", "`rmtree` of 1 000 folders", (at_most(6),), evicting),
    Row("store-crowd", "open in a store of 100 000 assets", "a store of 10", (at_most(1.3),), crowded),
    Row("store-open", "open a committed 1 GiB in the store", "", (at_most(0.3, " ms"),), opening, why=SLOW),
    Row("store-replay", "replay the journal of 1 GiB", "", (at_most(50, " ms"),), replaying),
)
