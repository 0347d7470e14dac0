"""What a file says of its sound, for `kithara info`: read from its head and, where it must be, its tail.

Loaded only where the extra for sound may be there. Must not know: what else is told of a file.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from kithara_file.audio import MediaInfo, probe
from kithara_file.errors import KitharaError
from kithara_file.session.file import FileSession

_OTHER_TYPES = (
    "text/",
    "image/",
    "font/",
    "application/json",
    "application/xml",
    "application/pdf",
    "application/zip",
    "application/gzip",
)
"""What an origin tells of files that are not even looked at: to find no sound in one takes a megabyte of it."""


def media_of(session: FileSession) -> dict[str, Any] | None:
    """Return as plain values what `session` holds; None when it is no sound, or cannot be read now."""
    if (session.media_type or "").startswith(_OTHER_TYPES):
        return None
    try:
        with session.stream() as stream:
            return as_plain(probe(stream))
    except (KitharaError, OSError):
        return None


def as_plain(info: MediaInfo) -> dict[str, Any]:
    """Return `info` as values that JSON has."""
    cover = None if info.cover is None else {"media_type": info.cover.media_type, "bytes": len(info.cover.data)}
    return {
        "codec": info.codec,
        "container": info.container,
        "duration": None if info.duration is None else round(info.duration, 6),
        "bit_rate": info.bit_rate,
        **asdict(info.spec),
        "tags": dict(info.tags),
        "cover": cover,
    }
