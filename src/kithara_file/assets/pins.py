"""Who wants an asset to stay whatever the limits: names in a file of its folder, so that they outlive every process.

The index only mirrors how many there are. Must not know: sqlite, who is evicted, what a name stands for.
"""

from __future__ import annotations

import json

from kithara_file.assets.disk import read_regular, told, unlink
from kithara_file.assets.layout import AssetFolder
from kithara_file.errors import AssetError, StorageError
from kithara_file.storage.atomic import AtomicResource

UNREADABLE = "?"
"""The name in a file that cannot be read or makes no sense: it is somebody's pin, so that the asset stays."""
_LONGEST = 1 << 20
_LONGEST_NAME = 200


def pins_of(folder: AssetFolder) -> frozenset[str]:
    """Return the names that pin an asset. Never raises: none only where there is no file."""
    try:
        return read_pins(folder)
    except StorageError:
        return frozenset({UNREADABLE})


def read_pins(folder: AssetFolder) -> frozenset[str]:
    """Return the names that pin an asset. Raises `StorageError` when there is a file that cannot be read."""
    with told("read", folder.pins):
        try:
            content = read_regular(folder.pins, _LONGEST)
        except (FileNotFoundError, NotADirectoryError):
            return frozenset()
    try:
        names = json.loads(content)
    except (ValueError, RecursionError):
        names = None
    sensible = isinstance(names, list) and all(isinstance(each, str) for each in names)
    return frozenset(names) if sensible else frozenset({UNREADABLE})


def certain(names: frozenset[str]) -> int:
    """Return how many pins the index may rely on: one that is none stands for a file that has to be asked again."""
    return len(names - {UNREADABLE})


def write_pins(folder: AssetFolder, names: frozenset[str]) -> None:
    """Make `names` the pins of an asset, durably. Whoever calls this is the only one to change the asset's files.

    Raises `AssetError` when they are more than could be read again, and `StorageError`; then nothing has changed.
    """
    content = json.dumps(sorted(names)).encode()
    if len(content) > _LONGEST:
        raise AssetError(f"{len(names)} pins are more than one asset can have with names of that length")
    if names:
        AtomicResource(folder.pins).write(content)
    else:
        unlink(folder.pins)


def checked(name: str) -> str:
    """Return `name`, if it can be the name of a pin; raises `AssetError`."""
    if not name or len(name) > _LONGEST_NAME or not name.isprintable():
        raise AssetError("The name of a pin is a short text that can be printed")
    return name
