"""Is an answer a page where media was meant, as captive portals and expired logins give one with a good status?

Pure. Must not know: versions, lengths, what is done about it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

PAGES = frozenset({"text/html", "application/xhtml+xml"})

_MEDIA = ("audio/", "video/")
_MEDIA_NAME = re.compile(
    r"\.(aac|ac3|aiff?|alac|amr|ape|au|caf|dff|dsf|flac|m4[abrv]|mk[av]|mov|mp[234]|og[agv]|opus|tak|tta|wave?|weba|webm|"
    r"wma|wv)$",
    re.IGNORECASE,
)


def is_page(media_type: str | None) -> bool:
    """Tell whether a thing of this type is made to be looked at in a browser."""
    return kind(media_type) in PAGES


def kind(media_type: str | None) -> str | None:
    """Return the type without its parameters, as it is compared (RFC 9110, 8.3.1)."""
    return None if media_type is None else media_type.partition(";")[0].strip().lower()


def expects_media(url: str, headers: Mapping[str, str]) -> bool:
    """Tell whether who asks for `url` with these `headers` cannot mean a page.

    Because the path names a media file, or because Accept lists nothing but audio and video (RFC 9110, 12.5.1).
    """
    path = re.split(r"[?#]", url.partition("://")[2], maxsplit=1)[0].partition("/")[2]
    accept = next((value for name, value in headers.items() if name.lower() == "accept"), "")
    accepted = [each.strip().lower() for each in accept.split(",")]
    return _MEDIA_NAME.search(path) is not None or all(each.startswith(_MEDIA) for each in accepted)
