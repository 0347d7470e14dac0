"""One asks, the others wait, and nobody waits for the dead."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from kithara_file.assets.turns import Turn
from tests.world.crash import Child

ONE, OTHER = "0" * 31 + "1", "f" * 32


@pytest.mark.parametrize("which", [ONE, OTHER])
def test_the_first_has_the_turn_until_it_ends_it(tmp_path: Path, which: str) -> None:
    first, second = Turn(tmp_path / "lease", which), Turn(tmp_path / "lease", which)
    assert first.take()
    assert first.take()
    assert not second.take()
    first.release()
    assert second.take()
    assert not first.take()
    second.release()
    first.release()


def test_other_resources_of_the_asset_have_turns_of_their_own(tmp_path: Path) -> None:
    first, second = Turn(tmp_path / "lease", ONE), Turn(tmp_path / "lease", OTHER)
    assert first.take()
    assert second.take()
    first.release()
    second.release()


def test_where_nothing_can_be_written_everybody_has_the_turn(tmp_path: Path) -> None:
    assert Turn(tmp_path / "missing" / "lease", ONE).take()


def test_releasing_what_is_not_ours_takes_nothing_from_the_holder(tmp_path: Path) -> None:
    first, second = Turn(tmp_path / "lease", ONE), Turn(tmp_path / "lease", ONE)
    assert first.take()
    assert not second.take()
    second.release()
    third = Turn(tmp_path / "lease", ONE)
    assert not third.take()
    first.release()
    third.release()


FORK = """
    import os, signal
    from pathlib import Path
    from kithara_file.assets.turns import Turn
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
    turn = Turn(Path(argv[0]), argv[1])
    assert turn.take()
    child = os.fork()
    if not child:
        if argv[2] == "ends it":
            turn.release()                  # must not take the turn from the parent
        print(os.getpid(), turn, flush=True)
        signal.pause()
    signal.sigwait({signal.SIGUSR1})
    turn.release()
    print("released", flush=True)
    signal.pause()
"""


@pytest.mark.parametrize("end", ["killed", "released"])
@pytest.mark.parametrize("child_does", ["nothing", "ends it"])
def test_a_forked_child_neither_holds_its_parents_turn_nor_ends_it(tmp_path: Path, end: str, child_does: str) -> None:
    with Child(FORK, tmp_path / "lease", ONE, child_does) as parent:
        child, _, state = parent.next_line().partition(" ")
        ours = Turn(tmp_path / "lease", ONE)
        try:
            assert state == "<Turn not ours>"
            assert not ours.take()
            if end == "killed":
                parent.kill()
                parent._process.wait(30)
            else:
                os.kill(parent.pid, signal.SIGUSR1)
                assert parent.next_line() == "released"
            assert ours.take()
        finally:
            ours.release()
            os.kill(int(child), signal.SIGKILL)


def test_a_copy_of_the_file_in_a_child_of_another_language_holds_no_turn(tmp_path: Path) -> None:
    first, second = Turn(tmp_path / "lease", ONE), Turn(tmp_path / "lease", ONE)
    assert first.take()
    assert first._fd is not None
    copy = os.dup(first._fd)
    first.release()
    assert second.take()
    second.release()
    os.close(copy)
