"""The page of promises says what happened, whatever the order in which it did."""

from __future__ import annotations

from tests.reliability import Chapters, note, page, sentence

ONE = ("Disks", "A full disk is read past.", "tests/a.py::test_full")
TWO = ("Disks", "A clock | jumps.", "tests/a.py::test_clock")
THREE = ("Clocks", "It ticks.", "tests/b.py::test_tick")


def test_a_name_is_a_sentence() -> None:
    assert sentence("test_a_full_disk_is_read_past") == "A full disk is read past."


def test_each_promise_is_a_row_with_what_became_of_its_cases() -> None:
    chapters: Chapters = {}
    note(chapters, ONE, "passed", "")
    note(chapters, ONE, "failed", "")
    note(chapters, TWO, "passed", "")
    note(chapters, THREE, "skipped", "Skipped: no clock here\nat all")
    assert page(chapters).splitlines()[4:] == [
        "",
        "## Disks",
        "",
        "| promise | test | result |",
        "|---|---|---|",
        "| A clock \\| jumps. | `tests/a.py::test_clock` | kept |",
        "| A full disk is read past. | `tests/a.py::test_full` | **broken** in 1 of 2 cases |",
        "",
        "## Clocks",
        "",
        "| promise | test | result |",
        "|---|---|---|",
        "| It ticks. | `tests/b.py::test_tick` | not tried: no clock here |",
    ]


def test_the_order_of_the_run_does_not_show() -> None:
    outcomes = [(ONE, "passed"), (TWO, "passed"), (ONE, "skipped"), (THREE, "passed")]
    forth: Chapters = {}
    back: Chapters = {}
    for told, outcome in outcomes:
        note(forth, told, outcome, "no")
    for told, outcome in reversed(outcomes):
        note(back, told, outcome, "no")
    assert page(forth) == page(back)
    assert "kept (1 case, 1 not tried: no)" in page(forth)
