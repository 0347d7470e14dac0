"""Whatever is done to a store, in any order, it holds what a dictionary would."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from kithara_file.assets.entry import Entry
from kithara_file.assets.store import AssetStore
from tests.unit.assets.goods import key, remote
from tests.world.clock import FakeClock

SIZE = 64
KEYS = st.integers(0, 1)
VERSIONS = st.integers(0, 1)


def body(version: int) -> bytes:
    """Return the one right content of a version."""
    return bytes((at * 7 + version * 101) % 256 for at in range(SIZE))


@dataclass
class Held:
    """What the dictionary has under one key."""

    version: int
    present: set[int] = field(default_factory=set)
    committed: bool = False


class StoreAgainstDict(RuleBasedStateMachine):
    """A store, and a dictionary that is told the same."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="kithara-model-"))
        self.clock = FakeClock()
        self.store = AssetStore(self.folder / "store", clock=self.clock)
        self.held: dict[int, Held] = {}
        self.pins: set[int] = set()
        self.entries: dict[int, Entry] = {}

    @initialize()
    def begins_empty(self) -> None:
        assert self.store.assets() == []

    # -- what is done ------------------------------------------------------------------------------------------------

    @rule(number=KEYS)
    def opens(self, number: int) -> None:
        if number not in self.entries:
            self.entries[number] = self.store.open(key(number))
            self.clock.advance(1.0)

    @rule(number=KEYS, version=VERSIONS)
    def begins(self, number: int, version: int) -> None:
        self.opens(number)
        self.entries[number].begin(remote(f'"{version}"', SIZE))
        if number not in self.held or self.held[number].version != version:
            self.held[number] = Held(version)

    @rule(number=KEYS, start=st.integers(0, SIZE - 1), size=st.integers(1, SIZE))
    def writes(self, number: int, start: int, size: int) -> None:
        self.opens(number)
        if number not in self.held:
            self.begins(number, size % 2)
        if not self.held[number].committed:
            held, resource = self.held[number], self.entries[number].resource
            assert resource is not None
            end = min(SIZE, start + size)
            resource.write_at(start, body(held.version)[start:end])
            held.present |= set(range(start, end))

    @rule(number=KEYS)
    def completes(self, number: int) -> None:
        self.writes(number, 0, SIZE)
        self.entries[number].commit()
        self.held[number].committed = True

    @rule(number=KEYS)
    def closes(self, number: int) -> None:
        if number in self.entries:
            self.entries.pop(number).close()

    @rule(number=KEYS)
    def pins_it(self, number: int) -> None:
        self.store.pin(key(number))
        self.pins.add(number)

    @rule(number=KEYS)
    def unpins_it(self, number: int) -> None:
        self.store.unpin(key(number))
        self.pins.discard(number)

    @rule()
    def evicts_all_it_can(self) -> None:
        with AssetStore(self.folder / "store", max_assets=0, clock=self.clock) as strict:
            strict.gc()
        for number in list(self.held):
            if number not in self.entries and number not in self.pins:
                del self.held[number]

    @rule(number=KEYS)
    def damages_and_verifies(self, number: int) -> None:
        held = self.held.get(number)
        if held is None or not held.present:
            return
        self.closes(number)
        with self.store.path(key(number)).open("r+b") as file:
            file.seek(min(held.present))
            file.write(b"\xff" if body(held.version)[min(held.present)] != 0xFF else b"\x00")
        (finding,) = self.store.verify(key(number))
        assert min(held.present) in finding.bad
        assert {at for each in finding.bad for at in range(each.start, each.end)} <= held.present
        held.present -= {at for each in finding.bad for at in range(each.start, each.end)}
        held.committed = False

    # -- what happens to it ------------------------------------------------------------------------------------------

    @precondition(lambda self: not self.entries)
    @rule()
    def is_opened_by_another_process(self) -> None:
        self.store.close()
        self.store = AssetStore(self.folder / "store", clock=self.clock)

    @rule()
    def loses_its_index(self) -> None:
        for each in (self.folder / "store").glob("index.sqlite3*"):
            each.unlink()

    @rule()
    def is_copied_as_a_crash_would_leave_it(self) -> None:
        if not (self.folder / "store").exists():
            return
        shutil.copytree(self.folder / "store", self.folder / "copy")
        with AssetStore(self.folder / "copy") as copy:
            for number, held in self.held.items():
                with copy.open(key(number)) as entry:
                    assert self._present(entry, held.version) <= held.present
                    assert entry.committed is held.committed
        shutil.rmtree(self.folder / "copy")

    # -- what must hold ----------------------------------------------------------------------------------------------

    @staticmethod
    def _present(entry: Entry, version: int) -> set[int]:
        """Return which bytes are there, all of which are right."""
        if entry.resource is None:
            return set()
        found: set[int] = set()
        for span in entry.resource.snapshot():
            buffer = bytearray(len(span))
            assert entry.resource.read_at(span.start, memoryview(buffer)) == len(span)
            assert buffer == body(version)[span.start : span.end]
            found |= set(range(span.start, span.end))
        return found

    @invariant()
    def open_entries_hold_what_the_dictionary_does(self) -> None:
        for number, entry in self.entries.items():
            held = self.held.get(number)
            assert self._present(entry, held.version if held else 0) == (held.present if held else set())
            assert entry.committed is (held is not None and held.committed)

    @invariant()
    def what_is_stored_is_what_the_dictionary_holds(self) -> None:
        found = {each.asset_id: each for each in self.store.assets()}
        for number in range(2):
            asset, held = found.get(key(number).asset_id), self.held.get(number)
            if number not in self.entries:
                present = {
                    at
                    for one in (asset.resources if asset else ())
                    for span in one.coverage
                    for at in range(span.start, span.end)
                }
                assert present == (held.present if held else set())
            assert (asset is not None and bool(asset.pins)) is (number in self.pins)

    def teardown(self) -> None:
        for entry in self.entries.values():
            entry.close()
        self.store.close()
        shutil.rmtree(self.folder)


def test_a_store_holds_what_a_dictionary_would() -> None:
    run_state_machine_as_test(StoreAgainstDict, settings=settings(stateful_step_count=25))
