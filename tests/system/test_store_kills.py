"""Killed while it pins, verifies, exports, adopts and collects: the store stays whole, and keeps its promises."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from kithara_file import AssetStore, OfflineMiss, open_file
from tests.world.crash import Child

pytestmark = pytest.mark.system

BODY = bytes(range(256)) * 1024
ASSETS = 6
KEPT = 2
"""The first of them are pinned by a process that was not killed."""


def url_of(number: int) -> str:
    return f"https://example.org/{number}"


def upkeep(store_dir: str, song: str, seed: str) -> None:
    """Do all that can be done to a store, without end, and say each time what comes next."""
    from pathlib import Path  # noqa: PLC0415 - runs in a process of its own
    from random import Random  # noqa: PLC0415

    from kithara_file import AssetStore  # noqa: PLC0415

    chance = Random(seed)
    with AssetStore(store_dir, max_assets=4) as store:

        def on(number: int) -> str:
            return f"https://example.org/{number}"

        moves = {
            "pin": lambda: store.pin(on(chance.randrange(6)), "passing"),
            "unpin": lambda: store.unpin(on(chance.randrange(6)), "passing"),
            "verify": lambda: store.verify(),
            "gc": lambda: store.gc(),
            "adopt": lambda: store.adopt(song, on(chance.randrange(6))),
            "export": lambda: store.export(on(0), Path(f"{song}.copy")),
            "sidecar": lambda: store.atomic(on(0), "cover").write(b"c" * 50_000),
        }
        while True:
            name = chance.choice(list(moves))
            print(name, flush=True)
            try:
                moves[name]()
            except LookupError:  # what was collected cannot be pinned
                pass


@pytest.fixture
def song(tmp_path: Path) -> Path:
    path = tmp_path / "song.flac"
    path.write_bytes(BODY)
    return path


@pytest.fixture
def stored(store_dir: Path, song: Path) -> Path:
    """Fill a store."""
    with AssetStore(store_dir) as store:
        for number in range(ASSETS):
            store.adopt(song, url_of(number))
        for number in range(KEPT):
            store.pin(url_of(number), "kept")
    return store_dir


@pytest.mark.parametrize("seed", range(4))
def test_whatever_it_was_doing_the_store_is_whole(stored: Path, song: Path, seed: int) -> None:
    chance = Random(seed)
    for life in range(4):
        with Child(upkeep, stored, song, f"{seed}.{life}") as child:
            for _ in range(chance.randrange(1, 40)):
                child.next_line()
            child.kill()
            assert child.wait() == -9, child.story()
    with AssetStore(stored) as store:
        assert [each for each in store.verify() if each.bad or each.error] == []
        assert all("kept" in store.pins(url_of(number)) for number in range(KEPT))
        assert store.atomic(url_of(0), "cover").read() in (None, b"c" * 50_000)
        for number in range(ASSETS):
            try:
                with open_file(url_of(number), store=store, offline_mode=True) as file:
                    assert file.read() == BODY
            except OfflineMiss:
                assert number >= KEPT
        store.gc()
        assert store.usage().assets == len(store.assets())
