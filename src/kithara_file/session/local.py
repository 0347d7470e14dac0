"""A file of this machine behind the same handle: no network, no download, no copy in the store.

Must not know: URLs, the store.
"""

from __future__ import annotations

from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING

from kithara_file.clock import CancelToken
from kithara_file.config import FileConfig
from kithara_file.events import EndOfStream, EventBus, Phase
from kithara_file.session.promise import Promise
from kithara_file.session.reader import Reader
from kithara_file.session.statistics import Statistics
from kithara_file.storage import platform
from kithara_file.storage.local import local_resource

if TYPE_CHECKING:
    from kithara_file.net.remote import Remote


class LocalSession:
    """Stands for a `Session` whose every byte is present.

    Raises `OSError` as `open` does when the path is no file, and `CorruptResource` when that has another `digest`.
    """

    def __init__(self, path: str, digest: str | None = None) -> None:
        self.shown_url = path
        self.resource = local_resource(Path(path), digest)
        self.events = EventBus()
        self.phase = Phase.COMPLETE
        self.remote: Remote | None = None
        self.outdated = self.stillborn = False
        self.opened = Promise()
        self.opened.set_result(None)
        self._lock = platform.lock_of_forks()  # re-entrant: the garbage collector may drop a stream meanwhile
        self._holders = 1

    def reader(self, config: FileConfig, cancel: CancelToken) -> Reader:
        """Return a new reader."""
        with self._lock:
            self._holders += 1
        reader = Reader(self, config)
        reader.obey(config.cancel, cancel)
        return reader

    def successor(self, reader: Reader, config: FileConfig) -> LocalSession:
        """Return this very session: a file of this machine has one version."""
        _ = reader, config
        return self

    def poke(self) -> None:
        """Do nothing: there is nothing to decide."""

    def read_to(self, position: int, *, end: bool) -> None:
        """Hear how far a reader has come."""
        if end:
            self.events.publish(EndOfStream(position))

    def leave(self, holder: object, *, wait: bool) -> None:
        """Close the file when the last one goes."""
        _ = holder, wait
        with self._lock:
            self._holders -= 1
            last = self._holders == 0
        if last:
            self.events.close()
            self.resource.close()

    def want_everything(self, _holder: object) -> Future[None]:
        """Return a future that is done: everything is here."""
        return self.opened

    def statistics(self) -> Statistics:
        """Return a snapshot: all is present, and nothing came over the network."""
        length = self.resource.length or 0
        return Statistics(phase=self.phase, length=length, present_bytes=length)
