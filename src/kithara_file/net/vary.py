"""Was an answer chosen by what the request said, and does another request say the same (RFC 9111, 4.1)?

What selected an answer is kept as the names of the fields and a digest of their values, so that no cookie or token is
written down. Pure. Must not know: what is stored, who asks.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping

_DIGITS = 16


def selected_by(vary: Iterable[str], sent: Mapping[str, str]) -> str | None:
    """Return what of the headers `sent` the members of a Vary field speak of; None when it names none.

    The star is not for here: it says that no answer can be told to fit.
    """
    names = sorted({each.strip().lower() for each in vary} - {"", "*"})
    return f"{','.join(names)} {_digest(names, sent)}" if names else None


def selects(selection: str | None, sent: Mapping[str, str]) -> bool:
    """Tell whether the headers `sent` would have selected the answer of which `selected_by` gave `selection`."""
    if selection is None:
        return True
    names, _, digest = selection.partition(" ")
    return digest == _digest(names.split(","), sent)


def selected_anew(selection: str | None, sent: Mapping[str, str]) -> str | None:
    """Return what of the headers `sent` selects by the same fields as `selection` does."""
    return None if selection is None else selected_by(selection.partition(" ")[0].split(","), sent)


def _digest(names: Iterable[str], sent: Mapping[str, str]) -> str:
    values = {name.lower(): " ".join(value.split()) for name, value in sent.items()}
    told = json.dumps([[name, values.get(name)] for name in names])
    return hashlib.sha256(told.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGITS]
