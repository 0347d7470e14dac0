"""How large each asset is and when it was last used: a summary in sqlite, so that nobody has to look through folders.

The store never fails because of it: every question has an answer for the case that there is no index to ask, and one
made anew is filled from the folders, which loses nothing but the order of use. So is one that could not be told what
has changed; a file beside it remembers that, so that whoever can use it next knows.

Must not know: folders, locks of assets, who must go.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import astuple, dataclass
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from kithara_file.assets.database import Database, Schema
from kithara_file.assets.eviction import Candidate, Usage
from kithara_file.assets.reminder import Reminder
from kithara_file.clock import Clock, SystemClock

_BATCH = 64
_PAUSE_SECONDS = 600.0
"""So long from one filling for the sake of what was lost to the next: where much is lost, no more time goes into it."""

# Sums are kept by triggers and the order by an index, so that no question costs more in a larger store.
_SCHEMA = Schema(
    application=0x6B697468,
    version=1,
    script="""
CREATE TABLE assets (
    asset_id  TEXT PRIMARY KEY,
    url       TEXT NOT NULL,
    name      TEXT,
    bytes     INTEGER NOT NULL,
    last_used REAL NOT NULL,
    pins      INTEGER NOT NULL,
    measured  INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX assets_by_last_use ON assets (last_used, asset_id) WHERE pins = 0;
CREATE INDEX assets_to_measure ON assets (asset_id) WHERE measured = 0;
CREATE TABLE totals (assets INTEGER NOT NULL, bytes INTEGER NOT NULL, scanned INTEGER NOT NULL);
INSERT INTO totals VALUES (0, 0, 0);
CREATE TRIGGER assets_added AFTER INSERT ON assets
    BEGIN UPDATE totals SET assets = assets + 1, bytes = bytes + NEW.bytes; END;
CREATE TRIGGER assets_gone AFTER DELETE ON assets
    BEGIN UPDATE totals SET assets = assets - 1, bytes = bytes - OLD.bytes; END;
CREATE TRIGGER assets_sized AFTER UPDATE OF bytes ON assets
    BEGIN UPDATE totals SET bytes = bytes + NEW.bytes - OLD.bytes; END;
""",
)
_NOTE = """
INSERT INTO assets VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (asset_id) DO UPDATE SET
    url = excluded.url, name = excluded.name, last_used = excluded.last_used, measured = excluded.measured,
    bytes = CASE excluded.measured WHEN 0 THEN bytes ELSE excluded.bytes END
"""
_PIN = """
INSERT INTO assets VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (asset_id) DO UPDATE SET pins = excluded.pins
"""
# What is known keeps its last use. The rest is measured again, because it may have changed since the folder was looked
# at; and no pins are those of which the folder has to be asked.
_FOUND = """
INSERT INTO assets VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (asset_id) DO UPDATE SET
    pins = MIN(pins, excluded.pins), measured = 0
"""
# `scanned` is 1 when the folders have been looked through. Another number each time that this is to be done again, so
# that who is at it meanwhile does not say that it is done.
_DOUBT = "UPDATE totals SET scanned = MIN(scanned, 1) - 1"
_SCANNED = "UPDATE totals SET scanned = 1 WHERE scanned = ?"
_LEAST_RECENT = """
SELECT asset_id, bytes, last_used, pins FROM assets
WHERE pins = 0 AND (last_used, asset_id) > (?, ?) ORDER BY last_used, asset_id LIMIT ?
"""


@dataclass(frozen=True, slots=True)
class Row:
    """What the index knows of one asset."""

    asset_id: str
    url: str
    name: str | None
    bytes: int
    last_used: float
    pins: int = 0
    measured: bool = True
    """False while the asset may be growing: `bytes` is out of date then, and stays so when its users die."""


class Known(NamedTuple):
    """What is shown of one asset."""

    url: str = ""
    name: str | None = None
    last_used: float = 0.0


class Index:
    """The index of one store; any thread may ask it, after a fork the child too."""

    def __init__(self, path: Path, lock: Path, clock: Clock | None = None) -> None:
        self._database = Database(path, lock, _SCHEMA, clock)
        self._lost = Reminder(path.with_suffix(".lost"))
        self._clock = clock or SystemClock()
        self._content_until = float("-inf")

    def note(self, row: Row) -> None:
        """Take down that an asset was used; its size too, when it was measured. Its pins stay, if it was known."""
        self._do(_NOTE, *astuple(row))

    def pin(self, row: Row) -> None:
        """Take down how many pins an asset has, and the rest if it was not known."""
        self._do(_PIN, *astuple(row))

    def repin(self, asset_id: str, pins: int) -> None:
        """Take down how many pins an asset has, which is known or of no interest."""
        self._do("UPDATE assets SET pins = ? WHERE asset_id = ?", pins, asset_id)

    def touch(self, asset_id: str, last_used: float) -> bool:
        """Take down that an asset was used again; return False when it is not known here."""
        # That this is lost is no reason to look through all folders.
        return self._changed("UPDATE assets SET last_used = ? WHERE asset_id = ?", last_used, asset_id) != 0

    def resize(self, asset_id: str, stored: int, *, measured: bool) -> None:
        """Take down what an asset takes on the disk, and whether that will stay so."""
        self._do("UPDATE assets SET bytes = ?, measured = ? WHERE asset_id = ?", stored, measured, asset_id)

    def forget(self, asset_id: str) -> None:
        """Take down that an asset is gone."""
        self._do("DELETE FROM assets WHERE asset_id = ?", asset_id)

    def fill(self, rows: Iterable[Row]) -> None:
        """Add the assets that are not known here, have the others measured, and remember that this has been done.

        Ends early when the index cannot be used.
        """
        before = self._all("SELECT scanned FROM totals")
        found = iter(rows)
        while batch := [astuple(row) for row in islice(found, _BATCH)]:
            if not self._add(batch):
                return
        for each in before:
            self._changed(_SCANNED, *each)

    def complete(self) -> bool:
        """Tell whether the folders have been looked through for this index, and nothing was lost since.

        True when there is none to fill, and for a while after it was filled for what was lost. Who is told False fills
        it.
        """
        now = self._clock.monotonic()
        if self._lost and now >= self._content_until and self._changed(_DOUBT) is not None:
            self._content_until = now + _PAUSE_SECONDS
            self._lost.clear()
            return False
        scanned = self._all("SELECT scanned FROM totals")
        return all(each == 1 for (each,) in scanned)

    def usage(self) -> Usage:
        """Return the sums over all assets; nothing when there is no index."""
        totals = self._all("SELECT assets, bytes FROM totals")
        return Usage(*totals[0]) if totals else Usage(0, 0)

    def least_recent(self) -> Iterator[Candidate]:
        """Yield the assets without pins, first the one whose last use is longest ago; O(log n) to begin."""
        last_used, asset_id = float("-inf"), ""
        while batch := self._all(_LEAST_RECENT, last_used, asset_id, _BATCH):
            for asset_id, stored, last_used, pins in batch:
                yield Candidate(asset_id, stored, last_used, pinned=pins > 0)

    def known(self, asset_id: str | None = None) -> dict[str, Known]:
        """Return what people may want to know of every asset, or of one, by its id."""
        question, facts = ("", ()) if asset_id is None else (" WHERE asset_id = ?", (asset_id,))
        found = self._all(f"SELECT asset_id, url, name, last_used FROM assets{question}", *facts)  # noqa: S608 - constants
        return {each[0]: Known(*each[1:]) for each in found}

    def unmeasured(self) -> list[str]:
        """Return the assets that are growing, or were when their users died."""
        return [asset_id for (asset_id,) in self._all("SELECT asset_id FROM assets WHERE measured = 0")]

    @property
    def unusable(self) -> bool:
        """True while there is no index to ask, as on a full disk, which has no room for its log; not once closed."""
        return not self._all("SELECT scanned FROM totals") and not self._database.closed

    def close(self) -> None:
        """Let the file go; from then on nothing is taken down. Idempotent."""
        self._database.close()

    def _do(self, statement: str, *facts: object) -> None:
        # After the close there is nothing to remember: whoever is not done by then is taken down as growing, and the
        # next one measures what came of it.
        if self._changed(statement, *facts) is None and not self._database.closed:
            self._lost.set()

    def _changed(self, statement: str, *facts: object) -> int | None:
        return self._database.ask(lambda sql: sql.execute(statement, facts).rowcount, None)

    def _all(self, question: str, *facts: object) -> list[tuple[Any, ...]]:
        return self._database.ask(lambda sql: sql.execute(question, facts).fetchall(), [])

    def _add(self, rows: list[tuple[Any, ...]]) -> bool:
        def add(sql: sqlite3.Connection) -> bool:
            with sql:
                sql.execute("BEGIN IMMEDIATE")
                sql.executemany(_FOUND, rows)
            return True

        return self._database.ask(add, False)

    def __repr__(self) -> str:
        return f"<Index in {self._database!r}>"
