"""How would a faultless origin answer: RFC 9110 for one version of one path.

Pure. Ranges (section 14), preconditions (section 13), validators (section 8.8).
Must not know: faults, sockets, which path it is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from email.utils import formatdate, parsedate_to_datetime

from tests.world.body import Body
from tests.world.message import Headers, Reply, Request, find, plain_reply

_RANGE = re.compile(r"bytes=(\d*)-(\d*)$")
_NO_RANGE = ("", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """What lives at a path at one time: a body, its validators, what is said with it."""

    body: Body
    etag: str | None = '"v1"'
    last_modified: str | None = None
    media_type: str = "application/octet-stream"
    headers: Headers = ()
    ranges: bool = True

    def validators(self) -> Headers:
        """Return ETag and Last-Modified as far as there are any."""
        pairs = (("ETag", self.etag), ("Last-Modified", self.last_modified))
        return tuple((name, value) for name, value in pairs if value is not None)


def http_date(wall: float | None = None) -> str:
    """Return a moment (seconds since 1970; now when none is given) as HTTP writes it."""
    return formatdate(wall, usegmt=True)


def right_answer(version: Version, request: Request) -> Reply:
    """Return the reply of a faultless origin."""
    if request.method not in {"GET", "HEAD"}:
        return plain_reply(405, b"only GET and HEAD\n").say("Allow", "GET, HEAD")
    if _unchanged(version, request):
        return Reply(304, headers=_common(version))
    reply = _selected(version, request)
    if request.method == "HEAD":
        return Reply(reply.status, headers=reply.headers)
    return reply


def content_range(start: int, stop: int, total: int | str) -> str:
    """Return the header's text for the half-open span start..stop."""
    return f"bytes {start}-{stop - 1}/{total}"


def _selected(version: Version, request: Request) -> Reply:
    length = version.body.length
    first, last = _asked(version, request)
    if (first, last) == _NO_RANGE:
        return _whole(version)
    start = int(first) if first else max(0, length - int(last))
    stop = min(length, int(last) + 1) if first and last else length
    if start >= length or start >= stop:
        return plain_reply(416).say("Content-Range", f"bytes */{length}")
    said = (("Content-Range", content_range(start, stop, length)), ("Content-Length", str(stop - start)))
    return Reply(206, version.body, start, stop, _common(version) + said)


def _whole(version: Version) -> Reply:
    length = version.body.length
    return Reply(200, version.body, 0, length, (*_common(version), ("Content-Length", str(length))))


def _common(version: Version) -> Headers:
    """Return what every reply about this version says; the version's own headers win."""
    usual = (
        ("Date", http_date()),
        ("Content-Type", version.media_type),
        ("Accept-Ranges", "bytes" if version.ranges else "none"),
        *version.validators(),
    )
    return tuple(pair for pair in usual if find(version.headers, pair[0]) is None) + version.headers


def _asked(version: Version, request: Request) -> tuple[str, str]:
    """Return first and last position as text, two empty ones for "all of it" (also when several ranges are asked)."""
    found = _RANGE.match(request.range or "")
    if not found or not version.ranges or not _if_range_holds(version, request):
        return _NO_RANGE
    first, last = found.groups()
    return (first, last) if not (first and last and int(last) < int(first)) else _NO_RANGE


def _if_range_holds(version: Version, request: Request) -> bool:
    """RFC 9110, 13.1.5: strong comparison; a weak tag never matches; a date only when it is the very same."""
    said = request.if_range
    if said is None:
        return True
    if said.startswith(('"', "W/")):
        return said == version.etag and not said.startswith("W/")
    return said == version.last_modified


def _unchanged(version: Version, request: Request) -> bool:
    """RFC 9110, 13.1.2 and 13.1.3: tags by weak comparison, a date only when no tag was given."""
    tags = request.if_none_match
    if tags is not None:
        known = {tag.strip().removeprefix("W/") for tag in tags.split(",")}
        return version.etag is not None and ("*" in known or version.etag.removeprefix("W/") in known)
    since = request.header("If-Modified-Since")
    if since is None or version.last_modified is None:
        return False
    return _moment(version.last_modified) <= _moment(since)


def _moment(date: str) -> datetime:
    return parsedate_to_datetime(date)
