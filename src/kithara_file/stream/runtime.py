"""The background of this process: one daemon thread with one asyncio loop for every session, and a hand for the disk.

Must not know: what runs on it. After a fork the child has no runtime and makes its own at its first open; what was
opened before the fork is dead there, and says so.
"""

from __future__ import annotations

import asyncio
import atexit
import os
import threading
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import Future
from contextlib import suppress
from typing import Any, TypeVar

from kithara_file.storage.platform import after_fork_in_child

T = TypeVar("T")

STOP_SECONDS = 2.0
"""How long the end of the interpreter waits for the background to clean up."""


class Runtime:
    """One thread, one loop. Started on first use; ends with the interpreter."""

    _current: Runtime | None = None
    _ending = False
    _making = threading.RLock()

    @classmethod
    def current(cls) -> Runtime:
        """Return the runtime of this process, started if there was none; a dead one when the interpreter ends.

        Raises what the system says where it has no room for another thread or open file.
        """
        with cls._making:
            if cls._current is None or not (cls._current.alive or cls._ending):
                cls._current = Runtime()
            return cls._current

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.disk = DiskHand()
        self._patient = DiskHand()
        self._pid = os.getpid()
        self._stopping = False
        self._farewells: list[Callable[[], Awaitable[None]]] = []
        self._thread = threading.Thread(target=self._run, name="kithara-file", daemon=True)
        try:
            self._thread.start()
        except RuntimeError:  # no room for another thread
            self.loop.close()
            raise

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        try:
            self.loop.run_forever()
        finally:
            self.loop.close()

    @property
    def alive(self) -> bool:
        """False in a forked child and once stopped: nothing handed over will run."""
        return self._pid == os.getpid() and not self._stopping and not self.loop.is_closed()

    @property
    def forsaken(self) -> bool:
        """True when whoever waits here and now would wait for ever: in a forked child, and when the interpreter ends.

        Not so for its daemon threads: they end with it, and if told would only print their traceback.
        """
        return not self.alive and (self._pid != os.getpid() or not threading.current_thread().daemon)

    @property
    def here(self) -> bool:
        """True in the runtime's own thread, which must never wait for itself."""
        return threading.current_thread() is self._thread

    def call(self, function: Callable[..., object], *args: object) -> None:
        """Run `function` on the loop soon; from any thread, also from a finalizer. Does nothing when not alive."""
        if self.alive:
            self.loop.call_soon_threadsafe(function, *args)

    def submit(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """Run a coroutine on the loop as a task; cancelling the future cancels the task."""
        return asyncio.run_coroutine_threadsafe(work, self.loop)

    async def on_disk(self, work: Callable[[], T], *, long: bool = False) -> T:
        """Run blocking disk work off the loop and return its result; when cancelled the work still runs to its end.

        Work that may take seconds is `long`: the short does not wait behind it.
        """
        hand = self._patient if long else self.disk
        return await asyncio.wrap_future(hand.submit(work))

    async def aside(self, work: Callable[[], T]) -> T:
        """Run a stranger's `work`, which may never end, in a thread of its own, where nothing waits behind it.

        Raises `RuntimeError` where there is no room for another thread.
        """
        future: Future[T] = Future()
        threading.Thread(target=_carry_out, args=(future, work), name="kithara-file-aside", daemon=True).start()
        return await asyncio.wrap_future(future)

    def at_stop(self, farewell: Callable[[], Awaitable[None]]) -> None:
        """Await `farewell()` on the loop before it ends."""
        self._farewells.append(farewell)

    def stop(self) -> None:
        """Say every farewell and end the thread, within `STOP_SECONDS`. Idempotent; does nothing in a forked child."""
        if not self.alive or self.here:
            return
        self.loop.call_soon_threadsafe(lambda: self.loop.create_task(self._leave()))
        self._stopping = True
        self._thread.join(STOP_SECONDS)

    async def _leave(self) -> None:
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(STOP_SECONDS * 3 / 4):
                    for farewell in reversed(self._farewells):
                        await farewell()
            await self._cancel_rest()
        finally:
            self.loop.stop()

    async def _cancel_rest(self) -> None:
        """End the tasks that wait for what will not come any more, such as the end of a slow commit."""
        rest = asyncio.all_tasks() - {asyncio.current_task()}
        for task in rest:
            task.cancel()
        if rest:
            await asyncio.wait(rest, timeout=STOP_SECONDS / 4)

    def __repr__(self) -> str:
        return f"<Runtime {'alive' if self.alive else 'ended'}>"


class DiskHand:
    """Does blocking disk work in order, in a thread that lives only while there is some.

    Where there is no room for another thread, the caller does the work: a loop that is held up for a while recovers,
    and work that is never done would be waited for without end.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._work: deque[tuple[Future[Any], Callable[[], Any]]] = deque()
        self._busy = False

    def submit(self, work: Callable[[], T]) -> Future[T]:
        """Queue `work`; its result or exception comes through the future."""
        future: Future[T] = Future()
        with self._lock:
            self._work.append((future, work))
            start, self._busy = not self._busy, True
        if start:
            try:
                threading.Thread(target=self._run, name="kithara-file-disk", daemon=True).start()
            except RuntimeError:
                self._run()
        return future

    def _run(self) -> None:
        while True:
            with self._lock:
                if not self._work:
                    self._busy = False
                    return
                future, work = self._work.popleft()
            _carry_out(future, work)


def _carry_out(future: Future[T], work: Callable[[], T]) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        result = work()
    except BaseException as error:  # noqa: BLE001 - the future carries every kind of failure to who waits
        future.set_exception(error)
    else:
        future.set_result(result)


def _stop_at_exit() -> None:
    with Runtime._making:  # noqa: SLF001 - this module's own state
        Runtime._ending, runtime = True, Runtime._current  # noqa: SLF001
    if runtime is not None:
        runtime.stop()


def _forget_in_child() -> None:
    Runtime._making = threading.RLock()  # noqa: SLF001 - it may have been held by a thread that the child does not have
    Runtime._current, Runtime._ending = None, False  # noqa: SLF001


atexit.register(_stop_at_exit)
after_fork_in_child(_forget_in_child)
