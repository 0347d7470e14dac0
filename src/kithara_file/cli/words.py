"""Numbers as people read them, and URLs as file names.

Pure. Must not know: terminals, files, sessions.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

_UNITS = ("kB", "MB", "GB", "TB", "PB")
_LONGEST_NAME = 200
"""Bytes of UTF-8; file systems take 255, and a temporary name has to fit too."""


def size(count: float) -> str:
    """Return a number of bytes in the decimal units of disks and links: ``26.5 MB``."""
    if count < 1000:
        return f"{count:.0f} B"
    power = 1
    while count / 1000**power >= 999.95 and power < len(_UNITS):
        power += 1
    return f"{count / 1000**power:.1f} {_UNITS[power - 1]}"


def rate(bytes_per_second: float) -> str:
    """Return a speed: ``5.0 MB/s``."""
    return f"{size(bytes_per_second)}/s"


def seconds(span: float) -> str:
    """Return a length of time: ``35 ms``, ``5.3 s``, ``2 min 5 s``, ``3 h 20 min``, ``12 d``."""
    if span < 0.9995:
        return f"{span * 1000:.0f} ms"
    if span < 59.95:
        return f"{span:.1f} s"
    minutes, rest = divmod(round(span), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    return f"{hours // 24} d"


def clock(span: float) -> str:
    """Return a length of time that counts down without changing its width much: ``0:07``, ``12:30``, ``1:02:03``."""
    minutes, rest = divmod(max(0, round(span)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def progress(part: int, whole: int | None) -> str:
    """Return how much of how much, in the unit of the whole: ``12.3/26.5 MB``."""
    if whole is None:
        return size(part)
    shown = size(whole)
    number, unit = shown.split()
    scale = 1 if unit == "B" else 1000 ** (_UNITS.index(unit) + 1)
    return f"{part / scale:.{0 if unit == 'B' else 1}f}/{number} {unit}"


def percent(part: int, whole: int) -> str:
    """Return a share that says 100 % only when it is the whole, and 0 % only when it is nothing."""
    if part >= whole:
        return "100 %"
    share = 100 * part / whole
    if part and share < 0.1:
        return "<0.1 %"
    return f"{min(share, 99.9):.1f} %" if part else "0 %"


def file_name(url: str) -> str:
    """Return a name for the file at the end of `url`: its last path segment that says something, made safe.

    Safe: percent-decoded, one path component, not hidden, without control or invisible characters, and short enough.
    Without a segment it is the host's name, and ``download`` when there is nothing to use, or the URL is malformed.
    """
    try:
        parts = urlsplit(url) if "://" in url else None
    except ValueError:  # who opens it will say so
        return "download"
    path = url if parts is None else parts.path
    last = PurePosixPath(path).name if parts is None else path.rstrip("/").rpartition("/")[2]
    decoded = last if parts is None else unquote(last)
    return _safe(decoded) or _safe((parts.hostname or "") if parts is not None else "") or "download"


def _safe(name: str) -> str:
    kept = "".join(each for each in name if unicodedata.category(each) not in ("Cc", "Cf", "Cs", "Zl", "Zp"))
    plain = kept.replace("/", "_").replace("\\", "_").strip()
    visible = "_" + plain[1:] if plain.startswith(".") else plain
    return _shortened(visible) if visible.strip("_.") else ""


def _shortened(name: str) -> str:
    if len(name.encode()) <= _LONGEST_NAME:
        return name
    suffix = PurePosixPath(name).suffix
    suffix = suffix if len(suffix.encode()) <= 16 else ""
    stem = name.removesuffix(suffix).encode()[: _LONGEST_NAME - len(suffix.encode())]
    return stem.decode(errors="ignore") + suffix


def distinct(names: Iterable[str]) -> Iterator[str]:
    """Yield each name; one that came before gets a number, so that no file of a call overwrites another."""
    taken: set[str] = set()
    numbers: dict[str, int] = {}  # the last one given to each name: those up to it stay taken, and are not tried again
    for name in names:
        path, chosen = PurePosixPath(name), name
        while chosen in taken:
            numbers[name] = numbers.get(name, 1) + 1
            chosen = f"{path.stem}-{numbers[name]}{path.suffix}"
        taken.add(chosen)
        yield chosen


def plain(text: str) -> str:
    """Return `text` on one line and without characters that would steer a terminal: it may come from anywhere."""
    return "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in text)
