"""Locks that whoever forks takes for that moment, so that no child finds one held by a thread which it does not have.

Ctrl-C may come at any moment of a fork, and what a hook raises is told and otherwise ignored. Python looks for it
between the steps of its own functions and in the wait for a lock: so whatever is taken is noted by the same call of a
built-in function, and all of it is let go by one. Must not know: what the locks guard.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import repeat
from operator import attrgetter, methodcaller
from typing import Any, Generic, TypeVar
from weakref import ref

_T = TypeVar("_T")


class Living(Generic[_T]):
    """The things that somebody still holds of those that were added; any thread may add and look."""

    def __init__(self, *things: _T) -> None:
        self._refs: set[ref[_T]] = set()
        for each in things:
            self.add(each)

    def add(self, thing: _T) -> None:
        """Know of `thing` for as long as it lives."""
        self._refs.add(ref(thing, self._refs.discard))

    def __iter__(self) -> Iterator[_T]:
        # Copied by one step, unlike a `WeakSet`, whose own steps other threads come in between.
        return (thing for each in list(self._refs) if (thing := each()) is not None)

    def __repr__(self) -> str:
        return f"<Living {len(self._refs)}>"


class _OfThread(threading.local):
    def __init__(self) -> None:
        self.locks: list[Any] = []


class ForkLocks:
    """What each thread holds because it forks."""

    def __init__(self) -> None:
        held = _OfThread()
        self._held = held
        released = map(list, map(partial(map, methodcaller("release")), map(attrgetter("locks"), repeat(held))))
        forgotten = map(methodcaller("clear"), map(attrgetter("locks"), repeat(held)))
        self.let_go: Callable[[], object] = partial(next, zip(released, forgotten, strict=True))
        """Let go of everything that this thread holds here, whatever comes in between. Idempotent."""

    def take(self, locks: Iterable[Any], seconds: float) -> list[Any]:
        """Take those of `locks` that can be had within so many seconds each; return what is held now."""
        self._held.locks.extend(filter(methodcaller("acquire", timeout=seconds), list(locks)))
        return self._held.locks

    def __repr__(self) -> str:
        return f"<ForkLocks {len(self._held.locks)} held here>"
