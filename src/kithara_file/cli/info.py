"""`kithara info`: what is known of a file and of its sound, and what of it is here.

Must not know: how it came to be known. The origin is asked only if the cache cannot tell, or has gone stale.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from kithara_file.cli import words
from kithara_file.cli.bar import CoverageBar
from kithara_file.cli.listen import ExtraMissing, audio_extra
from kithara_file.cli.options import Source
from kithara_file.cli.save import stored_at
from kithara_file.clock import SystemClock
from kithara_file.errors import OfflineMiss
from kithara_file.net.remote import Freshness, Remote
from kithara_file.ranges import Coverage
from kithara_file.session.file import File, FileSession, local_path

_GLANCE = 16 * 1024
"""How many bytes past the headers may come along with the answer."""
_SHOWN_RANGES = 8
_BAR_WIDTH = 72


@dataclass(frozen=True, slots=True)
class Facts:
    """All that `info` tells."""

    url: str
    local: bool
    length: int | None
    remote: Remote
    cached: Coverage
    path: str | None
    """Where the bytes are kept; None when there are none."""
    now: float
    media: Mapping[str, Any] | None = None
    """What the file says of its sound; None when it has none, or nobody here can tell."""

    @property
    def freshness(self) -> Freshness:
        """How long the answer may be used without asking again."""
        return self.remote.freshness

    @property
    def fresh_seconds(self) -> float:
        """How much longer it is fresh; negative when it is stale."""
        told = self.freshness
        if told.no_cache or self.now < told.received:
            return 0.0
        return told.lifetime - told.age - (self.now - told.received)

    @property
    def complete(self) -> bool:
        """True when every byte is here."""
        return self.length is not None and self.cached.covers(0, self.length)

    def to_json(self) -> dict[str, Any]:
        """Return it as plain values; ranges are pairs of first byte and end, exclusive."""
        remote = self.remote
        return {
            "url": self.url,
            "local": self.local,
            "length": self.length,
            "media_type": remote.media_type,
            "etag": remote.validator.etag,
            "last_modified": remote.validator.last_modified,
            "ranges_supported": self.local or remote.ranges,
            "fresh": self.local or self.freshness.fresh(self.now),
            "fresh_seconds": None if self.local else round(self.fresh_seconds, 1),
            "cached": {
                "bytes": self.cached.total,
                "percent": _percent(self.cached.total, self.length),
                "complete": self.complete,
                "ranges": [[each.start, each.end] for each in self.cached],
                "path": self.path,
            },
            "media": self.media,
        }

    def to_rich(self) -> RenderableType:
        """Return it as a table, with the coverage drawn below."""
        table = Table.grid(padding=(0, 2))
        table.add_column(style="bold", no_wrap=True)
        table.add_column(overflow="fold")
        for name, value in self._rows():
            table.add_row(name, Text(words.plain(value)))
        if self.complete or not self.cached.total:
            return table
        bar = CoverageBar(_BAR_WIDTH)
        bar.update(self.cached, self.length)
        return Group(table, Padding(bar, (1, 0, 0, 0), expand=False))

    def _rows(self) -> Iterator[tuple[str, str]]:
        yield ("file" if self.local else "url"), self.url
        yield "length", _exactly(self.length)
        if not self.local:
            yield from self._remote_rows()
        yield from _media_rows(self.media or {})

    def _remote_rows(self) -> Iterator[tuple[str, str]]:
        remote = self.remote
        yield "type", remote.media_type or "not told"
        yield "etag", remote.validator.etag or "none"
        yield "last modified", remote.validator.last_modified or "not told"
        yield "ranges", "supported" if remote.ranges else "not announced"
        yield "fresh", self._freshness()
        yield "cached", self._cached()
        if self.cached.total:
            yield "kept in", self.path or "-"
        if self.cached.total and not self.complete:
            yield "ranges here", _listed(self.cached)

    def _freshness(self) -> str:
        if self.freshness.no_store:
            return "must not be stored"
        left = self.fresh_seconds
        asked = f"asked {words.seconds(max(0.0, self.now - self.freshness.received))} ago"
        return (
            f"for another {words.seconds(left)} ({asked})" if left > 0 else f"no, the origin is to be asked ({asked})"
        )

    def _cached(self) -> str:
        if not self.cached.total:
            return "nothing"
        share = "" if self.length is None else f", {words.percent(self.cached.total, self.length)}"
        return f"{words.size(self.cached.total)}{share}{', complete' if self.complete else ''}"


def gather(url: str, source: Source) -> Facts:
    """Return the facts of `url`. Raises the typed errors; offline, `OfflineMiss` when nothing is stored."""
    config = source.config(url, look_ahead_bytes=_GLANCE)
    now = SystemClock().wall
    media_of = _media_teller()  # to load it takes a moment, in which an open connection would bring what nobody wants
    place = os.fspath(stored_at(config))
    if local_path(os.fspath(config.url)) is not None:
        with File.open(config) as session:
            return Facts(url, True, session.length, Remote(), session.coverage, place, now(), media_of(session))
    here, known = _stored(url, source)
    with File.open(config) as session:
        remote = session.remote or Remote()
        cached = here if _same(known, remote) else Coverage()  # and not what came along just now
        path = place if cached.total or source.offline else None
        return Facts(session.name, False, session.length, remote, cached, path, now(), media_of(session))


MediaOf: TypeAlias = Callable[[FileSession], Mapping[str, Any] | None]


def _media_teller() -> MediaOf:
    """Return what tells of the sound of a session; nothing where the packages for that are missing."""
    try:
        with audio_extra():
            from kithara_file.cli.media import media_of  # noqa: PLC0415 - the extra may be missing
    except ExtraMissing:
        return lambda _session: None
    return media_of


def _stored(url: str, source: Source) -> tuple[Coverage, Remote]:
    """Return what the cache has, without asking anybody."""
    offline = Source(source.cache_dir, (), True, source.name, source.cache_key)
    try:
        with File.open(offline.config(url, look_ahead_bytes=_GLANCE)) as session:
            return session.coverage, session.remote or Remote()
    except OfflineMiss:
        if source.offline:
            raise
        return Coverage(), Remote()


def _same(known: Remote, found: Remote) -> bool:
    return known.validator == found.validator and known.length == found.length


def _media_rows(media: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield what a person wants to know of sound; nothing when there is none."""
    if not media:
        return
    length, rate = media["duration"], media["bit_rate"]
    yield "duration", "not told" if length is None else f"{words.clock(length)} ({length:.3f} s)"
    yield "sound", f"{media['codec']} in {media['container']}"
    yield "bit rate", "not told" if rate is None else f"{rate / 1000:.0f} kbit/s"
    yield "sample rate", f"{media['sample_rate']} Hz"
    yield "channels", str(media["channels"])
    if media["cover"] is not None:
        yield "cover", f"{media['cover']['media_type']}, {words.size(media['cover']['bytes'])}"
    for name, value in media["tags"].items():
        yield f"  {name}", value


def _percent(part: int, whole: int | None) -> float | None:
    if whole is None:
        return None
    return round(100 * part / whole, 2) if whole else 100.0


def _exactly(length: int | None) -> str:
    if length is None:
        return "not told"
    return f"{words.size(length)} ({length:,} bytes)" if length >= 1000 else f"{length} bytes"


def _listed(coverage: Coverage) -> str:
    shown = [str(each) for each in coverage][:_SHOWN_RANGES]
    more = len(coverage) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")
