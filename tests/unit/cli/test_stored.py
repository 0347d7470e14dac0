"""What is in the cache, as people are shown it."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from kithara_file.assets.catalogue import StoredAsset, StoredResource
from kithara_file.assets.keys import ResourceKey
from kithara_file.cli import stored
from kithara_file.ranges import ByteRange, Coverage
from tests.unit.cli.kit import console, written

KEY = ResourceKey.of("https://host/song.flac")
WHOLE = StoredResource(KEY, 1000, Coverage([ByteRange(0, 1000)]), True, "audio/flac", Path("/store/a.data"))
PART = replace(WHOLE, length=2000, committed=False, media_type=None)
ASSET = StoredAsset(
    asset_id=KEY.asset_id,
    url=KEY.url,
    name=None,
    bytes=1500,
    last_used=100.0,
    pins=frozenset(),
    in_use=False,
    users=(),
    resources=(WHOLE,),
)
NOW = 160.0


def shown(*assets: StoredAsset) -> str:
    """Return the table as text, in which runs of blanks are one."""
    on = console(200)
    on.print(stored.table(assets, NOW))
    return " ".join(written(on).split())


def told(asset: StoredAsset) -> str:
    on = console(200)
    on.print(stored.details(asset, NOW))
    return "\n".join(" ".join(line.split()) for line in written(on).splitlines())


def test_a_row_tells_all_of_an_asset() -> None:
    row = shown(replace(ASSET, pins=frozenset({"trip", "car"}), in_use=True, users=(os.getpid(),)))
    for each in (KEY.asset_id[:8], "https://host/song.flac", "1.5 kB", "█" * 20, "1 min ago", "car, trip"):
        assert each in row
    assert f"({os.getpid()})" in row


def test_the_largest_resource_is_drawn_and_the_others_are_counted() -> None:
    row = shown(replace(ASSET, resources=(WHOLE, PART)))
    assert "song.flac + 1 more" in row
    assert "█" * 10 + "░" * 10 in row


@pytest.mark.parametrize(
    "asset, label",
    [
        (ASSET, "https://host/song.flac"),
        (replace(ASSET, name="low"), "https://host/song.flac (low)"),
        (replace(ASSET, url="", resources=()), "unknown"),
        (replace(ASSET, name="\x1b[31m"), "https://host/song.flac (\N{REPLACEMENT CHARACTER}[31m)"),
    ],
)
def test_an_asset_is_called_by_its_url_and_name(asset: StoredAsset, label: str) -> None:
    assert stored.label(asset) == label
    assert label in shown(asset)


def test_who_cannot_be_named_is_another_process() -> None:
    assert stored.users(replace(ASSET, in_use=True)) == "another process"
    assert stored.users(ASSET) == ""
    assert stored.command(0) == "process"


@pytest.mark.parametrize(
    "resource, here",
    [
        (WHOLE, "1.0 kB, complete"),
        (PART, "1.0/2.0 kB, 50.0 %"),
        (replace(PART, length=None), "1.0 kB"),
        (replace(WHOLE, length=0, coverage=Coverage()), "0 B, complete"),
    ],
)
def test_how_much_is_here_is_told(resource: StoredResource, here: str) -> None:
    assert stored.here(resource) == here


def test_the_details_are_of_every_resource() -> None:
    text = told(replace(ASSET, name="low", pins=frozenset({"trip"}), resources=(WHOLE, PART)))
    for each in ("url https://host/song.flac", "name low", "pinned trip", "in use by nobody", "type audio/flac"):
        assert each in text
    assert "kept in /store/a.data" in text
    assert "█" * 36 + "░" * 36 in text
    assert "pinned no" in told(ASSET)
    assert "url unknown" in told(replace(ASSET, url="", resources=()))


def test_as_json_everything_is_a_plain_value() -> None:
    facts = stored.to_json(replace(ASSET, pins=frozenset({"b", "a"}), users=(0,), in_use=True, resources=(PART,)))
    assert facts["pins"] == ["a", "b"]
    assert facts["users"] == [{"pid": 0, "command": "process"}]
    assert facts["resources"][0]["ranges"] == [[0, 1000]]
    assert facts["resources"][0]["complete"] is False


@pytest.mark.parametrize("count, text", [(0, "0 assets, 0 B"), (1, "1 asset, 1.5 kB"), (2, "2 assets, 3.0 kB")])
def test_the_total_is_told(count: int, text: str) -> None:
    assert stored.total([ASSET] * count) == text
