"""What is asked: the header fields of one GET, and who may see which.

Pure. Must not know: libcurl, answers.
"""

from __future__ import annotations

from collections.abc import Mapping

from kithara_file.net.address import Address
from kithara_file.net.client import WHOLE
from kithara_file.net.reply import Asked
from kithara_file.version import __version__

_OURS = frozenset(
    {
        "accept-encoding",
        "connection",
        "content-length",
        "if-match",
        "if-modified-since",
        "if-none-match",
        "if-range",
        "if-unmodified-since",
        "range",
        "te",
        "transfer-encoding",
    }
)
"""Fields which decide what the bytes of the answer are; a caller's are left out."""


USER_AGENT = f"kithara-file/{__version__}"


def fields(asked: Asked, given: Mapping[str, str], home: Address, address: Address) -> dict[str, str]:
    """Return the header fields for a GET to `address`, where `home` is what the caller opened and `given` is his.

    His fields and the user info of his URL go to the origin of `home` only; a redirect elsewhere gets neither.
    """
    chosen = {"User-Agent": USER_AGENT, "Accept-Encoding": "identity"}
    at_home = address.origin == home.origin
    authorization = address.authorization or (home.authorization if at_home else None)
    if authorization is not None:
        chosen["Authorization"] = authorization
    if at_home:
        his = {name: value for name, value in given.items() if name.lower() not in _OURS}
        names = {name.lower() for name in his}
        chosen = {name: value for name, value in chosen.items() if name.lower() not in names} | his
    return chosen | conditions(asked)


def conditions(asked: Asked) -> dict[str, str]:
    """Return the fields that name the range, and the version it is wanted of (RFC 9110, 13 and 14)."""
    if asked.want is WHOLE:
        return asked.same_as.conditions() if asked.same_as is not None else {}
    same = asked.if_range
    return {"Range": f"bytes={asked.want}"} | ({"If-Range": same} if same is not None else {})


def line(name: str, value: str) -> bytes:
    """Return a field as libcurl wants to be given it."""
    # "Name:" would make libcurl leave the field out; a semicolon is how it is told to send it empty.
    text = f"{name}: {value}" if value else f"{name};"
    try:
        return text.encode("latin-1")  # what came as bytes of an answer goes back as the same bytes
    except UnicodeEncodeError:
        return text.encode()
