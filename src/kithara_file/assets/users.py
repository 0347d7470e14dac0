"""Which processes hold the lease of an asset: the kernel's own tables, read where it shows them.

Must not know: what a lease is for.
"""

from __future__ import annotations

import os
from pathlib import Path


def users_of(lease: Path, proc: Path = Path("/proc")) -> tuple[int, ...]:
    """Return the numbers of the processes that hold the file `lease`; none where the kernel does not tell.

    What others than this user hold may stay hidden.
    """
    try:
        status = lease.stat(follow_symlinks=False)
    except OSError:
        return ()
    place = f"{os.major(status.st_dev):02x}:{os.minor(status.st_dev):02x}:{status.st_ino}"
    # Some file systems number their devices in one way here and in another there: then every descriptor is looked at.
    return tuple(sorted(_lockers(proc / "locks", place) or _openers(proc, lease)))


def _lockers(table: Path, place: str) -> set[int]:
    try:
        lines = table.read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return set()
    fields = [line.split() for line in lines]  # "7: FLOCK ADVISORY READ 4711 08:01:2345 0 EOF", "7: -> …" who waits
    held = [each for each in fields if len(each) >= 8 and each[1] == "FLOCK" and each[5] == place]
    return {int(each[4]) for each in held if each[4].isdigit() and each[4] != "0"}


def _openers(proc: Path, lease: Path) -> set[int]:
    found = set()
    for process in proc.glob("[0-9]*"):
        try:
            if any(each.readlink() == lease for each in (process / "fd").iterdir()):
                found.add(int(process.name))
        except OSError:  # gone by now, or somebody else's
            continue
    return found
