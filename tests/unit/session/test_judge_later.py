"""What a later answer says of what is stored, and what it leaves out or says wrongly."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from kithara_file.errors import InvalidResponse
from kithara_file.events import ServedStale
from kithara_file.net.remote import Freshness, Validator
from kithara_file.net.vary import selected_by
from tests.unit.session.hall import Hall, body_of
from tests.world.clock import START_WALL, run_virtual
from tests.world.entry import MemoryEntry
from tests.world.remote import KIB, ScriptedRemote, Version

BODY, OTHER = body_of(6 * KIB, 1), body_of(5 * KIB, 2)
LASTING = Freshness.of({"cache-control": "max-age=60"}, START_WALL)
STALE = replace(LASTING, received=START_WALL - 100)
STRICT = Freshness.of({"cache-control": "max-age=0, must-revalidate"}, START_WALL - 100)
SILENT = Freshness.of({"age": "7"}, START_WALL)


class Forgetful(ScriptedRemote):
    """Answers conditions with the whole body, as if it had never heard of them."""

    async def open(self, url: Any, want: Any, same_as: Any) -> Any:
        return await super().open(url, want, None)


def version(body: bytes = BODY, freshness: Freshness = STALE) -> Version:
    return Version(body, Validator('"1"'), freshness=freshness)


def complete(of: Version) -> MemoryEntry:
    return MemoryEntry.storing(of.remote(), of.body, committed=True)


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
        entry = MemoryEntry.storing(version(freshness=STRICT).remote(), BODY, [(0, end)], committed=end == len(BODY))
        async with Hall(far(version(freshness=SILENT)), entry) as hall:
            await reads(hall, BODY)
            assert hall.front.remote is not None
            freshness = hall.front.remote.freshness
            assert (freshness.must_revalidate, freshness.age) == (kept, 7.0)
        left = entry.reopened().remote
        assert left is not None
        assert left.freshness == freshness

    run_virtual(main())


@pytest.mark.parametrize("told", [0, len(BODY) - 1, len(BODY) + 1])
def test_what_is_complete_outlives_an_answer_that_gives_its_tag_to_another_length(told: int) -> None:
    async def main() -> None:
        entry = complete(version())
        far = Forgetful(version(body_of(told, 2), LASTING))
        async with Hall(far, entry) as hall:
            await reads(hall, BODY)
            assert len(far.log) == len(hall.events(ServedStale)) == 1
        assert entry.log == ["close"]  # nothing of what such an answer says is believed

    run_virtual(main())


def test_an_answer_that_gives_the_tag_held_to_another_length_is_told_where_stale_bytes_are_forbidden() -> None:
    async def main() -> None:
        async with Hall(Forgetful(version(b"")), complete(version(freshness=STRICT))) as hall:
            with pytest.raises(InvalidResponse, match=f"0 bytes to the version of which {len(BODY)} are here"):
                await hall.opened()

    run_virtual(main())


def test_what_is_complete_and_empty_may_be_the_mistake() -> None:
    async def main() -> None:
        async with Hall(Forgetful(version()), complete(version(b""))) as hall:
            await reads(hall, BODY)

    run_virtual(main())


def test_variants_that_share_a_tag_are_told_apart_by_their_lengths() -> None:
    async def main() -> None:
        german = replace(version(freshness=LASTING).remote(), selected_by=selected_by(["accept-language"], {}))
        entry = MemoryEntry.storing(german, BODY, committed=True)
        async with Hall(Forgetful(version(OTHER)), entry, headers={"Accept-Language": "fr"}) as hall:
            await reads(hall, OTHER)

    run_virtual(main())
