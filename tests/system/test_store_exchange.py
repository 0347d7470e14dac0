"""What is put into a store by hand, found bad in it or pinned in it, as users of the whole library meet it."""

from __future__ import annotations

from pathlib import Path

import pytest

from kithara_file import AssetStore, File, FileConfig, open_file
from kithara_file.net.remote import Remote, Validator
from tests.world import Origin

pytestmark = pytest.mark.system

BODY = bytes(range(256)) * 4096


@pytest.fixture
def song(tmp_path: Path) -> Path:
    path = tmp_path / "song.flac"
    path.write_bytes(BODY)
    return path


def test_what_was_adopted_reads_offline(store_dir: Path, song: Path) -> None:
    with AssetStore(store_dir) as store:
        store.adopt(song, "https://example.org/song")
        with open_file("https://example.org/song", store=store, offline_mode=True) as file:
            assert file.read() == BODY


def test_what_was_adopted_with_its_validator_costs_one_304(origin: Origin, store_dir: Path, song: Path) -> None:
    url = origin.serve("/song", BODY, etag='"v1"')
    with AssetStore(store_dir) as store:
        store.adopt(song, url, Remote(validator=Validator('"v1"')))
        with open_file(url, store=store) as file:
            assert file.read() == BODY
    assert [one.status for one in origin.requests("/song")] == [304]


def test_what_was_adopted_without_one_is_compared_with_the_whole(origin: Origin, store_dir: Path, song: Path) -> None:
    url = origin.serve("/song", BODY)
    other = origin.serve("/other", BODY[::-1])
    with AssetStore(store_dir) as store:
        for each in (url, other):
            store.adopt(song, each)
        with open_file(url, store=store) as file:
            assert file.read() == BODY
        with open_file(other, store=store) as file:
            assert file.read() == BODY[::-1]


def test_what_was_found_bad_is_fetched_again_and_nothing_else(origin: Origin, store_dir: Path, tmp_path: Path) -> None:
    url = origin.serve("/song", BODY)
    with AssetStore(store_dir) as store:
        with File.open(FileConfig(url, store=store)) as session:
            session.wait_complete(30)
        with store.path(url).open("r+b") as file:
            file.seek(500_000)
            file.write(b"\xff\x00\xff")
        (finding,) = store.verify()
        assert 500_000 in finding.bad
        before = origin.bytes_sent("/song")
        with File.open(FileConfig(url, store=store)) as session:
            session.wait_complete(30)
        assert origin.bytes_sent("/song") - before <= finding.bad.total + 8192
        store.export(url, tmp_path / "out")
    assert (tmp_path / "out").read_bytes() == BODY
