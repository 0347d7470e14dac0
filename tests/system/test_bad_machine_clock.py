"""The wall clock jumps: freshness is asked anew rather than believed, and the order of use survives."""

from __future__ import annotations

from pathlib import Path

import pytest

from kithara_file import AssetStore
from kithara_file.assets.keys import ResourceKey
from kithara_file.net.remote import Freshness, Remote, Validator
from tests.system.bad_machine import BODY, fill, refetched
from tests.world import Origin, http_date
from tests.world.clock import FakeClock
from tests.world.crash import run_child

pytestmark = pytest.mark.system

DAY = 86_400.0

AT_ANOTHER_TIME = """
    import time
    from pathlib import Path
    real, jump = time.time, float(argv[2])
    time.time = lambda: real() + jump
    from tests.system.bad_machine import reads_right
    reads_right(argv[0], Path(argv[1]))
"""


@pytest.mark.parametrize("jump", [-10 * 365 * DAY, -DAY, 10 * DAY, 10 * 365 * DAY])
def test_after_a_jump_of_the_wall_clock_the_origin_is_asked_and_no_byte_is_fetched(
    origin: Origin, store_dir: Path, jump: float
) -> None:
    url = origin.serve("/song", BODY, headers={"Cache-Control": "max-age=600"})
    fill(url, store_dir)
    before = origin.bytes_sent("/song")
    run_child(AT_ANOTHER_TIME, url, store_dir, jump)
    assert origin.requests("/song")[-1].status == 304
    assert origin.bytes_sent("/song") == before


@pytest.mark.parametrize("jump", [-10 * 365 * DAY, 10 * 365 * DAY])
def test_an_origin_whose_clock_is_years_off_is_read_and_cached(origin: Origin, store_dir: Path, jump: float) -> None:
    headers = {"Date": http_date(1_700_000_000 + jump), "Expires": http_date(1_700_000_600 + jump), "Age": "5"}
    url = origin.serve("/song", BODY, headers=headers)
    fill(url, store_dir)
    assert refetched(origin, url, store_dir) == 0


@pytest.mark.parametrize("jump", [-30 * DAY, 30 * DAY])
def test_after_a_jump_the_store_still_evicts_down_to_its_limit_and_keeps_working(
    store_dir: Path, clock: FakeClock, jump: float
) -> None:
    remote = Remote(length=100, ranges=True, validator=Validator(etag='"x"'), freshness=Freshness())

    def put(number: int) -> ResourceKey:
        key = ResourceKey.of(f"https://example.org/{number}")
        with store.open(key) as entry:
            entry.begin(remote).write_at(0, bytes(100))
            entry.commit()
        return key

    with AssetStore(store_dir, max_assets=3, clock=clock) as store:
        for number in range(3):
            put(number)
            clock.advance(10)
        clock.set_wall(clock.wall() + jump)
        keys = []
        for number in range(10, 14):
            keys.append(put(number))
            clock.advance(10)
        store.gc()
        assert len([each for each in store_dir.glob("assets/*") if each.is_dir()]) == 3
        with store.open(keys[-1]) as entry:
            assert entry.resource is not None or jump < 0  # it seems the least recent after a jump back, for once
