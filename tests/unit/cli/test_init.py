"""The command says how to install what it lacks, and how it ended."""

from __future__ import annotations

import subprocess
import sys

import pytest

from kithara_file.cli import HOW_TO_INSTALL, main

WITHOUT = "import sys; sys.modules[{name!r}] = None; from kithara_file.cli import main; main(['--version'])"


@pytest.mark.parametrize("name", ["click", "rich"])
def test_without_the_extra_one_sentence_says_how_to_install_it(name: str) -> None:
    result = subprocess.run(
        [sys.executable, "-c", WITHOUT.format(name=name)], capture_output=True, text=True, timeout=60, check=False
    )
    assert (result.returncode, result.stdout, result.stderr) == (2, "", HOW_TO_INSTALL)
    assert "pip install 'kithara-file[cli]'" in HOW_TO_INSTALL


def test_the_exit_code_is_that_of_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as good:
        main(["--version"])
    with pytest.raises(SystemExit) as bad:
        main(["nonsense"])
    assert (good.value.code, bad.value.code) == (0, 2)
