"""What a later answer says of what is stored, and what it leaves out or says wrongly."""

from __future__ import annotations

from typing import Any

import pytest

from kithara_file.net.remote import Freshness, Validator
from tests.unit.session.hall import Hall, body_of
from tests.world.clock import START_WALL, run_virtual
from tests.world.entry import MemoryEntry
from tests.world.remote import KIB, ScriptedRemote, Version

BODY = body_of(6 * KIB)
STRICT = Freshness.of({"cache-control": "max-age=0, must-revalidate"}, START_WALL - 100)
SILENT = Freshness.of({"age": "7"}, START_WALL)


class Forgetful(ScriptedRemote):
    """Answers conditions with the whole body, as if it had never heard of them."""

    async def open(self, url: Any, want: Any, same_as: Any) -> Any:
        return await super().open(url, want, None)


def version(freshness: Freshness) -> Version:
    return Version(BODY, Validator('"1"'), freshness=freshness)


async def reads(hall: Hall, body: bytes) -> None:
    await hall.opened()
    assert await hall.read(0, 2 * len(BODY)) == body


@pytest.mark.parametrize(
    "far, end, kept",
    [(ScriptedRemote, len(BODY), True), (ScriptedRemote, 3 * KIB, True), (Forgetful, len(BODY), False)],
    ids=["304", "206", "200"],
)
def test_only_a_whole_answer_takes_back_what_it_does_not_repeat(far: Any, end: int, *, kept: bool) -> None:
    async def main() -> None:
        entry = MemoryEntry.storing(version(STRICT).remote(), BODY, [(0, end)], committed=end == len(BODY))
        async with Hall(far(version(SILENT)), entry) as hall:
            await reads(hall, BODY)
            assert hall.front.remote is not None
            freshness = hall.front.remote.freshness
            assert (freshness.must_revalidate, freshness.age) == (kept, 7.0)
        left = entry.reopened().remote
        assert left is not None
        assert left.freshness == freshness

    run_virtual(main())
