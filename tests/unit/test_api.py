"""The short way in: every knob a keyword, errors raised at the opening, nothing imported that is not needed."""

from __future__ import annotations

import asyncio
import dataclasses
import io
from pathlib import Path
from typing import Any

import pytest

import kithara_file
from kithara_file import FileConfig, aopen_file, open_file
from kithara_file.errors import ConfigError
from tests.world.crash import run_child


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Write a file."""
    path = tmp_path / "song.wav"
    path.write_bytes(bytes(range(256)))
    return path


def test_a_path_opens_as_a_buffered_file(path: Path) -> None:
    with open_file(path) as file:
        assert file.read(4) == b"\x00\x01\x02\x03"
        assert file.name == str(path)
        assert file.mode == "rb"


def test_the_buffer_has_the_size_that_is_asked_for(path: Path) -> None:
    with open_file(path, buffering=16) as file:
        assert len(file.peek()) == 16


def test_minus_one_is_the_default_size_as_for_open(path: Path) -> None:
    path.write_bytes(bytes(3 * io.DEFAULT_BUFFER_SIZE))
    with open_file(path, buffering=-1) as file:
        assert len(file.peek()) == io.DEFAULT_BUFFER_SIZE


@pytest.mark.parametrize(
    "size,told",
    [
        (0, r"Stream\.open\(File, FileConfig\(url\)\) reads without a buffer"),
        (-2, "buffering cannot be -2"),
        ("4096", "a number of bytes, not str"),
        (None, "a number of bytes, not NoneType"),
    ],
)
def test_a_buffer_that_cannot_be_is_told_before_anything_opens(path: Path, size: Any, told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        open_file(path.with_name("absent"), buffering=size)


def test_a_task_opens_the_same(path: Path) -> None:
    async def main() -> bytes:
        async with await aopen_file(path) as stream:
            await stream.seek(-2, 2)
            return await stream.read()

    assert asyncio.run(main()) == b"\xfe\xff"


def test_every_field_of_the_configuration_is_a_keyword(path: Path) -> None:
    blank = FileConfig(path)
    options = {each.name: getattr(blank, each.name) for each in dataclasses.fields(FileConfig) if each.name != "url"}
    with open_file(path, **options) as file:
        assert file.read() == bytes(range(256))


def test_a_knob_that_does_not_exist_is_a_type_error(path: Path) -> None:
    with pytest.raises(TypeError, match="look_ahead"):
        open_file(path, look_ahead=5)


def test_a_knob_that_is_turned_too_far_is_told_before_anything_opens() -> None:
    with pytest.raises(ConfigError, match="look_ahead_bytes"):
        open_file("http://127.0.0.1/never", look_ahead_bytes=-1)


def test_all_that_is_named_is_there() -> None:
    assert all(hasattr(kithara_file, name) for name in kithara_file.__all__)
    assert sorted(kithara_file.__all__) == kithara_file.__all__


def test_importing_it_starts_nothing_and_pulls_in_no_extra() -> None:
    program = """
        import sys, threading, os
        before = len(os.listdir("/proc/self/fd"))
        from kithara_file import *
        extras = {"av", "numpy", "soxr", "miniaudio", "starlette", "uvicorn", "click", "rich", "fsspec"}
        print(extras & set(sys.modules), threading.active_count(), len(os.listdir("/proc/self/fd")) - before)
    """
    assert run_child(program) == "set() 1 0"
