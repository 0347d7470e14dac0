"""Open a media URL as a file: read it while it downloads, seek at once, keep what has landed.

Each name is loaded when it is asked for: a program that may never open a URL does not pay for it. Their types are told
in `__init__.pyi`.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOMES = {
    "api": "aopen_file open_file",
    "assets.keys": "ResourceKey",
    "assets.store": "AssetStore",
    "clock": "CancelToken",
    "config": "FileConfig Retry Timeouts",
    "errors": """
        AccessDenied AssetError BodyBroken Cancelled ConfigError ConnectFailed CorruptResource DecodeFailed
        DeviceUnavailable DiskFull InvalidKey InvalidResponse KitharaError LeaseHeld MediaError NetError
        NetTimeout NotFound OfflineMiss RangeNotSatisfiable ResourceChanged StatusError StorageError
        StreamClosed Unavailable UnsupportedMedia Woken
    """,
    "events": """
        ByteProgress CacheBypassed DownloadComplete DownloadError DownloadProgress EndOfStream Error
        FetchStarted FileEvent Landed Phase PhaseChanged RemoteChanged ServedStale
    """,
    "ranges": "ByteRange Coverage",
    "session.file": "File FileSession",
    "session.statistics": "Statistics",
    "stream.aio": "AsyncStream",
    "stream.source": "Source StreamType",
    "stream.stream": "Stream",
    "version": "__version__",
}
_HOME = {name: home for home, names in _HOMES.items() for name in names.split()}

__all__ = sorted(_HOME)  # noqa: PLE0605 - a list all the same


def __getattr__(name: str) -> Any:
    if name in _HOME:
        found = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    elif any(name == home.partition(".")[0] for home in _HOMES):
        found = import_module(f"{__name__}.{name}")
    else:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
