"""However a shell has left the standard streams, a command says one sentence and not a traceback."""

from __future__ import annotations

import errno
import io
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from kithara_file import AssetStore, NotFound
from kithara_file.cli.standard import Screen, complaint
from tests.unit.assets.goods import put
from tests.unit.cli.kit import local_file

WITHOUT_OUTPUT = ("/bin/sh", "-c", 'exec "$@" >&-', "sh")


def kithara(*arguments: object, before: tuple[str, ...] = (), **variables: str) -> tuple[int, str, str]:
    """Run the command in a process of its own."""
    words = [*before, sys.executable, "-m", "kithara_file.cli", *map(str, arguments)]
    ran = subprocess.run(
        words, capture_output=True, text=True, encoding="utf-8", timeout=60, check=False, env=os.environ | variables
    )
    return ran.returncode, ran.stdout, ran.stderr


@pytest.mark.parametrize("command", ["get", "cat", "info", "info --json", "waveform -o -"])
def test_a_closed_standard_output_is_told_in_one_sentence(tmp_path: Path, command: str) -> None:
    code, _, said = kithara(*command.split(), local_file(tmp_path), before=WITHOUT_OUTPUT)
    assert (code, said) == (1, "kithara: standard output is closed\n")


@pytest.mark.parametrize(
    "command",
    [
        "cache ls",
        "cache ls --json",
        "cache info https://example.org/0",
        "cache info --json https://example.org/0",
        "cache path https://example.org/0",
        "cache verify --json",
        "--version",
        "get --help",
    ],
)
def test_whatever_answers_on_a_closed_standard_output_tells_it(store_dir: Path, command: str) -> None:
    with AssetStore(store_dir) as store:
        put(store, 0)
    told = kithara(*command.split(), before=WITHOUT_OUTPUT, KITHARA_CACHE_DIR=str(store_dir))
    assert told == (1, "", "kithara: standard output is closed\n")


def test_what_answers_nothing_needs_no_standard_output(tmp_path: Path) -> None:
    code, _, said = kithara("get", "-o", tmp_path / "copy", local_file(tmp_path), before=WITHOUT_OUTPUT)
    assert (code, "saved as" in said) == (0, True)


def test_no_file_gets_the_number_of_a_stream_that_was_closed() -> None:
    script = (
        "import os, sys; from kithara_file.cli import standard; standard.settle(); "
        "number = os.open(os.devnull, os.O_RDONLY); sys.exit(number)"
    )
    ran = subprocess.run(
        ["/bin/sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh", sys.executable, "-c", script], timeout=60, check=False
    )
    assert ran.returncode > 2


def test_what_the_alphabet_of_the_output_lacks_is_escaped(tmp_path: Path) -> None:
    code, out, said = kithara("info", local_file(tmp_path, "é.bin"), PYTHONIOENCODING="ascii")
    assert (code, said) == (0, "")
    assert r"\xe9.bin" in out


def test_a_console_that_nobody_reads_raises_as_a_file_does() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    said = io.StringIO()
    with suppress(BrokenPipeError), open(writer, "w", buffering=1, encoding="utf-8") as pipe:
        screen = Screen(file=pipe)
        with pytest.raises(BrokenPipeError):
            screen.print("said")
        screen.file = said
        screen.print("said to nobody")
    assert said.getvalue() == ""


def test_a_table_that_nobody_reads_ends_as_a_file_does(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    words = [sys.executable, "-m", "kithara_file.cli", "info", str(local_file(tmp_path))]
    with open(writer, "wb") as pipe:
        ran = subprocess.run(words, stdout=pipe, stderr=subprocess.PIPE, timeout=60, check=False)
    assert (ran.returncode, ran.stderr) == (141, b"")


@pytest.mark.parametrize(
    "error,told",
    [
        (OSError(errno.ENOENT, "No such file or directory", "a/b"), "a/b: No such file or directory"),
        (OSError(errno.ENOSPC, "No space left on device"), "No space left on device"),
        (OSError(errno.EXDEV, "Invalid cross-device link", "a", None, "b"), "a: b: Invalid cross-device link"),
        (OSError("in our own words"), "in our own words"),
        (io.UnsupportedOperation("fileno"), "fileno"),
        (ValueError("none of the system's"), "none of the system's"),
        (MemoryError(), "MemoryError"),
    ],
)
def test_the_system_is_quoted_without_its_numbers(error: Exception, told: str) -> None:
    assert complaint(error) == told


def test_an_error_with_a_sentence_of_its_own_keeps_it() -> None:
    error = NotFound(404, url="http://host/a")
    assert complaint(error) == str(error)


_STOPS = """
import os, signal
from kithara_file.cli.standard import Screen, cursor_while_stopped
with cursor_while_stopped(Screen(stderr=True, force_terminal=True)):
    os.kill(os.getpid(), signal.SIGTSTP)
"""


def test_a_stopped_program_leaves_the_cursor_to_be_seen() -> None:
    process = subprocess.Popen([sys.executable, "-c", _STOPS], stderr=subprocess.PIPE, process_group=0)
    try:
        _, status = os.waitpid(process.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status)
        assert process.stderr is not None
        assert os.read(process.stderr.fileno(), 100) == b"\x1b[?25h"
        process.send_signal(signal.SIGCONT)
        assert process.communicate(timeout=60)[1] == b"\x1b[?25l"
        assert process.returncode == 0
    finally:
        process.kill()
        process.wait(30)
