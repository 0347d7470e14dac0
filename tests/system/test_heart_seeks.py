"""Random seeks and reads are right, byte for byte, whoever shares the session."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kithara_file import AssetStore, File, FileConfig, Stream, open_file
from tests.system.kit import SOON
from tests.world import Origin, PatternBody
from tests.world.body import pieces
from tests.world.nginx import Nginx

pytestmark = pytest.mark.system

MIB = 1 << 20


def place(site: Path, name: str, body: PatternBody) -> None:
    with (site / name).open("wb") as out:
        for piece in pieces(body, 0, body.length):
            out.write(piece)


def wander(stream: Stream, body: PatternBody, seed: int, steps: int) -> None:
    """Seek and read at random; compare each result with what is right."""
    random = Random(seed)
    for _ in range(steps):
        start = random.choice((random.randrange(body.length), stream.tell(), body.length - random.randrange(5000)))
        size = random.choice((1, 100, 4096, 65536, random.randrange(300_000)))
        stream.seek(start)
        assert stream.read(size) == body[start : start + size], f"seed {seed}, {size} bytes at {start}"
        assert stream.tell() == min(start + size, max(start, body.length))


def test_a_thousand_random_reads_of_four_threads_on_one_session_are_right(
    nginx: Nginx, site: Path, store_dir: Path
) -> None:
    body = PatternBody(24 * MIB + 123, seed=1)
    place(site, "song.flac", body)
    config = FileConfig(nginx.url("/song.flac"), store=store_dir)

    def reader(seed: int) -> None:
        with session.stream() as stream:
            wander(stream, body, seed, 250)

    with File.open(config) as session, ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(reader, seed) for seed in range(4)]:
            done.result(3 * SOON)
        assert session.media_type == "audio/flac"
        session.wait_complete(SOON)
        assert session.coverage.covers(0, body.length)


def test_eight_sessions_at_once_are_right(nginx: Nginx, site: Path, store_dir: Path) -> None:
    bodies = [PatternBody(3 * MIB + number, seed=number) for number in range(8)]
    for number, body in enumerate(bodies):
        place(site, f"{number}.flac", body)

    def one(number: int) -> None:
        config = FileConfig(nginx.url(f"/{number}.flac"), store=store)
        with Stream.open(File, config) as stream:
            wander(stream, bodies[number], 100 + number, 60)

    with AssetStore(store_dir) as store, ThreadPoolExecutor(8) as pool:
        for done in [pool.submit(one, number) for number in range(8)]:
            done.result(3 * SOON)


def test_many_readers_of_one_file_never_see_each_others_bytes(origin: Origin, store_dir: Path) -> None:
    """More readers than slots: they take turns, and all arrive."""
    body = PatternBody(8 * MIB)
    url = origin.serve("/song", body)

    def reader(number: int) -> None:
        with session.stream() as stream:
            for start in range(number * MIB, 8 * MIB, 3 * MIB):
                stream.seek(start)
                assert stream.read(200_000) == body[start : start + 200_000]

    with File.open(FileConfig(url, store=store_dir)) as session, ThreadPoolExecutor(8) as pool:
        for done in [pool.submit(reader, number) for number in range(8)]:
            done.result(2 * SOON)


def test_the_same_reads_through_a_small_look_ahead_are_right(origin: Origin, store_dir: Path) -> None:
    body = PatternBody(5 * MIB + 7)
    url = origin.serve("/song", body)
    with Stream.open(File, FileConfig(url, store=store_dir, look_ahead_bytes=50_000, max_fetches=1)) as stream:
        wander(stream, body, 7, 150)


STEPS = st.lists(st.tuples(st.integers(0, 300_100), st.integers(0, 70_000)), min_size=1, max_size=12)


@settings(max_examples=25)
@given(steps=STEPS, buffering=st.sampled_from([16, 4096, 65536]), ahead=st.sampled_from([1, 4096, 10**6, None]))
def test_any_reads_through_the_buffer_are_right(
    shared_origin: Origin,
    tmp_path_factory: pytest.TempPathFactory,
    steps: list[tuple[int, int]],
    buffering: int,
    ahead: int,
) -> None:
    body = PatternBody(300_000, seed=9)
    url = shared_origin.serve("/song", body)
    with open_file(url, buffering, store=tmp_path_factory.mktemp("store"), look_ahead_bytes=ahead) as file:
        for start, size in steps:
            file.seek(start)
            assert file.read(size) == body[start : start + size]
