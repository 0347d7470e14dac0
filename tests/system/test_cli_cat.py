"""`kithara cat`: bytes into a pipe as they come, and no more of them than somebody reads."""

from __future__ import annotations

import json
import shlex
import signal
import subprocess
from pathlib import Path

import pytest

from tests.system.command import KITHARA, Running, environment, kithara
from tests.system.kit import SOON, asked_bytes, only
from tests.world import Chunked, Fault, NeverAnswer, Origin, PatternBody, StallAt

pytestmark = pytest.mark.system

BODY = PatternBody(8_000_000, seed=41)
MIB = 1 << 20


def test_a_file_comes_out_as_it_is(origin: Origin, store_dir: Path) -> None:
    ran = kithara(store_dir, "cat", origin.serve("/song", BODY))
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == BODY[0 : BODY.length]


@pytest.mark.parametrize(
    "span,start,end", [("4000000-4000099", 4_000_000, 4_000_100), ("7999000-", 7_999_000, 8_000_000), ("-128", -128, 0)]
)
def test_of_a_range_only_what_is_needed_is_fetched(
    origin: Origin, store_dir: Path, span: str, start: int, end: int
) -> None:
    if start < 0:
        start, end = BODY.length + start, BODY.length
    url = origin.serve("/song", BODY, always=[only((0, 1000), (start, end))])
    ran = kithara(store_dir, "cat", "--range", span, url)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == BODY[start:end]
    first, second, *_ = origin.requests("/song")
    assert first.range is None  # no HEAD, and no question before the first answer
    asked = asked_bytes(second, BODY)
    assert asked.start == start
    assert end <= asked.stop <= end + MIB


def test_a_large_range_is_overshot_by_no_more_than_the_look_ahead(origin: Origin, store_dir: Path) -> None:
    url = origin.serve("/song", BODY)
    ran = kithara(store_dir, "cat", "--range", "1000000-2999999", url)
    assert ran.out == BODY[1_000_000:3_000_000]
    told = json.loads(kithara(store_dir, "info", "--offline", "--json", url).out)
    assert 2_000_000 <= told["cached"]["bytes"] <= 2_000_000 + 2 * MIB


def test_a_range_beyond_the_end_is_an_error(origin: Origin, store_dir: Path) -> None:
    url = origin.serve("/song", BODY)
    ran = kithara(store_dir, "cat", "--range", "8000000-", url)
    assert (ran.code, ran.out) == (1, b"")
    assert ran.err == f"kithara: {url} has 8000000 bytes, none of them in the range 8000000-\n"


@pytest.mark.parametrize("span", ["8000000-", "9000000-9000099"])
def test_a_range_beyond_an_end_that_nobody_told_is_an_error(origin: Origin, store_dir: Path, span: str) -> None:
    url = origin.serve("/song", BODY, always=[Chunked()], ranges=False)
    ran = kithara(store_dir, "cat", "--range", span, url)
    assert (ran.code, ran.out) == (1, b"")
    assert ran.err == f"kithara: {url} has 8000000 bytes, none of them in the range {span}\n"


def test_a_pipe_that_is_closed_ends_it_quietly_and_the_download_too(origin: Origin, store_dir: Path) -> None:
    url = origin.serve("/song", BODY, always=[StallAt(MIB)])  # much more than a pipe holds
    command = " ".join(map(shlex.quote, [*KITHARA, "cat", url]))
    result = subprocess.run(
        ["bash", "-c", f"{command} | head -c 100; exit ${{PIPESTATUS[0]}}"],
        env=environment(store_dir),
        capture_output=True,
        timeout=SOON,
        check=False,
    )
    assert (result.returncode, result.stdout, result.stderr) == (141, BODY[0:100], b"")
    origin.wait_disconnected()


@pytest.mark.parametrize("command,fault", [("cat", StallAt(0)), ("cat", NeverAnswer()), ("info", NeverAnswer())])
def test_ctrl_c_ends_what_is_blocked_without_a_traceback(
    origin: Origin, store_dir: Path, fault: Fault, command: str
) -> None:
    url = origin.serve("/song", BODY, faults=[fault])
    with Running(store_dir, command, url) as running:
        origin.wait_stalled("/song", SOON)
        running.send(signal.SIGINT)
        ran = running.end()
    assert (ran.code, ran.out, ran.err) == (130, b"", "kithara: interrupted with what has landed kept\n")


def test_what_was_read_once_is_read_offline(origin: Origin, store_dir: Path) -> None:
    url = origin.serve("/song", BODY)
    assert kithara(store_dir, "cat", "--range", "5000000-5000009", url).code == 0
    origin.go_down()
    there = kithara(store_dir, "cat", "--offline", "--range", "5000000-5000009", url)
    missing = kithara(store_dir, "cat", "--offline", "--range", "6000000-6000009", url)
    assert (there.code, there.out) == (0, BODY[5_000_000:5_000_010])
    assert (missing.code, missing.out) == (1, b"")
    assert missing.err.startswith("kithara: Offline, and bytes 6000000 to ")
