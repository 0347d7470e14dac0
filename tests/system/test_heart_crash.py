"""A process killed at any moment of a download leaves a store in which every claim is true."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from kithara_file import File, FileConfig
from tests.world import Link, Origin, PatternBody, RequestLog
from tests.world.crash import Child

pytestmark = pytest.mark.system

MIB = 1 << 20
BODY = PatternBody(6 * MIB + 77, seed=3)
ROUNDED = MIB
"""As much may be fetched beside what is missing: of an answer that runs into what is held, what came with the rest."""
SLOW = Link(rate=20e6, send_buffer=32 * 1024)
"""Slow enough for deaths in the middle."""


DOWNLOADING = """
    # Download everything; tell again and again how much is there and in the journal, which lags a little behind.
    url, store = argv
    import asyncio

    from kithara_file import File, FileConfig
    from kithara_file.session.session import FLUSH_SECONDS
    from kithara_file.stream.runtime import Runtime

    with File.open(FileConfig(url, store=store, look_ahead_bytes=None)) as session:
        while True:
            landed = session.coverage.total
            Runtime.current().submit(asyncio.sleep(FLUSH_SECONDS)).result()
            print(landed, flush=True)
"""


SEEKING = """
    # Read here and there.
    url, store = argv
    from kithara_file import open_file

    with open_file(url, store=store) as file:
        for start in (0, 4 << 20, 2 << 20, 5 << 20, 1 << 20):
            file.seek(start)
            file.read(300_000)
        file.seek(0)
        file.read()
        print("complete", flush=True)
"""


def sent(goal: int, log: RequestLog) -> bool:
    return log.bytes_sent("/song") >= goal


def told(child: Child, goal: int) -> None:
    """Wait until a download has told that so much is there."""
    while int(child.next_line()) < goal:
        pass


def fetched(url: str, store: Path) -> int:
    """Read everything rightly, and return how many bytes of it came from the origin."""
    with File.open(FileConfig(url, store=store)) as session, session.stream() as stream:
        assert stream.read() == BODY[:]
        return session.statistics().network_bytes


@pytest.mark.parametrize("at", [1, 65_536, 300_000, MIB, 2 * MIB + 5, 3 * MIB, 4_500_000, 6 * MIB])
def test_a_killed_download_goes_on_where_it_was(store_dir: Path, at: int) -> None:
    with Origin(link=SLOW) as origin:
        url = origin.serve("/song", BODY)
        with Child(DOWNLOADING, url, store_dir) as child:
            told(child, at)
            child.kill()
            assert child.wait() == -9
        origin.wait_disconnected()
        origin.shape(Link())
        assert fetched(url, store_dir) <= BODY.length - int(child.lines[-1]), origin.log


@pytest.mark.parametrize("kills", range(3))
def test_a_killed_seeker_leaves_only_true_claims(store_dir: Path, kills: int) -> None:
    """Killed again and again, by bytes sent, each time in another place; then all is read and compared."""
    with Origin(link=SLOW) as origin:
        url = origin.serve("/song", BODY)
        for step in (400_000 + 90_000 * kills, 700_000, 950_000):
            goal = origin.bytes_sent("/song") + step
            with Child(SEEKING, url, store_dir) as child:
                origin.wait_for(partial(sent, goal))
                child.kill()
                child.wait()
            origin.wait_disconnected()
        with File.open(FileConfig(url, store=store_dir, offline_mode=True)) as session, session.stream() as stream:
            held = session.coverage
            assert held
            for each in held:
                stream.seek(each.start)
                assert stream.read(len(each)) == BODY[each.start : each.end]
        origin.shape(Link())
        assert fetched(url, store_dir) <= BODY.length - held.total + ROUNDED, origin.log


def test_killed_about_the_commit_nothing_is_fetched_again(store_dir: Path) -> None:
    with Origin(link=SLOW) as origin:
        url = origin.serve("/song", BODY)
        with Child(DOWNLOADING, url, store_dir) as child:
            told(child, BODY.length)
            child.kill()
            child.wait()
        assert fetched(url, store_dir) == 0
