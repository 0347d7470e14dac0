"""Every sample in the README runs as it stands, against an origin on loopback."""

from __future__ import annotations

import dataclasses
import io
import mmap
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from kithara_file import File, FileConfig, open_file
from kithara_file.cli.command import DONE, FAILED, INTERRUPTED, NOBODY_READS
from tests.system.command import KITHARA
from tests.system.kit import SOON
from tests.world import Origin, PatternBody
from tests.world.crash import ROOT
from tests.world.music import song

pytestmark = pytest.mark.system

README = (ROOT / "README.md").read_text()
SAMPLES = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
COMMANDS = re.findall(r"^    (kithara [^#|\n]*?) *(?:\||#|$)", README, re.MULTILINE)
BODY = PatternBody(1_500_000, seed=71)


def serve(origin: Origin) -> str:
    """Serve what the samples name; return what to put in the place of their host."""
    for path in ("/song.flac", "/song.mp3", "/a", "/b"):
        origin.serve(path, BODY, media_type="audio/flac")
    for path, name in (("/one.flac", "flac"), ("/two.mp3", "mp3 cbr")):
        origin.serve(path, song(name).data, media_type="audio/flac")
    return origin.url("")


def run(command: list[str], folder: Path) -> subprocess.CompletedProcess[bytes]:
    """Run a command in `folder`, with a cache of its own."""
    own = {"XDG_CACHE_HOME": str(folder / "cache"), "PYTHONPATH": str(ROOT / "src"), "PYTHONWARNINGS": "error"}
    return subprocess.run(command, cwd=folder, env=os.environ | own, capture_output=True, timeout=SOON, check=False)


@pytest.mark.parametrize("number", range(len(SAMPLES)))
def test_each_python_sample_runs(origin: Origin, tmp_path: Path, number: int) -> None:
    sample = SAMPLES[number].replace("https://host", serve(origin))
    result = run([sys.executable, "-c", sample], tmp_path)
    assert (result.returncode, result.stderr.decode()) == (0, "")
    assert origin.requests()


def test_each_exit_code_is_told() -> None:
    told = README.partition("Exit codes:")[2].partition("\n\n")[0]
    assert set(re.findall(r"\d+", told)) == {str(each) for each in (DONE, FAILED, 2, INTERRUPTED, NOBODY_READS)}


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_runs(origin: Origin, tmp_path: Path, command: str) -> None:
    _, *arguments = shlex.split(command.replace("https://host", serve(origin)))
    if arguments[0] == "play" and "--sink" not in arguments:  # there may be no device, or ears beside it
        arguments += ["--sink", "null", "--rate", "50"]
    result = run([*KITHARA, *arguments], tmp_path)
    assert (result.returncode, result.stderr.count(b"kithara:")) == (0, 0)
    assert result.stdout or result.stderr or list((tmp_path / "music").iterdir())


@pytest.mark.parametrize("headers", [{}, {"Cache-Control": "no-store"}])
def test_what_asks_for_a_descriptor_gets_one_once_the_file_is_whole(
    origin: Origin, store_dir: Path, headers: dict[str, str]
) -> None:
    url = origin.serve("/song.flac", BODY, headers=headers)
    with open_file(url, store=store_dir) as file:
        with pytest.raises(io.UnsupportedOperation):
            file.fileno()
        copy = io.BytesIO()
        shutil.copyfileobj(file, copy)
        assert copy.getvalue() == BODY[:]
    with File.open(FileConfig(url, store=store_dir)) as session:
        session.wait_complete(SOON)
        with session.stream() as stream:
            counted = subprocess.run(["wc", "-c"], stdin=stream.fileno(), capture_output=True, timeout=SOON, check=True)
            assert int(counted.stdout) == BODY.length
            with mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
                assert mapped[:] == BODY[:]
            stream.seek(0)
            assert np.fromfile(stream, dtype=np.uint8).tobytes() == BODY[:]


def test_samples_and_commands_were_found() -> None:
    assert len(SAMPLES) >= 4
    assert {each.split()[1] for each in COMMANDS} == {"get", "cat", "info", "play", "decode", "waveform"}


def test_the_table_of_knobs_has_every_field() -> None:
    told = set(re.findall(r"^\| `(\w+)` \|", README, re.MULTILINE))
    assert told == {each.name for each in dataclasses.fields(FileConfig)} - {"url"}
