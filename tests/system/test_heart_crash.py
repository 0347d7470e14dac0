"""A process killed at any moment of a download leaves a store in which every claim is true."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from kithara_file import File, FileConfig, open_file
from tests.world import Link, Origin, PatternBody, RequestLog
from tests.world.crash import Child

pytestmark = pytest.mark.system

MIB = 1 << 20
BODY = PatternBody(6 * MIB + 77, seed=3)
LOST = MIB
"""As much as may be in flight when a process dies."""
SLOW = Link(rate=20e6, send_buffer=32 * 1024)
"""Slow enough for the client to keep up, so that what was sent was read."""


DOWNLOADING = """
    # Download everything.
    url, store = argv
    from kithara_file import File, FileConfig

    with File.open(FileConfig(url, store=store, look_ahead_bytes=None)) as session:
        print("open", flush=True)
        session.wait_complete(60)
        print("complete", flush=True)
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


@pytest.mark.parametrize("at", [1, 65_536, 300_000, MIB, 2 * MIB + 5, 3 * MIB, 4_500_000, 6 * MIB])
def test_a_killed_download_goes_on_where_it_was(store_dir: Path, at: int) -> None:
    with Origin(link=SLOW) as origin:
        url = origin.serve("/song", BODY)
        with Child(DOWNLOADING, url, store_dir) as child:
            child.wait_line("open")
            origin.wait_for(partial(sent, at))
            child.kill()
            assert child.wait() == -9
        origin.wait_disconnected()
        origin.shape(Link())
        with open_file(url, store=store_dir) as file:
            assert file.read() == BODY[:]
        again = origin.bytes_sent("/song") - BODY.length
        assert again <= LOST, f"{again} bytes were fetched twice\n{origin.log}"


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
        asked = len(origin.requests("/song"))
        origin.shape(Link())
        with open_file(url, store=store_dir) as file:
            assert file.read() == BODY[:]
        claimed = sum(len(each) for each in held)
        again = sum(each.bytes_sent for each in origin.requests("/song")[asked:])
        assert again <= BODY.length - claimed + LOST, origin.log


def test_killed_about_the_commit_next_to_nothing_is_fetched_again(store_dir: Path) -> None:
    with Origin(link=SLOW) as origin:
        url = origin.serve("/song", BODY)
        with Child(DOWNLOADING, url, store_dir) as child:
            child.wait_line("open")
            origin.wait_ended("/song")
            child.kill()
            child.wait()
        with open_file(url, store=store_dir) as file:
            assert file.read() == BODY[:]
        assert sum(each.bytes_sent for each in origin.requests("/song")[1:]) <= LOST
