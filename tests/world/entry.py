"""A place in a store without a disk, which fails as disks do when told to: the `Entry` of tests of the session.

Must not know: who holds it. What a new process would find of it, `reopened` returns.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import replace
from typing import Literal

from kithara_file.errors import StorageError
from kithara_file.net.remote import Remote
from kithara_file.ranges import ByteRange
from kithara_file.storage.memory import MemoryResource

Deed = Literal["begin", "refresh", "commit", "close"]


class ScriptedResource(MemoryResource):
    """A `MemoryResource` that can lose its disk, or refuse a write."""

    def __init__(self, length: int | None = None) -> None:
        super().__init__(length)
        self.lost: StorageError | None = None
        """What `fault` tells; a resource whose disk is lost goes on in memory."""
        self.refusals: deque[BaseException] = deque()
        """What the next writes raise, in order."""
        self.flushed = 0
        """How often it was asked to journal what had landed."""

    @property
    def fault(self) -> StorageError | None:
        """Why bytes no longer reach the disk."""
        return self.lost

    def write_at(self, start: int, *pieces: bytes) -> None:
        """Write, unless a refusal is due."""
        if self.refusals:
            raise self.refusals.popleft()
        super().write_at(start, *pieces)

    def flush(self) -> None:
        """Count."""
        self.flushed += 1

    def content(self) -> list[tuple[int, bytes]]:
        """Return what is present: each span's start and bytes."""
        return [(each.start, read(self, each)) for each in self.snapshot()]


def read(resource: MemoryResource, span: ByteRange) -> bytes:
    """Return the bytes of `span`, all of which are present."""
    buffer = bytearray(len(span))
    assert resource.read_at(span.start, memoryview(buffer)) == len(span)
    return bytes(buffer)


class MemoryEntry:
    """Holds one version in memory; `fail` scripts the disk; `log` tells what was asked of it, in order."""

    def __init__(self, remote: Remote | None = None, resource: ScriptedResource | None = None) -> None:
        self.remote = remote
        self.resource = resource
        self.log: list[Deed] = []
        self._errors: dict[Deed, deque[BaseException]] = {}
        self._stored = remote
        self._left: list[tuple[int, bytes]] = []

    @classmethod
    def storing(
        cls, remote: Remote, body: bytes, spans: Iterable[tuple[int, int]] | None = None, *, committed: bool = False
    ) -> MemoryEntry:
        """Return an entry in which `spans` of `body` (None: all of it) are stored as the version `remote`."""
        resource = ScriptedResource(remote.length)
        for start, end in [(0, len(body))] if spans is None else spans:
            resource.write_at(start, body[start:end])
        if committed:
            resource.commit()
        return cls(remote, resource)

    def fail(self, deed: Deed, *errors: BaseException) -> MemoryEntry:
        """Let the next times of `deed` raise `errors`, in order; return self to chain."""
        self._errors.setdefault(deed, deque()).extend(errors)
        return self

    @property
    def held(self) -> ScriptedResource:
        """The resource, which is there."""
        assert self.resource is not None
        return self.resource

    def reopened(self) -> MemoryEntry:
        """Return what another process finds: all that has landed, of the version and length that were begun."""
        if self._stored is None or self.resource is None:
            return MemoryEntry()
        committed = self.resource.committed
        remote = replace(self._stored, length=self.resource.length) if committed else self._stored
        resource = ScriptedResource(remote.length)
        for start, content in self._left if self.resource.closed else self.resource.content():
            resource.write_at(start, content)
        if committed:
            resource.commit()
        return MemoryEntry(remote, resource)

    def _do(self, deed: Deed) -> None:
        self.log.append(deed)
        if self._errors.get(deed):
            raise self._errors[deed].popleft()

    # -- Entry -------------------------------------------------------------------------------------------------------

    def take_turn(self) -> bool:
        """Grant it: nobody else is here."""
        return True

    def end_turn(self) -> None:
        """Do nothing."""

    def join(self) -> bool:
        """Tell whether something is stored."""
        return self.resource is not None

    def begin(self, remote: Remote) -> ScriptedResource:
        """Hold `remote`, of which there is nothing yet."""
        self._do("begin")
        self.remote = self._stored = remote
        self.resource = ScriptedResource(remote.length)
        return self.resource

    def refresh(self, remote: Remote) -> None:
        """Keep how fresh it is."""
        self._do("refresh")
        if self._stored is not None:
            self._stored = replace(self._stored, freshness=remote.freshness)

    def make_room(self) -> int | None:
        """Do nothing: nothing limits it."""
        return None

    def commit(self) -> None:
        """Commit the resource."""
        self._do("commit")
        self.held.commit()

    def close(self) -> None:
        """Close the resource; what was present is what `reopened` finds."""
        if self.resource is not None and not self.resource.closed:
            self._left = self.resource.content()
            self.resource.close()
        self._do("close")

    def __repr__(self) -> str:
        return f"<MemoryEntry {self.resource or 'of nothing'}>"
