"""What is told of a file is what is known of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from kithara_file import Coverage, OfflineMiss
from kithara_file.cli.info import Facts, gather
from kithara_file.cli.options import Source
from kithara_file.net.remote import Freshness, Remote, Validator
from tests.unit.cli.kit import console, local_file, written

REMOTE = Remote(
    length=1000,
    ranges=True,
    validator=Validator(etag='"v1"'),
    media_type="audio/flac",
    freshness=Freshness(received=100.0, age=5.0, lifetime=60.0),
)


def facts(cached: Coverage | None = None, remote: Remote = REMOTE, now: float = 110.0) -> Facts:
    """Return what would be known of a remote file."""
    cached = cached or Coverage()
    return Facts("https://host/song", False, remote.length, remote, cached, "/store/x.data" if cached else None, now)


def shown(of: Facts) -> str:
    """Return the table as text."""
    on = console(200)
    on.print(of.to_rich())
    return written(on)


def test_json_has_every_fact_under_a_name_that_stays() -> None:
    assert facts(Coverage.of([(0, 100), (900, 1000)])).to_json() == {
        "url": "https://host/song",
        "local": False,
        "length": 1000,
        "media_type": "audio/flac",
        "etag": '"v1"',
        "last_modified": None,
        "ranges_supported": True,
        "fresh": True,
        "fresh_seconds": 45.0,
        "cached": {
            "bytes": 200,
            "percent": 20.0,
            "complete": False,
            "ranges": [[0, 100], [900, 1000]],
            "path": "/store/x.data",
        },
        "media": None,
    }


def test_an_unknown_length_is_null_and_has_no_percentage() -> None:
    told = facts(remote=Remote()).to_json()
    assert (told["length"], told["cached"]["percent"], told["cached"]["complete"]) == (None, None, False)


@pytest.mark.parametrize(
    "freshness,now,sentence",
    [
        (REMOTE.freshness, 110.0, "for another 45.0 s"),
        (REMOTE.freshness, 500.0, "the origin is to be asked"),
        (REMOTE.freshness, 50.0, "the origin is to be asked"),
        (Freshness(received=100.0, lifetime=60, no_cache=True), 101.0, "the origin is to be asked"),
        (Freshness(no_store=True), 101.0, "must not be stored"),
    ],
)
def test_the_table_says_how_long_the_answer_is_fresh(freshness: Freshness, now: float, sentence: str) -> None:
    assert sentence in shown(facts(remote=Remote(length=5, freshness=freshness), now=now))


@pytest.mark.parametrize(
    "spans,sentence",
    [
        ([], "nothing"),
        ([(0, 500)], "500 B, 50.0 %"),
        ([(0, 1000)], "1.0 kB, 100 %, complete"),
        ([(each, each + 1) for each in range(0, 40, 2)], "and 12 more"),
    ],
)
def test_the_table_says_what_is_cached(spans: list[tuple[int, int]], sentence: str) -> None:
    assert sentence in shown(facts(Coverage.of(spans)))


def test_only_a_file_that_is_partly_here_is_drawn() -> None:
    assert "█" in shown(facts(Coverage.of([(0, 500)])))
    assert "█" not in shown(facts(Coverage.of([(0, 1000)])))
    assert "░" not in shown(facts())


def test_the_drawing_is_no_wider_than_it_is_where_nothing_bounds_it() -> None:
    last = shown(facts(Coverage.of([(0, 500)]))).splitlines()[-1]
    assert len(last) == 72


def test_what_an_origin_says_cannot_steer_the_terminal() -> None:
    assert "\x1b" not in shown(facts(remote=Remote(media_type="audio/\x1b[31mred")))


def test_a_local_file_is_told_of_without_a_cache(tmp_path: Path) -> None:
    told = gather(str(local_file(tmp_path, data=b"12345")), Source(tmp_path / "store"))
    assert told.to_json()["local"]
    assert "5 bytes" in shown(told)
    assert not (tmp_path / "store").exists()


def test_offline_nothing_is_known_of_what_was_never_fetched(tmp_path: Path) -> None:
    with pytest.raises(OfflineMiss):
        gather("http://127.0.0.1:9/song", Source(tmp_path / "store", offline=True))
