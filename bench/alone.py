"""One row in a process of its own, so that no row meets what another has left, and one that hangs ends alone.

`python -m bench.alone ROW FILE` measures and pickles what came of it into a file; `measure` is the other side.
"""

from __future__ import annotations

import os
import pickle
import shutil
import signal
import subprocess
import sys
import tempfile
import traceback
from contextlib import suppress
from pathlib import Path

from bench.measure import NotThere, Outcome
from bench.places import ground
from bench.rows import named

PATIENCE = 240.0
"""Seconds for one row; several times what the slowest takes."""


def measure(name: str) -> Outcome | str:
    """Measure a row and return what it found, or one line that says why nothing; nothing of it stays behind."""
    folder = Path(tempfile.mkdtemp(prefix="run-", dir=ground()))
    answer = folder / "outcome"
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.alone", name, str(answer)],
        env={**os.environ, "BENCH_DIR": str(folder), "TMPDIR": str(folder)},
        stdin=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        process.wait(PATIENCE)
        found: Outcome | str = pickle.loads(answer.read_bytes())  # noqa: S301 - our own child wrote it
        return found
    except subprocess.TimeoutExpired:
        return f"did not end within {PATIENCE:.0f} s"
    except OSError:
        return f"died with exit code {process.returncode}"
    finally:
        _end(process)
        shutil.rmtree(folder, ignore_errors=True)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the row's process with all that it has started: they are one process group, and nobody else is in it."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def main(name: str, answer: str) -> None:
    """Measure, and write what came of it."""
    try:
        found: Outcome | str = named(name).run()
    except NotThere as absence:
        found = str(absence)
    except Exception as error:  # noqa: BLE001 - what fails is told in the table, and the other rows go on
        traceback.print_exc()
        found = f"failed: {type(error).__name__}: {error}".splitlines()[0][:200]
    Path(answer).write_bytes(pickle.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
