"""What did a test leave behind: threads, tasks of the library's loop, sockets, open files.

Must not know: what any test is about, nor how the library is built, but for one promise of its design: whatever runs in
the background for long runs in one thread, named `RUNTIME`, and that one lives as long as the process.

Nothing here sleeps or polls. Threads are joined and tasks awaited, each with a deadline; the loop is asked by a
callback that goes through its own queue, so that all that was due before has happened when it answers. Descriptors
are then looked at once.
"""

from __future__ import annotations

import asyncio
import gc
import queue
import threading
from asyncio.base_events import BaseEventLoop
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from weakref import WeakSet

RUNTIME = "kithara-file"
"""Name of the library's one background thread."""

RUNTIME_DESCRIPTORS = 16
"""How many descriptors which belong to no test the runtime may hold: its epoll, its self-pipes, libcurl's wake-up
sockets, and connections whose far end has gone but which libcurl has not looked at since."""

PATIENCE = 2.0
"""Seconds for one thing to end which is ending."""

_TCP_STATES = {"01": "established", "02": "connecting", "03": "connecting", "0A": "listening"}

Task = asyncio.Task[Any]

_forgiven: WeakSet[Task] = WeakSet()


@dataclass(frozen=True, slots=True)
class Descriptor:
    """An open file descriptor, and what the kernel says it leads to."""

    number: int
    target: str

    @property
    def inode(self) -> str:
        """The number between brackets of `socket:[123]`."""
        return self.target.partition("[")[2].rstrip("]")


@dataclass(frozen=True, slots=True)
class Belongings:
    """What the process had at one moment."""

    threads: frozenset[threading.Thread]
    descriptors: frozenset[Descriptor]


def take_stock() -> Belongings:
    """Return what the process has now."""
    return Belongings(frozenset(threading.enumerate()), frozenset(_descriptors()))


def left_behind(before: Belongings, since_start: Belongings) -> list[str]:
    """Return a sentence for each thing that is there now, was not before, and had its chance to go.

    `since_start` is what the process had before any test: against it the runtime's own descriptors are counted, so that
    one more per test is found also when each test by itself stays under the limit.
    """
    gc.collect()
    found = [*_tasks_left(), *_threads_left(before.threads)]
    # Tasks and threads which have just ended may have held the last reference to a file.
    gc.collect()
    return [*found, *_descriptors_left(before, since_start)]


def forgive() -> None:
    """Leave out of later checks whatever tasks are running now: their test failed, and has said so."""
    for loop in _running_loops():
        with suppress(queue.Empty, RuntimeError):
            _forgiven.update(_ask(loop)[1])


# --- threads ---------------------------------------------------------------------------------------------------------


def _threads_left(before: frozenset[threading.Thread]) -> Iterator[str]:
    for thread in set(threading.enumerate()) - before:
        if thread.name != RUNTIME:
            thread.join(PATIENCE)
            if thread.is_alive():
                yield f"thread {thread.name!r} still runs"
    runtimes = [thread.name for thread in threading.enumerate()].count(RUNTIME)
    if runtimes > 1:
        yield f"{runtimes} threads named {RUNTIME!r} run; the process was promised one"


# --- tasks -----------------------------------------------------------------------------------------------------------


def _running_loops() -> list[BaseEventLoop]:
    # The session's start froze what pytest and the modules had made, so there is little left to look through.
    loops = (thing for thing in gc.get_objects() if issubclass(type(thing), BaseEventLoop))
    return [loop for loop in loops if loop.is_running()]


def _ask(loop: BaseEventLoop) -> tuple[threading.Thread, set[Task]]:
    """Return the thread that runs `loop`, and its unfinished tasks, once all that was due on it has been done."""
    answer: queue.SimpleQueue[tuple[threading.Thread, set[Task]]] = queue.SimpleQueue()
    loop.call_soon_threadsafe(lambda: answer.put((threading.current_thread(), asyncio.all_tasks(loop))))
    return answer.get(timeout=PATIENCE)


def _tasks_left() -> Iterator[str]:
    for loop in _running_loops():
        try:
            thread, tasks = _ask(loop)
        except (queue.Empty, RuntimeError):
            if loop.is_running():
                yield f"{loop!r} runs, and gives no answer"
            continue
        # Other loops are those of the fixtures' servers, which live as long as their fixtures want.
        if thread.name == RUNTIME:
            yield from _unfinished(loop, tasks - set(_forgiven))


def _unfinished(loop: BaseEventLoop, tasks: set[Task]) -> Iterator[str]:
    if tasks:
        waiting = asyncio.run_coroutine_threadsafe(_wait(tasks), loop)
        for task in waiting.result(2 * PATIENCE):
            yield f"task {task.get_name()!r} still runs: {task.get_coro()!r}"
        _ask(loop)


async def _wait(tasks: Iterable[Task]) -> set[Task]:
    return (await asyncio.wait(tasks, timeout=PATIENCE))[1]


# --- descriptors -----------------------------------------------------------------------------------------------------


def _descriptors() -> Iterator[Descriptor]:
    for entry in Path("/proc/self/fd").iterdir():
        try:
            yield Descriptor(int(entry.name), str(entry.readlink()))
        except FileNotFoundError:  # the one by which the folder was being listed
            continue


def _descriptors_left(before: Belongings, since_start: Belongings) -> Iterator[str]:
    now = frozenset(_descriptors())
    states = _tcp_states()
    yield from (
        f"{kind}: descriptor {descriptor.number}, {descriptor.target}"
        for descriptor in sorted(now - before.descriptors, key=lambda each: each.number)
        if (kind := _kind(descriptor, states)) is not None
    )
    standing = [each for each in now - since_start.descriptors if _kind(each, states) is None]
    fixtures = len([each for each in before.descriptors - since_start.descriptors if _kind(each, states) is None])
    limit = RUNTIME_DESCRIPTORS if _runtime_lives() else fixtures
    if len(standing) > max(limit, fixtures):
        yield f"{len(standing)} pipes, epolls and dead sockets are open, {limit} are allowed: {standing}"


def _kind(descriptor: Descriptor, states: dict[str, str]) -> str | None:
    """Return what no test may leave behind; None for what the machinery of a loop consists of."""
    if descriptor.target.startswith("socket:"):
        state = states.get(descriptor.inode)
        return None if state is None else f"a socket is still {state}"
    if descriptor.target.startswith(("pipe:", "anon_inode:")):
        return None
    return "a file is still open"


def _runtime_lives() -> bool:
    return any(thread.name == RUNTIME for thread in threading.enumerate())


def _tcp_states() -> dict[str, str]:
    """Return the state, by inode, of each TCP socket that has a living far end or waits for one."""
    rows = (
        line.split() for table in ("tcp", "tcp6") for line in Path(f"/proc/self/net/{table}").read_text().splitlines()
    )
    return {row[9]: _TCP_STATES[row[3]] for row in rows if row[3] in _TCP_STATES}
