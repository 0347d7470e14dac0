"""Where a URL leads, and what of it goes on the wire."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kithara_file.errors import ConnectFailed, InvalidResponse
from kithara_file.net.address import Address, Origin


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget the proxies of the machine."""
    for name in ("http_proxy", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    "given_url,sent",
    [
        ("http://h/a%2Fb%zz?q=%20&x=[y]|\"{}\\^`<>'", "http://h/a%2Fb%zz?q=%20&x=[y]|\"{}\\^`<>'"),
        ("http://h/a/../b/./c//d/..", "http://h/a/../b/./c//d/.."),
        ("http://h/a b\tc\nd", "http://h/a%20b%09c%0Ad"),
        ("http://h/é/☃?ü", "http://h/%C3%A9/%E2%98%83?%C3%BC"),
        ("http://h/a#fragment?no", "http://h/a"),
        ("http://h/a?b#c", "http://h/a?b"),
        ("http://h?q/x@y", "http://h?q/x@y"),
        ("HTTP://Host.Example./a", "http://Host.Example./a"),
        ("http://user:pw@h:8080/a@b", "http://h:8080/a@b"),
        ("http://[::1]:80/a", "http://[::1]:80/a"),
        ("http://bücher.example/a", "http://xn--bcher-kva.example/a"),
        ("http://h/\udce9", "http://h/%E9"),
        ("  http://h/a \n", "http://h/a"),
    ],
)
def test_a_url_is_sent_as_given_but_for_what_cannot_be_sent(given_url: str, sent: str) -> None:
    assert Address.of(given_url).url == sent


ascii_visible = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E, exclude_characters="#"))


@given(ascii_visible)
def test_no_visible_ascii_is_ever_touched(rest: str) -> None:
    assert Address.of(f"http://h/{rest}").url == f"http://h/{rest}"


@given(st.text())
def test_whatever_the_path_it_becomes_visible_ascii(rest: str) -> None:
    try:
        url = Address.of(f"http://h/{rest}").url
    except ConnectFailed:  # lone surrogates are no text
        assert any("\ud800" <= each <= "\udfff" for each in rest)
        return
    assert all("!" <= each <= "~" for each in url)


@given(st.text())
def test_any_text_is_an_address_or_a_connect_failure(text: str) -> None:
    with suppress(ConnectFailed):
        Address.of(text)


@pytest.mark.parametrize(
    "url,origin",
    [
        ("http://Host/a", Origin("http", "host", 80)),
        ("https://host/", Origin("https", "host", 443)),
        ("http://host:81?x", Origin("http", "host", 81)),
        ("http://host:/x", Origin("http", "host", 80)),
        ("http://a:b@[::1]:81/x", Origin("http", "[::1]", 81)),
    ],
)
def test_an_origin_is_scheme_host_and_port(url: str, origin: Origin) -> None:
    assert Address.of(url).origin == origin


@pytest.mark.parametrize(
    "user,field",
    [("aladdin:open%20sesame", "Basic YWxhZGRpbjpvcGVuIHNlc2FtZQ=="), ("a", "Basic YTo="), ("a@b:c", "Basic YUBiOmM=")],
)
def test_user_info_becomes_basic_authorization(user: str, field: str) -> None:
    address = Address.of(f"http://{user}@h/")
    assert (address.url, address.authorization) == ("http://h/", field)


@pytest.mark.parametrize(
    "url",
    [
        "", "song.flac", "//h/a", "http:/h/a", "http:h", "http://", "http:///a", "http://:80/", "ftp://h/a",
        "file:///etc/passwd", "http://h:99999/", "http://h:x/", "http://a b/", "http://good\\@evil/", "http://h%00/\ud800",
        "http://[::1/", "http://é..x/", "javascript:alert(1)",
    ],
)  # fmt: skip
def test_what_cannot_be_fetched_is_refused_for_good(url: str) -> None:
    with pytest.raises(ConnectFailed) as caught:
        Address.of(url)
    assert not caught.value.recoverable


def test_a_url_that_libcurl_would_not_take_is_refused_for_good() -> None:
    longest = "http://h/".ljust(1_000_000, "a")
    assert Address.of(longest).url == longest
    for longer in (longest + "a", "http://h/?" + "é" * 200_000):
        with pytest.raises(ConnectFailed, match="its URL has more than 1000000 characters") as caught:
            Address.of(longer)
        assert not caught.value.recoverable


@pytest.mark.parametrize(
    "location,leads_to",
    [
        (b"http://other/x%2fy?z", "http://other/x%2fy?z"),
        (b"//other/x", "https://other/x"),
        (b"/x/../y", "https://h:81/y"),
        (b"x", "https://h:81/a/x"),
        (b"../x?y", "https://h:81/x?y"),
        (b"?y", "https://h:81/a/b?y"),
        (b"/x#f", "https://h:81/x"),
        ("/é".encode(), "https://h:81/%C3%A9"),
        (b"/\xe9", "https://h:81/%E9"),
        (b" /x ", "https://h:81/x"),
    ],
)
def test_a_redirect_leads_where_rfc_3986_says(location: bytes, leads_to: str) -> None:
    assert Address.of("https://h:81/a/b?c").redirected(location).url == leads_to


@pytest.mark.parametrize(
    "location", [b"file:///etc/passwd", b"ftp://h/", b"javascript:alert(1)", b"app:open", b"http://", b"http://a b/"]
)
def test_a_redirect_to_nowhere_we_go_is_refused(location: bytes) -> None:
    with pytest.raises(InvalidResponse, match="redirects"):
        Address.of("http://h/a").redirected(location)


def test_a_redirect_leaves_user_info_behind() -> None:
    assert Address.of("http://user:pw@h/a").redirected(b"/b").authorization is None


@pytest.mark.parametrize(
    "url,target",
    [
        ("https://h/a%2fb?c", "/a%2fb?c"),
        ("https://h/a%2Fb?c", None),
        ("https://h?c=%c3", "/?c=%c3"),
        ("http://h/a%aFb", "/a%aFb"),
    ],
)
def test_lower_case_escapes_are_insisted_on(url: str, target: str | None) -> None:
    assert Address.of(url).target == target


def test_a_plain_proxy_gets_the_url_that_libcurl_builds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://proxy:3128")
    assert Address.of("http://h/a%2fb").target is None
    assert Address.of("https://h/a%2fb").target == "/a%2fb"
