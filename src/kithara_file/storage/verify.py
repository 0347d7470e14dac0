"""Are the bytes on disk those that were recorded: a read through what a journal vouches for, in bounded memory.

Must not know: what happens to bytes that are not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from xxhash import xxh3_64

from kithara_file.ranges import Coverage
from kithara_file.storage import record
from kithara_file.storage.record import Record
from kithara_file.storage.system import OpenFile

Progress = Callable[[int, int], object]
"""Called with the bytes read so far, and in all."""

_AT_ONCE = 1024 * 1024


def damage(data: OpenFile, vouchers: Iterable[Record], progress: Progress | None = None) -> Coverage:
    """Return what does not match its record. Where records overlap, the latest decides: it saw the bytes last.

    A record without a digest is believed as far as the file goes.
    """
    vouchers = tuple(vouchers)
    bad = Coverage()
    done, total = 0, sum(each.end - each.start for each in vouchers)
    buffer = memoryview(bytearray(_AT_ONCE))
    for each in vouchers:
        if _matches(data, each, buffer):
            bad.remove(each.start, each.end)
        else:
            bad.add(each.start, each.end)
        done += each.end - each.start
        if progress is not None:
            progress(done, total)
    return bad


def _matches(data: OpenFile, voucher: Record, buffer: memoryview) -> bool:
    if voucher.kind == record.UNHASHED:
        return voucher.end <= data.size
    digest, at = xxh3_64(), voucher.start
    while at < voucher.end:
        part = buffer[: min(len(buffer), voucher.end - at)]
        try:
            if data.read_into(part, at) < len(part):
                return False
        except OSError:  # a sector that cannot be read holds no right bytes
            return False
        digest.update(part)
        at += len(part)
    return digest.intdigest() == voucher.digest


def proven(data: OpenFile, vouchers: Iterable[Record], progress: Progress | None = None) -> Coverage:
    """Return what a digest vouches for and matches: all that may be believed after a power cut."""
    hashed = [each for each in vouchers if each.kind == record.LANDED]
    good = Coverage()
    for each in hashed:
        good.add(each.start, each.end)
    for span in damage(data, hashed, progress):
        good.remove(span.start, span.end)
    return good
