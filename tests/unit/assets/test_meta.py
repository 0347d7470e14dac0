"""The JSON beside the bytes: believed whole or not at all."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from xxhash import xxh3_64_hexdigest

from kithara_file.assets.meta import ResourceMeta, new_generation, read_meta, write_meta, write_meta_soon
from kithara_file.net.remote import Freshness, Remote, Validator

META = ResourceMeta(
    remote=Remote(
        length=5,
        ranges=True,
        validator=Validator(etag='"x"'),
        media_type="audio/flac",
        freshness=Freshness(lifetime=60.0),
    ),
    url="https://example.org/a",
    name="low",
    length=5,
    created=1700000000.5,
)


def makes_sense(content: bytes) -> bool:
    try:
        ResourceMeta.from_bytes(content)
    except ValueError:
        return False
    return True


def edited(meta: ResourceMeta, edit: Callable[[dict[str, Any]], object]) -> bytes:
    """Return the file of `meta` as one who knows the format writes it with other facts."""
    facts = json.loads(meta.to_bytes())
    del facts["check"]
    edit(facts)
    check = xxh3_64_hexdigest(json.dumps(facts, sort_keys=True).encode())
    return json.dumps({**facts, "check": check}).encode()


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "a.json"


@pytest.mark.parametrize("write", [write_meta, write_meta_soon])
def test_what_was_written_is_read(place: Path, write: Callable[[Path, ResourceMeta], None]) -> None:
    write(place, replace(META, committed=True))
    write(place, META)
    assert read_meta(place) == META
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    assert list(place.parent.iterdir()) == [place]


def test_no_two_generations_are_the_same() -> None:
    assert new_generation() != new_generation()
    assert ResourceMeta(remote=Remote(), url="").generation != META.generation


WRONG: dict[str, list[Any]] = {
    "format": [2, 0, "1", None],
    "generation": ["", "../x", "0" * 31, "G" * 32, 7, None],
    "url": [None, 7],
    "name": [7],
    "committed": [None, 1, "true"],
    "length": [-1, 1.5, True, "5"],
    "created": [None, "now", float("inf"), float("nan"), True],
    "remote": [{"length": -1}, {"length": "x"}, {"validator": {"etag": 5}}, {"freshness": {"lifetime": "long"}}],
}


@pytest.mark.parametrize("name, value", [(name, value) for name, values in WRONG.items() for value in values])
def test_a_file_with_nonsense_in_it_counts_as_absent(place: Path, name: str, value: object) -> None:
    place.write_bytes(edited(META, lambda facts: facts.update({name: value})))
    assert read_meta(place) is None


@pytest.mark.parametrize("name", [*WRONG])
def test_a_file_with_a_fact_missing_counts_as_absent(place: Path, name: str) -> None:
    place.write_bytes(edited(replace(META, committed=True), lambda facts: facts.pop(name)))
    found = read_meta(place)
    assert found is None or name in {"name", "remote"}  # these two have an honest default: nothing is known


def test_a_committed_resource_without_a_length_makes_no_sense(place: Path) -> None:
    place.write_bytes(replace(META, committed=True, length=None).to_bytes())
    assert read_meta(place) is None


def test_a_remote_may_learn_new_facts_without_a_new_format(place: Path) -> None:
    def learn(facts: dict[str, Any]) -> None:
        facts["remote"]["colour"] = "blue"
        facts["mood"] = "good"
        del facts["remote"]["freshness"]["immutable"]
        del facts["remote"]["freshness"]["said"]

    place.write_bytes(edited(META, learn))
    assert read_meta(place) == META


@given(at=st.integers(0, len(META.to_bytes()) - 1), bit=st.integers(0, 7))
def test_a_file_with_one_bit_flipped_says_the_same_or_counts_as_absent(at: int, bit: int) -> None:
    content = bytearray(META.to_bytes())
    content[at] ^= 1 << bit
    try:
        found = ResourceMeta.from_bytes(bytes(content))
    except ValueError:
        return
    assert found == META


@given(cut=st.integers(0, 700))
def test_a_half_written_file_counts_as_absent(cut: int) -> None:
    content = META.to_bytes()
    assert makes_sense(content[:cut]) is (cut >= len(content))


@given(
    content=st.binary()
    | st.recursive(st.none() | st.integers() | st.text(), st.lists).map(lambda it: json.dumps(it).encode())
)
def test_garbage_is_never_more_than_a_value_error(content: bytes) -> None:
    assert not makes_sense(content)


@pytest.mark.parametrize("content", [b"[" * 100_000, b"1" * 10_000, b"x" * (1 << 20), b'{"format": 1e999}'])
def test_bombs_count_as_absent(place: Path, content: bytes) -> None:
    place.write_bytes(content)
    assert read_meta(place) is None


def test_what_cannot_be_read_counts_as_absent(place: Path) -> None:
    assert read_meta(place) is None
    place.mkdir()
    assert read_meta(place) is None


def test_a_planted_link_is_not_read(place: Path, tmp_path: Path) -> None:
    (tmp_path / "real").write_bytes(META.to_bytes())
    place.symlink_to(tmp_path / "real")
    assert read_meta(place) is None
