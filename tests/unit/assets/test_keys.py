"""The identity of a resource: what is the same, what is not, and that no key ever leaves the store."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kithara_file.assets.keys import ResourceKey, canonical_url
from kithara_file.errors import InvalidKey

PLAIN = "http://example.org/music/song.flac"

SAME = [
    ("HTTP://EXAMPLE.org/music/song.flac", PLAIN),
    ("http://example.org:80/music/song.flac", PLAIN),
    ("http://example.org:/music/song.flac", PLAIN),
    ("http://example.org:0080/music/song.flac", PLAIN),
    ("http://user:secret@example.org/music/song.flac", PLAIN),
    ("http://a@b:c@example.org/music/song.flac", PLAIN),
    ("http://example.org/music/song.flac#t=10", PLAIN),
    ("http://example.org/./music/x/../song.flac", PLAIN),
    ("http://example.org/../music/song.flac", PLAIN),
    ("http://example.org/x/%2e%2E/music/song.flac", PLAIN),
    ("http://example.org/%6Dusic/song%2eflac", PLAIN),
    ("http://ex%61mple.org/music/song.flac", PLAIN),
    ("https://example.org:443", "https://example.org/"),
    ("http://example.org?a=%7e%2f", "http://example.org/?a=~%2F"),
    ("http://example.org/a%2fb", "http://example.org/a%2Fb"),
    ("http://example.org/é b", "http://example.org/%C3%A9%20b"),
    ("http://BÜCHER.example/", "http://xn--bcher-kva.example/"),
    ("http://bücher。example/", "http://xn--bcher-kva.example/"),
    ("http://b%C3%BCcher.example/", "http://xn--bcher-kva.example/"),
    ("http://[2001:DB8:0::1]:80/a", "http://[2001:db8::1]/a"),
    ("http://h/a/..", "http://h/"),
    ("http://h/a/b/.", "http://h/a/b/"),
]

DIFFERENT = [
    ("http://h/A", "http://h/a"),
    ("http://h/?a=1&b=2", "http://h/?b=2&a=1"),
    ("http://h/?A", "http://h/?a"),
    ("http://h/a?", "http://h/a"),
    ("http://h/a", "http://h/a/"),
    ("http://h/a//b", "http://h/a/b"),
    ("http://h/a%2Fb", "http://h/a/b"),
    ("http://h:8080/", "http://h/"),
    ("http://h/", "https://h/"),
    ("http://h:443/", "https://h:443/"),
    ("http://h./", "http://h/"),
    ("http://h/%zz", "http://h/%25zz"),
    ("http://h/%4%31", "http://h/%41"),
    ("http://straße.example/", "http://strasse.example/"),
    ("http://h/?a=..", "http://h/?"),
]

ABSURD = [
    "",
    "song.flac",
    "/music/song.flac",
    "http:",
    "http://",
    "http:///path",
    "http://:80/",
    "http://user@/",
    "file:///music/song.flac",
    "ftp://h/a",
    "javascript://h/a",
    "http://h:port/",
    "http://h:65536/",
    "http://h:" + "1" * 5000 + "/",
    "http://h:1:2/",
    "http://[::g]/",
    "http://[::1/",
    "http://[1.2.3.4]/",
    "http://a b/",
    "http://a%2Fb/",
    "http://a%00b/",
    "http://h%ff/",
    "http://h%zz/",
    "http://" + "ü" * 80 + "/",
    "http://h/a\r\nX: y",
    "http://h/\0",
]


@pytest.mark.parametrize("url, canonical", SAME)
def test_equivalent_spellings_have_one_key(url: str, canonical: str) -> None:
    assert "".join(canonical_url(url)) == canonical
    assert ResourceKey.of(url) == ResourceKey.of(canonical)


@pytest.mark.parametrize("one, other", DIFFERENT)
def test_what_an_origin_may_tell_apart_stays_apart(one: str, other: str) -> None:
    assert ResourceKey.of(one).resource_hash != ResourceKey.of(other).resource_hash


@pytest.mark.parametrize("url", ABSURD)
def test_absurd_urls_are_invalid_keys(url: str) -> None:
    with pytest.raises(InvalidKey):
        ResourceKey.of(url)


def test_the_sentence_of_an_invalid_key_gives_no_secret_away() -> None:
    with pytest.raises(InvalidKey) as caught:
        ResourceKey.of("gopher://user:hush@host/?token=hush")
    assert "hush" not in str(caught.value)


def test_queries_share_an_asset_and_not_a_resource() -> None:
    one, other = ResourceKey.of("http://h/a?x=1"), ResourceKey.of("http://h/a?x=2")
    assert one.asset_id == other.asset_id
    assert one.resource_hash != other.resource_hash


def test_a_name_makes_another_asset() -> None:
    plain, named = ResourceKey.of("http://h/a"), ResourceKey.of("http://h/a", name="low")
    assert plain.asset_id != named.asset_id
    assert named.name == "low"


def test_a_cache_key_takes_the_place_of_the_url() -> None:
    one = ResourceKey.of("https://cdn-1.example/a?sig=1", cache_key="song-7")
    other = ResourceKey.of("https://cdn-2.example/b?sig=2", cache_key="song-7")
    assert (one.asset_id, one.resource_hash) == (other.asset_id, other.resource_hash)
    assert one.url == "https://cdn-1.example/a"
    assert ResourceKey.of("http://h/a", cache_key="song-7", name="low").asset_id != one.asset_id


def test_a_cache_key_that_looks_like_a_url_is_not_that_url() -> None:
    url = "http://h/a"
    assert ResourceKey.of(url, cache_key=url).asset_id != ResourceKey.of(url).asset_id


@pytest.mark.parametrize("absurd", [{"name": ""}, {"cache_key": ""}])
def test_an_empty_name_or_cache_key_is_invalid(absurd: dict[str, str]) -> None:
    with pytest.raises(InvalidKey):
        ResourceKey.of("http://h/a", **absurd)


def test_a_key_cannot_be_made_of_anything_but_digests() -> None:
    good = "0" * 32
    for bad in ("", "../../etc/passwd", "0" * 31, "A" * 32, good + "\n"):
        with pytest.raises(InvalidKey):
            ResourceKey(bad, good, "http://h/")
        with pytest.raises(InvalidKey):
            ResourceKey(good, bad, "http://h/")


def test_a_local_key_names_the_absolute_path(tmp_path: Path) -> None:
    key = ResourceKey.absolute(tmp_path / "x" / ".." / "a song.wav")
    assert key.path == tmp_path / "a song.wav"
    assert key.url.startswith("file:///")
    assert key == ResourceKey.absolute(tmp_path / "a song.wav")
    assert key != ResourceKey.absolute(tmp_path / "another")


@pytest.mark.parametrize("path", ["", "a\0b"])
def test_a_local_key_needs_a_path(path: str) -> None:
    with pytest.raises(InvalidKey):
        ResourceKey.absolute(path)


HOSTS = st.sampled_from(["h", "EXAMPLE.org", "bücher.example", "[::1]", "1.2.3.4"])
TEXT = st.text(st.characters(exclude_categories=["Cc"]), max_size=40)


@given(
    host=HOSTS, path=TEXT, name=st.none() | st.text(min_size=1, max_size=20), cache_key=st.none() | st.text(min_size=1)
)
def test_a_key_never_leaves_the_root(host: str, path: str, name: str | None, cache_key: str | None) -> None:
    key = ResourceKey.of(f"http://{host}/{path}", name=name, cache_key=cache_key)
    root = Path("/root/assets")
    place = root / key.asset_id / f"{key.resource_hash}.data"
    assert place.parent.parent == root
    assert len(place.name) == 37
    assert {*key.asset_id, *key.resource_hash} <= set("0123456789abcdef")


@given(host=HOSTS, path=TEXT)
def test_a_canonical_url_is_its_own_canonical_url(host: str, path: str) -> None:
    once = canonical_url(f"http://{host}/{path}")
    assert canonical_url("".join(once)) == once


@given(path=TEXT, secret=st.text("0123456789abcdef", min_size=16, max_size=16))
def test_no_secret_of_a_url_is_in_its_key(path: str, secret: str) -> None:
    bare = path.replace("?", "").replace("#", "")
    key = ResourceKey.of(f"http://user:{secret}@h/{bare}?token={secret}#{secret}")
    if secret not in path:
        assert secret not in str(key.url)
