"""What is said to somebody who has not installed what sound needs."""

from __future__ import annotations

import subprocess
import sys

import pytest

from kithara_file.audio._extra import HOW_TO_INSTALL, PACKAGES, require

FORBID = """
import sys
sys.modules[{name!r}] = None
try:
    {statement}
except ImportError as error:
    print(type(error).__name__, error.name, error, sep="|")
"""


@pytest.mark.parametrize("statement", ["import kithara_file.audio", "from kithara_file.audio import Audio"])
@pytest.mark.parametrize("name", ["av", "numpy"])
def test_sound_without_its_extra_says_in_one_sentence_how_to_install_it(name: str, statement: str) -> None:
    command = [sys.executable, "-c", FORBID.format(name=name, statement=statement)]
    told = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
    assert told.strip() == f"ModuleNotFoundError|{name}|{HOW_TO_INSTALL}"


def test_what_is_there_is_no_trouble() -> None:
    require(*PACKAGES)


def test_a_fault_inside_of_a_package_is_not_taken_for_its_absence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "xml.sax", None)
    monkeypatch.delitem(sys.modules, "xml.dom.pulldom", raising=False)
    with pytest.raises(ModuleNotFoundError) as caught:
        require("xml.dom.pulldom")
    assert HOW_TO_INSTALL not in str(caught.value)
