"""Is the answer of the version whose bytes we hold? A table over lengths, validators and types.

Pure. Must not know: what is done about it.
"""

from __future__ import annotations

from enum import Enum

from kithara_file.net.remote import Remote
from kithara_file.session.portal import is_page, kind


class Identity(Enum):
    """What an answer proves about the bytes held."""

    SAME = "same"
    CHANGED = "changed"
    UNPROVEN = "unproven"
    """Nothing contradicts, nothing proves: bytes held are compared where the answer overlaps them."""
    FOREIGN = "foreign"
    """Not another version but another thing, such as a login page in the place of the audio."""
    ABSURD = "absurd"
    """It names our version by a strong tag, and gives it another length than its bytes have, all of which are held."""


def identify(held: Remote, found: Remote, reach: int = 0, proven: int | None = None) -> Identity:
    """Return what `found` proves about the bytes of `held`, the last of which ends at `reach`.

    `proven` is their length when every one of them is held: then the same strong tag with another length is no change.
    Of a part that is held nobody knows which of the two lengths was the lie. Dates are not trusted so far.
    """
    length = held.length if proven is None else proven
    lengths_differ = found.length is not None and (found.length < reach or length not in (None, found.length))
    agreed = held.validator.agrees(found.validator)
    if agreed and not lengths_differ:
        return Identity.SAME
    if is_page(found.media_type) and not is_page(held.media_type):
        return Identity.FOREIGN  # whatever it calls its version
    was, now = kind(held.media_type), kind(found.media_type)
    if agreed is None and None not in (was, now) and was != now:
        return Identity.FOREIGN
    if held.validator.names(found.validator) and None not in (proven, found.length) and found.length != proven:
        return Identity.ABSURD
    if agreed is False or lengths_differ:
        return Identity.CHANGED
    return Identity.UNPROVEN


def describe(remote: Remote) -> str:
    """Return the version in the words of an error: its validator and length."""
    length = "an unknown length" if remote.length is None else f"{remote.length} bytes"
    return f"{remote.validator}, {length}"
