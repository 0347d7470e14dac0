"""Fixtures of the contract suites."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from io import BufferedReader
from pathlib import Path

import pytest

from kithara_file import File, FileConfig, open_file
from tests.contract.files import SOON, Opening
from tests.world import Origin


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture(params=["local", "online", "cached"])
def opening(request: pytest.FixtureRequest, stack: ExitStack, tmp_path: Path) -> Opening:
    """Give a function which puts bytes somewhere and opens them."""

    def local(data: bytes) -> BufferedReader:
        path = tmp_path / "file"
        path.write_bytes(data)
        return stack.enter_context(open_file(path))

    def online(data: bytes) -> BufferedReader:
        origin = stack.enter_context(Origin())
        return stack.enter_context(open_file(origin.serve("/file", data), store=tmp_path / "store"))

    def cached(data: bytes) -> BufferedReader:
        with Origin() as origin:
            url = origin.serve("/file", data)
            with File.open(FileConfig(url, store=tmp_path / "store")) as session:
                session.wait_complete(SOON)
        return stack.enter_context(open_file(url, store=tmp_path / "store", offline_mode=True))

    kinds: dict[str, Opening] = {"local": local, "online": online, "cached": cached}
    return kinds[request.param]
