"""What an answer proves: status and headers against what was asked, turned into facts or a typed error.

Pure; a table of statuses and a few small readers of fields. Must not know: libcurl, sockets, tasks, redirects (whoever
sends the requests follows those), what is stored. An answer is used as far as it is provably right, and refused else.
"""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from kithara_file.errors import (
    AccessDenied,
    InvalidResponse,
    KitharaError,
    NotFound,
    RangeNotSatisfiable,
    StatusError,
    Unavailable,
)
from kithara_file.net.client import WHOLE, NotModified, Want
from kithara_file.net.remote import Freshness, Remote, Validator, http_date
from kithara_file.net.vary import selected_by

LARGEST = 2**63 - 1
"""The largest length and offset that anybody's files have."""

MOST_CODINGS = 5
"""As many as libcurl takes off. Each holds a piece and a window of its own, and anybody can name thousands."""

_PLAIN_CODINGS = frozenset({"", "identity", "none"})
_CONTENT_RANGE = re.compile(r"\s*bytes\s+(\d{1,20})\s*-\s*(\d{1,20})\s*/\s*(\d{1,20}|\*)\s*", re.IGNORECASE | re.ASCII)
_REPR_DIGEST = re.compile(r"(?:^|,)\s*([a-z][a-z0-9_.*-]*)=:([A-Za-z0-9+/=]*):")
_DIGESTS = {"sha-512": ("sha512", 64), "sha-256": ("sha256", 32), "md5": ("md5", 16)}
"""By the names of RFC 9530, 7.2, the best first: ours, and how many bytes."""
_UNSATISFIED = re.compile(r"\s*bytes\s+\*/(\d{1,20})\s*", re.IGNORECASE | re.ASCII)


@dataclass(frozen=True, slots=True)
class Asked:
    """The request an answer belongs to."""

    url: str
    want: Want
    same_as: Validator | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    """What the caller wanted to be sent."""

    @property
    def if_range(self) -> str | None:
        """The value of If-Range that was sent, None when there was none."""
        return None if self.want is WHOLE or self.same_as is None else self.same_as.if_range


@dataclass(frozen=True, slots=True)
class Head:
    """Status and header fields of one answer as they came; `received` is the wall-clock time of that."""

    status: int
    lines: tuple[tuple[str, str], ...]
    received: float
    fields: Mapping[str, str] = field(init=False, compare=False, repr=False)
    """The fields by lower-case name, repeated ones joined by commas (RFC 9110, 5.3)."""

    def __post_init__(self) -> None:
        joined: dict[str, str] = {}
        for name, value in self.lines:
            key = _plain(name)
            joined[key] = f"{joined[key]}, {value}" if key in joined else value
        object.__setattr__(self, "fields", joined)

    def values(self, name: str) -> list[str]:
        """Return the different values of a field that should have one."""
        return list(dict.fromkeys(value.strip() for key, value in self.lines if _plain(key) == name))

    def only(self, name: str) -> str | None:
        """Return the one value of a field, None when it is absent, empty or said twice in different ways."""
        found = self.values(name)
        return found[0] if len(found) == 1 and found[0] else None


@dataclass(frozen=True, slots=True)
class Accepted:
    """A body that may be read: it holds the bytes from `start` to `end` (None: only its end will tell) of `remote`."""

    remote: Remote
    start: int
    end: int | None
    codings: tuple[str, ...] = ()
    """Content codings of the body, in the order in which they were applied; lengths on the wire then say nothing."""


def judge(head: Head, asked: Asked, codings: frozenset[str]) -> Accepted | NotModified:
    """Return what the answer proves, or raise why it cannot be used; `codings` are those that can be decoded.

    Raises a `StatusError` for a status which is not the bytes, `InvalidResponse` for an answer which contradicts
    itself, the request or HTTP (RFC 9110, 14 and 15; RFC 9112, 6).
    """
    handler = _USABLE.get(head.status)
    if handler is None:
        raise _refusal(head, asked)
    if any(name != name.strip() and _plain(name) == "transfer-encoding" for name, _ in head.lines):
        raise _invalid("its Transfer-Encoding has a blank before the colon", asked)  # nobody has taken it off
    return handler(head, asked, codings)


def _whole(head: Head, asked: Asked, codings: frozenset[str]) -> Accepted:
    length = _content_length(head, asked)
    used = _used(head, asked, codings)
    if used:  # a digest would be that of the encoded body (RFC 9530, 3)
        # Nothing is nothing, though no coding makes it of nothing: some servers say so of empty files.
        empty = 0 if length == 0 else None
        remote = replace(_remote(head, asked, empty, ranges=False), digest=None)
        return Accepted(remote, 0, empty, used if empty is None else ())
    announced = "bytes" in _tokens(head, "accept-ranges")
    # An origin that was asked for a range and sent everything ignores ranges, unless If-Range told it to.
    ranges = announced and (asked.want is WHOLE or asked.if_range is not None)
    return Accepted(_remote(head, asked, length, ranges=ranges), 0, length)


def _partial(head: Head, asked: Asked, codings: frozenset[str]) -> Accepted:
    if _used(head, asked, codings):
        raise _invalid("a part of an encoded body", asked)
    if (_media_type(head) or "").startswith("multipart/"):
        raise _invalid("several ranges where one was asked for", asked)
    start, end, total = _content_range(head, asked)
    length = _content_length(head, asked)
    if length is not None and length != end - start:
        raise _invalid(f"Content-Length {length} for a range of {end - start} bytes", asked)
    return Accepted(_remote(head, asked, total, ranges=True), start, end)


def _unchanged(head: Head, asked: Asked, _codings: frozenset[str]) -> NotModified:
    held = asked.same_as
    if asked.want is not WHOLE or held is None or not held.conditions():
        raise _invalid("304 without having been asked for it", asked)
    told = _validator(head)
    # RFC 9111, 4.3.4: a strong validator that is not the one held speaks of other bytes.
    if told.agrees(held) is False:
        raise _invalid(f"304 for {told} when {held} was held", asked)
    validator = Validator(held.etag or told.etag, told.last_modified or held.last_modified, settled=held.settled)
    ranges = "bytes" in _tokens(head, "accept-ranges")
    freshness = Freshness.of(head.fields, head.received)
    return NotModified(
        Remote(None, ranges, validator, _media_type(head), freshness, _digest(head), _selection(head, asked))
    )


def _unsatisfiable(head: Head, asked: Asked, _codings: frozenset[str]) -> Accepted:
    match = _UNSATISFIED.fullmatch(head.only("content-range") or "")
    length = int(match[1]) if match else None
    raise RangeNotSatisfiable(url=asked.url, length=length if length is None or length <= LARGEST else None)


_USABLE: dict[int, Callable[[Head, Asked, frozenset[str]], Accepted | NotModified]] = {
    200: _whole,
    203: _whole,
    206: _partial,
    304: _unchanged,
    416: _unsatisfiable,
}

_ERRORS: dict[int, type[StatusError]] = {
    **dict.fromkeys((401, 403, 407, 451), AccessDenied),
    **dict.fromkeys((404, 410), NotFound),
    **dict.fromkeys((408, 425, 429), Unavailable),
    **dict.fromkeys(range(500, 600), Unavailable),
}


def _refusal(head: Head, asked: Asked) -> KitharaError:
    if head.status < 300 or head.status > 599:
        return _invalid(f"status {head.status} is not an answer to GET", asked)
    kind = _ERRORS.get(head.status, StatusError)
    return kind(head.status, url=asked.url, retry_after=retry_after(head))


def announced_length(head: Head) -> int | None:
    """Return how long a body that nobody wants will be, None when that is not plain."""
    told = head.only("content-length")
    plain = told is not None and told.isascii() and told.isdigit() and len(told) < 20
    return int(told) if told and plain and "transfer-encoding" not in head.fields else None


def retry_after(head: Head) -> float | None:
    """Return the seconds the origin asks to wait, given as such or as a date (RFC 9110, 10.2.3)."""
    text = head.only("retry-after")
    if text is None:
        return None
    if text.isascii() and text.isdigit():
        return float(min(int(text[:20]), 2**31))
    moment = http_date(text)
    return None if moment is None else max(0.0, moment - head.received)


def _content_length(head: Head, asked: Asked) -> int | None:
    if "transfer-encoding" in head.fields:
        return None  # RFC 9112, 6.3: it overrides any Content-Length
    # One field may hold the same number several times (RFC 9110, 8.6); anything else has no right reading.
    told = {part.strip() for value in head.values("content-length") for part in value.split(",")}
    if not told:
        return None
    text = told.pop()
    if told:
        raise _invalid("two different Content-Lengths", asked)
    if not (text.isascii() and text.isdigit()) or len(text) > 20 or int(text) > LARGEST:
        raise _invalid(f"its Content-Length is {text[:40]!r}", asked)
    return int(text)


def _content_range(head: Head, asked: Asked) -> tuple[int, int, int | None]:
    told = head.values("content-range")
    match = _CONTENT_RANGE.fullmatch(told[0]) if len(told) == 1 else None
    if match is None:
        found = f"Content-Range {told[0][:60]!r}" if len(told) == 1 else f"{len(told)} different Content-Ranges"
        raise _invalid(f"206 with {found}", asked)
    first, last = int(match[1]), int(match[2])
    total = None if match[3] == "*" else int(match[3])
    if last < first or max(last + 1, total or 0) > LARGEST or (total is not None and last >= total):
        raise _invalid(f"206 with the impossible Content-Range {told[0][:60]!r}", asked)
    wanted = 0 if asked.want is WHOLE else asked.want.start
    if first != wanted:
        raise _invalid(f"206 from byte {first} where byte {wanted} was asked for", asked)
    return first, last + 1, total


def _used(head: Head, asked: Asked, codings: frozenset[str]) -> tuple[str, ...]:
    used = tuple(each for each in _tokens(head, "content-encoding") if each not in _PLAIN_CODINGS)
    if len(used) > MOST_CODINGS:
        raise _invalid(f"its body is encoded {len(used)} times over", asked)
    unknown = [each for each in used if each not in codings]
    if unknown:
        raise _invalid(f"its body is encoded as {unknown[0][:40]!r}, which nobody here can decode", asked)
    return used


def _remote(head: Head, asked: Asked, length: int | None, *, ranges: bool) -> Remote:
    freshness = Freshness.of(head.fields, head.received)
    return Remote(
        length, ranges, _validator(head), _media_type(head), freshness, _digest(head), _selection(head, asked)
    )


def _selection(head: Head, asked: Asked) -> str | None:
    return selected_by(_tokens(head, "vary"), asked.headers)


def _digest(head: Head) -> str | None:
    """Return what the origin promises of the whole: Repr-Digest (RFC 9530, 3), else Content-MD5 (RFC 1864).

    The latter speaks of the body that it comes with, so that of a part it says nothing. One that makes no sense
    promises nothing.
    """
    told = {name: _hex(name, value) for name, value in _REPR_DIGEST.findall(head.fields.get("repr-digest", ""))}
    if head.status != 206:
        told.setdefault("md5", _hex("md5", head.only("content-md5") or ""))
    return next((found for name in _DIGESTS if (found := told.get(name))), None)


def _hex(name: str, text: str) -> str | None:
    ours, size = _DIGESTS.get(name, ("", 0))
    try:
        value = b64decode(text, validate=True)
    except ValueError:
        return None
    return f"{ours}:{value.hex()}" if ours and len(value) == size else None


def _validator(head: Head) -> Validator:
    changed = head.only("last-modified")
    made = http_date(head.only("date"))
    moment = http_date(changed)
    # RFC 9110, 8.8.2.2; an answer without a Date is dated by its arrival (6.6.1).
    settled = moment is None or moment + 1 <= (head.received if made is None else made)
    return Validator(head.only("etag"), None if moment is None else changed, settled=settled)


def _media_type(head: Head) -> str | None:
    told = head.only("content-type")
    return told.split(";", 1)[0].strip().lower() or None if told else None


def _plain(name: str) -> str:
    """Return a field's name as it is compared: a blank before the colon is forgiven (RFC 9112, 5.1)."""
    return name.strip().lower()


def _tokens(head: Head, name: str) -> list[str]:
    return [each.strip().lower() for each in head.fields.get(name, "").split(",")]


def _invalid(reason: str, asked: Asked) -> InvalidResponse:
    return InvalidResponse(reason, url=asked.url)
