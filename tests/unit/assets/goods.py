"""What the tests of the store put into it.

Must not know: what any of them is about.
"""

from __future__ import annotations

import os
from pathlib import Path

from kithara_file.assets import database, ledger
from kithara_file.assets.entry import Entry
from kithara_file.assets.keys import ResourceKey
from kithara_file.assets.store import AssetStore
from kithara_file.net.remote import Freshness, Remote, Validator

BODY = bytes(range(256)) * 16
KEY = ResourceKey.of("https://user:pass@example.org/music/song.flac?token=hush")


def be_patient() -> None:
    """Let this process wait for its turn for as long as a busy machine takes, rather than do without an index."""
    database._BUSY_SECONDS = ledger._TURN_SECONDS = 60.0


def key(number: int) -> ResourceKey:
    """Return one of many keys."""
    return ResourceKey.of(f"https://example.org/{number}")


def remote(etag: str | None = '"1"', length: int | None = len(BODY), **freshness: bool | float) -> Remote:
    """Return a remote with this strong ETag."""
    return Remote(length=length, ranges=True, validator=Validator(etag=etag), freshness=Freshness(**freshness))  # type: ignore[arg-type]


def fill(entry: Entry, body: bytes = BODY, etag: str | None = '"1"') -> None:
    """Begin `body` in an entry, put all of it in and commit it."""
    entry.begin(remote(etag, len(body))).write_at(0, body)
    entry.commit()


def put(store: AssetStore, number: int, size: int = len(BODY)) -> ResourceKey:
    """Store a committed resource of this size and let it go; return its key."""
    with store.open(key(number)) as entry:
        fill(entry, bytes(size))
    return key(number)


def stored(entry: Entry, size: int = len(BODY)) -> bytes:
    """Return the bytes present at the start of an entry's resource."""
    assert entry.resource is not None
    buffer = bytearray(size)
    return bytes(buffer[: entry.resource.read_at(0, memoryview(buffer))])


def all_files(root: Path) -> list[Path]:
    """Return every file below `root`, sorted; a folder that goes while it is looked at has none."""
    return sorted(Path(folder) / name for folder, _, names in os.walk(root) for name in names)
