"""Who wants an asset to stay whatever the limits: names in a file of its folder, so that they outlive every process.

The index only mirrors how many there are. Must not know: sqlite, who is evicted, what a name stands for.
"""

from __future__ import annotations

import json

from kithara_file.assets.disk import read_plain, unlink
from kithara_file.assets.layout import AssetFolder
from kithara_file.errors import AssetError
from kithara_file.storage.atomic import AtomicResource

UNREADABLE = "?"
"""The name in a file that makes no sense: it was somebody's pin, so that the asset stays until all pins are taken."""
_LONGEST = 1 << 20
_LONGEST_NAME = 200


def pins_of(folder: AssetFolder) -> frozenset[str]:
    """Return the names that pin an asset. Never raises."""
    content = read_plain(folder.pins, _LONGEST)
    if content is None:
        return frozenset()
    try:
        names = json.loads(content)
    except (ValueError, RecursionError):
        names = None
    sensible = isinstance(names, list) and all(isinstance(each, str) for each in names)
    return frozenset(names) if sensible else frozenset({UNREADABLE})


def write_pins(folder: AssetFolder, names: frozenset[str]) -> None:
    """Make `names` the pins of an asset, durably. Whoever calls this is the only one to change the asset's files."""
    if names:
        AtomicResource(folder.pins).write(json.dumps(sorted(names)).encode())
    else:
        unlink(folder.pins)


def checked(name: str) -> str:
    """Return `name`, if it can be the name of a pin; raises `AssetError`."""
    if not name or len(name) > _LONGEST_NAME or not name.isprintable():
        raise AssetError("The name of a pin is a short text that can be printed")
    return name
