"""`kithara info`: what the origin says, and what is cached, for a glance at the file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.offline import run_without_sockets
from tests.system.command import kithara
from tests.system.kit import only, ranges
from tests.world import Origin, PatternBody, StallAt, http_date

pytestmark = pytest.mark.system

BODY = PatternBody(4_000_000, seed=51)
FACTS: dict[str, Any] = {"media_type": "audio/flac", "headers": {"Cache-Control": "max-age=600"}}


def info(store: Path, *arguments: str) -> dict[str, Any]:
    """Return what `info --json` says."""
    ran = kithara(store, "info", "--json", *arguments)
    assert (ran.code, ran.err) == (0, "")
    told: dict[str, Any] = json.loads(ran.out)
    return told


def test_json_tells_what_the_origin_said_and_that_nothing_is_cached(origin: Origin, store_dir: Path) -> None:
    little = StallAt(2 << 20)  # a megabyte is looked through for the sound that was promised
    url = origin.serve("/song.flac", BODY, last_modified=http_date(0), always=[little], **FACTS)
    told = info(store_dir, url)
    assert 590 <= told.pop("fresh_seconds") <= 600
    assert told == {
        "url": url,
        "local": False,
        "length": BODY.length,
        "media_type": "audio/flac",
        "etag": '"v1"',
        "last_modified": http_date(0),
        "ranges_supported": True,
        "fresh": True,
        "cached": {"bytes": 0, "percent": 0.0, "complete": False, "ranges": [], "path": None},
        "media": None,
    }
    assert ranges(origin.requests("/song.flac")) == [None]


def test_what_is_cached_is_told_by_ranges_and_costs_no_request_while_fresh(origin: Origin, store_dir: Path) -> None:
    url = origin.serve("/song.flac", BODY, **FACTS)
    assert kithara(store_dir, "get", "-q", url).code == 0
    told = info(store_dir, url)["cached"]
    assert (told["complete"], told["ranges"], told["percent"]) == (True, [[0, BODY.length]], 100.0)
    assert Path(told["path"]).read_bytes() == BODY[0 : BODY.length]
    assert ranges(origin.requests("/song.flac")) == [None]


def test_what_is_cached_of_an_older_version_is_not_told_as_cached(origin: Origin, store_dir: Path) -> None:
    url = origin.serve("/song.flac", BODY)
    assert kithara(store_dir, "get", "-q", url).code == 0
    origin.replace("/song.flac", PatternBody(3_000_000, seed=52), etag='"v2"')
    told = info(store_dir, url)
    assert (told["etag"], told["length"], told["cached"]["bytes"]) == ('"v2"', 3_000_000, 0)


def test_offline_the_cache_is_told_of_without_a_socket(origin: Origin, store_dir: Path) -> None:
    url = origin.serve("/song.flac", BODY, **FACTS)
    assert kithara(store_dir, "cat", "--range", "2000000-2000999", url).code == 0
    result = run_without_sockets(
        "-m", "kithara_file.cli", "info", "--json", "--offline", "--cache-dir", str(store_dir), url
    )
    told = json.loads(result.stdout)
    assert told["media_type"] == "audio/flac"
    assert any(start <= 2_000_000 and end >= 2_001_000 for start, end in told["cached"]["ranges"])


def test_the_table_draws_a_file_that_is_partly_here(origin: Origin, store_dir: Path) -> None:
    url = origin.serve("/song.flac", BODY, always=[only((2_000_000, 3_000_000))], **FACTS)
    assert kithara(store_dir, "cat", "--range", "2000000-2999999", url).code == 0
    origin.always("/song.flac")
    ran = kithara(store_dir, "info", url)
    table = ran.out.decode()
    assert ran.code == 0
    for part in ("4.0 MB (4,000,000 bytes)", "audio/flac", '"v1"', "supported", "for another", "░░░░", "████"):
        assert part in table
