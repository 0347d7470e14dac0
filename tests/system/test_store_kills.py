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


UPKEEP = """
    # Do all that can be done to a store, without end, and say each time what comes next.
    from pathlib import Path
    from random import Random

    from kithara_file import AssetStore

    folder, song, seed = argv
    chance = Random(seed)

    def any_url(first=0):
        return f"https://example.org/{chance.randrange(first, 6)}"

    with AssetStore(folder, max_assets=4) as store:
        moves = {
            "pin": lambda: store.pin(any_url(), "passing"),
            "unpin": lambda: store.unpin(any_url(), "passing"),
            "verify": store.verify,
            "gc": store.gc,
            "adopt": lambda: store.adopt(song, any_url(2)),  # what was there goes before the new is whole
            "export": lambda: store.export("https://example.org/0", Path(f"{song}.copy")),
            "sidecar": lambda: store.atomic("https://example.org/0", "cover").write(b"c" * 50_000),
        }
        while True:
            name = chance.choice(list(moves))
            print(name, flush=True)
            moves[name]()
"""


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
        with Child(UPKEEP, stored, song, f"{seed}.{life}") as child:
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
