"""Is the whole what somebody promised: digests of all the bytes of a file, in bounded memory.

A digest is written ``sha256:9f86d0…``: the algorithm and the value in hex. Must not know: who promised it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from kithara_file.errors import CorruptResource
from kithara_file.storage.system import OpenFile

_AT_ONCE = 1024 * 1024


class WrongDigest(CorruptResource):
    """The bytes are complete, and not those that were promised."""


def digests_of(data: OpenFile, length: int, algorithms: Iterable[str]) -> dict[str, str]:
    """Return the digests of the first `length` bytes by `algorithms`; other threads run meanwhile. Raises `OSError`."""
    found = {each: hashlib.new(each, usedforsecurity=False) for each in algorithms}
    buffer = memoryview(bytearray(_AT_ONCE))
    at = 0
    while at < length:
        got = data.read_into(buffer[: min(_AT_ONCE, length - at)], at)
        if not got:
            break
        for each in found.values():
            each.update(buffer[:got])
        at += got
    return {name: f"{name}:{each.hexdigest()}" for name, each in found.items()}


def wrong(data: OpenFile, length: int, promised: Iterable[str]) -> WrongDigest | None:
    """Return the error that names the first of `promised` which the bytes do not keep, None when they keep all."""
    promised = tuple(promised)
    found = digests_of(data, length, {each.partition(":")[0] for each in promised}) if promised else {}
    for each in promised:
        here = found[each.partition(":")[0]]
        if here != each:
            return WrongDigest(f"The bytes have the digest {here} where {each} was promised", path=str(data.path))
    return None
