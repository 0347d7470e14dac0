"""Which bytes of the data file may be believed: the appended records, on disk.

Must not know: who waits, where bytes come from, when to flush.

Several processes may append to one journal. What is recorded is first gathered: landings that touch become one record,
until 256 KiB are waiting or `flush` is called, so that a dying process loses at most that much of what it landed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from uuid import UUID, uuid4

from xxhash import xxh3_64

from kithara_file.errors import CorruptResource
from kithara_file.ranges import ByteRange, Coverage
from kithara_file.storage import platform, record
from kithara_file.storage.record import History, Record, Stamp
from kithara_file.storage.system import OpenFile

GATHERED = 256 * 1024
"""So many landed bytes may be unrecorded at most, and one record speaks for no more than about that."""

AT_ONCE = 32 * 1024
"""What is hashed at a time. For more, xxhash lets go of the interpreter's lock, and beside a thread that burns it waits
5 ms to have it back, for what takes 5 µs."""

LARGEST = 256 * 1024 * 1024
"""A longer file is no journal of ours, and is not read into memory to find that out."""


class Journal:
    """The appender of this process to one journal. Its mutex orders appends; it is never held with another lock."""

    def __init__(self, file: OpenFile, generation: str, *, checksums: bool) -> None:
        self._file = file
        self._salt = record.salt(generation)
        self._kind = record.LANDED if checksums else record.UNHASHED
        self._mutex = platform.lock_of_forks()
        self._hash = xxh3_64()
        self._start = self._end = 0
        self._unsaved = bytearray()
        self._waiting = 0
        self._seen = Coverage()  # of the journal file: what was written here or has been read
        self.touched = False
        """True while we may write to the data: when that is over, it is to be recorded how it was `left`."""
        self.fault: OSError | None = None
        """Why the last records could not be appended; they are tried again with the next ones."""

    @classmethod
    def create(cls, path: Path, generation: str, *, boot: UUID, inode: int, checksums: bool) -> Journal:
        """Make a journal for the new data file `inode`; the name must be free."""
        journal = cls(OpenFile.new(path, append=True), generation, checksums=checksums)
        journal.begin(boot, inode)
        journal.touched = True  # nobody has left this file yet, so there is nothing to take back
        return journal

    @classmethod
    def open(cls, path: Path, generation: str, *, checksums: bool) -> Journal:
        """Open a journal to read what was recorded and go on."""
        return cls(OpenFile.existing(path, append=True), generation, checksums=checksums)

    def ends_at(self, size: int | None, inode: int, stamp: Stamp) -> bool:
        """Tell whether this is our journal of `inode`, `size` bytes long, and the file still as it was left."""
        if size is None or size < 2 * record.SIZE or self._file.size != size:
            return False
        first, last = (
            record.decode(self._read(ByteRange(at, at + record.SIZE)), self._salt)[0] for at in (0, size - record.SIZE)
        )
        if not first or (first[0].kind, first[0].digest) != (record.HEADER, inode) or last != [record.left(stamp)]:
            return False
        self._seen.add(0, size)
        return True

    def begin(self, boot: UUID, inode: int) -> None:
        """Record that from here on it is about `inode`, during `boot`, and that what stands before is right."""
        self._append(record.header(boot, inode))

    def doubt(self) -> None:
        """Record that nothing in here is to be believed unverified: the disk has failed to keep what it took."""
        self.begin(uuid4(), self._file.inode)

    def touch(self) -> None:
        """Record, before the first write to the data, that it will not look as it was left any more."""
        if not self.touched:
            self.touched = True
            self._append(record.TOUCHED)

    def left(self, stamp: Stamp) -> None:
        """Record how the data looked when we had last written to it."""
        self.touched = False
        self._append(record.left(stamp))

    def landed(self, start: int, pieces: Sequence[bytes | memoryview]) -> None:
        """Record that `pieces` are in place from `start` on."""
        with self._mutex:
            if start != self._end:
                self._close_record()
                self._start = self._end = start
            digests, add = self._kind == record.LANDED, self._hash.update
            for piece in _parts(pieces):
                if digests:
                    add(piece)
                self._end += len(piece)
                if self._end - self._start >= GATHERED:
                    self._close_record()
            if self._waiting + self._end - self._start >= GATHERED:
                self.flush()

    def _close_record(self) -> None:
        if self._end == self._start:
            return
        digest = self._hash.intdigest() if self._kind == record.LANDED else 0
        self._unsaved += record.encode(Record(self._kind, self._start, self._end, digest), self._salt)
        self._waiting += self._end - self._start
        self._hash.reset()
        self._start = self._end

    def lost(self, *ranges: ByteRange) -> None:
        """Record that these bytes are not to be believed any more, whatever was said before."""
        self._append(*(Record(record.LOST, each.start, each.end) for each in ranges))

    def _append(self, *records: Record) -> None:
        with self._mutex:
            self._close_record()
            for each in records:
                self._unsaved += record.encode(each, self._salt)
            self.flush()

    def flush(self) -> None:
        """Append what has been gathered. Raises nothing: `fault` tells, and what was not written is kept for later."""
        with self._mutex:
            self._close_record()
            while self._unsaved:
                try:
                    size, end = self._file.append(self._unsaved)
                except OSError as error:
                    self.fault = error.with_traceback(None)  # which would hold the file open
                    return
                self._seen.add(end - size, end)
                # The disk may take a part of a record. Its readers skip that part, and it is written again as a whole.
                del self._unsaved[: size - size % record.SIZE]
            self._waiting, self.fault = 0, None

    def sync(self) -> None:
        """Return when the records survive a power cut. Blocks on the disk."""
        self._file.sync()

    def history(self) -> History:
        """Read everything and return what it adds up to; `CorruptResource` when it is not of our generation."""
        with self._mutex:
            size = self._file.size
            if not 0 < size <= LARGEST:
                raise self._foreign()
            records, used = record.decode(self._read(ByteRange(0, size)), self._salt)
            self._seen.add(0, used)
        history = record.replay(records)
        if history is None:
            raise self._foreign()
        return history

    def _foreign(self) -> CorruptResource:
        return CorruptResource(f"{self._file.path} is no journal of this version", path=str(self._file.path))

    def catch_up(self) -> list[Record]:
        """Return the records that other processes have appended since."""
        with self._mutex:
            size = self._file.size
            if self._seen.total == size:
                return []
            gaps = list(self._seen.gaps(0, size))
            news = [each for gap in gaps for each in self._news(gap, last=gap.end == size)]
        if self.touched and any(each.kind == record.LEFT for each in news):
            self._append(record.TOUCHED)  # they have left it, and we have not
        return news

    def _news(self, gap: ByteRange, *, last: bool) -> list[Record]:
        records, used = record.decode(self._read(gap), self._salt)
        # What is left at the end of the file may be a record in the making; elsewhere it was torn for good.
        self._seen.add(gap.start, gap.start + used if last else gap.end)
        return records

    def _read(self, span: ByteRange) -> bytes:
        buffer = bytearray(len(span))
        return bytes(buffer[: self._file.read_into(memoryview(buffer), span.start)])

    @property
    def size(self) -> int:
        """Bytes of the journal."""
        with self._mutex:
            return self._file.size

    def __repr__(self) -> str:
        return f"<Journal {self._file.path.name} {self.size} bytes · {len(self._unsaved)} unsaved>"


def _parts(pieces: Sequence[bytes | memoryview]) -> Iterator[bytes | memoryview]:
    """Yield `pieces`, those that are too much for one record in parts, without copying."""
    for piece in pieces:
        if len(piece) <= AT_ONCE:
            yield piece
        else:
            view = memoryview(piece)
            yield from (view[at : at + AT_ONCE] for at in range(0, len(piece), AT_ONCE))


class NoJournal:
    """The journal of a file that needs none, because its bytes are the user's and nobody claims anything of them."""

    fault: OSError | None = None
    size = 0
    touched = False

    def touch(self) -> None:
        """Forget it."""

    def left(self, stamp: Stamp) -> None:
        """Forget it."""

    def landed(self, start: int, pieces: Sequence[bytes | memoryview]) -> None:
        """Forget it."""

    def lost(self, *ranges: ByteRange) -> None:
        """Forget it."""

    def flush(self) -> None:
        """Do nothing."""

    def sync(self) -> None:
        """Do nothing."""

    def doubt(self) -> None:
        """Do nothing."""

    def history(self) -> History:
        """Return that nothing was ever claimed."""
        return History(UUID(int=0), 0, Coverage(), ())

    def catch_up(self) -> list[Record]:
        """Return nothing."""
        return []
