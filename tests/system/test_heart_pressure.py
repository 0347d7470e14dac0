"""The look-ahead bounds what is fetched, a far read gets a request of its own, and neither ever blocks the other."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from kithara_file import File, FileConfig, Stream
from tests.system.kit import SOON, asked_bytes, only, started
from tests.world import Link, Origin, PatternBody, StallAt, plain, when
from tests.world.fixtures import MakeOrigin

pytestmark = pytest.mark.system

MIB = 1 << 20
BIG = PatternBody(64 * MIB, seed=6)
SMALL_BUFFERS = Link(send_buffer=64 * 1024)


def test_the_socket_is_left_unread_while_the_look_ahead_is_full(make_origin: MakeOrigin, store_dir: Path) -> None:
    origin = make_origin(link=SMALL_BUFFERS)
    url = origin.serve("/song", BIG)
    with (
        File.open(FileConfig(url, store=store_dir, look_ahead_bytes=MIB)) as session,
        session.stream() as stream,
    ):
        assert stream.read(10) == BIG[:10]
        blocked = origin.wait_blocked("/song").bytes_sent
        assert session.statistics().present_bytes <= 2 * MIB
        assert stream.read(12 * MIB) == BIG[10 : 12 * MIB + 10]
        origin.wait_for(lambda log: log.bytes_sent("/song") > blocked)
        origin.wait_blocked("/song")
        assert session.statistics().present_bytes <= 14 * MIB


def test_a_new_reader_starts_with_a_small_look_ahead_that_grows(make_origin: MakeOrigin, store_dir: Path) -> None:
    origin = make_origin(link=SMALL_BUFFERS)
    url = origin.serve("/song", BIG)
    with File.open(FileConfig(url, store=store_dir)) as session, session.stream() as stream:
        stream.read(10)
        origin.wait_blocked("/song")
        assert session.statistics().present_bytes <= 3 * MIB
        stream.read(8 * MIB)
        origin.wait_for(lambda log: log.bytes_sent("/song") >= 20 * MIB)


def test_a_stream_read_to_its_end_through_a_small_look_ahead_never_stops(
    make_origin: MakeOrigin, store_dir: Path
) -> None:
    origin = make_origin(link=SMALL_BUFFERS)
    body = PatternBody(20 * MIB)
    url = origin.serve("/song", body)
    with Stream.open(File, FileConfig(url, store=store_dir, look_ahead_bytes=64 * 1024)) as stream:
        parts = started(lambda: b"".join(iter(lambda: stream.read(100_000), b"")))
        assert parts.result(2 * SOON) == body[:]


def test_the_tail_is_read_while_the_look_ahead_is_full(make_origin: MakeOrigin, store_dir: Path) -> None:
    origin = make_origin(link=SMALL_BUFFERS)
    url = origin.serve("/song", BIG)
    with Stream.open(File, FileConfig(url, store=store_dir, look_ahead_bytes=MIB)) as stream:
        stream.read(10)
        origin.wait_blocked("/song")
        assert stream.seek(-128, 2) == BIG.length - 128
        assert stream.read() == BIG[-128:]
        stream.seek(10)
        assert stream.read(10 * MIB) == BIG[10 : 10 * MIB + 10]


def test_one_connection_is_enough_for_head_and_tail(make_origin: MakeOrigin, store_dir: Path) -> None:
    """With a single slot the blocked reader takes it, however full the look-ahead is."""
    origin = make_origin(link=SMALL_BUFFERS)
    url = origin.serve("/song", BIG)
    with Stream.open(File, FileConfig(url, store=store_dir, look_ahead_bytes=MIB, max_fetches=1)) as stream:
        stream.read(10)
        origin.wait_blocked("/song")
        for _ in range(3):
            stream.seek(-128, 2)
            assert stream.read() == BIG[-128:]
            stream.seek(30 * MIB)
            assert stream.read(100) == BIG[30 * MIB : 30 * MIB + 100]
            stream.seek(0)
            assert stream.read(100_000) == BIG[:100_000]


def test_a_far_read_does_not_end_the_sequential_download(origin: Origin, store_dir: Path) -> None:
    url = origin.serve("/song", BIG, always=[when(plain, StallAt(2 * MIB))])
    with File.open(FileConfig(url, store=store_dir, look_ahead_bytes=None)) as session, session.stream() as stream:
        origin.wait_stalled("/song")
        stream.seek(-1000, 2)
        assert stream.read() == BIG[-1000:]
        whole = origin.requests("/song")[0]
        assert whole.ended is None
        origin.release("/song")
        session.wait_complete(3 * SOON)
        assert not whole.closed_early or whole.bytes_sent >= BIG.length - 2 * MIB, origin.log
    assert origin.bytes_sent("/song") <= BIG.length + MIB


def test_a_player_that_probes_the_tail_fetches_little_beyond_its_look_ahead(
    make_origin: MakeOrigin, store_dir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Head, tail, head of 200 MiB over 5 MB/s and 50 ms, as a player opens a file."""
    origin = make_origin(link=Link(rate=5e6, rtt=0.05, send_buffer=64 * 1024))
    body, ahead = PatternBody(200 * MIB, seed=8), 2 * MIB
    url = origin.serve("/song", body, always=[only((0, 3 * MIB), (199 * MIB, 200 * MIB))])
    with File.open(FileConfig(url, store=store_dir, look_ahead_bytes=ahead)) as session, session.stream() as stream:
        assert stream.read(65_536) == body[:65_536]
        stream.seek(-128, 2)
        asked = time.monotonic()
        assert stream.read() == body[-128:]
        tail_seconds = time.monotonic() - asked
        _, tail = origin.requests("/song")
        assert asked_bytes(tail, body).start <= body.length - 128
        stream.seek(65_536)
        assert stream.read(65_536) == body[65_536 : 2 * 65_536]
        fetched, requests = session.statistics().network_bytes, len(origin.requests("/song"))
    assert fetched <= 2 * 65_536 + 128 + ahead + MIB
    assert requests <= 3, origin.log
    with capsys.disabled():
        print(  # noqa: T201 - measured for people, not asserted
            f"\n  tail of 200 MiB: {tail_seconds * 1000:.0f} ms, {requests} requests, {fetched / MIB:.2f} MiB fetched"
        )


def test_a_scrub_costs_little_more_than_what_it_reads(make_origin: MakeOrigin, store_dir: Path) -> None:
    origin = make_origin(link=SMALL_BUFFERS)
    url = origin.serve("/song", BIG)
    with File.open(FileConfig(url, store=store_dir)) as session, session.stream() as stream:
        for start in range(60 * MIB, 2 * MIB, -4 * MIB):
            stream.seek(start)
            assert stream.read(1000) == BIG[start : start + 1000]
        assert session.statistics().network_bytes <= 15 * MIB


def test_a_second_reader_far_away_is_served_too(make_origin: MakeOrigin, store_dir: Path) -> None:
    origin = make_origin(link=SMALL_BUFFERS)
    url = origin.serve("/song", BIG)
    session = File.open(FileConfig(url, store=store_dir, look_ahead_bytes=MIB))
    with session, session.stream() as one, session.stream() as two:
        two.seek(40 * MIB)
        for turn in range(20):
            assert one.read(200_000) == BIG[turn * 200_000 : (turn + 1) * 200_000]
            start = 40 * MIB + turn * 200_000
            assert two.read(200_000) == BIG[start : start + 200_000]
