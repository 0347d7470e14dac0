"""`kithara cache` shows, checks, keeps and removes what is stored, and says what it does."""

from __future__ import annotations

import io
import json
import logging
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kithara_file.assets.store import AssetStore
from tests.unit.assets.goods import BODY, key, put, remote
from tests.unit.cli.kit import Said, run

URL = "https://example.org/0"
Run = Callable[..., Said]


@pytest.fixture(autouse=True)
def loggers_stay() -> Iterator[None]:
    """Take back what a command does to the loggers of this process."""
    yield
    logger = logging.getLogger("kithara_file")
    logger.handlers.clear()
    logger.setLevel(logging.NOTSET)


@pytest.fixture
def store(store_dir: Path) -> Iterator[AssetStore]:
    with AssetStore(store_dir) as store:
        yield store


@pytest.fixture
def cache(capsys: pytest.CaptureFixture[str], store_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run `kithara cache` on the store of this test, with nobody to ask."""
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    return lambda *arguments: run(capsys, "cache", arguments[0], "--cache-dir", store_dir, *arguments[1:])


def damage(path: Path) -> None:
    path.write_bytes(b"\xff" + path.read_bytes()[1:])


def test_what_is_stored_is_listed(cache: Run, store: AssetStore, store_dir: Path) -> None:
    put(store, 0, 10_000)
    store.pin(key(0), "trip")
    put(store, 1, 10_000)
    told = cache("ls")
    assert told.code == 0
    assert [line.split()[0] for line in told.out.splitlines()] == ["id", key(1).asset_id[:8], key(0).asset_id[:8]]
    assert "trip" in told.out
    assert told.err.startswith("2 assets, 2")
    assert str(store_dir) in told.err.replace("\n", "")


def test_who_uses_an_asset_is_listed(cache: Run, store: AssetStore) -> None:
    with store.open(key(0)):
        facts = json.loads(cache("ls", "--json").out)
        assert [each["pid"] for each in facts[0]["users"]] == [os.getpid()]
        assert f"({os.getpid()})" in cache("ls").out


def test_an_empty_store_is_no_error_and_is_not_made(cache: Run, store_dir: Path) -> None:
    assert cache("ls").out == ""
    assert json.loads(cache("ls", "--json").out) == []
    assert cache("verify").code == 0
    assert cache("rm", "--all", "--yes").code == 0
    assert cache("gc", "--max-bytes", "1").code == 0
    assert not store_dir.exists()


def test_one_asset_is_described(cache: Run, store: AssetStore) -> None:
    with store.open(key(0)) as entry:
        entry.begin(remote()).write_at(0, BODY[:1024])
    assert "1.0/4.1 kB, 25.0 %" in cache("info", URL).out
    facts = json.loads(cache("info", "--json", key(0).asset_id[:8]).out)
    assert facts["resources"][0]["ranges"] == [[0, 1024]]
    told = cache("info", "https://example.org/1")
    assert (told.code, told.out) == (1, "")
    assert told.err.startswith("kithara: Nothing of https://example.org/1 is stored")


def test_the_path_of_the_bytes_is_printed(cache: Run, store: AssetStore) -> None:
    put(store, 0)
    assert Path(cache("path", URL).out.strip()).read_bytes() == bytes(len(BODY))
    assert cache("path", "https://example.org/1").code == 1


def test_removing_says_what_it_frees_and_wants_to_be_told(cache: Run, store: AssetStore) -> None:
    put(store, 0, 10_000)
    refused = cache("rm", URL)
    assert refused.code == 2
    assert "--yes" in refused.err
    assert store.find(key(0)) is not None
    told = cache("rm", "--yes", URL)
    assert told.code == 0
    assert "kB  https://example.org/0" in told.err
    assert "removed 1 asset, 10" in told.err
    assert store.find(key(0)) is None


def test_what_is_in_use_is_refused_with_who_uses_it(cache: Run, store: AssetStore) -> None:
    put(store, 1)
    with store.open(key(0)):
        told = cache("rm", "-y", URL, "https://example.org/1")
        assert told.code == 1
        assert f"{URL} is in use by" in told.err
        assert f"({os.getpid()})" in told.err.replace("\n", "")
        assert cache("rm", "--all", "-y").code == 0
        assert [each.key.asset_id for each in store.assets()] == [key(0).asset_id]


def test_what_is_pinned_is_removed_only_if_that_is_said(cache: Run, store: AssetStore) -> None:
    put(store, 0)
    assert cache("pin", URL, "--as", "trip").code == 0
    told = cache("rm", "-y", URL)
    assert (told.code, "is pinned by trip" in told.err) == (1, True)
    assert cache("rm", "-y", "--all").code == 0
    assert store.find(key(0)) is not None
    assert cache("rm", "-y", "--pinned", URL).code == 0
    assert store.find(key(0)) is None


@pytest.mark.parametrize(
    "arguments",
    [
        ["rm"],
        ["rm", "--all", URL],
        ["gc"],
        ["gc", "--max-bytes", "much"],
        ["gc", "--max-age", "30"],
        ["pin"],
        ["nonsense"],
        ["import", "/absent", URL],
        ["export", URL, "-"],
        ["export", URL, "absent/one"],
    ],
)
def test_wrong_usage_is_exit_code_2(cache: Run, arguments: list[str]) -> None:
    assert cache(*arguments).code == 2


def test_what_is_above_a_limit_is_collected(cache: Run, store: AssetStore) -> None:
    for number in range(3):
        put(store, number, 10_000)
    store.pin(key(0))
    assert cache("gc", "--max-bytes", "1GB").err == "nothing has to go\n"
    assert cache("gc", "--max-assets", "2").code == 2
    told = cache("gc", "--max-bytes", "25kB", "-y")
    assert told.code == 0
    assert "removed 1 asset" in told.err
    assert {each.key.asset_id for each in store.assets()} == {key(0).asset_id, key(2).asset_id}
    assert cache("gc", "--max-age", "0s", "--min-free", "0", "-y").code == 0
    assert [each.key.asset_id for each in store.assets()] == [key(0).asset_id]


def test_what_is_bad_is_found_and_taken_back(cache: Run, store: AssetStore) -> None:
    put(store, 0)
    put(store, 1)
    assert cache("verify", URL).err == "4.1 kB in 1 file read, none of them bad\n"
    damage(store.path(key(0)))
    facts = {each["url"]: each for each in json.loads(cache("verify", "--json").out)}
    assert facts[URL]["bad"] == [[0, len(BODY)]]
    assert facts["https://example.org/1"]["good"]
    told = cache("verify", URL, key(1).asset_id)
    assert (told.code, "none of them bad" in told.err) == (0, True)


def test_bad_bytes_are_exit_code_1(cache: Run, store: AssetStore) -> None:
    put(store, 0)
    damage(store.path(key(0)))
    told = cache("verify")
    assert told.code == 1
    assert f"kithara: {URL}: 4.1 kB were bad" in told.err


def test_what_cannot_be_looked_at_is_told(cache: Run, store: AssetStore) -> None:
    put(store, 0)
    lease = store.path(key(0)).with_name("lease")
    lease.unlink()
    lease.mkdir()
    told = cache("verify")
    assert (told.code, "not looked at" in told.err) == (1, True)


def test_pins_are_put_on_and_taken_off(cache: Run, store: AssetStore) -> None:
    assert cache("pin", URL).err == f"{URL} is pinned by user\n"
    put(store, 0)
    assert cache("pin", key(0).asset_id[:8], "--as", "trip").err == f"{URL} is pinned by trip, user\n"
    assert cache("unpin", URL).err == f"{URL} is still pinned by trip\n"
    assert cache("unpin", URL, "--all").err == f"{URL} is not pinned any more\n"
    assert cache("unpin", URL).code == 0


def test_a_file_goes_out_and_comes_in(cache: Run, store: AssetStore, tmp_path: Path) -> None:
    put(store, 0)
    assert cache("export", URL, tmp_path / "out").code == 0
    assert (tmp_path / "out").read_bytes() == bytes(len(BODY))
    assert cache("export", URL, tmp_path).err.endswith(f"saved as {tmp_path / '0'}\n")
    assert cache("export", URL, tmp_path / "out").code == 2
    (tmp_path / "out").write_bytes(BODY)
    assert cache("import", tmp_path / "out", URL).code == 2
    assert cache("import", tmp_path / "out", URL, "--yes").code == 0
    assert cache("import", tmp_path / "out", "https://example.org/1").code == 0
    assert store.path(key(0)).read_bytes() == store.path(key(1)).read_bytes() == BODY
    assert cache("export", "https://example.org/2", tmp_path / "none").code == 1


def test_a_file_goes_out_to_where_get_would_put_it(cache: Run, store: AssetStore, tmp_path: Path) -> None:
    put(store, 0)
    assert cache("export", URL, f"{tmp_path}/new/one/").err.endswith(f"saved as {tmp_path}/new/one/0\n")
    assert (tmp_path / "new/one/0").read_bytes() == bytes(len(BODY))
    assert cache("export", URL, f"{tmp_path}/new/one/").code == 2
    assert cache("export", "http://[::1/x", tmp_path / "none").code == 1
    assert "kithara cat" in cache("export", URL, "-").err
    assert "there is no directory" in cache("export", URL, tmp_path / "absent/one").err


def test_a_file_that_is_not_what_was_promised_stays_out(cache: Run, store: AssetStore, tmp_path: Path) -> None:
    (tmp_path / "in").write_bytes(BODY)
    assert cache("import", tmp_path / "in", URL, "--digest", f"sha256:{64 * '0'}").code == 1
    assert cache("import", tmp_path / "in", URL, "--digest", "nonsense").code == 2
    assert store.find(key(0)) is None
