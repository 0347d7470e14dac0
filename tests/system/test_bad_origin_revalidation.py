"""An origin that stumbles while it is asked whether a complete file is current keeps nobody waiting."""

from __future__ import annotations

from pathlib import Path

import pytest

from kithara_file import Retry, Timeouts, open_file
from tests.system.bad_machine import BODY, DATA, fill, reads_right
from tests.world import Chunked, CloseAt, HangUp, Item, NeverAnswer, Origin, RefuseRange, ResetAt, StallAt, Status

pytestmark = pytest.mark.system

STUMBLES: list[Item] = [
    CloseAt(0),
    CloseAt(1000),
    ResetAt(0),
    StallAt(0),
    HangUp(),
    NeverAnswer(),
    RefuseRange(),
    RefuseRange("*"),
    RefuseRange(5),
    Status(503),
    Status(500, retry_after=0),
]
HASTY = Timeouts(headers=0.3, idle=0.3)
PATIENT = Retry(retries=1, first_delay=0.001, max_delay=0.002, jitter=0.0, max_failures=3)


ALWAYS = [(each, 100) for each in STUMBLES if not isinstance(each, RefuseRange)]
"""Who says no, rather than nothing of use, is believed in the end: an error, and no reason to serve what is stale."""


@pytest.mark.parametrize("stumble, times", [(each, times) for each in STUMBLES for times in (1, 2)] + ALWAYS, ids=repr)
@pytest.mark.parametrize("etag", ['"v1"', None], ids=["tagged", "untagged"])
def test_a_complete_file_opens_in_bounded_time_and_is_right(
    origin: Origin, store_dir: Path, etag: str | None, stumble: Item, times: int
) -> None:
    url = origin.serve("/song", BODY, etag=etag)
    fill(url, store_dir)
    origin.next("/song", *[stumble] * times)
    silent = isinstance(stumble, StallAt | NeverAnswer)
    reads_right(url, store_dir, timeouts=HASTY if silent else Timeouts(), retry=PATIENT)


@pytest.mark.parametrize("etag", ['"v1"', None], ids=["tagged", "untagged"])
def test_a_complete_file_whose_url_has_expired_is_asked_for_at_the_new_one(
    origin: Origin, store_dir: Path, etag: str | None
) -> None:
    fill(origin.serve("/old", BODY, etag=etag), store_dir, cache_key="song")
    origin.always("/old", Status(403))
    new = origin.serve("/new", BODY, etag=etag)
    reads_right(origin.url("/old"), store_dir, cache_key="song", refresh_url=lambda: new)
    assert origin.requests("/new")


def test_a_file_that_lacks_nothing_but_its_length_opens_by_a_416(origin: Origin, store_dir: Path) -> None:
    """Its chunked body broke off before the terminator, and so the end was not proven when it was closed."""
    url = origin.serve("/song", BODY, faults=[(Chunked(), StallAt(BODY.length))])
    with open_file(url, store=store_dir) as file:
        assert file.read(BODY.length) == DATA
    reads_right(url, store_dir)
    assert origin.requests("/song")[-1].status == 416
