"""One sqlite file that may vanish, rot, be locked or be forked over, and that nobody's success depends on.

Must not know: what is in its tables.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sqlite3
import stat
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote

from kithara_file.assets.disk import open_private, unlink
from kithara_file.assets.locks import FileLock
from kithara_file.clock import Clock, Deadline, SystemClock
from kithara_file.errors import LeaseHeld
from kithara_file.storage import platform
from kithara_file.storage.forking import ForkLocks, Living

_log = logging.getLogger(__name__)
_T = TypeVar("_T")

_BUSY_SECONDS = 0.5
_REST_SECONDS = 30.0
"""How long a file that could not be used is left alone, so that its trouble does not slow every close."""
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_SCHEMA, sqlite3.SQLITE_ERROR}
_abandoned: list[sqlite3.Connection | None] = []


@dataclass(frozen=True, slots=True)
class Schema:
    """What the tables are, and how it is known that they are these."""

    application: int
    version: int
    script: str
    """What makes the tables of this version in an empty file."""
    steps: Mapping[int, str] = field(default_factory=dict)
    """What makes a version into the next one, by its number; a file that no steps lead from is made anew."""

    def way(self, version: int) -> list[str] | None:
        """Return the steps from `version` to this one, None when they do not lead here."""
        wanted = range(version, self.version)
        return (
            [self.steps[each] for each in wanted]
            if version > 0 and all(each in self.steps for each in wanted)
            else None
        )


class _Unusable(Exception):
    """A file that is neither for this version of us to use nor to replace."""


class Database:
    """A sqlite file which any thread may ask, after a fork the child too. Nothing is opened before it is asked."""

    def __init__(self, path: Path, lock: Path, schema: Schema, clock: Clock | None = None) -> None:
        self._path = path
        self._turns = lock
        self._schema = schema
        self._clock = clock or SystemClock()
        self._closed = False
        self._begin()
        with _beginning:
            _databases.add(self)

    def _begin(self) -> None:
        self._mutex = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._inode = 0
        self._rest_until = 0.0
        self._process = os.getpid()

    def _begin_in_child(self) -> None:
        if self._process != os.getpid():
            # What was opened before a fork may not even be closed after it, and the mutex may be held for ever.
            _abandoned.append(self._connection)
            self._begin()

    @property
    def mutex(self) -> threading.Lock:
        """Held by who asks; who forks disconnects while it holds it."""
        self._begin_in_child()
        return self._mutex

    def disconnect(self) -> None:
        """Have nothing open; called with the mutex.

        In a child that inherits a connection sqlite takes its locks for those of the child, which has none: what the
        child opens then is not locked, and another process could delete the log under it.
        """
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(sqlite3.Error):
                connection.close()

    def ask(self, question: Callable[[sqlite3.Connection], _T], otherwise: _T) -> _T:
        """Return what `question` returns; `otherwise` when the file cannot be used. Never raises an error of the disk.

        A file that is missing is made, one that is damaged is made anew, both empty. One that is locked, cannot be
        written or belongs to a later version of us is done without, and not tried again for a while.
        """
        self._begin_in_child()
        with self._mutex:
            for _ in range(2):
                if self._closed or self._clock.monotonic() < self._rest_until:
                    break
                try:
                    return question(self._connected())
                except (sqlite3.Error, OSError, LeaseHeld, _Unusable) as error:
                    self.disconnect()
                    if not self._replaced(error):
                        _log.warning("! %s cannot be used for now: %s", self._path, error)
                        self._rest_until = self._clock.monotonic() + _REST_SECONDS
        return otherwise

    @property
    def closed(self) -> bool:
        """True when nothing is answered any more."""
        return self._closed

    def close(self) -> None:
        """Let the file go; from then on nothing is answered. Idempotent."""
        self._begin_in_child()
        with self._mutex:
            self._closed = True
            self.disconnect()

    def _connected(self) -> sqlite3.Connection:
        if self._connection is not None and self._named_inode() != self._inode:
            self.disconnect()  # deleted or replaced under us
        return self._connection or self._connect()

    def _named_inode(self) -> int:
        try:
            return self._path.lstat().st_ino
        except OSError:
            return 0

    def _connect(self) -> sqlite3.Connection:
        # Taking turns, because sqlite does not wait for its lock while it turns a new file into one with a log.
        with contextlib.closing(FileLock(self._turns)) as lock:
            lock.alone(Deadline.after(_BUSY_SECONDS))
            return self._prepared()

    def _prepared(self) -> sqlite3.Connection:
        size = self._made()
        connection = sqlite3.connect(
            f"file:{quote(os.fsencode(self._path))}?mode=rw",
            uri=True,
            timeout=_BUSY_SECONDS,
            isolation_level=None,
            check_same_thread=False,
        )
        self._connection = connection
        # Nothing here outlives a power cut better than the folders, from which it can be made again: no fsync is due,
        # not even for the change to a log.
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("PRAGMA journal_mode = WAL")
        missing = self._missing(connection) if size else [self._schema.script]
        if missing:
            with _at_once(connection):
                for statement in (each for script in missing for each in _statements(script)):
                    connection.execute(statement)
                connection.execute(f"PRAGMA application_id = {self._schema.application}")
                connection.execute(f"PRAGMA user_version = {self._schema.version}")
        return connection

    def _made(self) -> int:
        """Make the file if it is missing, and return its size; called in turn.

        One that exists is not opened here: closing any descriptor of it takes, as POSIX has it, the locks from every
        connection of this process, and the next process to close would delete the log under them. A new one has none.
        """
        with contextlib.suppress(FileExistsError):  # sqlite itself would let everybody read it
            os.close(open_private(self._path, os.O_RDWR | os.O_CREAT | os.O_EXCL))
        status = self._path.lstat()
        # sqlite itself would follow a link, and be content to read.
        if not (stat.S_ISREG(status.st_mode) and os.access(self._path, os.W_OK)):
            raise _Unusable("it is not a regular file that may be written")
        self._inode = status.st_ino
        return status.st_size

    def _missing(self, connection: sqlite3.Connection) -> list[str]:
        """Return the scripts that make the file one of this version; of a file without a way here, that of a new one.

        That one fails on what is not empty, and the file is made anew like any other that makes no sense.
        """
        application = connection.execute("PRAGMA application_id").fetchone()[0]
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if application != self._schema.application:
            return [self._schema.script]
        if version > self._schema.version:
            raise _Unusable(f"it has the format {version}, and this version of us knows {self._schema.version}")
        way = self._schema.way(version)
        return [self._schema.script] if way is None else way

    def _replaced(self, error: Exception) -> bool:
        """Remove a damaged file, so that the next question makes a new one; return False for any other trouble."""
        code = getattr(error, "sqlite_errorcode", None)
        if not self._path.is_symlink() and (code is None or code & 0xFF not in _DAMAGED):
            return False
        try:
            with contextlib.closing(FileLock(self._turns)) as lock:
                lock.alone(Deadline.after(_BUSY_SECONDS))
                if self._path.is_symlink() or self._named_inode() == self._inode:  # else another process has done it
                    _log.warning("! %s is damaged and made anew: %s", self._path, error)
                    for suffix in ("", "-wal", "-shm"):
                        unlink(Path(f"{self._path}{suffix}"))
        except (OSError, LeaseHeld):
            return False
        return True

    def __repr__(self) -> str:
        return f"<Database {self._path.name} {'closed' if self._closed else 'open' if self._connection else 'waiting'}>"


_databases: Living[Database] = Living()
_beginning = platform.lock_renewed_by_forks()
"""Held by who forks as well, or else one that begins meanwhile is in sqlite then, whose locks the child keeps."""
_held = ForkLocks()


def _let_all_go() -> None:
    _held.take([_beginning], platform.FORK_SECONDS)
    # One that answers a question for too long is left alone: its child then does without what it inherits.
    databases = {each.mutex: each for each in _databases}
    for mutex in _held.take(databases, platform.FORK_SECONDS):
        if mutex in databases:
            databases[mutex].disconnect()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_let_all_go, after_in_parent=_held.let_go, after_in_child=_held.let_go)


@contextlib.contextmanager
def _at_once(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        with contextlib.suppress(sqlite3.Error):  # some errors have rolled back already
            connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def _statements(script: str) -> Iterator[str]:
    # `executescript` would commit what has been begun.
    lines = ""
    for line in script.splitlines():
        lines += line + "\n"
        if sqlite3.complete_statement(lines):
            yield lines
            lines = ""
