"""The front of the package: every name is there, and costs nothing before it is asked for."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import kithara_file

STUB = Path(kithara_file.__file__).with_suffix(".pyi")


def printed(source: str) -> list[str]:
    command = [sys.executable, "-c", source]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()


def test_importing_it_loads_none_of_its_rooms() -> None:
    loaded = printed("import sys, kithara_file; print(*sys.modules)")
    assert [name for name in loaded if name.startswith("kithara_file.")] == []
    assert {"asyncio", "pycurl", "ssl", "sqlite3"} & set(loaded) == set()


def test_type_checkers_are_told_the_names_that_are_there() -> None:
    imported = {
        alias.name: node.module
        for node in ast.parse(STUB.read_text()).body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert sorted(imported) == kithara_file.__all__
    assert {name: f"kithara_file.{home}" for name, home in vars(kithara_file)["_HOME"].items()} == imported


def test_its_rooms_are_there_without_being_imported_by_name() -> None:
    assert printed("import kithara_file; print(kithara_file.errors.KitharaError.__name__)") == ["KitharaError"]


def test_it_lists_what_it_has() -> None:
    assert set(kithara_file.__all__) <= set(dir(kithara_file))


def test_a_name_that_it_has_not_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'kithara_file' has no attribute 'open_url'"):
        kithara_file.open_url  # type: ignore[attr-defined]  # noqa: B018
