"""A resource in a sparse file, with a journal of what is in it.

Must not know: where the files of the store lie, what a remote is, when anything should be fetched.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from uuid import UUID
from weakref import WeakSet

from kithara_file.errors import CorruptResource, StorageError, StreamClosed
from kithara_file.ranges import ByteRange, Coverage
from kithara_file.storage import record
from kithara_file.storage.belief import believed
from kithara_file.storage.claims import Claims
from kithara_file.storage.digest import wrong
from kithara_file.storage.faults import NOT_OURS, named
from kithara_file.storage.journal import Journal, NoJournal
from kithara_file.storage.resource import Descriptor
from kithara_file.storage.spill import Window
from kithara_file.storage.system import OpenFile, after, before, boot_id
from kithara_file.storage.verify import Progress, damage
from kithara_file.storage.waiting import Waitable

MEMORY_BYTES = 32 * 1024 * 1024


class StreamingResource(Waitable):
    """The `Resource` that survives its process.

    When the disk takes no more, nothing stored is harmed and nothing raises: what lands from then on is kept in a
    window of memory (`spilling`), whose oldest bytes are dropped first and so become absent again; `fault` says why.
    """

    def __init__(
        self,
        data: OpenFile,
        journal: Journal | NoJournal,
        *,
        length: int | None,
        coverage: Coverage,
        committed: bool = False,
        memory_bytes: int = MEMORY_BYTES,
    ) -> None:
        super().__init__(length, coverage, committed=committed)
        self._data: OpenFile | None = data
        self._journal = journal
        self._memory_bytes = memory_bytes
        self._window: Window | None = None
        self._fault: StorageError | None = None
        self._given: WeakSet[Descriptor] = WeakSet()

    # -- beginnings --------------------------------------------------------------------------------------------------

    @classmethod
    def create(
        cls,
        data: Path,
        journal: Path,
        generation: str,
        *,
        length: int | None = None,
        checksums: bool = True,
        memory_bytes: int = MEMORY_BYTES,
        this_boot: Callable[[], UUID] = boot_id,
    ) -> StreamingResource:
        """Begin a new, empty resource; whatever lies at these paths loses its name (who has it open reads on).

        The old journal goes first and the new one comes last, so that a crash in between never lets a journal vouch
        for data it did not see. Callers take turns: two creating at the same paths at once is not safe.
        """
        try:
            journal.unlink(missing_ok=True)
            data.unlink(missing_ok=True)
            file = OpenFile.new(data)
            log = Journal.create(journal, generation, boot=this_boot(), inode=file.inode, checksums=checksums)
        except OSError as error:
            raise named(error, "create", error.filename or data) from error
        return cls(file, log, length=length, coverage=Coverage(), memory_bytes=memory_bytes)

    @classmethod
    def reopen(
        cls,
        data: Path,
        journal: Path,
        generation: str,
        *,
        length: int | None,
        committed: bool,
        sealed: int | None = None,
        checksums: bool = True,
        memory_bytes: int = MEMORY_BYTES,
        this_boot: Callable[[], UUID] = boot_id,
    ) -> StreamingResource:
        """Go on with what is recorded of this generation.

        `sealed` is what `vouched` returned when the resource was committed: while the journal is still so long, nothing
        was taken back since, and it need not be read.

        Raises `CorruptResource` when data or journal are missing or of another generation, `StorageError` when they
        cannot be read. What was written before the machine last started and not committed, a file that is not the one
        which was written (restored from a copy) and one that was changed since it was left are verified first: then
        only bytes with a matching digest are believed. Bytes beyond the end of the file are not. A resource with any of
        its bytes gone is not committed any more.
        """
        try:
            file = OpenFile.existing(data)
            if length is not None:
                file.shorten(length)
            log = Journal.open(journal, generation, checksums=checksums)
            if committed and length is not None and file.size >= length and log.ends_at(sealed, file.inode, file.stamp):
                coverage = Coverage([ByteRange(0, length)] if length else ())
            else:
                coverage = believed(file, log, this_boot(), durable=committed)
        except CorruptResource:
            raise
        except OSError as error:
            if error.errno in NOT_OURS:
                raise CorruptResource(f"There is no resource at {data}", errno=error.errno, path=str(data)) from error
            raise named(error, "open", error.filename or data) from error
        if length is not None:
            coverage.remove(length, record.TO_THE_END)
        whole = length is not None and coverage.covers(0, length)
        return cls(
            file, log, length=length, coverage=coverage, committed=committed and whole, memory_bytes=memory_bytes
        )

    @classmethod
    def local(cls, path: Path) -> StreamingResource:
        """Open a file of the user's: complete as it is, only to be read, and nothing is written beside it."""
        try:
            file = OpenFile.readable(path)
            length = file.size
        except OSError as error:
            raise named(error, "open", path) from error
        whole = Coverage([ByteRange(0, length)] if length else ())
        return cls(file, NoJournal(), length=length, coverage=whole, committed=True)

    # -- the writing thread ------------------------------------------------------------------------------------------

    def write_at(self, start: int, *pieces: bytes) -> None:
        """Put `pieces` one after another from `start` on, then let the coverage grow, then wake whom they serve.

        Does not raise when the disk fails: see `spilling`. What is committed takes nothing more.
        """
        data = self._open()
        size = sum(map(len, pieces))
        if self._length is not None and start + size > self._length:
            raise ValueError(f"bytes up to {start + size} cannot belong to a resource of {self._length}")
        if self._committed or not size:
            return
        stored = 0 if self._window is not None else self._store(data, start, pieces, size)
        if stored < size:
            self._spill(start + stored, b"".join(after(pieces, stored)))

    def _store(self, data: OpenFile, start: int, pieces: tuple[bytes, ...], size: int) -> int:
        end = data.size
        if end < self._coverage.end:
            # The file was cut under us. Writing beyond its end would make a hole of zeros there, which reads as bytes.
            self.take_back(ByteRange(end, record.TO_THE_END))
        self._journal.touch()
        stored, error = data.write(start, pieces)
        if stored:
            self._land(start, start + stored)
            self._journal.landed(start, pieces if stored == size else before(pieces, stored))
        if error is not None:
            self._bypass(named(error, "write to", data.path))
        return stored

    def _bypass(self, fault: StorageError) -> None:
        with self._lock:
            self._fault = self._fault or fault
            self._window = self._window or Window(self._memory_bytes)

    def _spill(self, start: int, bytes_: bytes) -> None:
        with self._lock:
            gaps = list(self._coverage.gaps(start, start + len(bytes_)))
        for gap in gaps:
            with self._lock:
                assert self._window is not None
                for dropped in self._window.put(gap.start, bytes_[gap.start - start : gap.end - start]):
                    self._coverage.remove(dropped.start, dropped.end)
            self._land(gap.start, gap.end)

    @property
    def spilling(self) -> bool:
        """True once the disk has failed to take bytes; this resource asks it no more."""
        return self._window is not None

    @property
    def fault(self) -> StorageError | None:
        """What the disk last failed at, of the data or of the journal; None while all is well."""
        if self._fault is None and self._journal.fault is not None:
            return named(self._journal.fault, "write the journal of", self._open().path)
        return self._fault

    def flush(self) -> None:
        """Make all claims durable against the death of this process. Sets `fault`, raises nothing."""
        self._journal.flush()

    def write_back(self) -> None:
        """Have the system begin to write out what has landed, so that `commit` has less to wait for. May block."""
        if (data := self._data) is not None:
            data.begin_write_back()

    def catch_up(self) -> None:
        """Take over what other processes have recorded since, and wake whom it serves. One `fstat` when none."""
        lost, landed = record.changes(self._journal.catch_up())
        if lost:
            self._forget_bytes(*lost)
        for each in landed:
            self._land(each.start, each.end)

    @property
    def claims(self) -> Claims | None:
        """What is being fetched, by us and by other processes; None once nothing is, and where we may not write."""
        data = self._data
        return Claims(data.fd) if data is not None and data.writable and not self._committed else None

    def commit(self, seal: Callable[[], None] | None = None) -> None:
        """Make the complete resource durable against a power cut. Blocks on the disk: never call it on a loop.

        Data first, then the journal, then `seal` (which writes that it is so), then `committed`. Raises the `fault`
        while the disk does not have everything, and `StorageError` when it fails now; then nothing is committed.
        """
        # No name here for the files: the frames of an error live as long as it is kept, and would hold them open.
        path = self._open().path
        if self._committed:
            return
        self._journal.flush()
        if self.fault is not None:
            raise self.fault.again()
        if not self.complete:
            raise StorageError(f"Cannot commit {path}: bytes are missing", path=str(path))
        try:
            self._open().sync()
            self.note_stamp()
            self._journal.sync()
        except OSError as error:
            self._journal.doubt()  # the kernel drops what it could not write back, and reads it as it was before
            raise named(error.with_traceback(None), "commit", path) from error
        if seal is not None:
            seal()
        self._committed = True

    def check(self, promised: Iterable[str]) -> None:
        """Read all bytes and compare them with the digests `promised`. Blocks on the disk: never call it on a loop.

        Raises `WrongDigest` when one differs; then every byte is absent, since nobody can tell which of them is wrong.
        """
        error = wrong(self._open(), self._length or 0, promised)
        if error is not None:
            self.take_back(ByteRange(0, record.TO_THE_END))
            raise error

    def vouched(self) -> int | None:
        """Return how long the journal is when all that it says vouches for every byte, else None. Reads all of it."""
        size, history = self._journal.size, self._journal.history()
        whole = self._length is not None and history.coverage.covers(0, self._length)
        return size if whole and history.inode == self._open().inode else None

    def descriptor(self) -> Descriptor | None:
        """Return a new file descriptor of the bytes; None unless they are committed to one file."""
        data = self._open()
        number = data.again() if self._committed and data.size == self._length else None
        if number is None:
            return None
        given = Descriptor(number)
        with self._lock:
            self._given.add(given)
            given.intact = self._committed
        return given

    # -- any thread --------------------------------------------------------------------------------------------------

    def read_at(self, start: int, buffer: memoryview) -> int:
        """Fill `buffer` with the bytes present from `start` on; return how many, 0 when the first is missing.

        A file that ends or fails where bytes should be has lost them: they become absent, and nothing is made up.
        """
        data = self._open()
        if self._committed:
            end: int = self._length or 0
        else:
            with self._lock:
                end, window = self._coverage.end_of_run(start), self._window
            if window is not None:
                return self._read_past(data, start, buffer)
        size = min(len(buffer), end - start)
        return self._read(data, start, buffer if size == len(buffer) else buffer[:size]) if size > 0 else 0

    def _read(self, data: OpenFile, start: int, buffer: memoryview) -> int:
        try:
            got = data.read_into(buffer, start)
        except OSError as error:
            fault = named(error.with_traceback(None), "read", data.path)
            self._lose(ByteRange(start, start + len(buffer)), fault)
            return 0
        if got < len(buffer):
            fault = CorruptResource(f"{data.path} ends at byte {start + got}, before its time", path=str(data.path))
            self._lose(ByteRange(start + got, record.TO_THE_END), fault, bypass=False)
        return got

    def _lose(self, lost: ByteRange, fault: StorageError, *, bypass: bool = True) -> None:
        if isinstance(self._journal, NoJournal):  # the user's file: nobody can fetch it again
            self._forget_bytes(lost)
            self.fail(fault)
            return
        self.take_back(lost)
        if bypass:  # a disk that cannot read is not asked to keep the bytes a second time
            self._bypass(fault)

    def take_back(self, *ranges: ByteRange) -> None:
        """Believe these bytes no more: they are absent from now on, for who opens this later too."""
        self._journal.lost(*ranges)
        self._forget_bytes(*ranges)

    def _forget_bytes(self, *ranges: ByteRange) -> None:
        """Make bytes absent, in a new coverage: the writing thread may be looking at the old one."""
        with self._lock:
            coverage = self._coverage.copy()
            for each in ranges:
                coverage.remove(each.start, each.end)
            for each in self._window or ():  # what memory keeps is not lost with the disk
                coverage.add(each.start, each.end)
            self._coverage = coverage
            self._committed = False
            for given in self._given:
                given.intact = False

    def _read_past(self, data: OpenFile, start: int, buffer: memoryview) -> int:
        """Read where some bytes are on disk and some in the window."""
        at, end = start, start + len(buffer)
        while at < end:
            with self._lock:
                assert self._window is not None
                run = self._coverage.end_of_run(at)
                held = self._window.find(at) if run > at else None
                stop = self._window.next_start(at, min(run, end))
            target = buffer[at - start : (min(end, at + len(held)) if held else stop) - start]
            if held:
                target[:] = held[: len(target)]
            elif len(target) == 0 or self._read(data, at, target) < len(target):
                break
            at += len(target)
        return at - start

    def verify(self, progress: Progress | None = None) -> Coverage:
        """Read again every recorded range; make what does not match absent, and return it. Blocks on the disk.

        Safe beside readers and the writing thread. A resource of which anything was bad is not committed any more.
        """
        data = self._open()
        self._journal.flush()
        bad = damage(data, self._journal.history().vouchers, progress)
        if bad:
            self.take_back(*bad)
        return bad

    # -- facts about the files ---------------------------------------------------------------------------------------

    def lies_at(self, data: Path) -> bool:
        """Tell whether the path `data` leads to the bytes of this resource, and not to those of another."""
        return self._open().lies_at(data)

    @property
    def stored_bytes(self) -> int:
        """Bytes of disk that the data takes."""
        return self._open().allocated

    @property
    def journal_bytes(self) -> int:
        """Bytes of the journal."""
        return self._journal.size

    def _open(self) -> OpenFile:
        data = self._data
        if data is None:
            raise StreamClosed
        return data

    def close(self) -> None:
        """Flush and let the files go. Idempotent; reads after it raise `StreamClosed`."""
        if self._shut():
            self._journal.flush()
            self.note_stamp()
            self._journal, self._data = NoJournal(), None

    def note_stamp(self, *, moved: bool = False) -> None:
        """Record how the file is left, if it was written to or `moved`: who touches it later shows by that."""
        if (self._journal.touched or moved) and self._data is not None:
            self._journal.left(self._data.stamp)

    def __repr__(self) -> str:
        state = "committed" if self._committed else f"{self.progress}"
        return f"<StreamingResource {state} · {len(self._demands)} waiting{' · spilling' if self._window else ''}>"
