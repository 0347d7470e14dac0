"""A line that loses, delays and narrows what goes over it: right bytes, only later."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.world.line import NARROW, NETEM, run_on_line

pytestmark = pytest.mark.system

DOWNLOAD = """
    from pathlib import Path
    from kithara_file import open_file
    from tests.world import Origin, PatternBody
    size = int(argv[1])
    body = PatternBody(size, seed=5)
    with Origin() as origin:
        url = origin.serve("/song", body)
        with open_file(url, store=argv[0], look_ahead_bytes=None) as file:
            head = file.read(1000)
            file.seek(-1000, 2)
            tail = file.read()
            file.seek(0)
            assert (head, tail) == (body[:1000], body[size - 1000:size])
            assert file.read() == body[:]
    print("right")
"""


@pytest.mark.parametrize("discipline", [NETEM, NARROW], ids=["netem", "narrow"])
def test_head_tail_and_all_come_right_over_a_bad_line(store_dir: Path, discipline: str) -> None:
    assert run_on_line(discipline, DOWNLOAD, store_dir, 250_000, timeout=200) == "right"
