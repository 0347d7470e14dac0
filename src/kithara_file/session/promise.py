"""Futures that are settled once, whoever comes first.

Must not know: what is promised.
"""

from __future__ import annotations

from concurrent.futures import Future, InvalidStateError
from contextlib import suppress


def finish(promise: Future[None], error: BaseException | None) -> None:
    """Settle `promise` with success or `error`, unless it is settled."""
    if promise.done():
        return
    with suppress(InvalidStateError):  # somebody else was quicker, just now
        if error is None:
            promise.set_result(None)
        else:
            promise.set_exception(error)
