"""The sessions of a process: one for each resource, shared, counted, and gone with their last holder."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from kithara_file.assets.keys import ResourceKey
from kithara_file.assets.store import AssetStore
from kithara_file.clock import CancelToken
from kithara_file.config import FileConfig
from kithara_file.errors import OfflineMiss, StorageError, StreamClosed
from kithara_file.session.front import Front
from kithara_file.session.registry import Registry
from kithara_file.stream.runtime import Runtime
from tests.unit.session.shelf import BODY, URL, put
from tests.world import Origin, StallAt


@pytest.fixture
def house() -> Registry:
    return Registry()


def offline(root: Path, url: str = URL) -> FileConfig:
    return FileConfig(url, store=root, offline_mode=True)


def read(front: Front) -> bytes:
    buffer = bytearray(len(BODY))
    return bytes(buffer[: front.resource.read_at(0, memoryview(buffer))])


def test_one_resource_has_one_session_while_anybody_holds_it(house: Registry, tmp_path: Path) -> None:
    put(tmp_path)
    first = house.join(offline(tmp_path), "one")
    assert house.join(offline(tmp_path), "two") is first
    house.leave(first, "one", wait=True)
    house.leave(first, "one", wait=True)
    assert read(first) == BODY
    house.leave(first, "two", wait=True)
    assert first.closed.done()
    with pytest.raises(StreamClosed):
        read(first)
    house.leave(first, "two", wait=True)  # there is nothing to leave any more
    again = house.join(offline(tmp_path), "three")
    assert again is not first
    house.leave(again, "three", wait=True)


def test_other_urls_stores_and_modes_have_sessions_of_their_own(house: Registry, tmp_path: Path) -> None:
    configs = [
        offline(tmp_path / "a"),
        offline(tmp_path / "b"),
        offline(tmp_path / "a", "http://origin.invalid/other"),
        FileConfig(URL, store=tmp_path / "a", revalidate="never"),
    ]
    for each in configs:
        put(Path(str(each.store)), url=str(each.url))
    fronts = [house.join(each, "me") for each in configs]
    assert len(set(fronts)) == 4
    for front in fronts:
        house.leave(front, "me", wait=True)


def test_spellings_of_one_url_share_a_session(house: Registry, tmp_path: Path) -> None:
    put(tmp_path)
    front = house.join(offline(tmp_path), "me")
    assert house.join(offline(tmp_path, "HTTP://user:secret@Origin.invalid:80/song?token=hush#part"), "too") is front
    house.leave(front, "me", wait=True)
    house.leave(front, "too", wait=True)


def test_threads_that_come_at_once_share_one_session(house: Registry, tmp_path: Path) -> None:
    put(tmp_path)
    start = threading.Barrier(8)

    def join(number: int) -> Front:
        start.wait(30)
        return house.join(offline(tmp_path), number)

    with ThreadPoolExecutor(8) as pool:
        fronts = set(pool.map(join, range(8)))
        assert len(fronts) == 1
        front = fronts.pop()
        assert read(front) == BODY
        list(pool.map(lambda number: house.leave(front, number, wait=True), range(8)))
    assert front.closed.done()


def test_a_directory_is_one_store_while_it_is_used_and_a_store_that_was_given_stays_open(
    house: Registry, tmp_path: Path
) -> None:
    put(tmp_path)
    with AssetStore(tmp_path) as store:
        front = house.join(FileConfig(URL, store=store, offline_mode=True), "me")
        assert house.join(offline(tmp_path), "too") is front
        house.leave(front, "me", wait=True)
        house.leave(front, "too", wait=True)
        store.open(ResourceKey.of(URL)).close()
    assert house._stores == {}


def test_offline_without_anything_stored_is_a_miss_and_keeps_nothing_open(house: Registry, tmp_path: Path) -> None:
    with pytest.raises(OfflineMiss):
        house.join(offline(tmp_path), "me")
    assert (house._stores, house._live) == ({}, {})


def test_a_store_that_was_named_and_cannot_be_used_is_told(house: Registry, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StorageError):
        house.join(offline(tmp_path / "file"), "me")
    assert (house._stores, house._live) == ({}, {})


def test_without_a_named_store_another_place_is_found(
    house: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, origin: Origin
) -> None:
    (tmp_path / "cache").write_bytes(b"")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    front = house.join(FileConfig(origin.serve("/song", BODY)), "me")
    front.opened.result(30)
    assert house._refuge._path is not None
    assert any(house._refuge._path.rglob("*.data"))
    house.leave(front, "me", wait=True)


def test_a_session_whose_remote_has_changed_is_joined_by_nobody(house: Registry, tmp_path: Path) -> None:
    put(tmp_path)
    front = house.join(offline(tmp_path), "me")
    front.session.dead = True
    other = house.join(offline(tmp_path), "other")
    assert other is not front
    house.leave(front, "me", wait=True)
    house.leave(other, "other", wait=True)


def test_leaving_ends_a_download_and_waits_for_it(house: Registry, tmp_path: Path, origin: Origin) -> None:
    url = origin.serve("/song", BODY, always=[StallAt(1000)])
    front = house.join(FileConfig(url, store=tmp_path), "me")
    front.opened.result(30)
    origin.wait_stalled("/song")
    house.leave(front, "me", wait=True)
    assert front.closed.done()
    origin.wait_disconnected()


def test_leaving_on_the_loop_itself_waits_for_nothing(house: Registry, tmp_path: Path, origin: Origin) -> None:
    url = origin.serve("/song", BODY, always=[StallAt(1000)])
    front = house.join(FileConfig(url, store=tmp_path), "me")
    front.opened.result(30)

    async def leave() -> None:
        house.leave(front, "me", wait=True)

    Runtime.current().submit(leave()).result(30)
    front.closed.result(30)


def test_the_end_of_the_runtime_ends_every_session_and_its_connections(
    house: Registry, tmp_path: Path, origin: Origin
) -> None:
    url = origin.serve("/song", BODY, always=[StallAt(1000)])
    front = house.join(FileConfig(url, store=tmp_path), "me")
    front.opened.result(30)
    runtime = Runtime.current()
    assert house._engine is not None
    asyncio.run_coroutine_threadsafe(house._shut_all(), runtime.loop).result(30)
    assert (front.session.over, list(front.session.flights.views), house._live) == (True, [], {})
    origin.wait_disconnected()
    asyncio.run_coroutine_threadsafe(house._shut_all(), runtime.loop).result(30)
    asyncio.run_coroutine_threadsafe(front.session.background.on_disk(front.session._let_go), runtime.loop).result(30)


def test_readers_keep_a_session_alive_after_its_handle(house: Registry, tmp_path: Path) -> None:
    put(tmp_path)
    front = house.join(offline(tmp_path), "me")
    reader = front.reader(offline(tmp_path), CancelToken())
    house.leave(front, "me", wait=True)
    assert not front.closed.done()
    reader.close(wait=True)
    assert front.closed.done()


def test_a_forked_child_has_none_of_the_sessions() -> None:
    source = (
        "import os, sys; from kithara_file.session.registry import registry; registry._live['x'] = None\n"
        "pid = os.fork()\n"
        "if pid == 0: os._exit(len(registry._live))\n"
        "sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))"
    )
    assert subprocess.run([sys.executable, "-c", source], check=False).returncode == 0
