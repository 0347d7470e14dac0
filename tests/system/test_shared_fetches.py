"""Several processes and one store: each byte is fetched once, by whoever is there, and all read it."""

from __future__ import annotations

import os
import signal
from contextlib import ExitStack
from hashlib import sha256
from pathlib import Path

import pytest

from kithara_file import FileConfig, Stream
from kithara_file.session.file import File
from tests.world import CloseAt, Link, Origin, PatternBody, StallAt, digest
from tests.world.crash import Child
from tests.world.fixtures import MakeOrigin

pytestmark = pytest.mark.system

MIB = 1 << 20
BODY = PatternBody(12 * MIB, 31)
READER = """
    import sys
    from hashlib import sha256
    from kithara_file import open_file
    url, store = argv[:2]
    with open_file(url, store=store) as file:
        print("open", flush=True)
        hashed = sha256()
        while piece := file.read(65536):
            hashed.update(piece)
            if file.tell() == 65536:
                print("began", flush=True)
        print(hashed.hexdigest(), flush=True)
"""
"""Reads all of a URL, and says when it is open, when it has begun, and what it read."""


def sent(origin: Origin) -> int:
    return origin.bytes_sent("/song")


@pytest.mark.parametrize("processes", [2, 8])
def test_processes_that_open_at_one_moment_fetch_each_byte_once(
    make_origin: MakeOrigin, store_dir: Path, processes: int
) -> None:
    origin = make_origin(link=Link(rtt=0.02, send_buffer=64 * 1024))
    url = origin.serve("/song", BODY)
    with ExitStack() as stack:
        readers = [stack.enter_context(Child(READER, url, store_dir)) for _ in range(processes)]
        for each in readers:
            assert each.output().splitlines()[-1] == digest(BODY)
    assert sent(origin) <= BODY.length + 2 * MIB


def test_a_byte_that_one_process_has_landed_is_read_by_the_others(origin: Origin, store_dir: Path) -> None:
    url = origin.serve("/song", BODY, faults=[StallAt(MIB)])
    with Child(READER, url, store_dir) as first:
        first.wait_line("began")
        with Stream.open(File, FileConfig(url, store=store_dir, read_timeout=5.0)) as stream:
            assert stream.read(900_000) == BODY[:900_000]
        assert all((each.start or 0) >= MIB for each in origin.requests("/song")[1:])
        origin.release("/song")
        assert first.output().splitlines()[-1] == digest(BODY)


def test_whoever_rides_on_a_process_that_is_killed_takes_over(make_origin: MakeOrigin, store_dir: Path) -> None:
    origin = make_origin(link=Link(send_buffer=64 * 1024))
    url = origin.serve("/song", BODY, faults=[StallAt(MIB)])
    with Child(READER, url, store_dir) as first:
        first.wait_line("began")
        with Child(READER, url, store_dir) as second, Child(READER, url, store_dir) as third:
            second.wait_line("began")
            third.wait_line("began")
            first.kill()
            first.wait()
            for each in (second, third):
                assert each.output().splitlines()[-1] == digest(BODY)
    assert sent(origin) <= BODY.length + 2 * MIB


def test_whoever_rides_on_a_process_that_is_stopped_goes_on_alone(origin: Origin, store_dir: Path) -> None:
    url = origin.serve("/song", BODY, faults=[StallAt(MIB)])
    with Child(READER, url, store_dir) as first:
        first.wait_line("began")
        os.kill(first.pid, signal.SIGSTOP)
        with Child(READER, url, store_dir) as second:
            assert second.output().splitlines()[-1] == digest(BODY)
        os.kill(first.pid, signal.SIGCONT)
        origin.release("/song")
        assert first.output().splitlines()[-1] == digest(BODY)


def test_a_far_seek_of_one_process_does_not_wait_for_the_download_of_another(origin: Origin, store_dir: Path) -> None:
    url, far = origin.serve("/song", BODY, faults=[StallAt(MIB)]), range(9 * MIB, 9 * MIB + 4096)
    with Child(READER, url, store_dir) as first:
        first.wait_line("began")
        with Stream.open(File, FileConfig(url, store=store_dir, read_timeout=15.0)) as stream:
            stream.seek(far.start)
            assert stream.read(len(far)) == BODY[far.start : far.stop]
            assert origin.requests("/song")[0].stalled
        origin.release("/song")
        assert first.output().splitlines()[-1] == digest(BODY)
    # The download ends at what the seek has brought. How much of what lies behind was on its way is up to the kernel.
    # Who opens the file when the other has landed all that came asks for the next byte too, to know the version.
    starts = [each.start for each in origin.requests("/song")]
    assert starts[0] == 0
    assert far.start in starts[1:3]
    assert sum(each in far for each in starts) == 1


def test_a_paused_player_does_not_keep_the_others_waiting(origin: Origin, store_dir: Path) -> None:
    url = origin.serve("/song", BODY)
    config = FileConfig(url, store=store_dir, look_ahead_bytes=256 * 1024)
    with Stream.open(File, config) as paused:
        assert paused.read(1000) == BODY[:1000]
        with Child(READER, url, store_dir) as other:
            assert other.output().splitlines()[-1] == digest(BODY)
        assert paused.read() == BODY[1000:]


def test_processes_share_what_a_bad_origin_gives_in_pieces(origin: Origin, store_dir: Path) -> None:
    url = origin.serve("/song", BODY, always=[CloseAt(700_000)])
    with Child(READER, url, store_dir) as first, Child(READER, url, store_dir) as second:
        assert first.output().splitlines()[-1] == digest(BODY)
        assert second.output().splitlines()[-1] == digest(BODY)


def test_processes_begin_anew_together_when_the_remote_has_changed(origin: Origin, store_dir: Path) -> None:
    old = PatternBody(3 * MIB, 5)
    url = origin.serve("/song", old, etag='"old"', faults=[CloseAt(MIB)])
    with Stream.open(File, FileConfig(url, store=store_dir)) as stream:
        assert stream.read(4096) == old[:4096]
    origin.replace("/song", BODY, etag='"new"')
    with Child(READER, url, store_dir) as first, Child(READER, url, store_dir) as second:
        assert first.output().splitlines()[-1] == digest(BODY)
        assert second.output().splitlines()[-1] == digest(BODY)
    assert sha256(BODY[:]).hexdigest() == digest(BODY)
