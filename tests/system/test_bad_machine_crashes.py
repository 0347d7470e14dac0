"""Processes that are killed and disks that lose their power, at any moment: every claim left behind is true."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.system.bad_machine import serve
from tests.system.crashes import KILLED, POWERLESS
from tests.world import Link, Origin
from tests.world.crash import run_child

pytestmark = pytest.mark.system

KILLS = 60
CUTS = 60


@pytest.mark.parametrize("seed", range(2))
def test_a_process_killed_at_any_moment_again_and_again_leaves_only_true_claims(
    origin: Origin, tmp_path: Path, seed: int
) -> None:
    said = run_child(KILLED, serve(origin), tmp_path, seed, KILLS, timeout=200)
    deaths = int(said.splitlines()[-1].removeprefix("deaths "))
    assert deaths > KILLS // 6  # of the rest some had too little to do to come so far


@pytest.mark.parametrize("seed", range(2))
def test_a_power_cut_leaves_only_true_claims_and_what_was_committed_whole(
    origin: Origin, tmp_path: Path, seed: int
) -> None:
    origin.shape(Link(rate=4e6, send_buffer=32 * 1024))  # slow enough for the journal to grow in many steps
    said = run_child(POWERLESS, serve(origin), tmp_path, seed, CUTS, timeout=200)
    assert int(said.removeprefix("kept a part ")) > 0
