"""Which header fields go out, and to whom."""

from __future__ import annotations

import pytest

import kithara_file
from kithara_file.net.address import Address
from kithara_file.net.client import WHOLE, Want
from kithara_file.net.remote import Validator
from kithara_file.net.reply import Asked
from kithara_file.net.request import USER_AGENT, conditions, fields, line
from kithara_file.ranges import ByteRange, OpenRange

DATE = "Sun, 06 Nov 1994 08:49:37 GMT"
HOME = Address.of("http://me:pw@home/a")
BASIC = "Basic bWU6cHc="


def sent(address: Address, **given: str) -> dict[str, str]:
    """Return the fields of a plain GET on behalf of HOME."""
    return fields(
        Asked("http://home/a", WHOLE), {name.replace("_", "-"): v for name, v in given.items()}, HOME, address
    )


def test_identity_is_asked_for_by_name() -> None:
    assert sent(Address.of("http://x/")) == {"User-Agent": USER_AGENT, "Accept-Encoding": "identity"}
    assert f"kithara-file/{kithara_file.__version__}" == USER_AGENT


def test_what_the_caller_gives_goes_home() -> None:
    out = sent(Address.of("http://home/other"), Cookie="c", x_token="t", user_agent="mine")
    assert (out["Cookie"], out["x-token"], out["user-agent"], out["Authorization"]) == ("c", "t", "mine", BASIC)
    assert "User-Agent" not in out


def test_the_callers_authorization_goes_before_the_urls() -> None:
    out = sent(HOME, authorization="Bearer x")
    assert out["authorization"] == "Bearer x"
    assert "Authorization" not in out


@pytest.mark.parametrize("elsewhere", ["https://home/a", "http://home:81/a", "http://www.home/a", "http://other/a"])
def test_nothing_of_the_callers_goes_elsewhere(elsewhere: str) -> None:
    assert sent(Address.of(elsewhere), Cookie="c", Authorization="a", X_Token="t").keys() == {
        "User-Agent",
        "Accept-Encoding",
    }


def test_user_info_of_a_redirect_goes_to_its_own_target() -> None:
    assert sent(Address.of("http://a:@other/"))["Authorization"] == "Basic YTo="


@pytest.mark.parametrize("name", ["Range", "if-range", "Accept-Encoding", "IF-NONE-MATCH", "Connection"])
def test_fields_that_decide_what_the_bytes_are_stay_ours(name: str) -> None:
    out = fields(Asked("http://home/a", WHOLE), {name: "theirs"}, HOME, HOME)
    assert "theirs" not in out.values()


@pytest.mark.parametrize(
    "want,same_as,out",
    [
        (WHOLE, None, {}),
        (WHOLE, Validator('"a"', DATE), {"If-None-Match": '"a"', "If-Modified-Since": DATE}),
        (ByteRange(5, 10), None, {"Range": "bytes=5-9"}),
        (OpenRange(5), Validator('"a"', DATE), {"Range": "bytes=5-", "If-Range": '"a"'}),
        (OpenRange(5), Validator('W/"a"', DATE), {"Range": "bytes=5-"}),
        (OpenRange(5), Validator(None, DATE), {"Range": "bytes=5-", "If-Range": DATE}),
    ],
)
def test_a_want_becomes_its_fields(want: Want, same_as: Validator | None, out: dict[str, str]) -> None:
    assert conditions(Asked("http://home/a", want, same_as)) == out


@pytest.mark.parametrize(
    "name,value,out", [("A", "b", b"A: b"), ("A", "", b"A;"), ("A", "é", b"A: \xe9"), ("A", "☃", "A: ☃".encode())]
)
def test_a_field_is_written_for_libcurl(name: str, value: str, out: bytes) -> None:
    assert line(name, value) == out
