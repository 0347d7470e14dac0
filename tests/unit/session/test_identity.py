"""What an answer proves about the bytes held: every case of the table."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kithara_file.net.remote import Remote, Validator
from kithara_file.session.identity import Identity, describe, identify

MONDAY = "Mon, 01 Jan 2024 00:00:00 GMT"
TUESDAY = "Tue, 02 Jan 2024 00:00:00 GMT"
STRONG, OTHER = Validator('"1"'), Validator('"2"')
WEAK, OTHER_WEAK = Validator('W/"1"'), Validator('W/"2"')
DATED, LATER = Validator(last_modified=MONDAY), Validator(last_modified=TUESDAY)
BARE = Validator()

SAME, CHANGED, UNPROVEN, FOREIGN = Identity.SAME, Identity.CHANGED, Identity.UNPROVEN, Identity.FOREIGN
ABSURD = Identity.ABSURD


def told(validator: Validator = BARE, length: int | None = 1000, media_type: str | None = "audio/flac") -> Remote:
    return Remote(length, ranges=True, validator=validator, media_type=media_type)


@pytest.mark.parametrize(
    "held, found, identity",
    [
        (told(STRONG), told(STRONG), SAME),
        (told(STRONG), told(STRONG, media_type="text/html"), SAME),  # the validator outweighs a type
        (told(STRONG), told(STRONG, length=None), SAME),
        (told(STRONG, length=None), told(STRONG), SAME),
        (told(STRONG), told(OTHER), CHANGED),
        (told(STRONG), told(OTHER, media_type="text/html"), FOREIGN),  # a login page may have a tag of its own
        (told(STRONG), told(STRONG, length=999), CHANGED),  # the same tag for other bytes: the origin lies
        (told(WEAK), told(WEAK), UNPROVEN),
        (told(WEAK), told(OTHER_WEAK), CHANGED),
        (told(DATED), told(DATED), SAME),
        (told(DATED), told(LATER), CHANGED),
        (told(STRONG), told(BARE), UNPROVEN),
        (told(BARE), told(STRONG), UNPROVEN),
        (told(), told(), UNPROVEN),
        (told(), told(length=999), CHANGED),
        (told(), told(length=None), UNPROVEN),
        (told(), told(media_type="text/html"), FOREIGN),
        (told(), told(length=99, media_type="text/html"), FOREIGN),  # a login page has a length of its own
        (told(), told(media_type="Audio/FLAC; charset=x"), UNPROVEN),
        (told(), told(media_type=None), UNPROVEN),
        (told(media_type=None), told(), UNPROVEN),
        (told(media_type=None), told(media_type="text/html"), FOREIGN),
    ],
)
def test_every_case_of_the_table(held: Remote, found: Remote, identity: Identity) -> None:
    assert identify(held, found) is identity


@pytest.mark.parametrize(
    "validator, reach, identity", [(STRONG, 1000, SAME), (STRONG, 1001, CHANGED), (BARE, 1001, CHANGED)]
)
def test_an_answer_that_is_shorter_than_what_is_held_is_of_another_version(
    validator: Validator, reach: int, identity: Identity
) -> None:
    assert identify(told(validator, length=None), told(validator, length=1000), reach) is identity


@pytest.mark.parametrize(
    "held, found, identity",
    [
        (told(STRONG), told(STRONG), SAME),
        (told(STRONG), told(STRONG, length=None), SAME),
        (told(STRONG), told(STRONG, length=0), ABSURD),
        (told(STRONG), told(STRONG, length=999), ABSURD),
        (told(STRONG), told(STRONG, length=1001), ABSURD),
        (told(STRONG, length=None), told(STRONG, length=1001), ABSURD),  # the end of a chunked body had proven it
        (told(STRONG, length=None), told(BARE, length=1001), CHANGED),
        (told(DATED), told(DATED, length=999), CHANGED),
        (told(STRONG), told(STRONG, length=99, media_type="text/html"), FOREIGN),
        (told(STRONG), told(OTHER, length=999), CHANGED),
        (told(WEAK), told(WEAK, length=999), CHANGED),
        (told(BARE), told(STRONG, length=999), CHANGED),
        (told(BARE), told(BARE, length=999), CHANGED),
    ],
)
def test_of_what_is_all_held_the_same_strong_tag_proves_the_length(
    held: Remote, found: Remote, identity: Identity
) -> None:
    assert identify(held, found, 1000, 1000) is identity


validators = st.sampled_from([STRONG, OTHER, WEAK, OTHER_WEAK, DATED, LATER, BARE])
remotes = st.builds(
    told, validators, st.sampled_from([None, 999, 1000]), st.sampled_from([None, "audio/flac", "text/html"])
)


@given(remotes, remotes)
def test_same_is_never_said_of_lengths_or_validators_that_differ(held: Remote, found: Remote) -> None:
    if identify(held, found) is SAME:
        assert held.validator.agrees(found.validator)
        assert None in (held.length, found.length) or held.length == found.length


@given(remotes)
def test_no_answer_contradicts_itself(remote: Remote) -> None:
    assert identify(remote, remote) is (SAME if remote.validator.strong else UNPROVEN)


def test_a_version_is_described_by_its_validator_and_length() -> None:
    assert describe(told(STRONG)) == 'ETag "1", 1000 bytes'
    assert describe(told(BARE, length=None)) == "no validator, an unknown length"
