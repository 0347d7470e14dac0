"""What is large is given to the disk behind the back of who has closed it; what is small, before they go on."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from kithara_file import AssetStore, File, FileConfig, open_file
from kithara_file.session import completion, growth
from kithara_file.session.registry import registry
from kithara_file.storage import platform
from tests.world import Origin, StallAt
from tests.world.crash import run_child

BODY = bytes(range(256)) * 1024
SOON = 30


class SlowDisk:
    """Takes nothing for good until it is let."""

    def __init__(self, datasync: object) -> None:
        self._datasync = datasync
        self.asked = threading.Event()
        self.let = threading.Event()

    def sync(self, fd: int) -> None:
        self.asked.set()
        assert self.let.wait(SOON)
        self._datasync(fd)  # type: ignore[operator]

    def take(self) -> None:
        """Take everything from now on, and return when nothing of those who waited for it is left."""
        fronts = list(registry._late)
        self.let.set()
        for front in fronts:
            front.closed.result(SOON)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[SlowDisk]:
    slow = SlowDisk(platform.datasync)
    monkeypatch.setattr(platform, "datasync", slow.sync)
    yield slow
    slow.take()


@pytest.fixture
def large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(completion, "QUICK_BYTES", len(BODY) - 1)


def read_through(url: str, store: AssetStore | Path) -> None:
    with open_file(url, store=store) as file:
        assert file.read() == BODY


def committed(store: AssetStore) -> list[bool]:
    return [resource.committed for asset in store.assets() for resource in asset.resources]


@pytest.mark.usefixtures("large")
def test_who_closes_what_is_large_does_not_wait_for_the_disk(origin: Origin, tmp_path: Path, disk: SlowDisk) -> None:
    with AssetStore(tmp_path) as store:
        read_through(origin.serve("/song", BODY), store)
        assert disk.asked.wait(SOON)
        assert committed(store) == [False]
        disk.take()
        assert committed(store) == [True]
        assert [asset.in_use for asset in store.assets()] == [False]


@pytest.mark.usefixtures("large")
def test_who_comes_back_meanwhile_finds_it_all(origin: Origin, tmp_path: Path, disk: SlowDisk) -> None:
    url = origin.serve("/song", BODY)
    read_through(url, tmp_path)
    with File.open(FileConfig(url, store=tmp_path)) as session, session.stream() as stream:
        assert stream.read() == BODY
        with open_file(url, store=tmp_path, offline_mode=True) as file:
            assert file.read() == BODY
        disk.take()
        session.wait_complete(SOON)
    assert origin.bytes_sent() == len(BODY)


@pytest.mark.usefixtures("large")
def test_who_closes_one_more_waits_as_long_as_for_a_small_one(
    origin: Origin, tmp_path: Path, disk: SlowDisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kithara_file.session.registry.CLOSE_SECONDS", 0.1)
    left = []
    for number in range(2):
        with open_file(origin.serve(f"/{number}", BODY), store=tmp_path) as file:
            assert file.read() == BODY
            left += [front.left for front in registry._live.values()]
    assert [each.done() for each in left] == [True, False]
    disk.take()
    left[1].result(SOON)


@pytest.mark.usefixtures("large")
def test_nobody_else_waits_behind_it(
    origin: Origin, tmp_path: Path, disk: SlowDisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_through(origin.serve("/song", BODY), tmp_path)
    assert disk.asked.wait(SOON)
    monkeypatch.setattr(growth, "WRITE_BACK_BYTES", 500)
    other = open_file(origin.serve("/other", BODY, always=[StallAt(1000)]), store=tmp_path)
    assert other.read(1000) == BODY[:1000]
    (front,) = [each for each in registry._live.values() if each.shown_url.endswith("/other")]
    other.close()
    assert front.closed.done()


def test_who_closes_what_is_small_finds_it_committed(origin: Origin, tmp_path: Path) -> None:
    with AssetStore(tmp_path) as store:
        read_through(origin.serve("/song", BODY), store)
        assert committed(store) == [True]


@pytest.mark.usefixtures("large")
def test_a_store_that_is_closed_meanwhile_still_gets_it(origin: Origin, tmp_path: Path, disk: SlowDisk) -> None:
    url = origin.serve("/song", BODY)
    with AssetStore(tmp_path) as store:
        read_through(url, store)
    disk.take()
    with AssetStore(tmp_path) as store:
        assert committed(store) == [True]


def test_the_end_of_the_program_lets_the_disk_have_it(origin: Origin, tmp_path: Path) -> None:
    out = run_child(
        """
        from kithara_file import open_file
        from kithara_file.session import completion
        completion.QUICK_BYTES = 0
        with open_file(argv[0], store=argv[1]) as file:
            print(len(file.read()))
        """,
        origin.serve("/song", BODY),
        str(tmp_path),
    )
    assert out.split() == [str(len(BODY))]
    with AssetStore(tmp_path) as store:
        assert committed(store) == [True]
