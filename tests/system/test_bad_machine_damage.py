"""What lies in the store was damaged: found and fetched again or built anew; no wrong byte, no open that fails."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from kithara_file import open_file
from tests.system.bad_machine import BODY, DATA, claims, fill, reads_right, refetched, serve, session_of, stored
from tests.world import Origin, StallAt

pytestmark = pytest.mark.system

HALF = BODY.length // 2
Damage = Callable[[Path], object]


@pytest.fixture
def url(origin: Origin) -> str:
    return serve(origin)


def patched(at: int, patch: Callable[[bytes], bytes], size: int = 1) -> Damage:
    """Return the damage that changes `size` bytes at `at`, counted from the end when negative."""

    def damage(path: Path) -> None:
        with path.open("r+b") as file:
            file.seek(at, os.SEEK_SET if at >= 0 else os.SEEK_END)
            old = file.read(size)
            file.seek(-len(old), os.SEEK_CUR)
            file.write(patch(old))

    return damage


def flip(old: bytes) -> bytes:
    return bytes([old[0] ^ 16]) + old[1:]


def zeros(old: bytes) -> bytes:
    return bytes(len(old))


def garbage(path: Path) -> None:
    path.write_bytes(b"\xfe garbage \x00" * 999)


def folder_instead(path: Path) -> None:
    path.unlink()
    path.mkdir()


def link_instead(path: Path) -> None:
    moved = path.rename(path.parent.parent.parent.parent / path.name)
    path.symlink_to(moved)


def replaced(old: bytes, new: bytes) -> Damage:
    def damage(path: Path) -> None:
        content = path.read_bytes()
        assert old in content
        path.write_bytes(content.replace(old, new, 1))

    return damage


DATA_DAMAGE: dict[str, Damage] = {
    "truncated": lambda path: os.truncate(path, HALF // 2),
    "emptied": lambda path: os.truncate(path, 0),
    "zeroed": lambda path: patched(0, zeros, path.stat().st_size)(path),
    "zeroed in the middle": patched(100_000, zeros, 4096),
    "with its first bit flipped": patched(0, flip),
    "with a bit in the middle flipped": patched(HALF // 2, flip),
    "with its last bit flipped": patched(-1, flip),
    "longer than it should be": lambda path: os.truncate(path, 2 * BODY.length),
    "gone": Path.unlink,
    "garbage": garbage,
}
JOURNAL_DAMAGE: dict[str, Damage] = {
    "torn": lambda path: os.truncate(path, path.stat().st_size - 7),
    "cut to its first record": lambda path: os.truncate(path, 47),
    "empty": lambda path: os.truncate(path, 0),
    "with a bit of its header flipped": patched(20, flip),
    "with a bit of a record flipped": patched(60, flip),
    "with garbage after it": lambda path: path.write_bytes(path.read_bytes() + b"\x89kj1" * 33),
    "with a record twice": lambda path: path.write_bytes(path.read_bytes() + path.read_bytes()[40:80]),
    "gone": Path.unlink,
    "garbage": garbage,
}
META_DAMAGE: dict[str, Damage] = {
    "of a future format": replaced(b'"format": 1', b'"format": 2'),
    "half-written": lambda path: os.truncate(path, path.stat().st_size // 2),
    "empty": lambda path: os.truncate(path, 0),
    "no JSON": garbage,
    "JSON of another kind": lambda path: path.write_text("[1, 2, 3]"),
    "with another length": replaced(str(BODY.length).encode(), str(BODY.length - 1).encode()),
    "with another validator": replaced(b"v1", b"v0"),
    "gone": Path.unlink,
}
ALL_DAMAGE = [
    pytest.param(suffix, damage, id=f"{suffix[1:]} {name}")
    for suffix, table in ((".data", DATA_DAMAGE), (".journal", JOURNAL_DAMAGE), (".json", META_DAMAGE))
    for name, damage in table.items()
]
MISPLACED = [
    pytest.param(suffix, damage, id=f"{damage.__name__} of {suffix[1:]}")
    for suffix in (".data", ".journal", ".json")
    for damage in (folder_instead, link_instead)
]


@pytest.mark.parametrize("upto", [None, HALF], ids=["complete", "partial"])
@pytest.mark.parametrize("suffix, damage", ALL_DAMAGE)
def test_damage_done_while_closed_is_found_and_heals(
    origin: Origin, url: str, store_dir: Path, suffix: str, damage: Damage, upto: int | None
) -> None:
    fill(url, store_dir, upto)
    damage(stored(store_dir, suffix))
    claims(url, store_dir)
    reads_right(url, store_dir)
    assert claims(url, store_dir) == BODY.length
    assert refetched(origin, url, store_dir) == 0


@pytest.mark.parametrize("upto", [None, HALF], ids=["complete", "partial"])
@pytest.mark.parametrize("suffix, damage", MISPLACED)
def test_another_thing_in_the_place_of_a_file_is_not_followed_and_read_past(
    url: str, store_dir: Path, suffix: str, damage: Damage, upto: int | None
) -> None:
    fill(url, store_dir, upto)
    damage(stored(store_dir, suffix))
    outside = {each: each.read_bytes() for each in store_dir.parent.glob("*") if each.is_file()}
    claims(url, store_dir)
    with open_file(url, store=store_dir) as file:
        assert file.read() == DATA
    assert {each: each.read_bytes() for each in outside} == outside


def test_the_journal_of_another_generation_vouches_for_nothing(origin: Origin, url: str, store_dir: Path) -> None:
    fill(url, store_dir)
    foreign = stored(store_dir, ".journal").read_bytes()
    origin.replace("/song", bytes(BODY.length), etag='"v2"')
    with open_file(url, store=store_dir) as file:
        assert file.read() == bytes(BODY.length)
    origin.replace("/song", BODY, etag='"v3"')
    fill(url, store_dir, HALF)
    stored(store_dir, ".journal").write_bytes(foreign)
    assert claims(url, store_dir) == 0
    reads_right(url, store_dir)


def test_only_the_damaged_part_is_fetched_again(origin: Origin, url: str, store_dir: Path) -> None:
    fill(url, store_dir)
    patched(HALF, flip)(stored(store_dir, ".data"))
    assert 0 < refetched(origin, url, store_dir) <= 512 * 1024
    assert claims(url, store_dir) == BODY.length


def test_damaged_bytes_are_a_miss_offline(url: str, store_dir: Path) -> None:
    fill(url, store_dir)
    patched(HALF, flip)(stored(store_dir, ".data"))
    assert 0 < claims(url, store_dir) < BODY.length


@pytest.mark.parametrize("upto", [None, HALF], ids=["complete", "partial"])
@pytest.mark.parametrize("size", [0, 1000, HALF // 2])
def test_a_file_truncated_while_it_is_read_is_fetched_again_and_no_end(
    origin: Origin, url: str, store_dir: Path, size: int, upto: int | None
) -> None:
    fill(url, store_dir, upto)
    origin.wait_disconnected()
    origin.next("/song", StallAt(0))
    with session_of(url, store_dir) as session, session.stream() as stream:
        assert stream.read(10) == DATA[:10]
        if upto is not None:  # nothing is being written: a cut between the look and the write that follows is not seen
            origin.wait_stalled("/song")
        os.truncate(stored(store_dir, ".data"), size)
        origin.release("/song")
        assert stream.read() == DATA[10:]
        stream.seek(0)
        assert stream.read() == DATA
    reads_right(url, store_dir)


# -- the index -------------------------------------------------------------------------------------------------------


def another_program(path: Path) -> None:
    path.unlink()
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE assets (x)")
        other.commit()


INDEX_DAMAGE: dict[str, Damage] = {
    "garbage": garbage,
    "truncated": lambda path: os.truncate(path, 100),
    "empty": lambda path: os.truncate(path, 0),
    "gone": Path.unlink,
    "with a bit of its schema flipped": patched(120, flip),
    "a folder": folder_instead,
    "another program's": another_program,
}


@pytest.mark.parametrize("damage", INDEX_DAMAGE.values(), ids=list(INDEX_DAMAGE))
def test_an_index_damaged_while_closed_costs_no_byte(origin: Origin, url: str, store_dir: Path, damage: Damage) -> None:
    fill(url, store_dir)
    damage(store_dir / "index.sqlite3")
    assert refetched(origin, url, store_dir) == 0


@pytest.mark.parametrize("damage", [garbage, Path.unlink])
def test_an_index_damaged_while_open_costs_no_byte(origin: Origin, url: str, store_dir: Path, damage: Damage) -> None:
    fill(url, store_dir)
    with session_of(url, store_dir) as session, session.stream() as stream:
        damage(store_dir / "index.sqlite3")
        reads_right(origin.serve("/other", BODY), store_dir)
        assert stream.read() == DATA
    assert refetched(origin, url, store_dir) == 0


def test_an_index_that_another_program_locks_for_long_keeps_nobody_waiting(
    origin: Origin, url: str, store_dir: Path
) -> None:
    fill(url, store_dir)
    with closing(sqlite3.connect(store_dir / "index.sqlite3", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        assert refetched(origin, url, store_dir) == 0
        reads_right(origin.serve("/other", BODY), store_dir)
