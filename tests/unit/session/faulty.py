"""What tests of failures say again and again: a far end that breaks, an origin that refuses, a session over it.

Must not know: what follows from a failure.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kithara_file.config import Retry
from kithara_file.errors import AccessDenied, KitharaError, RangeNotSatisfiable, Unavailable
from tests.unit.session.hall import Hall, body_of
from tests.world.clock import run_virtual
from tests.world.entry import MemoryEntry
from tests.world.remote import KIB, BreakAt, Fault, ScriptedRemote, Version

BODY = body_of(600 * KIB)
RETRY = Retry(jitter=0.0, max_retry_after=5.0)

Make = Callable[[str], KitharaError]


def denied(url: str) -> KitharaError:
    return AccessDenied(403, url=url)


def down(url: str) -> KitharaError:
    return Unavailable(503, url=url)


def beyond(length: int | None) -> Make:
    return lambda url: RangeNotSatisfiable(url=url, length=length)


def tell(far: ScriptedRemote, story: Callable[[Hall], Any], entry: MemoryEntry | None = None, **options: Any) -> None:
    async def main() -> None:
        async with Hall(far, entry, **({"retry": RETRY} | options)) as hall:
            await story(hall)

    run_virtual(main())


def broken_at(at: int, *later: tuple[Fault, ...], version: Version | None = None) -> ScriptedRemote:
    """Return a far end whose first body breaks at `at`, and which meets `later` requests so."""
    far = ScriptedRemote(version or Version(BODY)).then(BreakAt(at))
    for faults in later:
        far.then(*faults)
    return far


def stored(size: int, version: Version | None = None) -> MemoryEntry:
    return MemoryEntry.storing((version or Version(BODY)).remote(), BODY, [(0, size)])


async def all_of(hall: Hall) -> bytes:
    await hall.opened()
    return await hall.within(hall.stream().read())
