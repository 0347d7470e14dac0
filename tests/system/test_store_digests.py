"""What somebody promised of the whole is held, and bytes that break the promise are never kept."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from pathlib import Path

import pytest

from kithara_file import AssetStore, CorruptResource, File, FileConfig, OfflineMiss, open_file
from kithara_file.assets.keys import ResourceKey
from tests.world import Origin

pytestmark = pytest.mark.system

BODY = bytes(range(256)) * 4096
RIGHT = f"sha256:{hashlib.sha256(BODY).hexdigest()}"
WRONG = f"sha256:{hashlib.sha256(b'other').hexdigest()}"


def download(url: str, store: Path, digest: str | None = None) -> bytes:
    """Return the whole, from the store."""
    with File.open(FileConfig(url, store=store, digest=digest, look_ahead_bytes=None)) as session:
        session.wait_complete(30)
        with session.stream() as stream:
            return stream.read(-1)


def kept(url: str, store: Path) -> bool:
    """Tell whether it is committed."""
    with AssetStore(store) as assets, assets.open(ResourceKey.of(url)) as entry:
        return entry.committed


def test_the_right_bytes_are_kept_and_not_looked_at_again(origin: Origin, store_dir: Path) -> None:
    url = origin.serve("/song", BODY, headers={"Cache-Control": "max-age=1000"})
    assert download(url, store_dir, RIGHT) == BODY
    assert download(url, store_dir, RIGHT.upper()) == BODY
    assert len(origin.requests("/song")) == 1


def test_other_bytes_are_an_error_after_one_more_try_and_are_not_kept(origin: Origin, store_dir: Path) -> None:
    url = origin.serve("/song", BODY)
    with pytest.raises(CorruptResource, match=r"where sha256:.* was promised"):
        download(url, store_dir, WRONG)
    assert origin.bytes_sent("/song") <= 2 * len(BODY)
    assert not kept(url, store_dir)
    with pytest.raises(OfflineMiss), File.open(FileConfig(url, store=store_dir, offline_mode=True)) as session:
        session.stream().read(1)


def test_a_reader_hears_that_the_bytes_are_others_than_were_promised(origin: Origin, store_dir: Path) -> None:
    url = origin.serve("/song", BODY)
    config = FileConfig(url, store=store_dir, digest=WRONG, look_ahead_bytes=None)
    with File.open(config) as session, session.stream() as stream:
        assert stream.read(1) == BODY[:1]
        with pytest.raises(CorruptResource):
            session.wait_complete(30)
        with pytest.raises(CorruptResource):
            stream.read(-1)
    assert origin.bytes_sent("/song") <= 2 * len(BODY)


@pytest.mark.parametrize("name", ["Repr-Digest", "Content-MD5"])
def test_a_promise_of_the_origin_is_held(origin: Origin, store_dir: Path, name: str) -> None:
    def header(data: bytes) -> dict[str, str]:
        if name == "Content-MD5":
            return {name: b64encode(hashlib.md5(data, usedforsecurity=False).digest()).decode()}
        return {name: f"sha-256=:{b64encode(hashlib.sha256(data).digest()).decode()}:"}

    good = origin.serve("/good", BODY, headers=header(BODY))
    bad = origin.serve("/bad", BODY, headers=header(b"other"))
    assert download(good, store_dir) == BODY
    assert kept(good, store_dir)
    with pytest.raises(CorruptResource):
        download(bad, store_dir)
    assert not kept(bad, store_dir)


def test_bytes_that_went_bad_on_the_disk_before_the_commit_are_fetched_again(origin: Origin, store_dir: Path) -> None:
    url = origin.serve("/song", BODY)
    config = FileConfig(url, store=store_dir, look_ahead_bytes=256 * 1024, checksums=False)
    with File.open(config) as session, session.stream() as stream:
        assert stream.read(100_000) == BODY[:100_000]
    key = ResourceKey.of(url)
    with (store_dir / "assets" / key.asset_id / f"{key.resource_hash}.data").open("r+b") as data:
        data.seek(5000)
        data.write(b"\xff\xff")
    assert download(url, store_dir, RIGHT) == BODY
    assert kept(url, store_dir)


def test_what_is_complete_without_a_promise_is_looked_at_when_one_is_made(origin: Origin, store_dir: Path) -> None:
    url = origin.serve("/song", BODY, headers={"Cache-Control": "max-age=1000"})
    assert download(url, store_dir) == BODY
    assert download(url, store_dir, RIGHT) == BODY
    assert len(origin.requests("/song")) == 1
    origin.replace("/song", BODY[::-1], etag='"v2"')
    assert download(url, store_dir, f"sha256:{hashlib.sha256(BODY[::-1]).hexdigest()}") == BODY[::-1]


def test_a_wrong_promise_harms_nobody_who_did_not_make_it(origin: Origin, store_dir: Path) -> None:
    url = origin.serve("/song", BODY, headers={"Cache-Control": "max-age=1000"})
    assert download(url, store_dir) == BODY
    with open_file(url, store=store_dir, offline_mode=True) as reading:
        assert reading.read(10) == BODY[:10]
        with pytest.raises(CorruptResource, match=r"where sha256:.* was promised"):
            open_file(url, store=store_dir, digest=WRONG, offline_mode=True)
        with pytest.raises(CorruptResource):
            download(url, store_dir, WRONG)
        assert reading.read() == BODY[10:]
    assert kept(url, store_dir)
    key = ResourceKey.of(url)
    names = {each.name for each in (store_dir / "assets" / key.asset_id).iterdir()}
    assert not [each for each in names if each.endswith(".tmp")]
    with open_file(url, store=store_dir, offline_mode=True) as again:
        assert again.read() == BODY


def test_the_right_bytes_take_the_place_of_others_once_they_are_proven(origin: Origin, store_dir: Path) -> None:
    url = origin.serve("/song", BODY[::-1], headers={"Cache-Control": "max-age=1000"})
    assert download(url, store_dir) == BODY[::-1]
    origin.replace("/song", BODY, etag='"v2"')
    assert download(url, store_dir, RIGHT) == BODY
    with open_file(url, store=store_dir, offline_mode=True) as file:
        assert file.read() == BODY


@pytest.mark.parametrize("with_scheme", [False, True])
def test_the_promise_is_held_of_a_file_of_this_machine(tmp_path: Path, *, with_scheme: bool) -> None:
    path = tmp_path / "song"
    path.write_bytes(BODY)
    name = path.as_uri() if with_scheme else str(path)
    with open_file(name, digest=RIGHT) as file:
        assert file.read() == BODY
    with pytest.raises(CorruptResource, match=r"where sha256:.* was promised"):
        open_file(name, digest=WRONG)
