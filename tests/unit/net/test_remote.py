"""What two validators prove, when an answer is fresh, and what survives JSON."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kithara_file.net.remote import Freshness, Remote, Said, Validator, http_date
from kithara_file.net.vary import selected_by

EARLY = "Sun, 06 Nov 1994 08:49:37 GMT"
LATE = "Mon, 07 Nov 1994 08:49:37 GMT"
NOON = 784_111_777.0

etags = st.none() | st.sampled_from(['"a"', '"b"', 'W/"a"', 'W/"b"'])
dates = st.none() | st.sampled_from([EARLY, LATE, "never"])
validators = st.builds(Validator, etags, dates, settled=st.booleans())
seconds = st.floats(min_value=0, max_value=1e9)
texts = st.none() | st.text()
said = st.builds(Said, texts, texts, texts, texts, texts, texts)
remotes = st.builds(
    Remote,
    st.none() | st.integers(0, 2**63 - 1),
    st.booleans(),
    validators,
    st.none() | st.text(),
    st.builds(
        Freshness, seconds, seconds, seconds, st.booleans(), st.booleans(), must_revalidate=st.booleans(), said=said
    ),
)


@pytest.mark.parametrize(
    "text", [EARLY, "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994", "Sun, 06 Nov 1994 08:49:37 -0000"]
)
def test_all_three_forms_of_an_http_date_are_read(text: str) -> None:
    assert http_date(text) == NOON


@pytest.mark.parametrize(
    "text", [None, "", "0", "-1", "never", "Sun, 99 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 99999999"]
)
def test_what_is_no_date_is_none(text: str | None) -> None:
    assert http_date(text) is None


@pytest.mark.parametrize(
    "validator,sent",
    [
        (Validator('"a"', EARLY), '"a"'),
        (Validator('W/"a"', EARLY), None),
        (Validator(None, EARLY), EARLY),
        (Validator(None, EARLY, settled=False), None),
        (Validator(None, "never"), None),
        (Validator(), None),
    ],
)
def test_if_range_takes_only_what_proves_bytes(validator: Validator, sent: str | None) -> None:
    assert validator.if_range == sent
    assert validator.strong == (sent is not None)


def test_conditions_name_every_validator_there_is() -> None:
    assert Validator('W/"a"', EARLY).conditions() == {"If-None-Match": 'W/"a"', "If-Modified-Since": EARLY}
    assert Validator(None, EARLY).conditions() == {"If-Modified-Since": EARLY}
    assert Validator().conditions() == {}


@pytest.mark.parametrize(
    "mine,theirs,verdict",
    [
        (Validator('"a"'), Validator('"a"'), True),
        (Validator('"a"'), Validator('"b"'), False),
        (Validator('W/"a"'), Validator('W/"a"'), None),
        (Validator('W/"a"'), Validator('"a"'), None),
        (Validator('W/"a"'), Validator('W/"b"'), False),
        (Validator('"a"', EARLY), Validator('"a"', LATE), True),
        (Validator('"a"', EARLY), Validator('"b"', EARLY), False),
        (Validator('W/"a"', EARLY), Validator('W/"a"', EARLY), True),
        (Validator('W/"a"', EARLY), Validator('W/"a"', LATE), False),
        (Validator(None, EARLY), Validator(None, EARLY), True),
        (Validator(None, EARLY), Validator(None, "Sunday, 06-Nov-94 08:49:37 GMT"), True),
        (Validator(None, EARLY), Validator(None, LATE), False),
        (Validator(None, EARLY, settled=False), Validator(None, EARLY), None),
        (Validator(None, "never"), Validator(None, "never"), None),
        (Validator('"a"'), Validator(None, EARLY), None),
        (Validator('"a"', EARLY), Validator(None, EARLY), True),
        (Validator(), Validator(), None),
    ],
)
def test_agreement_is_proven_or_refuted_or_unknown(mine: Validator, theirs: Validator, verdict: bool | None) -> None:
    assert mine.agrees(theirs) is verdict


@pytest.mark.parametrize(
    "mine,theirs,named",
    [
        (Validator('"a"', EARLY), Validator('"a"', LATE), True),
        (Validator('"a"'), Validator('"b"'), False),
        (Validator('W/"a"', EARLY), Validator('W/"a"', EARLY), False),
        (Validator('"a"', EARLY), Validator(None, EARLY), False),
        (Validator(None, EARLY), Validator(None, EARLY), False),
    ],
)
def test_one_strong_tag_is_a_name(mine: Validator, theirs: Validator, *, named: bool) -> None:
    assert mine.names(theirs) is named


@given(validators, validators)
def test_agreement_does_not_depend_on_who_is_asked(mine: Validator, theirs: Validator) -> None:
    assert mine.agrees(theirs) is theirs.agrees(mine)


@given(validators)
def test_nothing_ever_disagrees_with_itself(validator: Validator) -> None:
    assert validator.agrees(validator) is not False


@pytest.mark.parametrize(
    "validator,text",
    [
        (Validator('"a"', EARLY), 'ETag "a"'),
        (Validator(None, EARLY), f"Last-Modified {EARLY}"),
        (Validator(), "no validator"),
    ],
)
def test_a_validator_names_itself(validator: Validator, text: str) -> None:
    assert str(validator) == text


AT = NOON + 86_400
"""LATE, in seconds."""


@pytest.mark.parametrize(
    "fields,lifetime",
    [
        ({"date": LATE, "cache-control": "max-age=60"}, 60),
        ({"date": LATE, "cache-control": "public, Max-Age=60, s-maxage=5"}, 60),
        ({"date": LATE, "cache-control": 'max-age="60"'}, 60),
        ({"date": LATE, "cache-control": "max-age=60", "age": "20"}, 40),
        ({"date": LATE, "cache-control": "max-age=60", "age": "20, 3"}, 40),
        ({"date": LATE, "cache-control": "max-age=60", "age": "60 , 3"}, 0),
        ({"date": LATE, "cache-control": "max-age=60", "age": "old, 20"}, 60),
        ({"date": LATE, "cache-control": 'private="a, max-age=1000", max-age=60'}, 60),
        ({"date": LATE, "cache-control": r'private="a\", max-age=1000", max-age=60'}, 60),
        ({"date": LATE, "cache-control": 'max-age=60, private="a, max-age=1000'}, 60),
        ({"date": LATE, "cache-control": 'private="a, max-age=1000', "last-modified": EARLY}, 8640),
        ({"date": LATE, "cache-control": "max-age=soon", "last-modified": EARLY}, 0),
        ({"date": LATE, "cache-control": "max-age=60, max-age=5"}, 60),
        ({"date": EARLY, "cache-control": "max-age=86460"}, 60),
        ({"cache-control": "max-age=60"}, 60),
        ({"date": EARLY, "expires": LATE}, 0),
        ({"date": LATE, "expires": "Mon, 07 Nov 1994 08:50:37 GMT"}, 60),
        ({"date": LATE, "expires": "0", "last-modified": EARLY}, 0),
        ({"date": LATE, "expires": "Mon, 07 Nov 1994 08:50:37 GMT", "cache-control": "max-age=5"}, 5),
        ({"date": LATE, "last-modified": EARLY}, 8640),
        ({"date": LATE, "last-modified": "Sun, 06 Nov 1904 08:49:37 GMT"}, 86_400),
        ({"date": LATE, "cache-control": "max-age=60", "vary": "Accept, Cookie"}, 60),
        ({"date": LATE, "cache-control": "max-age=60", "vary": "*"}, 0),
        ({"date": LATE, "cache-control": "max-age=60", "vary": "Accept, *"}, 0),
        ({"date": LATE, "cache-control": "max-age=60, immutable"}, 60),
        ({"date": LATE, "cache-control": "immutable"}, 0),
        ({"date": EARLY, "last-modified": LATE}, 0),
        ({"date": LATE}, 0),
        ({}, 0),
    ],
)
def test_an_answer_is_fresh_for_as_long_as_it_says(fields: dict[str, str], lifetime: float) -> None:
    freshness = Freshness.of(fields, AT)
    assert freshness.fresh(AT + lifetime) is False
    assert freshness.fresh(AT + lifetime - 1) is (lifetime > 0)


def test_no_cache_is_never_fresh() -> None:
    assert not Freshness.of({"cache-control": "no-cache, max-age=60"}, AT).fresh(AT)
    assert not Freshness.of({"cache-control": 'no-cache="set-cookie, age", max-age=60'}, AT).fresh(AT)
    assert not Freshness.of({"pragma": "no-cache", "last-modified": EARLY}, AT).fresh(AT)


@pytest.mark.parametrize(
    "control,seconds,stands_in",
    [
        ("max-age=60", 0, True),
        ("max-age=60", 10**6, True),
        ("max-age=60, must-revalidate", 59, False),
        ("no-cache", 0, False),
        ("max-age=60, stale-if-error=30", 90, True),
        ("max-age=60, stale-if-error=30", 91, False),
        ("max-age=60, stale-if-error=0", 60, True),
        ("max-age=60, stale-if-error=0", 61, False),
        ("max-age=60, stale-if-error=long", 10**6, True),
    ],
)
def test_a_stale_answer_stands_in_unless_it_was_forbidden(control: str, seconds: float, *, stands_in: bool) -> None:
    freshness = Freshness.of({"cache-control": control}, AT)
    assert freshness.stands_in(AT + seconds) is stands_in


def test_quotes_without_an_end_are_read_in_one_go() -> None:
    told = Freshness.of({"cache-control": 'x="' + '\\"' * 50_000}, AT)
    assert told.lifetime == 0


def test_directives_are_kept() -> None:
    told = Freshness.of({"cache-control": "no-store,must-revalidate , IMMUTABLE"}, AT)
    assert (told.no_store, told.must_revalidate, told.immutable, told.no_cache) == (True, True, True, False)


def test_a_clock_that_was_set_back_makes_nothing_fresh() -> None:
    freshness = Freshness.of({"cache-control": "max-age=60"}, AT)
    assert freshness.fresh(AT)
    assert not freshness.fresh(AT - 1)


LATER = "Mon, 07 Nov 1994 08:59:37 GMT"
"""Ten minutes after LATE."""


@pytest.mark.parametrize(
    "first, then, lifetime",
    [
        ({"cache-control": "max-age=60"}, {}, 60),
        ({"cache-control": "max-age=60"}, {"expires": "0", "last-modified": EARLY}, 60),
        ({"cache-control": "max-age=60"}, {"cache-control": "public"}, 0),
        ({"cache-control": "max-age=60"}, {"cache-control": "max-age=5"}, 5),
        ({"cache-control": "no-cache"}, {"last-modified": EARLY}, 0),
        ({"cache-control": "no-cache"}, {"cache-control": "max-age=60"}, 60),
        ({"pragma": "no-cache", "last-modified": EARLY}, {}, 0),
        ({"pragma": "no-cache"}, {"cache-control": "max-age=60"}, 60),
        ({"expires": "Mon, 07 Nov 1994 09:00:37 GMT"}, {}, 60),
        ({"expires": "Mon, 07 Nov 1994 08:50:37 GMT", "last-modified": EARLY}, {}, 0),
        ({"expires": "0"}, {"expires": "Mon, 07 Nov 1994 09:00:37 GMT"}, 60),
        ({"last-modified": EARLY}, {}, 8700),  # a tenth of what has gone by until the newer answer
        ({"cache-control": "max-age=60", "vary": "*"}, {}, 0),
        ({"cache-control": "max-age=60", "vary": "*"}, {"vary": "cookie"}, 60),
        ({"cache-control": "max-age=60", "age": "50"}, {}, 60),
        ({"cache-control": "max-age=60"}, {"age": "50"}, 10),
        ({}, {}, 0),
    ],
)
def test_a_newer_answer_leaves_standing_what_it_does_not_say(
    first: dict[str, str], then: dict[str, str], lifetime: float
) -> None:
    stored = Freshness.of({"date": LATE, **first}, AT)
    freshness = stored.updated(Freshness.of({"date": LATER, **then}, AT + 600))
    assert freshness.fresh(AT + 600 + lifetime) is False
    assert freshness.fresh(AT + 600 + lifetime - 1) is (lifetime > 0)


def test_a_newer_answer_without_a_date_is_as_young_as_its_arrival() -> None:
    stored = Freshness.of({"date": EARLY, "cache-control": "max-age=60"}, AT)
    assert stored.updated(Freshness.of({}, AT)).fresh(AT)


@pytest.mark.parametrize("control", ["no-cache", "must-revalidate", "no-store", "stale-if-error=30", "immutable"])
def test_directives_stay_until_others_are_said(control: str) -> None:
    told = Freshness.of({"cache-control": control}, AT)
    assert told.updated(Freshness.of({"age": "0"}, AT)) == told
    assert told.updated(Freshness.of({"cache-control": "public"}, AT)) == Freshness.of({"cache-control": "public"}, AT)


@pytest.mark.parametrize(
    "old", [{"no_cache": True}, {"must_revalidate": True}, {"no_store": True}, {"stale_if_error": 30.0}]
)
def test_what_an_old_store_knows_to_be_forbidden_stays_so(old: dict[str, Any]) -> None:
    told = Freshness(lifetime=60.0, **old).updated(Freshness.of({"last-modified": EARLY}, AT))
    assert {name: getattr(told, name) for name in old} == old
    assert told.updated(Freshness.of({"cache-control": "max-age=60"}, AT)).fresh(AT + 59)


GERMAN, FRENCH = {"Accept-Language": "de"}, {"Accept-Language": "fr"}


@pytest.mark.parametrize(
    "said, selection",
    [
        ({}, selected_by(["accept-language"], FRENCH)),
        ({"vary": ""}, None),
        ({"vary": "cookie"}, selected_by(["cookie"], FRENCH)),
    ],
)
def test_an_answer_without_vary_was_selected_by_what_selected_the_stored_one(
    said: dict[str, str], selection: str | None
) -> None:
    stored = Remote(7, selected_by=selected_by(["accept-language"], GERMAN))
    names = [each for each in [said.get("vary", "")] if each]
    newer = Remote(freshness=Freshness.of(said, AT), selected_by=selected_by(names, FRENCH))
    assert stored.updated(newer, FRENCH).selected_by == selection


def test_ranges_that_are_known_are_known_still() -> None:
    assert Remote(ranges=True).updated(Remote(), {}).ranges


@given(remotes)
def test_a_remote_survives_json(remote: Remote) -> None:
    again = Remote.from_json(json.loads(json.dumps(remote.to_json())))
    assert again == remote
    assert again.validator.settled == remote.validator.settled


def _with(**changes: Any) -> dict[str, Any]:
    return {**Remote(7).to_json(), **changes}


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        {},
        _with(extra=1),
        _with(length=-1),
        _with(length="7"),
        _with(length=True),
        _with(length=7.5),
        _with(ranges=1),
        _with(validator=None),
        _with(validator={"etag": 5, "last_modified": None, "settled": True}),
        _with(freshness={**Remote().to_json()["freshness"], "age": float("inf")}),
        _with(freshness={**Remote().to_json()["freshness"], "said": {"vary": None}}),
        _with(media_type=3),
    ],
)
def test_anything_else_is_refused(data: object) -> None:
    with pytest.raises(ValueError, match=r"Remote|Validator|Freshness|Said"):
        Remote.from_json(data)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)


@given(st.dictionaries(st.sampled_from(list(Remote().to_json())), json_values))
def test_any_json_is_a_remote_or_a_value_error(data: dict[str, Any]) -> None:
    try:
        remote = Remote.from_json(Remote().to_json() | data)
    except ValueError:
        return
    assert remote.to_json() == Remote().to_json() | data
