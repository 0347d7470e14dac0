"""What one resource of the store is: the JSON beside its bytes.

A meta file is believed only when all of it makes sense; anything else is taken for absent, and its bytes are fetched
again. No URL in it has user info or a query.

Must not know: the bytes, who else uses them, where the file lies.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from math import isfinite
from pathlib import Path
from typing import Any, Self
from uuid import uuid4

from xxhash import xxh3_64_hexdigest

from kithara_file.assets.disk import read_plain, replace_file
from kithara_file.net.remote import Remote
from kithara_file.storage.atomic import AtomicResource

_FORMAT = 1
"""Raised when an older reader of a newer file would do wrong; not for a field that it may ignore."""
_LONGEST = 1 << 20
_UNTOLD = Remote().to_json()
_GENERATION = re.compile(r"[0-9a-f]{32}")


def new_generation() -> str:
    """Return a name for one version of a resource's bytes that no other version will ever have."""
    return uuid4().hex


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceMeta:
    """The facts that make stored bytes usable."""

    generation: str = field(default_factory=new_generation)
    """Binds the journal to these facts: its records vouch for no other version."""
    remote: Remote
    url: str
    """Canonical, without user info and query."""
    name: str | None = None
    committed: bool = False
    length: int | None = None
    """Bytes in all; known at the latest when committed."""
    created: float = 0.0
    """Wall-clock time of the first answer."""
    digest: str | None = None
    """What all the bytes were promised to have, and have, as in ``sha256:9f86d0…``; None when nobody looked."""
    sealed: int | None = None
    """Bytes of the journal when it was committed: while it is still so long, every byte is vouched for."""

    def to_bytes(self) -> bytes:
        """Return the content of the meta file."""
        facts = {"format": _FORMAT, **asdict(self), "remote": self.remote.to_json()}
        return json.dumps({**facts, "check": _check(facts)}, indent=1).encode()

    @classmethod
    def from_bytes(cls, content: bytes) -> Self:
        """Return what `to_bytes` was called on; a `ValueError` for anything else, such as a later format.

        Of the remote, facts that are missing have their default and unknown ones are ignored, so that one can be added
        without throwing every store away.
        """
        found = json.loads(content)
        if not isinstance(found, dict) or found.get("format") != _FORMAT:
            raise ValueError(f"not a meta file of format {_FORMAT}")
        if found.pop("check", None) != _check(found):
            raise ValueError("damaged")  # one digit of the length would make a wrong end of the bytes
        facts: dict[str, Any] = {name: found.get(name) for name in _SENSIBLE}
        wrong = [name for name, sensible in _SENSIBLE.items() if not sensible(facts[name])]
        if wrong or (facts["committed"] and facts["length"] is None):
            raise ValueError(f"no sense in {', '.join(wrong) or 'a committed resource without a length'}")
        return cls(remote=Remote.from_json(_completed(_UNTOLD, found.get("remote"))), **facts)


_SENSIBLE: dict[str, Callable[[Any], bool]] = {
    "generation": lambda value: isinstance(value, str) and _GENERATION.fullmatch(value) is not None,
    "url": lambda value: isinstance(value, str),
    "name": lambda value: value is None or isinstance(value, str),
    "committed": lambda value: isinstance(value, bool),
    "length": lambda value: value is None or (type(value) is int and value >= 0),
    "digest": lambda value: value is None or isinstance(value, str),
    "sealed": lambda value: value is None or (type(value) is int and value > 0),
    "created": lambda value: type(value) in (int, float) and isfinite(value),
}


def _check(facts: dict[str, Any]) -> str:
    return xxh3_64_hexdigest(json.dumps(facts, sort_keys=True).encode())


def _completed(defaults: Mapping[str, Any], found: object) -> dict[str, Any]:
    known = found if isinstance(found, dict) else {}
    return {
        name: _completed(default, known.get(name)) if isinstance(default, dict) else known.get(name, default)
        for name, default in defaults.items()
    }


def read_meta(path: Path) -> ResourceMeta | None:
    """Return the facts in the file `path`; None when there is none that makes sense. Never raises."""
    content = read_plain(path, _LONGEST)
    if content is None:
        return None
    try:
        return ResourceMeta.from_bytes(content)
    except (ValueError, RecursionError):
        return None


def write_meta(path: Path, meta: ResourceMeta) -> None:
    """Make `meta` the content of `path`, whole or not at all, also across a power cut. Waits for the disk."""
    AtomicResource(path).write(meta.to_bytes())


def write_meta_soon(path: Path, meta: ResourceMeta) -> None:
    """Make `meta` the content of `path` at once for every process; after a power cut it may be gone.

    Good for bytes that a power cut puts in doubt anyway, and quick enough for a loop.
    """
    replace_file(path, meta.to_bytes())
