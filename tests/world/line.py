"""A bad line in a network namespace of its own, where the machine allows: lost packets, delay, little bandwidth.

A program runs in a fresh namespace whose loopback has a queueing discipline of tc(8); both ends of the conversation are
inside, and it vanishes with the program. Must not know: what is said over the line.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

ROOT = Path(__file__).resolve().parents[2]
NETEM = "netem loss 2% delay 50ms 15ms rate 2mbit"
"""Each packet meets it once on its way there and its answer once on its way back: 100 ms ± 30 in all."""
NARROW = "tbf rate 2mbit burst 8kb limit 16kb"
"""For kernels without netem: 2 Mbit/s and a queue so short that TCP fills and overflows it again and again."""

_NOT_HERE = 77
_SET_UP = 'ip link set lo mtu 1500 up && tc qdisc add dev lo root %s || exit %d; exec "$@"'


def run_on_line(discipline: str, program: str, *arguments: object, timeout: float) -> str:
    """Run a program, in which `argv` is the arguments as text, at both ends of such a line, and return its stdout.

    Skips the test, with the reason, where that is not allowed or not known.
    """
    source = f"import sys\nargv = sys.argv[1:]\n{dedent(program)}"
    shell = ["unshare", "--net", "sh", "-c", _SET_UP % (discipline, _NOT_HERE), "sh"]
    command = [*shell, sys.executable, "-c", source, *map(str, arguments)]
    try:
        found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=timeout, check=False)
    except FileNotFoundError as error:
        pytest.skip(f"no network namespaces here: {error}")
    if found.returncode == _NOT_HERE or "unshare failed" in found.stderr:
        pytest.skip(f"no such line can be made here: {found.stderr.strip()}")
    assert found.returncode == 0, found.stderr
    return found.stdout.strip()
