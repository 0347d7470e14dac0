"""How do I get bytes a..b of this URL: requests, answers, and what they prove.

The names below are loaded when they are asked for: libcurl is not, before the first of them is.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kithara_file.net.client import WHOLE, Chunk, Client, NotModified, Response, Want, Whole
    from kithara_file.net.engine import Engine
    from kithara_file.net.http import HttpClient
    from kithara_file.net.remote import Freshness, Remote, Validator
    from kithara_file.net.retry import RetryClient
    from kithara_file.net.timeout import TimeoutClient

_HOMES = {
    **dict.fromkeys(("WHOLE", "Chunk", "Client", "NotModified", "Response", "Want", "Whole"), "client"),
    "Engine": "engine",
    "HttpClient": "http",
    **dict.fromkeys(("Freshness", "Remote", "Validator"), "remote"),
    "RetryClient": "retry",
    "TimeoutClient": "timeout",
}

__all__ = [
    "WHOLE",
    "Chunk",
    "Client",
    "Engine",
    "Freshness",
    "HttpClient",
    "NotModified",
    "Remote",
    "Response",
    "RetryClient",
    "TimeoutClient",
    "Validator",
    "Want",
    "Whole",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
