"""Ctrl-C at every step of opening and closing: whoever closes again, or drops what he has, leaves nothing behind."""

from __future__ import annotations

import asyncio
import gc
import linecache
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from kithara_file import AssetStore, open_file
from kithara_file.session.registry import registry
from kithara_file.stream.runtime import Runtime
from tests.world import Origin

pytestmark = pytest.mark.system

BODY = bytes(range(256)) * 1024
STEPS = 400
"""More than opening or closing has."""
SESSION = "kithara_file.session"
REGISTRY = f"{SESSION}.registry"
CLOSING = (REGISTRY, f"{SESSION}.front", f"{SESSION}.file", f"{SESSION}.reader", "kithara_file.stream")


def interrupted(step: int, work: Callable[[], object], rooms: tuple[str, ...]) -> bool:
    """Do `work`, with a `KeyboardInterrupt` at line number `step` of these rooms.

    Tells whether it came so far. CPython hears no signal where a ``with`` begins or ends, but its tracing stops there.
    """
    lines = 0

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal lines
        if not frame.f_globals.get("__name__", "").startswith(rooms):
            return None
        line = linecache.getline(frame.f_code.co_filename, frame.f_lineno).strip()
        if event == "line" and not line.startswith(("with ", "finally:")):
            lines += 1
            if lines == step:
                sys.settrace(None)
                raise KeyboardInterrupt
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        work()
    except KeyboardInterrupt:
        pass
    finally:
        sys.settrace(before)
    return lines >= step


async def _ended() -> None:
    """Return when the sessions end that nobody waited for."""
    await asyncio.gather(*registry._shutting)  # noqa: SLF001


def nothing_is_left(url: str, store: Path, origin: Origin) -> None:
    """Hold the promise that nobody uses the file any more, and that it can be opened again."""
    gc.collect()
    Runtime.current().submit(_ended()).result(30)
    with open_file(url, store=store) as file:
        assert file.read(10) == BODY[:10]
    origin.wait_disconnected()
    assert not registry._holders  # noqa: SLF001 - there is no other window on it
    assert not registry._live  # noqa: SLF001
    with AssetStore(store) as assets:
        found = assets.find(url)
        assert found is not None
        assert not found.in_use


@pytest.fixture(autouse=True)
def kept_index() -> Iterator[None]:
    """Close the index that an interruption at one of a few steps leaves open for the next user of the store."""
    yield
    for store, _ in registry._stores.values():  # noqa: SLF001
        store.close()
    registry._stores.clear()  # noqa: SLF001


def serving(origin: Origin, path: str, *, complete: bool) -> str:
    return origin.serve(path, BODY, headers={"Cache-Control": "max-age=1000"} if complete else {})


@pytest.mark.parametrize("complete", [True, False])
def test_closing_again_lets_all_go(origin: Origin, store_dir: Path, *, complete: bool) -> None:
    url = serving(origin, "/song", complete=complete)
    for step in range(1, STEPS):
        file = open_file(url, store=store_dir)
        file.read(-1 if complete else 10)
        came_so_far = interrupted(step, file.close, CLOSING)
        file.close()
        assert file.closed
        nothing_is_left(url, store_dir, origin)
        if not came_so_far:
            return
    pytest.fail("closing has more steps than were tried")


@pytest.mark.parametrize("complete", [True, False])
def test_an_opening_that_is_interrupted_while_it_joins_leaves_nothing(
    origin: Origin, store_dir: Path, *, complete: bool
) -> None:
    url = serving(origin, "/song", complete=complete)
    with open_file(url, store=store_dir) as file:
        file.read(-1 if complete else 10)
    for step in range(1, STEPS):
        came_so_far = interrupted(step, lambda: open_file(url, store=store_dir).close(), (REGISTRY,))
        nothing_is_left(url, store_dir, origin)
        if not came_so_far:
            return
    pytest.fail("opening has more steps than were tried")
