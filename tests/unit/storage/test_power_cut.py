"""What is believed of a resource after the machine was off, and of one that came from elsewhere."""

from __future__ import annotations

from tests.unit.storage.places import AFTER_A_POWER_CUT, Place, full, pattern, spans


def test_after_a_power_cut_only_proven_bytes_are_believed(place: Place) -> None:
    resource = place.create()
    for start in (0, 20, 40):
        resource.write_at(start, pattern(start, start + 10))
    resource.close()
    place.flip(25)
    resource = place.reopen(boot=AFTER_A_POWER_CUT)
    assert spans(resource) == [(0, 10), (40, 50)]
    resource.close()
    resource = place.reopen(boot=AFTER_A_POWER_CUT)
    assert spans(resource) == [(0, 10), (40, 50)]
    resource.close()


def test_once_verified_it_is_believed_for_the_rest_of_the_day(place: Place) -> None:
    resource = place.create()
    resource.write_at(0, pattern(0, 10))
    resource.close()
    place.reopen(boot=AFTER_A_POWER_CUT).close()
    said = place.journal.read_bytes()
    resource = place.reopen(boot=AFTER_A_POWER_CUT)
    assert spans(resource) == [(0, 10)]
    resource.close()
    assert place.journal.read_bytes() == said  # what is verified is said so, each time


def test_pages_that_never_reached_the_disk_are_not_believed(place: Place) -> None:
    resource = place.create()
    resource.write_at(0, pattern(0, 8192))
    resource.write_at(100_000, pattern(100_000, 108_192))
    resource.close()
    with place.data.open("r+b") as file:
        file.seek(102_000)
        file.write(b"\0" * 4096)
    resource = place.reopen(boot=AFTER_A_POWER_CUT)
    assert spans(resource) == [(0, 8192)]
    resource.close()


def test_without_checksums_nothing_survives_a_power_cut_unless_committed(place: Place) -> None:
    resource = place.create(length=10, checksums=False)
    resource.write_at(0, pattern(0, 10))
    resource.commit()
    resource.close()
    committed = place.reopen(length=10, committed=True, checksums=False, boot=AFTER_A_POWER_CUT)
    assert committed.committed
    committed.close()
    uncommitted = place.reopen(length=10, checksums=False, boot=AFTER_A_POWER_CUT)
    assert spans(uncommitted) == []
    uncommitted.close()


def test_a_journal_vouches_for_no_other_file_unverified(place: Place) -> None:
    full(place)
    right = place.data.read_bytes()
    place.data.rename(place.folder / "kept so that its inode is not used again")
    place.data.write_bytes(right[:50] + b"\0" * 50)
    resource = place.reopen(length=100, committed=True)
    assert (resource.committed, spans(resource)) == (False, [])
    resource.close()


def test_a_copy_restored_from_elsewhere_is_verified_and_used(place: Place) -> None:
    full(place)
    right = place.data.read_bytes()
    place.data.rename(place.folder / "kept so that its inode is not used again")
    place.data.write_bytes(right)
    resource = place.reopen(length=100, committed=True)
    assert resource.committed
    resource.close()
