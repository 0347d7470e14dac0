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
import os
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

MANY = 3000
"""More things than these make the garbage collection after each test felt."""

OPEN = "/proc/self/fd"
"""Where the kernel lists what is open."""

PATIENCE = 30.0
"""Seconds for one thing to end which is ending."""

_TCP_STATES = {"01": "established", "02": "connecting", "03": "connecting", "0A": "listening"}

Task = asyncio.Task[Any]

_forgiven: WeakSet[Task] = WeakSet()
_seen_loops: WeakSet[BaseEventLoop] = WeakSet()


@dataclass(frozen=True, slots=True)
class Descriptor:
    """An open file descriptor, and what the kernel says it leads to."""

    number: int
    target: str

    @property
    def inode(self) -> str:
        """The number between brackets of `socket:[123]`."""
        return self.target.partition("[")[2].rstrip("]")

    @property
    def is_socket(self) -> bool:
        """True for a socket of any family."""
        return self.target.startswith("socket:")

    @property
    def is_machinery(self) -> bool:
        """True for what a loop is made of, and false for a file."""
        return self.target.startswith(("socket:", "pipe:", "anon_inode:"))


@dataclass(frozen=True, slots=True)
class Belongings:
    """What the process had at one moment."""

    threads: frozenset[threading.Thread]
    descriptors: frozenset[Descriptor]


def open_files() -> list[str]:
    """Return what open descriptors lead to, but for what loops are made of: the runtime lets that go in its time."""
    return sorted(each.target for each in _descriptors() if not each.is_machinery)


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
    open_still = list(_descriptors_left(before, since_start))
    if open_still:
        gc.collect()  # tasks and threads which have just ended may have held the last reference to a file
        open_still = list(_descriptors_left(before, since_start))
    if len(gc.get_objects()) > MANY:
        set_aside()  # modules that tests have loaded, and what pytest keeps of each test
    return [*found, *open_still]


def set_aside() -> None:
    """Take what exists out of the sight of the garbage collection, which after each test then costs next to nothing."""
    gc.collect()
    _seen_loops.update(_loops())
    gc.freeze()


def forgive() -> None:
    """Leave out of later checks whatever tasks are running now: their test failed, and has said so."""
    for loop in _running_loops():
        with suppress(queue.Empty, RuntimeError):
            _forgiven.update(_ask(loop)[1])


# --- threads ---------------------------------------------------------------------------------------------------------


def _threads_left(before: frozenset[threading.Thread]) -> Iterator[str]:
    for thread in set(threading.enumerate()) - before:
        if thread.name != RUNTIME:
            # Another thread may be about to start it: until then it can be seen, and not be joined.
            thread._started.wait(PATIENCE)  # type: ignore[attr-defined]  # noqa: SLF001
            thread.join(PATIENCE)
            if thread.is_alive():
                yield f"thread {thread.name!r} still runs"
    runtimes = [thread.name for thread in threading.enumerate()].count(RUNTIME)
    if runtimes > max(1, [thread.name for thread in before].count(RUNTIME)):  # one too many is told of once
        yield f"{runtimes} threads named {RUNTIME!r} run; the process was promised one"


# --- tasks -----------------------------------------------------------------------------------------------------------


def _loops() -> set[BaseEventLoop]:
    # What was set aside is not among them, so there is little to look through.
    return {thing for thing in gc.get_objects() if issubclass(type(thing), BaseEventLoop)} | set(_seen_loops)


def _running_loops() -> list[BaseEventLoop]:
    return [loop for loop in _loops() if loop.is_running()]


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
    for number in os.listdir(OPEN):  # noqa: PTH208  twice per test: objects would be felt
        try:
            yield Descriptor(int(number), os.readlink(f"{OPEN}/{number}"))  # noqa: PTH115
        except FileNotFoundError:  # the one by which the folder was being listed
            continue


def _descriptors_left(before: Belongings, since_start: Belongings) -> Iterator[str]:
    now = frozenset(_descriptors())
    new = sorted(now - before.descriptors, key=lambda each: each.number)
    # The kernel takes milliseconds to write its table of sockets, too long to be asked after every test.
    states = _tcp_states() if any(each.is_socket for each in new) else {}
    faults = {each: fault for each in new if (fault := _fault(each, states)) is not None}
    yield from (f"{fault}: descriptor {each.number}, {each.target}" for each, fault in faults.items())
    standing = [each for each in now - since_start.descriptors if each.is_machinery and each not in faults]
    longer_lived = [each for each in before.descriptors - since_start.descriptors if each.is_machinery]
    limit = max(RUNTIME_DESCRIPTORS if _runtime_lives() else 0, len(longer_lived))
    if len(standing) > limit:
        yield f"{len(standing)} pipes, epolls and sockets are open, {limit} are allowed: {standing}"


def _fault(descriptor: Descriptor, states: dict[str, str]) -> str | None:
    """Return what is wrong with leaving this behind; None for what the machinery of a loop consists of."""
    if not descriptor.is_machinery:
        return "a file is still open"
    if descriptor.is_socket and descriptor.inode in states:
        return f"a socket is still {states[descriptor.inode]}"
    return None


def _runtime_lives() -> bool:
    return any(thread.name == RUNTIME for thread in threading.enumerate())


def _tcp_states() -> dict[str, str]:
    """Return the state, by inode, of each TCP socket that has a living far end or waits for one."""
    rows = (
        line.split() for table in ("tcp", "tcp6") for line in Path(f"/proc/self/net/{table}").read_text().splitlines()
    )
    return {row[9]: _TCP_STATES[row[3]] for row in rows if row[3] in _TCP_STATES}
