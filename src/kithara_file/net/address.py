"""Where to send a request: a URL as given, split into what goes on the wire, to whom, and with whose name.

Pure, but for one look at the environment's proxies. A URL is sent byte for byte; only what cannot stand in a request
line (other than ASCII, blanks, control characters) is percent-encoded. Must not know: libcurl's calls, answers, header
fields beyond Authorization.
"""

from __future__ import annotations

import os
import re
from base64 import b64encode
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes, urljoin

from kithara_file.errors import ConnectFailed, InvalidResponse

_PORTS = {"http": 80, "https": 443}
_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://([^/?#]*)([^#]*)", re.DOTALL)
_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+(?:%[\w.~%-]+)?\]|[\w.~%-]+)(?::(\d{0,5}))?", re.ASCII)
_LONGEST = 1_000_000
"""libcurl makes no request above 1 MiB, and says then that the answer is too large; no server takes a tenth of that."""
_UNSENDABLE = re.compile(r"[^\x21-\x7e]")
_LOWER_ESCAPE = re.compile(r"%(?:[a-f][0-9A-Fa-f]|[0-9A-F][a-f])")


@dataclass(frozen=True, slots=True)
class Origin:
    """Scheme, host and port: who may learn the credentials meant for it (RFC 6454)."""

    scheme: str
    host: str
    port: int


@dataclass(frozen=True, slots=True)
class Address:
    """One place a request can go to."""

    url: str
    """What libcurl is given: ASCII, without user info and fragment."""
    origin: Origin
    authorization: str | None = None
    """The Authorization field which the user info of the URL stands for (RFC 7617)."""

    @property
    def target(self) -> str | None:
        """The request target to insist on, as libcurl would write its ``%c3`` as ``%C3``; None leaves it to libcurl.

        A proxy for plain HTTP has to be sent the whole URL instead; libcurl knows when there is one, and builds that.
        """
        if not _LOWER_ESCAPE.search(self.url) or (self.origin.scheme == "http" and _plain_proxy()):
            return None
        rest = self.url.partition("://")[2]
        target = rest[re.search(r"[/?]|$", rest).start() :]  # type: ignore[union-attr]  # it matches at the end at least
        return target if target.startswith("/") else f"/{target}"

    @classmethod
    def of(cls, url: str) -> Address:
        """Read `url`; raises `ConnectFailed`, not recoverable, when it is no http or https URL that can be sent."""
        match = _URL.match(url.strip())
        if match is None or not _encodable(url):
            raise ConnectFailed("it is not an absolute URL", url=url, recoverable=False)
        scheme, authority, rest = match[1].lower(), match[2], match[3]
        if scheme not in _PORTS:
            raise ConnectFailed(f"{scheme} is not a scheme it can be fetched by", url=url, recoverable=False)
        user, at, place = authority.rpartition("@")
        named = _HOST.fullmatch(_ascii_host(place))
        port = _PORTS[scheme] if named is None or not named[2] else int(named[2])
        # A backslash ends the host for some readers of URLs and not for others, who would go elsewhere.
        if named is None or port > 65535 or "\\" in authority:
            raise ConnectFailed("its host or port is malformed", url=url, recoverable=False)
        sent = f"{scheme}://{named[0]}{_UNSENDABLE.sub(_percent, rest)}"
        if len(sent) > _LONGEST:
            raise ConnectFailed(f"its URL has more than {_LONGEST} characters", url=url, recoverable=False)
        return cls(sent, Origin(scheme, named[1].lower(), port), _basic(user) if at else None)

    def redirected(self, location: bytes) -> Address:
        """Return where a Location field leads from here (RFC 3986, 5.2); raises `InvalidResponse` for nowhere."""
        target = location.decode("utf-8", "surrogateescape").strip()
        absolute = target if _ABSOLUTE.match(target) else urljoin(self.url, target)
        try:
            return Address.of(absolute)
        except (ConnectFailed, ValueError) as error:
            scheme = absolute.partition(":")[0]
            reason = f"it redirects to a {scheme[:20]}: URL" if scheme.lower() not in _PORTS else "it redirects nowhere"
            raise InvalidResponse(reason, url=self.url) from error


def _plain_proxy() -> bool:
    return any(os.environ.get(name) for name in ("http_proxy", "all_proxy", "ALL_PROXY"))


def _ascii_host(place: str) -> str:
    if place.isascii():
        return place
    host, colon, port = place.partition(":")
    try:
        return host.encode("idna").decode("ascii") + colon + port
    except UnicodeError:
        return ""


def _percent(match: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in match[0].encode("utf-8", "surrogateescape"))


def _encodable(url: str) -> bool:
    try:
        return bool(url.encode("utf-8", "surrogateescape"))  # escapes stand for bytes which are not UTF-8
    except UnicodeEncodeError:
        return False


def _basic(user: str) -> str:
    name, _, password = user.partition(":")
    return "Basic " + b64encode(unquote_to_bytes(name) + b":" + unquote_to_bytes(password)).decode("ascii")
