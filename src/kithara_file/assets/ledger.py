"""Keeps the index in step with the folders, and removes the assets that must go.

Must not know: what is in a resource, who decides that a limit is reasonable.
"""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from kithara_file.assets.disk import told
from kithara_file.assets.eviction import Candidate, Limits, Usage, Verdict, verdict
from kithara_file.assets.index import Index, Known, Row
from kithara_file.assets.keys import ResourceKey
from kithara_file.assets.layout import AssetFolder, Layout, weight, worthless
from kithara_file.assets.leases import sole
from kithara_file.assets.locks import FileLock
from kithara_file.assets.meta import read_meta
from kithara_file.assets.pins import certain, pins_of
from kithara_file.assets.reminder import Reminder
from kithara_file.clock import Clock, Deadline
from kithara_file.errors import LeaseHeld, StorageError

_log = logging.getLogger(__name__)
_TURN_SECONDS = 1.0
"""How long one process waits while another one evicts, when that is all it is asked for."""
_SOON_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Freed:
    """What an eviction removed."""

    assets: int = 0
    bytes: int = 0

    def __add__(self, more: Freed) -> Freed:
        """Return what both removed."""
        return Freed(self.assets + more.assets, self.bytes + more.bytes)


class Ledger:
    """The books of one store: who was used when, how large it is, and who goes."""

    def __init__(self, layout: Layout, limits: Limits, clock: Clock) -> None:
        self._layout = layout
        self._limits = limits
        self._clock = clock
        self._index = Index(layout.index, layout.index_lock, clock)
        self._due = Reminder(layout.eviction_due)

    def growing(self, key: ResourceKey) -> None:
        """Note that an asset is in use and its size is going to change."""
        self._index.note(self._row(key, self._layout.asset(key.asset_id), 0, measured=False))

    def settled(self, key: ResourceKey, folder: AssetFolder) -> None:
        """Note that somebody has done with an asset that he changed; removed when nothing in it is worth keeping."""
        with sole(folder) as alone:
            files = _files(folder, alone=alone) if alone or folder.present else []
            if alone and worthless(files):
                self._remove(folder)
            elif files:
                stored = weight(files)
                self._index.note(self._row(key, folder, stored))
                if not alone:  # others go on using it: its size is theirs to settle
                    self._index.resize(key.asset_id, stored, measured=False)
            else:
                self._index.forget(key.asset_id)

    def used(self, key: ResourceKey, folder: AssetFolder) -> None:
        """Note that somebody has done with an asset that he only read."""
        if not self._index.touch(key.asset_id, self._clock.wall()):
            self._index.note(self._row(key, folder, folder.stored_bytes()))

    def changed(self, asset_id: str) -> None:
        """Note that the size of an asset may be another one, though nobody used it."""
        folder = self._layout.asset(asset_id)
        self._index.resize(asset_id, folder.stored_bytes(), measured=False)

    def known(self, asset_id: str | None = None) -> dict[str, Known]:
        """Return what the index knows of every asset, or of one; nothing is made by asking."""
        return self._index.known(asset_id) if self._layout.index.exists() else {}

    def usage(self) -> Usage:
        """Return what the whole store takes, as the index has it."""
        with contextlib.suppress(StorageError):
            self._bring_up_to_date()
        return self._index.usage()

    def pinned(self, key: ResourceKey, folder: AssetFolder) -> None:
        """Note how many pins an asset has; called while nobody else can change them."""
        self._index.pin(self._row(key, folder, 0, measured=False))

    def _row(self, key: ResourceKey, folder: AssetFolder, stored: int, *, measured: bool = True) -> Row:
        pins = certain(pins_of(folder))
        return Row(key.asset_id, key.url, key.name, stored, self._clock.wall(), pins, measured)

    def remove(self, asset_id: str, *, pinned: bool = True) -> bool:
        """Remove an asset; return False when somebody uses it, or pins it unless `pinned`. Raises `OSError`."""
        folder = self._layout.asset(asset_id)
        with sole(folder) as alone:
            # The file of the pins decides, whatever the index says: nobody can change it now.
            pins = frozenset() if pinned or not alone else pins_of(folder)
            if pins:
                self._index.repin(asset_id, certain(pins))
                return False
            if alone:
                self._remove(folder)
            elif folder.path.exists():
                return False
            else:
                self._index.forget(asset_id)
        return True

    def _remove(self, folder: AssetFolder) -> None:
        # Forgotten while nobody can come in, so that it is never a newcomer's row that goes; and after the bytes, so
        # that a crash never leaves bytes which no row counts.
        folder.clear()
        self._index.forget(folder.asset_id)
        folder.vanish()

    def make_room(self, coming: int | None) -> int | None:
        """Evict so that `coming` bytes more (None: nobody knows how many) may land; return after how many to ask again.

        None when the limits do not count bytes; soon, when it was left to who evicts already. Room is made for two
        steps, because landing goes on meanwhile, and also for every other download that is under way.
        """
        step = self._limits.step
        if step is not None:
            self.evict(2 * step if coming is None else min(2 * step, coming), 2 * step)
        elif not self._limits.none:
            self.evict()
        return min(step, _SOON_BYTES) if step is not None and self._due else step

    def evict(self, coming: int = 0, others_coming: int = 0, *, patience: float = 0.0) -> Freed:
        """Remove what must go under the limits, least recently used first; never what is in use or pinned.

        `coming` bytes, and `others_coming` for each other asset that grows, are counted as if they were here already.
        Only one process does so at a time: after `patience` seconds it is left to that one, which looks again for it.
        Does nothing when the disk fails.
        """
        freed = Freed()
        due = not self._limits.none
        try:
            while due:
                with told("evict from", self._layout.root), contextlib.closing(FileLock(self._layout.lock)) as lock:
                    if not self._in_turn(lock, patience):
                        break
                    self._due.clear()
                    growing = self._bring_up_to_date()
                    freed += self._sweep(coming + others_coming * max(0, growing - 1))
                # Asked without the lock: who could not have it meanwhile said so before it tried for the last time.
                due, patience = bool(self._due), 0.0
        except StorageError as error:
            _log.warning("! nothing evicted: %s", error)
        return freed

    def evict_in_turn(self) -> Freed:
        """Do the same, but wait a while for who evicts already."""
        return self.evict(patience=_TURN_SECONDS)

    def _in_turn(self, lock: FileLock, patience: float) -> bool:
        with contextlib.suppress(LeaseHeld):
            lock.alone(Deadline.after(patience))
            return True
        _log.debug("? eviction is left to who evicts already")
        self._due.set()
        return lock.try_alone()

    def _sweep(self, coming: int) -> Freed:
        freed = self._swept(self._index.least_recent(), lambda _: self._index.usage(), coming)
        if not self._index.unusable:
            return freed
        # It may have failed in the midst of this. A full disk must get room all the same, and needs it most.
        found = sorted(self._found(), key=lambda each: each.last_used)
        stored = sum(each.bytes for each in found)
        may_go = (Candidate(each.asset_id, each.bytes, each.last_used) for each in found if not each.pins)
        more = self._swept(may_go, lambda gone: Usage(len(found) - gone.assets, stored - gone.bytes), coming)
        return freed + more

    def _swept(self, candidates: Iterable[Candidate], usage: Callable[[Freed], Usage], coming: int) -> Freed:
        freed = Freed()
        now = self._clock.wall()
        for candidate in candidates:
            left = self._with_free(usage(freed)).ahead(coming)
            decided = verdict(candidate, left, self._limits, now)
            if decided is Verdict.ENOUGH:
                break
            if decided is Verdict.EVICT and self._gone(candidate.asset_id):
                _log.debug("- evicted %s, %d bytes", candidate.asset_id, candidate.bytes)
                freed += Freed(1, candidate.bytes)
        return freed

    def _gone(self, asset_id: str) -> bool:
        try:
            return self.remove(asset_id, pinned=False)
        except OSError as error:
            _log.warning("! asset %s cannot be evicted: %s", asset_id, error)
            return False

    def _with_free(self, usage: Usage) -> Usage:
        return usage if self._limits.min_free_bytes is None else replace(usage, free_bytes=self._layout.free_bytes())

    def _bring_up_to_date(self) -> int:
        """Measure what must be measured; return how many assets are growing."""
        if not self._index.complete():
            self._forget_the_gone()
            self._index.fill(self._found())
        growing = 0
        for asset_id in self._index.unmeasured():
            folder = self._layout.asset(asset_id)
            with sole(folder) as alone:
                self._index.resize(asset_id, weight(_files(folder, alone=alone)), measured=alone)
                growing += not alone
        return growing

    def _forget_the_gone(self) -> None:
        for asset_id in self._index.known():
            if not self._layout.asset(asset_id).present:
                self._index.forget(asset_id)

    def _found(self) -> Iterator[Row]:
        for folder in self._layout.every_asset():
            facts = next((meta for path in folder.metas() if (meta := read_meta(path))), None)
            url, name = (facts.url, facts.name) if facts else ("", None)
            with sole(folder) as alone:
                stored, used = weight(_files(folder, alone=alone)), folder.last_changed()
            yield Row(folder.asset_id, url, name, stored, used, certain(pins_of(folder)), measured=alone)

    def close(self) -> None:
        """Let the index go. Idempotent."""
        self._index.close()

    def __repr__(self) -> str:
        return f"<Ledger of {self._layout.root}>"


def _files(folder: AssetFolder, *, alone: bool) -> list[os.DirEntry[str]]:
    # What is unfinished is somebody's who uses the asset, or nobody's.
    return folder.swept() if alone else folder.files()
