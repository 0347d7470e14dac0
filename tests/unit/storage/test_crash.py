"""A process that dies while it writes: what the next one believes is right, and little is missing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.storage.places import AFTER_A_POWER_CUT, TODAY, Place, pattern, read

STEP = 10_007

_WRITER = f"""
import itertools, sys
from pathlib import Path
from tests.unit.storage.places import Place, pattern
made = Place(Path(sys.argv[1])).create()
print("begun", flush=True)
for number in itertools.count():
    at = ((number * 7) % 1000) * {STEP}
    made.write_at(at, pattern(at, at + {STEP} // 3), pattern(at + {STEP} // 3, at + {STEP}))
    print(number, flush=True)
"""


@pytest.mark.parametrize("landings", [0, 1, 60, 200])
def test_a_killed_writer_leaves_right_bytes_and_most_of_them(tmp_path: Path, landings: int) -> None:
    command = [sys.executable, "-c", _WRITER, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        lines = [child.stdout.readline() for _ in range(landings + 1)]
        child.kill()
        landed = len(lines) - 1
    for boot in (TODAY, AFTER_A_POWER_CUT):
        resource = Place(tmp_path).reopen(boot=boot)
        for each in resource.snapshot():
            assert read(resource, each.start, len(each)) == pattern(each.start, each.end)
        assert resource.coverage.total >= landed * STEP - 256 * 1024
        assert not resource.verify()
        resource.close()
