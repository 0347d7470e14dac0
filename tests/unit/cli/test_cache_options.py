"""The words of `kithara cache`."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import click
import pytest

from kithara_file.assets.store import AssetStore
from kithara_file.cli.cache_options import Shelf, is_id, size, span, sure
from kithara_file.errors import AssetError, InvalidKey
from tests.unit.assets.goods import key, put
from tests.unit.cli.kit import console


@pytest.mark.parametrize(
    "text, amount",
    [("0", 0), ("500", 500), ("1.5kB", 1500), ("2 GB", 2 * 10**9), ("2GiB", 2 << 30), ("1m", 10**6), ("1T", 10**12)],
)
def test_sizes_are_read_as_people_write_them(text: str, amount: float) -> None:
    assert size(text) == amount


@pytest.mark.parametrize("text, seconds", [("90", None), ("30d", 30 * 86400), ("12 h", 43200), ("1.5min", 90)])
def test_spans_need_a_unit(text: str, seconds: float | None) -> None:
    if seconds is None:
        with pytest.raises(click.BadParameter, match="12h or 30d"):
            span(text)
    else:
        assert span(text) == seconds


@pytest.mark.parametrize("text", ["", "x", "-1", "1 parsec", "1e3"])
def test_nonsense_is_no_size(text: str) -> None:
    with pytest.raises(click.BadParameter, match="500MB or 2GiB"):
        size(text)


@pytest.mark.parametrize("word, yes", [("26220339", True), ("2622", True), ("262", False), ("https://a/", False)])
def test_an_id_is_written_in_hex(word: str, *, yes: bool) -> None:
    assert is_id(word) is yes


def test_an_asset_is_named_by_its_url_or_the_beginning_of_its_id(store_dir: Path) -> None:
    with AssetStore(store_dir) as store:
        put(store, 0)
        shelf = Shelf(store, console())
        assert shelf.find("https://example.org/0").asset_id == key(0).asset_id
        assert shelf.find(key(0).asset_id[:6]).asset_id == key(0).asset_id
        assert len(shelf.find_all(["https://example.org/0", key(0).asset_id])) == 1
        with pytest.raises(AssetError, match=r"Nothing of https://example\.org/1 is stored"):
            shelf.find("https://example.org/1")
        with pytest.raises(AssetError, match=r"No assets in .* have an id like 0000"):
            shelf.find("0000")
        with pytest.raises(AssetError, match="nonsense is neither a URL nor"):
            shelf.find("nonsense")
        with pytest.raises(InvalidKey, match=r"song\.mp3 is no URL, and what did not come from one"):
            shelf.key("song.mp3")
        with pytest.raises(InvalidKey, match="must name a host"):
            shelf.find("http://")


def test_the_name_and_the_cache_key_are_a_part_of_the_identity(store_dir: Path) -> None:
    store = AssetStore(store_dir)
    plain = Shelf(store, console()).key("https://example.org/0")
    assert Shelf(store, console(), name="low").key("https://example.org/0") != plain
    assert Shelf(store, console(), cache_key="k").key("https://example.org/0") != plain


def test_nobody_is_asked_where_nobody_can_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))
    assert sure("Remove all?", yes=True)
    with pytest.raises(click.UsageError, match=r"Remove all.*--yes"):
        sure("Remove all?", yes=False)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("answer, agreed", [("y\n", True), ("n\n", False), ("\n", False)])
def test_somebody_at_a_terminal_is_asked(monkeypatch: pytest.MonkeyPatch, answer: str, *, agreed: bool) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal(answer))
    assert sure("Remove all?", yes=False) is agreed
