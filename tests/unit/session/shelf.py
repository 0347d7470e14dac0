"""A store on disk with a file in it, for handles and the registry, which make their own sessions.

Must not know: what they do with it.
"""

from __future__ import annotations

from pathlib import Path

from kithara_file.assets.keys import ResourceKey
from kithara_file.assets.store import AssetStore
from kithara_file.net.remote import Freshness, Remote, Validator

BODY = bytes(range(256)) * 64
URL = "http://origin.invalid/song?token=hush"


def put(root: Path, *, url: str = URL, size: int = len(BODY), lifetime: float = 0.0) -> None:
    """Store the first `size` bytes of the file at `url`; all of them are committed."""
    remote = Remote(len(BODY), True, Validator('"1"'), "audio/flac", Freshness(received=0.0, lifetime=lifetime))
    with AssetStore(root) as store, store.open(ResourceKey.of(url)) as entry:
        entry.begin(remote).write_at(0, BODY[:size])
        if size == len(BODY):
            entry.commit()
