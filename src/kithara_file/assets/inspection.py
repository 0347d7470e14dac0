"""A look through all that is stored, byte for byte; what is bad becomes absent, and is fetched when it is next used.

Must not know: where anything lies, what is fetched.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from kithara_file.assets.catalogue import StoredResource
from kithara_file.assets.entry import Entry
from kithara_file.assets.keys import ResourceKey
from kithara_file.errors import LeaseHeld, StorageError
from kithara_file.ranges import Coverage
from kithara_file.storage.verify import Progress


@dataclass(frozen=True, slots=True)
class Finding:
    """What a look at one resource found."""

    resource: StoredResource
    """As it was before."""
    bad: Coverage
    """What was taken back: its bytes are not those that were stored, or are missing where all were said to be there."""
    error: StorageError | LeaseHeld | None = None
    """Why it could not be looked at."""

    @property
    def good(self) -> bool:
        """True when all that was there to be read is right; what was removed or replaced meanwhile is not bad."""
        return not self.bad and self.error is None


def inspect(
    resources: Iterable[StoredResource], open_: Callable[[ResourceKey], Entry], progress: Progress | None
) -> list[Finding]:
    """Verify each of `resources`; `progress` hears how many bytes have been read, and how many there are."""
    resources = tuple(resources)
    done, total = 0, sum(each.coverage.total for each in resources)
    findings = []
    for each in resources:
        findings.append(_finding(each, open_, _shifted(progress, done, each.coverage.total, total)))
        done += each.coverage.total
        if progress is not None:
            progress(done, total)
    return findings


def _finding(resource: StoredResource, open_: Callable[[ResourceKey], Entry], progress: Progress | None) -> Finding:
    try:
        with open_(resource.key) as entry:
            bad = entry.verify(progress)
            left = Coverage() if entry.resource is None else entry.resource.snapshot()
    except (StorageError, LeaseHeld) as error:
        return Finding(resource, Coverage(), error)
    if entry.generation == resource.generation:  # opening it may have taken something back already
        for span in resource.coverage:
            for gap in left.gaps(span.start, span.end):
                bad.add(gap.start, gap.end)
    return Finding(resource, bad)


def _shifted(progress: Progress | None, before: int, size: int, total: int) -> Progress | None:
    if progress is None:
        return None
    # Where records overlap, more is read than there is.
    return lambda done, whole: progress(before + size * done // max(1, whole), total)
