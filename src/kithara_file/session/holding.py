"""The version we hold: what is known of it, and where its bytes are.

Must not know: fetches, plans, readers. Called on the loop, but for `settle` and `close`, which block on the disk.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from typing import Protocol

from kithara_file.errors import KitharaError
from kithara_file.net.remote import Remote
from kithara_file.storage.resource import Resource


class Entry(Protocol):
    """What a session needs of the store: one resource, held open."""

    @property
    def remote(self) -> Remote | None:
        """What is known of the stored version; None when nothing is stored."""

    @property
    def resource(self) -> Resource | None:
        """Its bytes."""

    def take_turn(self) -> bool:
        """Be the one who asks for a resource of which nothing is stored; False while another process is."""

    def end_turn(self) -> None:
        """Let the processes that wait for our answer go on."""

    def join(self) -> bool:
        """Take over what another process has begun to store meanwhile; return whether there is something now."""

    def begin(self, remote: Remote) -> Resource:
        """Make room for a new version, in the place of an older one; fast enough for the loop."""

    def refresh(self, remote: Remote) -> None:
        """Remember newer facts of the same version. Blocks."""

    def commit(self) -> None:
        """Make the complete resource durable. Blocks."""

    def make_room(self) -> int | None:
        """Evict so that more may land; return after how many landed bytes to ask again, None: never. Blocks."""

    def close(self) -> None:
        """Let go. Blocks."""


class Holding:
    """Facts and bytes of one version, and the older ones that readers still hold on to."""

    def __init__(self, entry: Entry, at_close: Callable[[], None]) -> None:
        self.entry = entry
        self.remote = entry.remote
        self.resource = entry.resource
        self._retired: list[Resource] = []
        self._stored = entry.remote
        self._at_close = at_close

    @property
    def length(self) -> int | None:
        """Bytes in all, as far as anybody has told."""
        return self.resource.length if self.resource is not None else None

    @property
    def complete(self) -> bool:
        """True when every byte is present."""
        return self.resource is not None and self.length is not None and self.resource.coverage.covers(0, self.length)

    def begin(self, found: Remote) -> Resource:
        """Hold `found` from now on, from nothing; when the store cannot begin it, go on holding what was held."""
        older, self.resource = self.resource, self.entry.begin(found)
        self.remote = self._stored = found
        if older is not None and older is not self.resource:
            self._retired.append(older)
        return self.resource

    def join(self) -> bool:
        """Hold what another process has begun to store meanwhile; return whether there is something."""
        if self.resource is None and self.entry.join():
            self.resource, self.remote, self._stored = self.entry.resource, self.entry.remote, self.entry.remote
        return self.resource is not None

    def confirm(self, found: Remote) -> None:
        """Take in an answer of the same version: it may know the length, and is fresher."""
        held = self.remote or found
        length = held.length if held.length is not None else found.length
        media_type = held.media_type or found.media_type
        digest = held.digest or found.digest
        self.remote = replace(found, length=length, media_type=media_type, validator=held.validator, digest=digest)
        if length is not None and self.resource is not None and self.resource.length is None:
            self.resource.announce(length)

    def announce(self, length: int) -> None:
        """Take in the length that the end of a body has proven."""
        if self.resource is not None and self.resource.length is None:
            self.resource.announce(length)
        if self.remote is not None and self.remote.length is None:
            self.remote = replace(self.remote, length=length)

    def listen(self, wake: Callable[[], None]) -> None:
        """Have `wake` called when a reader blocks on the resource."""
        if self.resource is not None:
            self.resource.on_demand = wake

    def flush(self) -> None:
        """Journal what has landed."""
        if self.resource is not None:
            self.resource.flush()

    def fail(self, error: KitharaError) -> None:
        """Raise `error` in every present and future wait."""
        if self.resource is not None:
            self.resource.fail(error)

    def commit(self) -> None:
        """Make the complete resource durable, with all that was learned of it. Blocks."""
        self.settle()
        self.entry.commit()

    def settle(self) -> None:
        """Store what was learned of the version since it was stored."""
        if self.remote is not None and self.remote != self._stored:
            self._stored = self.remote
            self.entry.refresh(self.remote)

    def close(self) -> None:
        """Store what was learned, and let every version go, also when the disk fails."""
        with ExitStack() as leaving:
            leaving.callback(self._leave)
            for each in self._retired:
                leaving.callback(each.close)
            leaving.callback(self.entry.close)
            self.settle()

    def _leave(self) -> None:
        done, self._at_close = self._at_close, lambda: None
        done()

    def __repr__(self) -> str:
        return f"<Holding {self.remote and self.remote.validator} of {self.length} bytes>"
