"""A store with a quota, while the whole library downloads into it."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from kithara_file import AssetStore, File, FileConfig
from tests.system.kit import SOON
from tests.unit.assets.goods import all_files, key, put
from tests.world import Origin

pytestmark = pytest.mark.system

MIB = 1 << 20


def taken(root: Path) -> int:
    """Return what all the assets take; what is evicted while it is counted takes nothing."""
    total = 0
    for each in all_files(root / "assets"):
        with suppress(FileNotFoundError):
            facts = each.stat()
            total += min(facts.st_size, facts.st_blocks * 512)
    return total


def eventually(held: Callable[[], bool], seconds: float = SOON) -> bool:
    """Tell whether something comes true in time."""
    deadline = time.monotonic() + seconds
    while not held():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.005)
    return True


def test_a_download_larger_than_the_quota_drives_the_others_out_as_it_grows(origin: Origin, store_dir: Path) -> None:
    body = bytes(range(256)) * 4096 * 8
    url = origin.serve("/long.bin", body)
    with AssetStore(store_dir, max_bytes=4 * MIB) as store:
        for number in range(7):
            put(store, number, MIB // 2)
        config = FileConfig(url, store=store, look_ahead_bytes=MIB)
        with File.open(config) as session, session.stream() as stream:
            assert stream.read(1) == body[:1]
            assert eventually(lambda: session.coverage.total >= MIB)  # where it rests, for nobody reads on
            assert eventually(lambda: taken(store_dir) <= 4 * MIB)
            assert (store_dir / "assets" / key(6).asset_id).exists()
            assert stream.read(len(body)) == body[1:]
            assert eventually(lambda: not (store_dir / "assets" / key(6).asset_id).exists())
            assert stream.seek(0) == 0
            assert stream.read(len(body)) == body
        assert eventually(lambda: taken(store_dir) <= 4 * MIB)
