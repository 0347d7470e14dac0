"""What an answer proves, case by case."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kithara_file.errors import (
    AccessDenied,
    InvalidResponse,
    NetError,
    NotFound,
    RangeNotSatisfiable,
    StatusError,
    Unavailable,
)
from kithara_file.net.client import WHOLE, NotModified, Want
from kithara_file.net.remote import Validator
from kithara_file.net.reply import LARGEST, MOST_CODINGS, Accepted, Asked, Head, announced_length, judge
from kithara_file.net.vary import selected_by
from kithara_file.ranges import ByteRange, OpenRange

NOW = 784_198_177.0
DATE = "Mon, 07 Nov 1994 08:49:37 GMT"
URL = "http://user:secret@host/path?token=1"
HELD = Validator('"v1"')
CODINGS = frozenset({"gzip"})

Lines = tuple[tuple[str, str], ...]


def ask(
    status: int, *lines: tuple[str, str], want: Want = WHOLE, same_as: Validator | None = None
) -> Accepted | NotModified:
    """Judge an answer."""
    return judge(Head(status, lines, NOW), Asked(URL, want, same_as), CODINGS)


def taken(status: int, *lines: tuple[str, str], want: Want = WHOLE, same_as: Validator | None = None) -> Accepted:
    """Judge an answer that has a body to read."""
    answer = ask(status, *lines, want=want, same_as=same_as)
    assert isinstance(answer, Accepted)
    return answer


def test_a_plain_answer_tells_everything() -> None:
    answer = taken(
        200,
        ("Content-Length", "10"),
        ("Accept-Ranges", "bytes"),
        ("ETag", '"v1"'),
        ("Last-Modified", "Sun, 06 Nov 1994 08:49:37 GMT"),
        ("Content-Type", "Audio/MPEG; charset=x"),
        ("Cache-Control", "max-age=60"),
        ("Date", DATE),
    )
    assert (answer.start, answer.end, answer.codings) == (0, 10, ())
    assert (answer.remote.length, answer.remote.ranges, answer.remote.media_type) == (10, True, "audio/mpeg")
    assert answer.remote.validator == Validator('"v1"', "Sun, 06 Nov 1994 08:49:37 GMT")
    assert answer.remote.freshness.fresh(NOW + 59)


def test_203_is_used_like_200() -> None:
    assert taken(203, ("Content-Length", "10")).end == 10


def test_without_a_length_only_the_end_will_tell() -> None:
    answer = taken(200)
    assert (answer.end, answer.remote.length, answer.remote.ranges) == (None, None, False)


def test_a_transfer_encoding_overrides_the_length() -> None:
    answer = taken(200, ("Content-Length", "10"), ("Transfer-Encoding", "chunked"))
    assert (answer.end, answer.remote.length) == (None, None)


@pytest.mark.parametrize("told", ["0", "10", str(2**53 + 1), str(LARGEST)])
def test_lengths_up_to_the_largest_are_used(told: str) -> None:
    assert taken(200, ("Content-Length", told)).remote.length == int(told)


def test_a_blank_before_the_colon_is_forgiven() -> None:
    assert taken(200, ("Content-Length ", "10"), ("ETag\t", '"v"')).end == 10


def test_the_same_length_said_twice_is_that_length() -> None:
    assert taken(200, ("Content-Length", "10"), ("content-length", "10")).end == 10
    assert taken(200, ("Content-Length", "10, 10")).end == 10


@pytest.mark.parametrize(
    "lines",
    [
        (("Content-Length", "10"), ("Content-Length", "11")),
        (("Content-Length", "10, 11"),),
        (("Content-Length", "-1"),),
        (("Content-Length", "+5"),),
        (("Content-Length", ""),),
        (("Content-Length", "1e3"),),
        (("Content-Length", "0x10"),),
        (("Content-Length", "٣"),),
        (("Content-Length", str(LARGEST + 1)),),
        (("Content-Length", "9" * 5000),),
        (("Transfer-Encoding ", "chunked"),),
        (("Content-Encoding", "zstd"),),
        (("Content-Encoding", "gzip, zstd"),),
        (("Content-Encoding", ", ".join(["gzip"] * (MOST_CODINGS + 1))),),
    ],
)
def test_an_answer_that_cannot_be_read_is_refused(lines: Lines) -> None:
    with pytest.raises(InvalidResponse) as caught:
        ask(200, *lines)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize("coding", ["identity", "none", "", "Identity"])
def test_codings_which_are_none_change_nothing(coding: str) -> None:
    assert taken(200, ("Content-Length", "10"), ("Content-Encoding", coding)).end == 10


def test_an_encoded_body_has_no_length_and_no_ranges() -> None:
    answer = taken(200, ("Content-Length", "10"), ("Content-Encoding", "GZip"), ("Accept-Ranges", "bytes"))
    assert (answer.end, answer.remote.length, answer.remote.ranges) == (None, None, False)
    assert answer.codings == ("gzip",)


def test_several_codings_may_lie_one_over_the_other() -> None:
    assert taken(200, ("Content-Encoding", ", ".join(["gzip"] * MOST_CODINGS))).codings == ("gzip",) * MOST_CODINGS


def test_an_encoded_body_of_nothing_is_nothing() -> None:
    digest = ("Content-MD5", "1B2M2Y8AsgTpgAmY7PhCfg==")
    answer = taken(200, ("Content-Length", "0"), ("Content-Encoding", "gzip"), digest)
    assert (answer.end, answer.remote.length, answer.codings, answer.remote.digest) == (0, 0, (), None)


RANGED: list[tuple[Want, str, int, int, int | None]] = [
    (ByteRange(5, 10), "bytes 5-9/100", 5, 10, 100),
    (ByteRange(5, 10), "BYTES 5 - 9 / 100", 5, 10, 100),
    (ByteRange(5, 10), "bytes 5-7/100", 5, 8, 100),
    (ByteRange(5, 10), "bytes 5-99/100", 5, 100, 100),
    (ByteRange(5, 10), "bytes 5-9/*", 5, 10, None),
    (OpenRange(5), "bytes 5-99/100", 5, 100, 100),
    (OpenRange(5), "bytes 5-99/*", 5, 100, None),
    (WHOLE, "bytes 0-99/100", 0, 100, 100),
    (OpenRange(2**40), f"bytes {2**40}-{2**40}/{2**40 + 1}", 2**40, 2**40 + 1, 2**40 + 1),
]


@pytest.mark.parametrize("want,told,start,end,total", RANGED)
def test_a_part_is_used_as_far_as_it_says(want: Want, told: str, start: int, end: int, total: int | None) -> None:
    answer = taken(206, ("Content-Range", told), ("Content-Length", str(end - start)), want=want)
    assert (answer.start, answer.end, answer.remote.length) == (start, end, total)
    assert answer.remote.ranges


@pytest.mark.parametrize(
    "want,lines",
    [
        (ByteRange(5, 10), ()),
        (ByteRange(5, 10), (("Content-Range", "garbage"),)),
        (ByteRange(5, 10), (("Content-Range", "items 5-9/100"),)),
        (ByteRange(5, 10), (("Content-Range", "bytes */100"),)),
        (ByteRange(5, 10), (("Content-Range", "bytes 4-9/100"),)),
        (ByteRange(5, 10), (("Content-Range", "bytes 6-9/100"),)),
        (ByteRange(5, 10), (("Content-Range", "bytes 5-4/100"),)),
        (ByteRange(5, 10), (("Content-Range", "bytes 5-9/9"),)),
        (ByteRange(5, 10), (("Content-Range", f"bytes 5-{LARGEST}/*"),)),
        (ByteRange(5, 10), (("Content-Range", f"bytes 5-9/{LARGEST + 1}"),)),
        (ByteRange(5, 10), (("Content-Range", "bytes 5-9/100"), ("Content-Range", "bytes 5-9/101"))),
        (ByteRange(5, 10), (("Content-Range", "bytes 5-9/100"), ("Content-Length", "6"))),
        (ByteRange(5, 10), (("Content-Range", "bytes 5-9/100"), ("Content-Encoding", "gzip"))),
        (ByteRange(5, 10), (("Content-Type", "multipart/byteranges; boundary=x"), ("Content-Range", "bytes 5-9/100"))),
        (WHOLE, (("Content-Range", "bytes 5-9/100"),)),
    ],
)
def test_a_part_that_lies_is_refused(want: Want, lines: Lines) -> None:
    with pytest.raises(InvalidResponse):
        ask(206, *lines, want=want)


def test_a_whole_body_for_a_range_starts_at_zero_and_denies_ranges() -> None:
    lines = (("Content-Length", "100"), ("Accept-Ranges", "bytes"))
    answer = taken(200, *lines, want=OpenRange(5))
    assert (answer.start, answer.end, answer.remote.ranges) == (0, 100, False)
    assert not taken(200, *lines, want=OpenRange(5), same_as=Validator('W/"v1"')).remote.ranges


def test_a_whole_body_after_if_range_is_a_new_version_that_may_have_ranges() -> None:
    lines = (("Content-Length", "100"), ("ETag", '"v2"'))
    assert taken(200, *lines, ("Accept-Ranges", "bytes"), want=OpenRange(5), same_as=HELD).remote.ranges
    assert not taken(200, *lines, want=OpenRange(5), same_as=HELD).remote.ranges


def test_not_modified_keeps_the_validator_and_renews_freshness() -> None:
    answer = ask(304, ("Cache-Control", "max-age=60"), ("ETag", '"v1"'), ("Date", DATE), same_as=HELD)
    assert isinstance(answer, NotModified)
    assert answer.remote.validator == HELD
    assert answer.remote.freshness.fresh(NOW + 59)


def test_not_modified_without_validators_keeps_the_ones_held() -> None:
    answer = ask(304, same_as=Validator('W/"v1"', DATE))
    assert isinstance(answer, NotModified)
    assert answer.remote.validator == Validator('W/"v1"', DATE)


@pytest.mark.parametrize(
    "want,same_as,lines",
    [
        (WHOLE, None, ()),
        (WHOLE, Validator(), ()),
        (OpenRange(0), HELD, ()),
        (WHOLE, HELD, (("ETag", '"v2"'),)),
    ],
)
def test_not_modified_that_was_not_asked_for_is_refused(want: Want, same_as: Validator | None, lines: Lines) -> None:
    with pytest.raises(InvalidResponse):
        ask(304, *lines, want=want, same_as=same_as)


@pytest.mark.parametrize(
    "told,length", [("bytes */100", 100), ("bytes 0-5/100", None), (None, None), (f"bytes */{LARGEST + 1}", None)]
)
def test_an_unsatisfiable_range_tells_the_length_if_it_can(told: str | None, length: int | None) -> None:
    lines = () if told is None else (("Content-Range", told),)
    with pytest.raises(RangeNotSatisfiable) as caught:
        ask(416, *lines, want=OpenRange(100))
    assert caught.value.length == length


@pytest.mark.parametrize(
    "status,kind",
    [
        *[(status, AccessDenied) for status in (401, 403, 407, 451)],
        *[(status, NotFound) for status in (404, 410)],
        *[(status, Unavailable) for status in (408, 425, 429, 500, 502, 503, 504, 599)],
        *[(status, StatusError) for status in (300, 305, 400, 405, 418)],
        *[(status, InvalidResponse) for status in (201, 202, 204, 205, 600, 999)],
    ],
)
def test_a_status_that_is_not_the_bytes_is_its_error(status: int, kind: type[NetError]) -> None:
    with pytest.raises(kind) as caught:
        ask(status)
    assert type(caught.value) is kind
    assert caught.value.recoverable == (kind is Unavailable)
    assert "secret" not in str(caught.value)
    assert "token" not in str(caught.value)


@pytest.mark.parametrize(
    "told,seconds",
    [
        ("0", 0),
        ("120", 120),
        ("Mon, 07 Nov 1994 08:50:37 GMT", 60),
        ("Mon, 07 Nov 1994 08:48:37 GMT", 0),
        ("-5", None),
        ("soon", None),
        (None, None),
        ("9" * 400, 2**31),
    ],
)
def test_retry_after_is_read_in_seconds_and_as_a_date(told: str | None, seconds: float | None) -> None:
    with pytest.raises(Unavailable) as caught:
        ask(503, *(() if told is None else (("Retry-After", told),)))
    assert caught.value.retry_after == seconds


def test_a_date_is_settled_a_second_after_it() -> None:
    def settled(changed: str, *lines: tuple[str, str]) -> bool:
        return taken(200, ("Last-Modified", changed), *lines).remote.validator.settled

    assert settled("Mon, 07 Nov 1994 08:49:36 GMT", ("Date", DATE))
    assert not settled(DATE, ("Date", DATE))
    assert not settled(DATE)
    assert settled("Mon, 07 Nov 1994 08:49:36 GMT")


@pytest.mark.parametrize(
    "lines,validator",
    [
        ((("ETag", '"a"'), ("ETag", '"b"')), Validator()),
        ((("ETag", '"a"'), ("ETag", '"a"')), Validator('"a"')),
        ((("ETag", ""),), Validator()),
        ((("Last-Modified", "yesterday"),), Validator()),
    ],
)
def test_a_validator_that_is_not_one_proves_nothing(lines: Lines, validator: Validator) -> None:
    assert taken(200, *lines).remote.validator == validator


@pytest.mark.parametrize(
    "lines,length",
    [
        ((("Content-Length", "5"),), 5),
        ((("Content-Length", "-5"),), None),
        ((("Content-Length", "5"), ("Content-Length", "6")), None),
        ((("Content-Length", "5"), ("Transfer-Encoding", "chunked")), None),
        ((), None),
    ],
)
def test_an_unwanted_body_is_drained_only_if_its_length_is_plain(lines: Lines, length: int | None) -> None:
    assert announced_length(Head(404, lines, NOW)) == length


numbers = st.integers(-2, 12).map(str) | st.integers(2**62, 2**66).map(str) | st.just("*")
values = (
    st.builds("bytes {}-{}/{}".format, numbers, numbers, numbers)
    | numbers
    | st.sampled_from(["bytes", "none", "gzip", "br", "chunked", '"v1"', 'W/"v1"', DATE, "multipart/byteranges", ""])
    | st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=8)
)
names = st.sampled_from(
    [
        "Content-Range", "Content-Length", "Content-Encoding", "Transfer-Encoding", "ETag", "Last-Modified", "Date",
        "Age", "Cache-Control", "Expires", "Accept-Ranges", "Content-Type", "Retry-After",
    ]
)  # fmt: skip
heads = st.builds(
    Head,
    st.sampled_from([200, 203, 206, 304, 416, 503]) | st.integers(100, 999),
    st.lists(st.tuples(names, values), max_size=6).map(tuple),
    st.just(NOW),
)
wants = st.just(WHOLE) | st.builds(OpenRange, st.integers(0, 12)) | st.just(ByteRange(3, 9))


@given(heads, wants, st.none() | st.just(HELD))
def test_any_answer_is_facts_that_fit_together_or_a_typed_error(
    head: Head, want: Want, same_as: Validator | None
) -> None:
    try:
        answer = judge(head, Asked(URL, want, same_as), CODINGS)
    except NetError:
        return
    if isinstance(answer, NotModified):
        assert want is WHOLE
        assert same_as is not None
        return
    length, ranged = answer.remote.length, head.status == 206
    assert answer.start == (0 if want is WHOLE or not ranged else want.start)
    assert answer.end is None or answer.start <= answer.end <= (LARGEST if length is None else length)
    assert not (answer.codings and (answer.end is not None or answer.remote.ranges or ranged))


EMPTY_MD5, EMPTY_SHA256 = "1B2M2Y8AsgTpgAmY7PhCfg==", "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
IN_HEX = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


@pytest.mark.parametrize(
    "lines, digest",
    [
        ((), None),
        ((("Repr-Digest", f"sha-256=:{EMPTY_SHA256}:"),), f"sha256:{IN_HEX}"),
        ((("Repr-Digest", f"md5=:{EMPTY_MD5}:, sha-256=:{EMPTY_SHA256}:"),), f"sha256:{IN_HEX}"),
        ((("Repr-Digest", f"md5=:{EMPTY_MD5}:"), ("Repr-Digest", f"sha-256=:{EMPTY_SHA256}:")), f"sha256:{IN_HEX}"),
        ((("Content-MD5", EMPTY_MD5),), "md5:d41d8cd98f00b204e9800998ecf8427e"),
        ((("Content-MD5", EMPTY_MD5), ("Repr-Digest", f"sha-256=:{EMPTY_SHA256}:")), f"sha256:{IN_HEX}"),
        ((("Repr-Digest", f"sha-256=:{EMPTY_MD5}:"),), None),
        ((("Repr-Digest", "sha-256=:====:"),), None),
        ((("Repr-Digest", f"sha-256={EMPTY_SHA256}"),), None),
        ((("Repr-Digest", f"unixsum=:{EMPTY_SHA256}:"),), None),
        ((("Content-MD5", "nonsense"),), None),
    ],
)
def test_the_best_digest_is_taken_that_makes_sense(lines: Lines, digest: str | None) -> None:
    assert taken(200, ("Content-Length", "0"), *lines).remote.digest == digest


def test_a_digest_of_the_whole_may_come_with_a_part_and_one_of_the_body_says_nothing_then() -> None:
    part = ("Content-Range", "bytes 5-9/10")
    whole, body = ("Repr-Digest", f"sha-256=:{EMPTY_SHA256}:"), ("Content-MD5", EMPTY_MD5)
    assert taken(206, part, whole, body, want=OpenRange(5)).remote.digest == f"sha256:{IN_HEX}"
    assert taken(206, part, body, want=OpenRange(5)).remote.digest is None


def test_the_digest_of_an_encoded_body_says_nothing_of_what_is_decoded() -> None:
    encoded = ("Content-Encoding", "gzip")
    assert taken(200, encoded, ("Repr-Digest", f"sha-256=:{EMPTY_SHA256}:")).remote.digest is None


def test_an_answer_keeps_what_selected_it() -> None:
    asked = Asked(URL, WHOLE, HELD, {"Accept-Language": "de", "Cookie": "secret"})
    for status in (200, 304):
        answer = judge(Head(status, (("ETag", '"v1"'), ("Vary", "accept-language")), NOW), asked, CODINGS)
        assert answer.remote.selected_by == selected_by(["accept-language"], {"Accept-Language": "de"})
    part = (("ETag", '"v1"'), ("Vary", "Cookie, *"), ("Content-Range", "bytes 0-4/10"))
    answer = judge(Head(206, part, NOW), asked, CODINGS)
    assert answer.remote.selected_by == selected_by(["cookie"], {"cookie": "secret"})
    assert not answer.remote.freshness.fresh(NOW)
    assert taken(200, ("Vary", "*")).remote.selected_by is None


def test_a_304_may_tell_the_digest() -> None:
    answer = ask(304, ("ETag", '"v1"'), ("Repr-Digest", f"sha-256=:{EMPTY_SHA256}:"), same_as=HELD)
    assert answer.remote.digest == f"sha256:{IN_HEX}"
