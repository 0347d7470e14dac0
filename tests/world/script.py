"""What happens to the n-th request of a path.

A script has the version that lives there, faults for every request (`always`) and faults for the next ones
(`faults`, one item per request, in the order of arrival; when they are used up, the answer is right).
Must not know: sockets, time.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from itertools import cycle
from threading import Lock
from typing import TypeAlias

from tests.world.answer import Version, right_answer
from tests.world.faults import Fault, Serve
from tests.world.message import Reply, Request

Item: TypeAlias = "Fault | tuple[Item, ...] | Callable[[Request], Item] | None"
"""A fault, several together, nothing, or a function of the request that gives one of these."""


def plain(request: Request) -> bool:
    """True for a request without a Range."""
    return request.range is None


def ranged(request: Request) -> bool:
    """True for a request with a Range."""
    return request.range is not None


def reused(request: Request) -> bool:
    """True for a request on a connection that has served one before."""
    return request.nth > 0


def when(matches: Callable[[Request], bool], *items: Item) -> Item:
    """Return the item that does `items` to the requests that match and nothing to others."""
    return lambda request: items if matches(request) else None


def flapping(*versions: Version) -> Item:
    """Return the item (for `always`) that answers from one version after the other, round and round."""
    turns = cycle(versions)
    return lambda _request: Serve(next(turns))


class Script:
    """The life of one path."""

    def __init__(self, version: Version, always: Iterable[Item] = (), faults: Iterable[Item] = ()) -> None:
        self.version = version
        self._always = tuple(always)
        self._next = deque(faults)
        self._lock = Lock()

    def add(self, items: Iterable[Item]) -> None:
        """Let the next requests meet these items, after those that are still to come."""
        with self._lock:
            self._next.extend(items)

    def always(self, items: Iterable[Item]) -> None:
        """Let every request from now on meet these items instead of the former ones."""
        self._always = tuple(items)

    def answer(self, request: Request) -> Reply:
        """Return the reply to this request and use up one item."""
        with self._lock:
            item = self._next.popleft() if self._next else None
        faults = tuple(_flat((self._always, item), request))
        return answer(self.version, request, faults)

    def __repr__(self) -> str:
        return f"<Script {self.version.body!r} {self.version.etag} · {len(self._next)} faults to come>"


def answer(version: Version, request: Request, faults: Iterable[Fault]) -> Reply:
    """Return the right answer, bent by the faults in their order."""
    faults = tuple(faults)
    for fault in faults:
        request = fault.hear(request)
    reply = right_answer(version, request)
    for fault in faults:
        reply = fault.shape(reply, request)
    return reply


def _flat(item: Item, request: Request) -> Iterable[Fault]:
    if isinstance(item, Fault):
        yield item
    elif isinstance(item, tuple):
        for part in item:
            yield from _flat(part, request)
    elif item is not None:
        yield from _flat(item(request), request)
