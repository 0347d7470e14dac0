"""Unit tests of comparing stored bytes with their records."""

from __future__ import annotations

from pathlib import Path

from xxhash import xxh3_64_intdigest

from kithara_file.ranges import Coverage
from kithara_file.storage import verify
from kithara_file.storage.record import LANDED, UNHASHED, Record
from kithara_file.storage.system import OpenFile
from tests.unit.storage.places import pattern

BYTES = pattern(0, 3_000_000)


def stored(folder: Path) -> OpenFile:
    (folder / "data").write_bytes(BYTES)
    return OpenFile.readable(folder / "data")


def right(start: int, end: int) -> Record:
    return Record(LANDED, start, end, xxh3_64_intdigest(BYTES[start:end]))


def wrong(start: int, end: int) -> Record:
    return right(start, end)._replace(digest=1)


def of(*spans: tuple[int, int]) -> Coverage:
    return Coverage.of(spans)


def test_records_that_match_are_no_damage(tmp_path: Path) -> None:
    data = stored(tmp_path)
    assert verify.damage(data, [right(0, 10), right(5, 3_000_000)]) == of()


def test_a_record_that_does_not_match_is_damage_as_a_whole(tmp_path: Path) -> None:
    data = stored(tmp_path)
    assert verify.damage(data, [right(0, 10), wrong(20, 30)]) == of((20, 30))


def test_of_records_that_overlap_the_latest_decides(tmp_path: Path) -> None:
    data = stored(tmp_path)
    assert verify.damage(data, [wrong(0, 20), right(5, 15)]) == of((0, 5), (15, 20))
    assert verify.damage(data, [right(5, 15), wrong(0, 20)]) == of((0, 20))


def test_bytes_beyond_the_end_of_the_file_are_damage(tmp_path: Path) -> None:
    data = stored(tmp_path)
    assert verify.damage(data, [right(2_999_990, 3_000_010)]) == of((2_999_990, 3_000_010))
    assert verify.damage(data, [Record(UNHASHED, 0, 3_000_001)]) == of((0, 3_000_001))


def test_a_record_without_a_digest_is_believed_but_proves_nothing(tmp_path: Path) -> None:
    data = stored(tmp_path)
    records = [Record(UNHASHED, 0, 100), right(50, 60), wrong(200, 210)]
    assert verify.damage(data, records[:2]) == of()
    assert verify.proven(data, records) == of((50, 60))


def test_progress_counts_to_the_end(tmp_path: Path) -> None:
    data = stored(tmp_path)
    steps: list[tuple[int, int]] = []
    verify.damage(data, [right(0, 10), right(100, 120)], lambda done, total: steps.append((done, total)))
    assert steps == [(10, 30), (30, 30)]
