"""A step of a session without a network, or without a thread: nothing will come, so nobody is left to wait for it.

Must not know: fetches, plans.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kithara_file.errors import Cancelled, OfflineMiss
from kithara_file.session.promise import finish

if TYPE_CHECKING:
    from kithara_file.session.session import Session
    from kithara_file.storage.resource import Demand


def step(session: Session, demands: tuple[Demand, ...], *, everything: bool) -> None:
    """Tell whoever waits that it is a miss; commit what is complete already, if `everything` is wanted."""
    holding, frontier = session.holding, session.judge.frontier
    for each in demands:
        start, end = (frontier, None) if each.wanted is None else (each.wanted.start, each.wanted.end)
        if end is not None and holding.length is not None:  # a buffer asks for as much as it holds
            end = min(end, holding.length)
        if holding.resource is not None:
            holding.resource.refuse(OfflineMiss(url=session.url, start=start, end=end), each)
    if not everything:
        return
    if holding.complete and holding.resource is not None:
        session.completion.begin(holding.resource)
    else:
        session.completion.give_up(OfflineMiss(url=session.url, start=frontier, end=None))


def strand(session: Session) -> None:
    """End every wait where no thread will: in the child of a fork, and at the end of the interpreter."""
    error = Cancelled("What fetched these bytes is gone: they were opened before a fork, or the interpreter ends")
    finish(session.opened, error)
    if session.holding.resource is not None:
        session.holding.resource.fail(error)
    session.completion.give_up(error)
