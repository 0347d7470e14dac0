"""What is believed of a journal when it is opened again."""

from __future__ import annotations

from kithara_file.ranges import ByteRange
from kithara_file.storage.belief import believed, claimed
from kithara_file.storage.journal import Journal
from kithara_file.storage.system import OpenFile
from tests.unit.storage.places import AFTER_A_POWER_CUT, TODAY, Place, full


def claims(place: Place, *, durable: bool, days_later: bool = False) -> list[ByteRange]:
    """Return what is believed of the files of `place`."""
    journal = Journal.open(place.journal, place.generation, checksums=True)
    data = OpenFile.existing(place.data)
    return list(believed(data, journal, AFTER_A_POWER_CUT if days_later else TODAY, durable=durable))


def test_what_was_written_since_the_machine_was_started_is_believed(place: Place) -> None:
    full(place)
    assert claims(place, durable=False) == [ByteRange(0, 100)]


def test_what_was_made_durable_is_believed_after_a_power_cut(place: Place) -> None:
    full(place)
    assert claims(place, durable=True, days_later=True) == [ByteRange(0, 100)]


def test_what_was_not_is_verified_and_never_claimed_again_if_bad(place: Place) -> None:
    full(place)
    place.flip(50)
    assert claims(place, durable=False, days_later=True) == []
    assert claims(place, durable=False) == []


def test_what_lies_beyond_the_end_of_the_file_is_not_believed(place: Place) -> None:
    full(place)
    with place.data.open("r+b") as file:
        file.truncate(0)
    assert claims(place, durable=True) == []


def test_claims_are_shown_without_being_looked_into_or_changed(place: Place) -> None:
    full(place)
    before = place.journal.read_bytes()
    place.flip(50)
    assert list(claimed(place.data, place.journal, place.generation)) == [ByteRange(0, 100)]
    with place.data.open("r+b") as file:
        file.truncate(60)
    assert list(claimed(place.data, place.journal, place.generation)) == [ByteRange(0, 60)]
    assert list(claimed(place.data, place.journal, "another generation")) == []
    place.data.unlink()
    assert list(claimed(place.data, place.journal, place.generation)) == []
    assert place.journal.read_bytes() == before
