"""What of a journal's claims is believed when a resource is opened again.

Must not know: who reads the bytes, whether they were said to be complete.
"""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

from kithara_file.errors import CorruptResource
from kithara_file.ranges import ByteRange, Coverage
from kithara_file.storage import record
from kithara_file.storage.journal import Journal
from kithara_file.storage.system import OpenFile
from kithara_file.storage.verify import proven


def claimed(data: Path, journal: Path, generation: str) -> Coverage:
    """Return what a journal claims of bytes that can be there, changing nothing; nothing when there is no sense in it.

    Not verified, whoever wrote it and when: to be shown, and not to be read by.
    """
    try:
        coverage = Journal.open(journal, generation, checksums=True).history().coverage
        end = OpenFile.existing(data).size
    except (OSError, CorruptResource):
        return Coverage()
    coverage.remove(end, max(end, coverage.end))
    return coverage


def believed(data: OpenFile, journal: Journal, this_boot: UUID, *, durable: bool) -> Coverage:
    """Return what of the journal's claims holds, having made the journal say no more than that."""
    history = journal.history()
    coverage = history.coverage
    other_boot = history.boot != this_boot and not durable
    changed = history.left not in (None, record.left(data.stamp))
    if history.inode != data.inode or other_boot or changed:
        coverage = proven(data, history.vouchers)
        unproven = history.coverage.copy()
        for each in coverage:
            unproven.remove(each.start, each.end)
        journal.lost(*unproven)
        journal.begin(this_boot, data.inode)
        journal.left(data.stamp)
    elif (end := data.size) < coverage.end:
        # Said in the journal too, or else a later write past this end would make the claim look true again.
        journal.lost(ByteRange(end, record.TO_THE_END))
        coverage.remove(end, record.TO_THE_END)
    return coverage
