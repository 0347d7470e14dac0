"""A committed resource is believed by the length of its journal, and read through as soon as that has changed."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from kithara_file.errors import CorruptResource
from kithara_file.storage import StreamingResource
from tests.unit.storage.places import Place

BODY = bytes(range(256)) * 64


def committed(place: Place, body: bytes = BODY) -> int | None:
    """Commit `body` at `place` and return what was vouched for it."""
    sealed: list[int | None] = []
    resource = place.create(length=len(body))
    resource.write_at(0, body)
    resource.commit(lambda: sealed.append(resource.vouched()))
    resource.close()
    return sealed[0]


def reopened(place: Place, sealed: int | None, length: int = len(BODY)) -> StreamingResource:
    return StreamingResource.reopen(
        place.data, place.journal, place.generation, length=length, committed=True, sealed=sealed
    )


@pytest.mark.parametrize("body", [BODY, b""])
def test_all_is_present_while_the_journal_is_as_long_as_it_was(place: Place, body: bytes) -> None:
    sealed = committed(place, body)
    assert sealed == place.journal.stat().st_size
    resource = reopened(place, sealed, len(body))
    assert resource.committed
    assert resource.snapshot().covers(0, len(body))
    resource.close()


def test_what_was_taken_back_after_the_commit_is_absent(place: Place) -> None:
    sealed = committed(place)
    first = reopened(place, sealed)
    place.data.write_bytes(BODY[:100] + b"\xff" + BODY[101:])
    assert first.verify()
    first.close()
    second = reopened(place, sealed)
    assert not second.committed
    assert 100 not in second.snapshot()
    assert second.vouched() is None
    second.close()


def test_another_process_hears_what_is_taken_back_after_the_commit(place: Place) -> None:
    sealed = committed(place)
    reader, checker = reopened(place, sealed), reopened(place, sealed)
    place.data.write_bytes(b"\xff" + BODY[1:])
    checker.verify()
    reader.catch_up()
    assert not reader.committed
    assert 0 not in reader.snapshot()
    checker.close()
    reader.close()


def test_a_restored_copy_is_verified(place: Place, tmp_path: Path) -> None:
    sealed = committed(place)
    copy = tmp_path / "copy"
    shutil.copy(place.data, copy)
    copy.rename(place.data)
    place.data.write_bytes(b"\xff" + BODY[1:])
    resource = reopened(place, sealed)
    assert not resource.committed
    assert 0 not in resource.snapshot()
    resource.close()


def test_a_journal_of_another_version_is_not_believed_for_its_length(place: Place) -> None:
    sealed = committed(place)
    place.data.unlink()
    place.journal.unlink()
    other = Place(place.folder, "v2")
    assert committed(other) == sealed
    with pytest.raises(CorruptResource):
        reopened(place, sealed)


def test_a_file_that_was_cut_short_is_not_whole(place: Place) -> None:
    sealed = committed(place)
    with place.data.open("r+b") as file:
        file.truncate(1000)
    resource = reopened(place, sealed)
    assert not resource.committed
    assert list(resource.snapshot()) == []  # the one record speaks for all bytes, some of which are gone
    resource.close()


def test_nothing_is_vouched_for_before_every_byte_is_recorded(place: Place) -> None:
    with_gap = place.create(length=len(BODY))
    with_gap.write_at(0, BODY[:100])
    assert with_gap.vouched() is None
    with_gap.close()


def test_nothing_is_vouched_for_after_a_disk_that_forgot(place: Place) -> None:
    resource = place.create(length=len(BODY))
    resource.write_at(0, BODY)
    resource.flush()
    assert resource.vouched()
    resource._journal.doubt()
    assert resource.vouched() is None
    resource.close()
