"""Every knob, as small frozen objects that are built at the edge and passed down.

Must not know: what the knobs turn. Nothing here reads the environment.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from numbers import Integral, Real
from pathlib import Path
from types import NoneType
from typing import Literal, Protocol, runtime_checkable

from kithara_file.clock import CancelToken
from kithara_file.errors import ConfigError, public_url

KIB = 1024
MIB = 1024 * 1024

Revalidate = Literal["auto", "always", "never"]

_PASTED = re.compile(r"\s*(?:https?|file)://.*", re.IGNORECASE | re.DOTALL)
"""A URL, perhaps with the blanks and line ends that come along when one is copied."""

_UNSENDABLE = re.compile("[\0\r\n\ud800-\udfff]")
"""What no header value can have; half of a surrogate pair is no character."""

_DIGESTS = {"md5": 32, "sha1": 40, "sha256": 64, "sha384": 96, "sha512": 128}
"""Digits of a digest by each algorithm."""


def normal_digest(text: str) -> str:
    """Return a digest such as ``SHA-256:9F86…`` in its one spelling, ``sha256:9f86…``. Raises `ConfigError`."""
    name, _, value = text.lower().partition(":")
    name = name.replace("-", "")
    _demand(name in _DIGESTS, f"a digest is one of {', '.join(_DIGESTS)}, a colon and hex digits, not {text[:80]!r}")
    fits = len(value) == _DIGESTS[name] and not value.strip("0123456789abcdef")
    _demand(fits, f"a {name} digest has {_DIGESTS[name]} hex digits, not {value[:80]!r}")
    return f"{name}:{value}"


def _demand(held: bool, message: str) -> None:
    if not held:
        raise ConfigError(message)


def demand_kind(owner: object, names: str, kinds: tuple[type, ...], words: str) -> None:
    """Refuse a field that is of another kind, without a word of its value."""
    for name in names.split():
        value = getattr(owner, name)
        _demand(isinstance(value, kinds), f"{name} is {words}, not {type(value).__name__}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """Seconds of silence after which a stage is given up, `math.inf` for never; a whole body has no limit."""

    connect: float = 10.0
    headers: float = 10.0
    idle: float = 10.0
    """The longest time without a single byte of a body."""

    def __post_init__(self) -> None:
        demand_kind(self, "connect headers idle", (Real,), "a number of seconds")
        _demand(all(each > 0 for each in (self.connect, self.headers, self.idle)), "timeouts must be positive")


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """How often and how patiently a request is tried again before its first byte, and a download without progress."""

    retries: int = 3
    """Further tries of one request after its first."""
    first_delay: float = 0.1
    max_delay: float = 5.0
    jitter: float = 0.1
    """The delay is multiplied by up to 1 + jitter, so that many clients do not return in step."""
    max_retry_after: float = 30.0
    """A `Retry-After` above this many seconds is not waited for: the error is raised."""
    max_failures: int = 6
    """Failures of a download in a row, without one byte landing, before its readers are told."""

    def __post_init__(self) -> None:
        demand_kind(self, "retries max_failures", (Integral,), "a whole number")
        demand_kind(self, "first_delay max_delay jitter max_retry_after", (Real,), "a number")
        _demand(self.retries >= 0 and self.max_failures >= 1, "retries must be >= 0 and max_failures >= 1")
        delays = (self.first_delay, self.max_delay, self.jitter, self.max_retry_after)
        _demand(all(each >= 0 for each in delays), "delays must be >= 0")  # which NaN is not, though `min` may hide it

    def delay(self, failures: int) -> float:
        """Return the seconds to wait after this many failures in a row, without jitter."""
        return min(self.max_delay, self.first_delay * 2.0 ** min(failures - 1, 32)) if failures > 0 else 0.0


@runtime_checkable
class StoreLike(Protocol):
    """What `FileConfig.store` may be beside a directory: an `AssetStore`."""

    @property
    def root(self) -> Path:
        """The directory everything is kept in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What the planner may do for one resource; lengths in bytes, times in seconds."""

    look_ahead_bytes: int | None = 16 * MIB
    """How far past each reader to fetch before resting; None: everything, reader or not."""
    initial_window: int = MIB
    """The look-ahead of a reader that has just been opened; it doubles as the reader consumes it."""
    seek_window: int = 256 * KIB
    """The same after a far seek."""
    max_fetches: int = 2
    ride_bytes: int = 256 * KIB
    """A demand this near ahead of a running fetch waits for it."""
    gap_bytes: int = 2 * MIB
    max_gaps: int = 4
    connections: int = 1
    """How many fetches may bring a download together that no look-ahead limits."""
    part_bytes: int = 4 * MIB
    """What is left of a fetch is not divided into less than this."""
    answer_seconds: float = 3.0
    """A request that is not answered for so long beside others may be one too many for the origin."""
    idle_seconds: float = 5.0
    """A fetch that has rested this long is dropped; it comes back with a Range."""

    def __post_init__(self) -> None:
        ahead = self.look_ahead_bytes
        _demand(ahead is None or ahead > 0, "look_ahead_bytes must be positive or None")
        _demand(self.max_fetches >= 1, "max_fetches must be >= 1")
        _demand(self.connections >= 1, "connections must be >= 1")
        sizes = (self.initial_window, self.seek_window, self.ride_bytes, self.gap_bytes, self.max_gaps, self.part_bytes)
        _demand(min(sizes) > 0, "windows, ride_bytes, gap_bytes, max_gaps and part_bytes must be positive")


@lru_cache(maxsize=16)
def _policy(ahead: int | None, max_fetches: int, connections: int) -> Policy:
    largest, default = ahead or 16 * MIB, Policy()
    return replace(
        default,
        look_ahead_bytes=ahead,
        initial_window=min(default.initial_window, largest),
        seek_window=min(default.seek_window, largest),
        max_fetches=max_fetches,
        connections=connections,
    )


@dataclass(frozen=True, slots=True)
class FileConfig:
    """What to open and how; every field is also a keyword of `open_file`.

    `url` is http, https, file or a plain path; blanks around a URL are no part of it. Headers go to the origin of `url`
    only, never to where it redirects.
    """

    url: str | os.PathLike[str]
    name: str | None = field(default=None, kw_only=True)
    """Tells apart assets of one URL, such as qualities."""
    cache_key: str | None = field(default=None, kw_only=True)
    """Identity in the store instead of the URL; for signed URLs."""
    store: StoreLike | str | os.PathLike[str] | None = field(default=None, kw_only=True)
    """An `AssetStore` or its directory; None is the user's cache directory."""
    headers: Mapping[str, str] = field(default_factory=dict, kw_only=True, repr=False)
    look_ahead_bytes: int | None = field(default=16 * MIB, kw_only=True)
    offline_mode: bool = field(default=False, kw_only=True)
    """Open no socket; bytes that are not in the store are `OfflineMiss`."""
    revalidate: Revalidate = field(default="auto", kw_only=True)
    """When to ask the origin about stored bytes: as RFC 9111 says, always, or never."""
    timeouts: Timeouts = field(default_factory=Timeouts, kw_only=True)
    retry: Retry = field(default_factory=Retry, kw_only=True)
    max_fetches: int = field(default=2, kw_only=True)
    """Connections for one file: one for the run of bytes, the others for far seeks."""
    connections: int = field(default=1, kw_only=True)
    """Connections for a download of everything, which bring a part each; for origins that limit the rate of one."""
    detach: bool = field(default=False, kw_only=True)
    """Go on downloading after the last reader closes, until complete or cancelled."""
    cancel: CancelToken | None = field(default=None, kw_only=True, compare=False)
    refresh_url: Callable[[], str] | None = field(default=None, kw_only=True, compare=False)
    """Called, in a thread of its own, for a fresh URL of the same bytes after a 401, 403 or 410 mid-way."""
    ca_file: str | None = field(default=None, kw_only=True)
    """Certificates to trust instead of the system's, in PEM."""
    read_timeout: float | None = field(default=None, kw_only=True)
    """The longest one read may block, in seconds; None leaves it to `timeouts` and `retry`, which always end."""
    checksums: bool = field(default=True, kw_only=True)
    """Keep an xxh3 of every landed range, so that damage on disk is found."""
    digest: str | None = field(default=None, kw_only=True)
    """What the whole must be, as in ``sha256:9f86d0…``; other bytes are `CorruptResource`, and are not kept."""

    def __post_init__(self) -> None:
        text = os.fspath(self.url)
        _demand(isinstance(text, str), "url is text or a path, not bytes")
        if _PASTED.match(text):
            object.__setattr__(self, "url", text.strip())
        _demand(bool(text), "url is empty")
        self._check_kinds()
        _demand(self.revalidate in ("auto", "always", "never"), f"revalidate cannot be {self.revalidate!r}")
        _demand(self.read_timeout is None or self.read_timeout > 0, "read_timeout must be positive or None")
        self._check_headers()
        _demand(self.max_fetches >= 1, "max_fetches must be >= 1")
        _ = self.policy, self.promised

    def _check_kinds(self) -> None:
        """Refuse what users of other libraries give; they would hear of it in the middle of a download, or never."""
        _demand(isinstance(self.timeouts, Timeouts), "timeouts are a Timeouts(connect=, headers=, idle=)")
        _demand(isinstance(self.retry, Retry), "retry is a Retry(retries=, first_delay=, …)")
        demand_kind(self, "name cache_key ca_file digest", (str, NoneType), "text or None")
        demand_kind(self, "store", (str, NoneType, os.PathLike, StoreLike), "an AssetStore, a directory or None")
        demand_kind(self, "look_ahead_bytes", (Integral, NoneType), "a number of bytes or None")
        demand_kind(self, "max_fetches connections", (Integral,), "a whole number")
        demand_kind(self, "read_timeout", (Real, NoneType), "a number of seconds or None")
        demand_kind(self, "cancel", (CancelToken, NoneType), "a CancelToken or None")
        _demand(self.refresh_url is None or callable(self.refresh_url), "refresh_url is a function or None")

    def _check_headers(self) -> None:
        """Refuse what cannot be sent, without a word of any value."""
        _demand(isinstance(self.headers, Mapping), "headers are a mapping from names to values")
        for name, value in self.headers.items():
            _demand(all(isinstance(each, str) for each in (name, value)), f"header {name!r} and its value must be text")
            _demand(
                bool(name) and name.isascii() and name.isprintable() and ":" not in name and " " not in name,
                f"bad header name {name!r}",
            )
            unsendable = _UNSENDABLE.search(value)
            _demand(unsendable is None, f"the value of header {name} has a line break, a NUL or half of a character")

    @property
    def promised(self) -> str | None:
        """The digest in its one spelling."""
        return None if self.digest is None else normal_digest(self.digest)

    @property
    def policy(self) -> Policy:
        """The planner's share of this configuration."""
        return _policy(self.look_ahead_bytes, max(self.max_fetches, self.connections), self.connections)

    def __repr__(self) -> str:
        return f"<FileConfig {public_url(os.fspath(self.url))}>"
