"""What we know of the far end: its length, its version, whether it serves ranges, how long its answer stays fresh.

Pure values. Must not know: sockets, the store, who asks.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import UTC
from email.utils import parsedate_to_datetime
from math import isfinite
from typing import Any

from kithara_file.net.vary import selected_anew

_HEURISTIC = 0.1
"""The share of an answer's age since its last change for which it is taken to be fresh (RFC 9111, 4.2.2)."""
_LONGEST_HEURISTIC = 86_400.0
"""No guess is good for more than a day: asking costs one round trip, being wrong a listener's trust."""
_DIRECTIVE = re.compile(r'(?:[^,"]|"(?:[^"\\]|\\.)*"?)+', re.DOTALL)
"""A member of a list, in whose quoted strings commas separate nothing (RFC 9110, 5.6.4)."""


def http_date(text: str | None) -> float | None:
    """Return the seconds since 1970 of an HTTP date in any of its three forms (RFC 9110, 5.6.7), None if it is none."""
    if text is None:
        return None
    try:
        moment = parsedate_to_datetime(text)
        # asctime dates come back without a zone; HTTP knows no other than UTC.
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, TypeError, IndexError, OverflowError, OSError):
        return None


@dataclass(frozen=True, slots=True)
class Validator:
    """The ETag and date which prove that two answers speak of the same bytes (RFC 9110, 8.8)."""

    etag: str | None = None
    """As sent, quotes and ``W/`` included."""
    last_modified: str | None = None
    settled: bool = field(default=True, compare=False)
    """False when the date was less than a second old as it was sent: the bytes may change again under the same date."""

    @property
    def strong(self) -> bool:
        """True when an equal validator proves equal bytes (RFC 9110, 8.8.2)."""
        return self.if_range is not None

    @property
    def if_range(self) -> str | None:
        """The value for If-Range, None when nothing we hold may be sent there (RFC 9110, 13.1.5).

        A date only when there is no ETag at all, not even a weak one.
        """
        if self.etag is not None:
            return None if self.etag.startswith("W/") else self.etag
        dated = self.settled and http_date(self.last_modified) is not None
        return self.last_modified if dated else None

    def conditions(self) -> dict[str, str]:
        """Return the headers which ask for 304 while this version is the current one (RFC 9110, 13.1.2, 13.1.3)."""
        asked = {"If-None-Match": self.etag, "If-Modified-Since": self.last_modified}
        return {name: value for name, value in asked.items() if value is not None}

    def agrees(self, other: Validator) -> bool | None:
        """Tell whether `other` is the same version: True proven, False changed, None when nobody can tell.

        Weak tags that are equal prove nothing about bytes, so that the date decides; tags that differ prove a change.
        """
        verdict = _same_tag(self.etag, other.etag)
        if verdict is not None:
            return verdict
        mine, theirs = http_date(self.last_modified), http_date(other.last_modified)
        if mine is None or theirs is None:
            return None
        if mine != theirs:
            return False
        return True if self.settled and other.settled else None

    def names(self, other: Validator) -> bool:
        """Tell whether both are one strong ETag, which equal bytes alone may share (RFC 9110, 8.8.1)."""
        return _same_tag(self.etag, other.etag) is True

    def __str__(self) -> str:
        if self.etag is not None:
            return f"ETag {self.etag}"
        return f"Last-Modified {self.last_modified}" if self.last_modified is not None else "no validator"


def _same_tag(mine: str | None, theirs: str | None) -> bool | None:
    if mine is None or theirs is None:
        return None
    if mine.removeprefix("W/") != theirs.removeprefix("W/"):
        return False
    return None if mine.startswith("W/") or theirs.startswith("W/") else True


@dataclass(frozen=True, slots=True)
class Said:
    """The fields that freshness is reckoned from, as they came; None for one that the answer left out."""

    date: str | None = None
    cache_control: str | None = None
    pragma: str | None = None
    expires: str | None = None
    last_modified: str | None = None
    vary: str | None = None

    @classmethod
    def of(cls, told: Mapping[str, str]) -> Said:
        """Take them out of the header fields `told`."""
        return cls(**{each.name: told.get(each.name.replace("_", "-")) for each in fields(cls)})

    def updated(self, newer: Said) -> Said:
        """Return these with what a newer answer said in the place of ours; the Date is each answer's own."""
        told = {name: value for name, value in asdict(newer).items() if value is not None}
        return replace(self, **{**told, "date": newer.date})


@dataclass(frozen=True, slots=True)
class Freshness:
    """How long a stored answer may be used without asking (RFC 9111, 4.2); times in seconds."""

    received: float = 0.0
    """Wall-clock time at which the answer came."""
    age: float = 0.0
    """How old the answer was when it came, by its Age or its Date, whichever says more (RFC 9111, 4.2.3)."""
    lifetime: float = 0.0
    """How long after its making it is fresh: max-age, else Expires, else a tenth of the time since its last change."""
    no_cache: bool = False
    no_store: bool = False
    must_revalidate: bool = False
    immutable: bool = False
    stale_if_error: float | None = None
    """How long after it went stale the answer may stand in for an error (RFC 5861, 4); None when nobody has told."""
    said: Said = field(default_factory=Said)
    """What all this was read from: an answer that leaves a field out means it as it was before (RFC 9111, 3.2)."""

    def stands_in(self, now_wall: float) -> bool:
        """Tell whether the answer may be used at `now_wall` though the origin could not be asked (RFC 9111, 4.2.4)."""
        if self.no_cache or self.must_revalidate:
            return False
        staleness = self.age + now_wall - self.received - self.lifetime
        return self.stale_if_error is None or staleness <= self.stale_if_error

    def fresh(self, now_wall: float) -> bool:
        """Tell whether the answer may be used at `now_wall` without asking the origin.

        A clock that stands before the arrival has been set back: nothing is known then, and asking is cheap.
        """
        resident = now_wall - self.received
        return not self.no_cache and resident >= 0 and self.age + resident < self.lifetime

    @classmethod
    def of(cls, fields: Mapping[str, str], received: float) -> Freshness:
        """Read it from the header `fields` of an answer (names in lower case, repeated fields joined by commas)."""
        age = _seconds(fields.get("age", "").partition(",")[0])  # what a cache joins stands first (RFC 9111, 5.1)
        return cls._read(Said.of(fields), received, age or 0.0)

    def updated(self, newer: Freshness) -> Freshness:
        """Return it with what a newer answer says that may leave fields out, as old as that is (RFC 9111, 4.2.3)."""
        return self._read(self._kept().updated(newer.said), newer.received, newer.age)

    def _kept(self) -> Said:
        """Return what was said; of an old store, which has not kept it, what forbids and must not be forgotten."""
        if self.said != Said():
            return self.said
        words = {"no-cache": self.no_cache, "no-store": self.no_store, "must-revalidate": self.must_revalidate}
        told = [word for word, forbidden in words.items() if forbidden]
        if self.stale_if_error is not None:
            told.append(f"stale-if-error={self.stale_if_error:.0f}")
        return Said(cache_control=", ".join(told) or None)

    @classmethod
    def _read(cls, said: Said, received: float, age: float) -> Freshness:
        told = _directives(said.cache_control or "")
        made = http_date(said.date)
        apparent = 0.0 if made is None else max(0.0, received - made)
        pragma = said.cache_control is None and "no-cache" in (said.pragma or "").lower()
        return cls(
            received=received,
            age=max(apparent, age),
            lifetime=_lifetime(told, said, received if made is None else made),
            # Nothing stored can be told to fit a request when the answer depends on more than its fields (4.1).
            no_cache="no-cache" in told or pragma or "*" in _members(said.vary or ""),
            no_store="no-store" in told,
            must_revalidate="must-revalidate" in told,
            immutable="immutable" in told,
            stale_if_error=_seconds(told.get("stale-if-error")),
            said=said,
        )


def _lifetime(told: Mapping[str, str], said: Said, made: float) -> float:
    if "max-age" in told:
        return _seconds(told["max-age"]) or 0.0  # RFC 9111, 4.2.1: what cannot be read counts as stale
    if said.expires is not None:
        expires = http_date(said.expires)
        return 0.0 if expires is None else max(0.0, expires - made)
    changed = http_date(said.last_modified)
    return 0.0 if changed is None else min(_LONGEST_HEURISTIC, max(0.0, _HEURISTIC * (made - changed)))


def _members(text: str) -> set[str]:
    return {each.strip() for each in text.split(",")}


def _directives(text: str) -> dict[str, str]:
    pairs = (each.partition("=") for each in _DIRECTIVE.findall(text))
    found: dict[str, str] = {}
    for name, _, value in pairs:
        found.setdefault(name.strip().lower(), value.strip().strip('"'))
    return found


def _seconds(text: str | None) -> float | None:
    digits = (text or "").strip()
    return float(min(int(digits[:20]), 2**31)) if digits.isascii() and digits.isdigit() else None


@dataclass(frozen=True, slots=True)
class Remote:
    """One version of the far end, as one answer told it."""

    length: int | None = None
    """Bytes of the whole representation; None while nobody has told."""
    ranges: bool = False
    """True when the origin is known to serve ranges (206, or ``Accept-Ranges: bytes``)."""
    validator: Validator = field(default_factory=Validator)
    media_type: str | None = None
    freshness: Freshness = field(default_factory=Freshness)
    digest: str | None = None
    """What all the bytes together must have, as in ``sha256:9f86d0…``; None when the origin does not promise it."""
    selected_by: str | None = None
    """What of our request selected this answer, as `vary` has it; None when every request would have."""

    def updated(self, newer: Remote, sent: Mapping[str, str]) -> Remote:
        """Return what is known once `newer` has come, which may leave out what stays as it was: a 304, or a part.

        RFC 9111, 3.2, 3.4 and 4.3.4: each field that is told takes the place of the stored one. `sent` are the headers
        of the request, for which an answer without Vary was selected as the stored one was.
        """
        told = newer.freshness.said.vary is not None
        return replace(
            newer,
            ranges=newer.ranges or self.ranges,
            freshness=self.freshness.updated(newer.freshness),
            selected_by=newer.selected_by if told else selected_anew(self.selected_by, sent),
        )

    def to_json(self) -> dict[str, Any]:
        """Return it as plain dicts, strings and numbers."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: object) -> Remote:
        """Return what `to_json` was called on; anything else is a ValueError that says which field."""
        plain = _checked(cls, data)
        validator = Validator(**_checked(Validator, plain["validator"]))
        told = _checked(Freshness, plain["freshness"])
        freshness = Freshness(**{**told, "said": Said(**_checked(Said, told["said"]))})
        length = plain["length"]
        if length is not None and length < 0:
            msg = f"Remote.length cannot be {length}"
            raise ValueError(msg)
        return cls(**{**plain, "validator": validator, "freshness": freshness})


_TYPES: dict[str, tuple[type, ...]] = {
    "int | None": (int, type(None)),
    "str | None": (str, type(None)),
    "float | None": (int, float, type(None)),
    "bool": (bool,),
    "float": (float, int),
    "Validator": (dict,),
    "Freshness": (dict,),
    "Said": (dict,),
}


_FIELDS = {
    kind: {each.name: _TYPES[str(each.type)] for each in fields(kind)} for kind in (Remote, Validator, Freshness, Said)
}


def _checked(kind: type[Remote | Validator | Freshness | Said], data: object) -> dict[str, Any]:
    names = _FIELDS[kind]
    if not isinstance(data, dict) or data.keys() != names.keys():
        msg = f"{kind.__name__} must have exactly the fields {', '.join(names)}"
        raise ValueError(msg)
    for name, allowed in names.items():
        value = data[name]
        wrong = not isinstance(value, allowed) or (isinstance(value, bool) and bool not in allowed)
        if wrong or (isinstance(value, float) and not isfinite(value)):
            msg = f"{kind.__name__}.{name} cannot be {value!r}"
            raise ValueError(msg)
    return data
