"""What the system tests do briefly, for long; `make stress` runs this and ends within a quarter of an hour."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import run_state_machine_as_test

from kithara_file import open_file
from tests.leaks import take_stock
from tests.system.bad_machine import BODY, DATA, fill, serve
from tests.system.crashes import KILLED, POWERLESS
from tests.system.test_bad_machine_fuzz import Drawn
from tests.system.test_bad_machine_line import DOWNLOAD
from tests.system.test_state_machine import Life
from tests.world import Link, Origin
from tests.world.crash import run_child
from tests.world.fuzz import TARGETS, Draw
from tests.world.line import NARROW, NETEM, run_on_line

pytestmark = pytest.mark.stress

LIVES = 2000
KILLS = 1500
CUTS = 500
OPENS = 10_000


def test_thousands_of_lives_of_reads_faults_changes_and_crashes_show_no_wrong_byte() -> None:
    long = settings(max_examples=LIVES, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck))
    run_state_machine_as_test(Life, settings=long)


@pytest.mark.parametrize("seed", [101, 102])
def test_a_process_killed_thousands_of_times_leaves_only_true_claims(origin: Origin, tmp_path: Path, seed: int) -> None:
    said = run_child(KILLED, serve(origin), tmp_path, seed, KILLS, timeout=600)
    assert int(said.splitlines()[-1].removeprefix("deaths ")) > KILLS // 3


@pytest.mark.parametrize("seed", [101, 102])
def test_hundreds_of_power_cuts_leave_only_true_claims_and_what_was_committed_whole(
    origin: Origin, tmp_path: Path, seed: int
) -> None:
    origin.shape(Link(rate=4e6, send_buffer=32 * 1024))
    said = run_child(POWERLESS, serve(origin), tmp_path, seed, CUTS, timeout=600)
    assert int(said.removeprefix("kept a part ")) > 0


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.__name__)
@settings(max_examples=8000)
@given(data=st.data())
def test_a_door_takes_anything_for_long(target: Callable[[Draw], None], data: st.DataObject) -> None:
    target(Drawn(data))


ATHERIS = """
    import sys
    import atheris

    with atheris.instrument_imports(include=["kithara_file"], enable_loader_override=False):
        from tests.world.fuzz import TARGETS

    class Provided:
        def __init__(self, data):
            self._from = atheris.FuzzedDataProvider(data)

        def number(self, low, high):
            return self._from.ConsumeIntInRange(low, high)

        def data(self, longest):
            return self._from.ConsumeBytes(self.number(0, longest))

        def text(self, longest):
            return self._from.ConsumeUnicode(self.number(0, longest))

    (target,) = [each for each in TARGETS if each.__name__ == argv[0]]
    options = ["-max_total_time=30", "-max_len=4096", "-verbosity=0"]
    atheris.Setup([sys.argv[0], *options], lambda data: target(Provided(data)))
    atheris.Fuzz()
"""


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.__name__)
def test_a_door_takes_what_leads_deeper_into_the_code(target: Callable[[Draw], None]) -> None:
    """Guided by coverage; what it finds is printed by atheris as bytes."""
    pytest.importorskip("atheris", reason="atheris is not installed here: pip install atheris")
    run_child(ATHERIS, target.__name__, timeout=120)


@pytest.mark.parametrize("fresh", [True, False], ids=["fresh", "revalidated"])
def test_ten_thousand_opens_and_closes_grow_nothing(origin: Origin, store_dir: Path, fresh: bool) -> None:
    url = origin.serve("/song", BODY, headers={"Cache-Control": "max-age=6000"} if fresh else {})
    fill(url, store_dir)

    def rounds(count: int) -> tuple[int, int, int]:
        for number in range(count):
            with open_file(url, store=store_dir) as file:
                start = file.seek(number * 997 % (BODY.length - 10))
                assert file.read(10) == DATA[start : start + 10]
        gc.collect()
        stock = take_stock()
        resident = int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        return len(stock.descriptors), len(stock.threads), resident

    warm = rounds(OPENS // 10)
    after = rounds(OPENS - OPENS // 10)
    # The origin of the test lives in this process too, and keeps its log of requests.
    assert after[0] <= warm[0] + 4
    assert after[1] <= warm[1]
    assert after[2] <= warm[2] + (8 << 20 if fresh else 64 << 20)


@pytest.mark.parametrize("discipline", [NETEM, NARROW], ids=["netem", "narrow"])
def test_megabytes_come_right_over_a_bad_line(store_dir: Path, discipline: str) -> None:
    assert run_on_line(discipline, DOWNLOAD, store_dir, 2_000_000, timeout=120) == "right"
