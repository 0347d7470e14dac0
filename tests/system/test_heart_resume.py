"""What has landed is never fetched again: after a drop, a close, a restart; only what is missing is asked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from kithara_file import File, FileConfig, open_file
from tests.system.kit import SOON, TWICE, asked_bytes
from tests.world import Chunked, CloseAt, Origin, PatternBody, ResetAt, StallAt, digest, plain, when
from tests.world.crash import run_child

pytestmark = pytest.mark.system

MIB = 1 << 20
SONG = PatternBody(1_024_000, seed=2)
HALF = 512_000


SHAPES = """
    # Read the head, seek beyond the break, read on; then all from 0; tell the digest.
    url, store = argv
    from hashlib import sha256

    from kithara_file import File, FileConfig, Stream

    with Stream.open(File, FileConfig(url, store=store, look_ahead_bytes=256_000)) as stream:
        head = stream.read(10_000)
        stream.seek(700_000)
        beyond = stream.read(50_000)
        stream.seek(0)
        whole = stream.read()
    assert (head, beyond) == (whole[:10_000], whole[700_000:750_000])
    print(sha256(whole).hexdigest(), flush=True)
"""


def test_a_body_that_closes_half_way_is_read_beyond_its_break(origin: Origin, store_dir: Path) -> None:
    url = origin.serve("/song", SONG, always=[when(plain, CloseAt(HALF))])
    config = FileConfig(url, store=store_dir, look_ahead_bytes=256_000)
    with File.open(config) as session, session.stream() as stream:
        assert stream.read(10_000) == SONG[:10_000]
        assert stream.seek(700_000) == 700_000
        assert stream.read(50_000) == SONG[700_000:750_000]
        stream.seek(0)
        assert stream.read() == SONG[:]
        assert session.statistics().network_bytes <= SONG.length + 256_000
    assert all(each.if_range == '"v1"' for each in origin.requests("/song")[1:])


def test_a_body_that_closes_half_way_is_right_again_after_a_restart(origin: Origin, store_dir: Path) -> None:
    url = origin.serve("/song", SONG, always=[when(plain, CloseAt(HALF))])
    assert run_child(SHAPES, url, store_dir) == digest(SONG)
    sent = origin.bytes_sent("/song")
    assert run_child(SHAPES, url, store_dir) == digest(SONG)
    assert origin.bytes_sent("/song") == sent, origin.log


@pytest.mark.parametrize("fault", [CloseAt(300_000), ResetAt(300_000)])
def test_a_dropped_connection_is_resumed_where_it_broke(
    origin: Origin, store_dir: Path, fault: CloseAt | ResetAt
) -> None:
    url = origin.serve("/song", SONG, faults=[fault])
    with File.open(FileConfig(url, store=store_dir, look_ahead_bytes=None, retry=TWICE)) as session:
        session.wait_complete(SOON)
    whole, rest = origin.requests("/song")
    assert (whole.range, rest.if_range) == (None, '"v1"')
    assert rest.start <= 300_000
    if isinstance(fault, CloseAt):
        assert rest.range == "bytes=300000-"
    with open_file(url, store=store_dir, offline_mode=True) as file:
        assert file.read() == SONG[:]


def test_after_a_close_only_what_is_missing_is_asked_for(origin: Origin, store_dir: Path) -> None:
    url = origin.serve("/song", SONG, faults=[StallAt(400_000)])
    with open_file(url, store=store_dir) as file:
        assert file.read(400_000) == SONG[:400_000]
    with open_file(url, store=store_dir) as file:
        assert file.read() == SONG[:]
    assert_resumed(origin, 400_000)


def assert_resumed(origin: Origin, start: int) -> None:
    """Fail unless the requests after the first asked for all bytes from `start` on, each once, of the same version."""
    _, *later = origin.requests("/song")
    asked = sorted((asked_bytes(each, SONG) for each in later), key=lambda each: each.start)
    assert [each.start for each in asked] == [start, *(each.stop for each in asked[:-1])], origin.log
    assert asked[-1].stop == SONG.length
    assert {each.if_range for each in later} == {'"v1"'}
    assert origin.bytes_sent("/song") == SONG.length


def test_a_download_of_everything_is_resumed_by_one_request(origin: Origin, store_dir: Path) -> None:
    url = origin.serve("/song", SONG, faults=[StallAt(HALF)])
    config = FileConfig(url, store=store_dir, look_ahead_bytes=None)
    with File.open(config) as session, session.stream() as stream:
        assert stream.read(HALF) == SONG[:HALF]
    with File.open(config) as session:
        session.wait_complete(SOON)
    assert_resumed(origin, HALF)
    assert len(origin.requests("/song")) == 2


def test_gaps_left_by_seeks_are_filled_and_nothing_twice(origin: Origin, store_dir: Path) -> None:
    body = PatternBody(9 * MIB)
    url = origin.serve("/song", body, faults=[StallAt(100_000)])
    with open_file(url, store=store_dir, look_ahead_bytes=256_000) as file:
        for start in (3 * MIB, 6 * MIB, 9 * MIB - 1000):
            file.seek(start)
            assert file.read(1000) == body[start : start + 1000]
    with File.open(FileConfig(url, store=store_dir)) as session:
        before = session.coverage
        asked = len(origin.requests("/song"))
        session.wait_complete(SOON)
    held = {at for each in before for at in (each.start, each.end - 1)}
    for exchange in origin.requests("/song")[asked:]:
        assert not held & set(asked_bytes(exchange, body)), (exchange, before)
        assert exchange.if_range == '"v1"'
    with open_file(url, store=store_dir, offline_mode=True) as file:
        assert file.read() == body[:]


def test_after_a_restart_only_what_is_missing_is_asked_for(origin: Origin, store_dir: Path) -> None:
    url = origin.serve("/song", SONG, faults=[StallAt(400_000)])
    program = """
        from kithara_file import open_file
        with open_file(argv[0], store=argv[1]) as file:
            print(len(file.read(int(argv[2]))))
    """
    assert run_child(program, url, store_dir, 400_000) == "400000"
    assert run_child(program, url, store_dir, -1) == str(SONG.length)
    assert_resumed(origin, 400_000)


@pytest.mark.parametrize("ends", [0, 1, 65_536, 1_023_999])
def test_a_break_anywhere_heals(origin: Origin, store_dir: Path, ends: int) -> None:
    url = origin.serve("/song", SONG, faults=[CloseAt(ends), CloseAt(1), CloseAt(100_000)])
    with open_file(url, store=store_dir, retry=TWICE) as file:
        assert file.read() == SONG[:]


def test_an_origin_without_ranges_is_read_to_the_end_and_sought_in(origin: Origin, store_dir: Path) -> None:
    url = origin.serve("/song", SONG, ranges=False)
    with open_file(url, store=store_dir) as file:
        file.seek(-1000, 2)
        assert file.read() == SONG[-1000:]
        file.seek(0)
        assert file.read() == SONG[:]


def test_the_length_may_come_last(origin: Origin, store_dir: Path) -> None:
    url = origin.serve("/song", SONG, always=[Chunked()])
    with open_file(url, store=store_dir) as file:
        assert file.read(10) == SONG[:10]
        assert file.seek(-10, 2) == SONG.length - 10
        assert file.read() == SONG[-10:]
        file.seek(0)
        assert file.read() == SONG[:]
        assert file.read() == b""


def test_an_empty_file_is_empty(origin: Origin, store_dir: Path) -> None:
    url = origin.serve("/empty", b"")
    for _ in range(2):
        with open_file(url, store=store_dir) as file:
            assert file.read() == b""
            assert file.seek(0, 2) == 0
            assert file.raw.length == 0  # type: ignore[attr-defined]
