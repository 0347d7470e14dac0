"""The checks that every test is under can fail: each kind of leak is found, and so is a socket."""

from __future__ import annotations

import asyncio
import os
import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from kithara_file.stream.runtime import Runtime
from tests import leaks
from tests.offline import run_without_sockets

Leak = Callable[[Path], AbstractContextManager[object]]


@contextmanager
def _thread(_: Path) -> Iterator[None]:
    stop = threading.Event()
    thread = threading.Thread(target=stop.wait)
    thread.start()
    yield
    stop.set()
    thread.join()


@contextmanager
def _runtime() -> Iterator[asyncio.AbstractEventLoop]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name=leaks.RUNTIME)
    thread.start()
    yield loop
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


@contextmanager
def _task(_: Path) -> Iterator[None]:
    with _runtime() as loop:
        never = asyncio.run_coroutine_threadsafe(asyncio.Event().wait(), loop)
        yield
        never.cancel()
        loop.call_soon_threadsafe(lambda: None)


@contextmanager
def _second_runtime(_: Path) -> Iterator[None]:
    with _runtime(), _runtime():
        yield


def _listening(_: Path) -> socket.socket:
    return socket.create_server(("127.0.0.1", 0))


@contextmanager
def _established(_: Path) -> Iterator[None]:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()):
        yield


def _file(folder: Path) -> AbstractContextManager[object]:
    return (folder / "left open").open("wb")


@contextmanager
def _pipes(_: Path) -> Iterator[None]:
    ends = [end for _ in range(leaks.RUNTIME_DESCRIPTORS) for end in os.pipe()]
    yield
    for end in ends:
        os.close(end)


@pytest.fixture(autouse=True)
def _no_other_runtime() -> None:
    """Stop the library's runtime, if a test before has started it: these tests play one of their own."""
    Runtime.current().stop()


LEAKS: list[tuple[Leak, str]] = [
    (_thread, "thread .* still runs"),
    (_task, "task .* still runs"),
    (_second_runtime, "promised one"),
    (_listening, "socket is still listening"),
    (_established, "socket is still established"),
    (_file, "file is still open.*left open"),
    (_pipes, "pipes, epolls and sockets"),
]


@pytest.mark.parametrize("leak,sentence", LEAKS)
def test_each_kind_of_leak_is_found(leak: Leak, sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leaks, "PATIENCE", 0.05)
    before = leaks.take_stock()
    with leak(tmp_path):
        found = "\n".join(leaks.left_behind(before, before))
    assert re.search(sentence, found)


def test_a_quiet_background_thread_is_no_leak() -> None:
    before = leaks.take_stock()
    with _runtime():
        assert leaks.left_behind(before, before) == []


def test_what_is_about_to_end_is_waited_for() -> None:
    before = leaks.take_stock()
    with _runtime() as loop:
        asyncio.run_coroutine_threadsafe(asyncio.sleep(0.05), loop)
        threading.Timer(0.05, lambda: None).start()
        assert leaks.left_behind(before, before) == []


OPENS_A_SOCKET = "import socket; socket.socket(); print('got one')"
OPENS_ONE_IN_C = "import pycurl; c = pycurl.Curl(); c.setopt(c.URL, 'http://127.0.0.1:9/'); c.perform()"
OPENS_NONE = "import asyncio; asyncio.run(asyncio.sleep(0)); print('quiet')"


@pytest.mark.parametrize("source", [OPENS_A_SOCKET, OPENS_ONE_IN_C])
def test_a_process_that_opens_a_socket_is_caught(source: str) -> None:
    with pytest.raises(AssertionError, match="a socket was opened"):
        run_without_sockets("-c", source)


def test_a_process_that_opens_no_socket_runs_to_its_end() -> None:
    result = run_without_sockets("-c", OPENS_NONE)
    assert (result.returncode, result.stdout) == (0, "quiet\n")
