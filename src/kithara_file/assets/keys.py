"""The stable identity of a resource: two URLs that mean the same one get the same key.

Pure. Must not know: directories, what is stored, who asks. A key is made of digests, so that nothing in a URL or a name
can ever point out of the store, and nothing in the store gives a query away.
"""

from __future__ import annotations

import hashlib
import ipaddress
import json
import os
import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Self
from urllib.parse import quote, unquote

from kithara_file.errors import InvalidKey

_DIGITS = 32
"""128 bits of SHA-256 in hex: no two keys of one store ever meet, and a file name stays short."""
_DIGEST = re.compile(rf"[0-9a-f]{{{_DIGITS}}}")

_DEFAULT_PORTS = {"http": 80, "https": 443}
_PARTS = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://([^/?#]*)([^?#]*)(\?[^#]*)?(#.*)?")  # RFC 3986, appendix B
_AUTHORITY = re.compile(r"(?:.*@)?(\[[0-9A-Fa-f:.]+\]|[^\[\]:]*)(?::([0-9]{0,5}))?")
_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")
_BROKEN_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_NOT_IN_HOST = re.compile(r'[\x00-\x20\x7f%/\\?#@<>^|"`{}:\[\]]')
_UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_LEGAL = "%!$&'()*+,;=:@/"
_DEVIATIONS = frozenset("ßς\u200c\u200d")
"""What the old IDNA maps to other letters and today's keeps: other letters would be another host."""


class CanonicalUrl(NamedTuple):
    """A URL in the one spelling of all its equivalents (RFC 3986, 6.2.2 and 6.2.3), without user info and fragment."""

    public: str
    """Without the query: what may be stored and shown."""
    query: str
    """With its question mark; empty when there is none."""


def canonical_url(url: str) -> CanonicalUrl:
    """Return `url` in its canonical spelling.

    Scheme and host in lower case, the host in IDNA, the default port and dot segments gone, escapes of unreserved
    characters undone and the others in upper case. The case of the path and the order of the query mean something to
    the origin and stay. Raises `InvalidKey` for what is not http or https, or names no host.
    """
    found = _PARTS.fullmatch(url)
    if found is None or _CONTROL.search(url):
        raise InvalidKey("The URL must be absolute, and without control characters such as line breaks")
    scheme, authority, path, query = found[1].lower(), found[2], found[3], found[4] or ""
    if scheme not in _DEFAULT_PORTS:
        raise InvalidKey(f"The URL must be http or https, not {scheme}")
    return CanonicalUrl(f"{scheme}://{_authority(scheme, authority)}{_path(path)}", _escapes(query, "?"))


def _authority(scheme: str, text: str) -> str:
    found = _AUTHORITY.fullmatch(text)
    if found is None or not found[1]:
        raise InvalidKey("The URL must name a host, and a port of five digits at most")
    port = int(found[2]) if found[2] else _DEFAULT_PORTS[scheme]
    if port > 65535:
        raise InvalidKey(f"There is no port {port}")
    return _host(found[1]) + ("" if port == _DEFAULT_PORTS[scheme] else f":{port}")


def _host(text: str) -> str:
    if text.startswith("["):
        try:
            return f"[{ipaddress.IPv6Address(text[1:-1])}]"
        except ValueError as error:
            raise InvalidKey(f"{text} is not an IPv6 address") from error
    name = unquote(text)  # what is not UTF-8 becomes a character that no domain name may have
    if not name.isascii():
        name = ".".join(_label(each) for each in re.split("[.\u3002\uff0e\uff61]", name))
    if _NOT_IN_HOST.search(name):
        raise InvalidKey("The host of the URL has characters that no host can have")
    return name.lower()


def _label(text: str) -> str:
    text = unicodedata.normalize("NFC", text.lower())
    try:
        if _DEVIATIONS & set(text):
            return "xn--" + text.encode("punycode").decode("ascii")
        return text.encode("idna").decode("ascii")
    except UnicodeError as error:
        raise InvalidKey("The host of the URL is no internationalised domain name") from error


def _path(text: str) -> str:
    return _without_dot_segments(_escapes(text, "")) or "/"


def _escapes(text: str, also_legal: str) -> str:
    # A path with a broken escape is sent as it is and means what the origin likes: to undo the escapes around it could
    # make new ones.
    if not _BROKEN_ESCAPE.search(text):
        text = _ESCAPE.sub(_plain, text)
    return quote(text, safe=_LEGAL + also_legal, errors="surrogatepass")


def _plain(escape: re.Match[str]) -> str:
    character = chr(int(escape[1], 16))
    return character if character in _UNRESERVED else escape[0].upper()


def _without_dot_segments(path: str) -> str:
    """RFC 3986, 5.2.4, for a path that is empty or begins with a slash."""
    kept: list[str] = []
    segments = path.split("/")[1:]
    for segment in segments:
        if segment == "..":
            del kept[-1:]
        elif segment != ".":
            kept.append(segment)
    if segments and segments[-1] in (".", ".."):
        kept.append("")
    return "".join(f"/{segment}" for segment in kept)


def _digest(*facts: str | None) -> str:
    # JSON keeps the facts apart whatever characters they hold, and takes any of them.
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:_DIGITS]


def sidecar_name(name: str) -> str:
    """Return the file name for a small object beside the bytes. Raises `InvalidKey` for an empty name."""
    if not name:
        raise InvalidKey("A small object of an asset needs a name")
    return _digest("sidecar", name)


@dataclass(frozen=True, slots=True)
class ResourceKey:
    """Names one resource of a store: the asset that is kept or evicted as one, and the resource within it."""

    asset_id: str
    resource_hash: str
    url: str
    """The canonical URL without user info and query: for people, never for fetching."""
    name: str | None = None
    path: Path | None = None
    """The file itself, for one that is local and not in the store."""

    def __post_init__(self) -> None:
        if not (_DIGEST.fullmatch(self.asset_id) and _DIGEST.fullmatch(self.resource_hash)):
            raise InvalidKey("A key is made of digests in hex")

    @classmethod
    def of(cls, url: str, *, name: str | None = None, cache_key: str | None = None) -> Self:
        """Return the key of `url`.

        `name` tells apart assets of one URL. `cache_key` takes the URL's place in the identity, for signed URLs that
        change while the bytes do not. Raises `InvalidKey` for a URL that has no host or is not http or https, and for
        an empty name or cache key.
        """
        if name == "" or cache_key == "":
            raise InvalidKey("The name and the cache_key of a key cannot be empty")
        canonical = canonical_url(url)
        if cache_key is not None:
            return cls(_digest("cache_key", cache_key, name), _digest("cache_key", cache_key), canonical.public, name)
        whole = canonical.public + canonical.query
        return cls(_digest("url", canonical.public, name), _digest("url", whole), canonical.public, name)

    @classmethod
    def absolute(cls, path: str | os.PathLike[str]) -> Self:
        """Return the key of a local file, which is read where it lies."""
        text = os.fspath(path)
        if not text or "\0" in text:
            raise InvalidKey("A local key needs the path of a file")
        place = Path(os.path.abspath(text))  # noqa: PTH100 - `absolute` keeps "..", and `resolve` asks the disk
        identity = _digest("path", str(place))
        return cls(identity, identity, place.as_uri(), None, place)

    def __str__(self) -> str:
        return f"{self.asset_id[:8]}/{self.resource_hash[:8]}"
