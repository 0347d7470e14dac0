"""Several connections bring a part each of a download of everything, where parts are known to belong together."""

from __future__ import annotations

from pathlib import Path

import pytest

from kithara_file import File, FileConfig, Timeouts
from tests.system.kit import SOON
from tests.world import Origin, PatternBody, StallAt, plain, when

pytestmark = pytest.mark.system

MIB = 1 << 20
BODY = PatternBody(64 * MIB, seed=9)


def test_a_connection_that_stalls_does_not_hold_the_other_parts_up(origin: Origin, store_dir: Path) -> None:
    url = origin.serve("/song", BODY)
    origin.always("/song", when(plain, StallAt(MIB)))
    config = FileConfig(url, store=store_dir, look_ahead_bytes=None, connections=4, timeouts=Timeouts(idle=2.0))
    with File.open(config) as session:
        session.wait_complete(2 * SOON)
        with session.stream() as stream:
            assert stream.read() == BODY[:]
    asked = {
        int(each.range.removeprefix("bytes=").partition("-")[0]) // MIB for each in origin.requests() if each.range
    }
    assert {32, 48} <= asked
    assert any(1 < each < 32 for each in asked)


@pytest.mark.parametrize("etag", [None, 'W/"weak"'])
def test_what_cannot_be_told_to_be_of_one_version_comes_by_one_connection(
    origin: Origin, store_dir: Path, etag: str | None
) -> None:
    url = origin.serve("/song", BODY, etag=etag, last_modified=None)
    with File.open(FileConfig(url, store=store_dir, look_ahead_bytes=None, connections=4)) as session:
        session.wait_complete(2 * SOON)
    assert len(origin.requests()) == 1
