"""A pytest plugin which writes what the system tests promise, and whether each promise was kept, as a page of the docs.

    pytest -m system --reliability docs/reliability.md

A promise is the first line of a test's docstring, or its name, which is a sentence. Must not know: any test.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

_HEAD = """# What is promised, and tested

Each row is a test over a real origin, disk and process; the tests run it against everything its cases name. This page
is written by `make test`, never by hand: a promise that is not kept says so here.
"""
_ROW_HEAD = "| promise | test | result |\n|---|---|---|\n"


@dataclass(slots=True)
class Promise:
    """One test with all its cases."""

    text: str
    test: str
    outcomes: Counter[str] = field(default_factory=Counter)
    reasons: set[str] = field(default_factory=set)

    @property
    def result(self) -> str:
        """What became of it."""
        failed, skipped, held = (self.outcomes[each] for each in ("failed", "skipped", "passed"))
        cases = failed + skipped + held
        if failed:
            return f"**broken** in {failed} of {cases} cases" if cases > 1 else "**broken**"
        if not held:
            return f"not tried: {'; '.join(sorted(self.reasons))}"
        some = f", {skipped} not tried: {'; '.join(sorted(self.reasons))}" if skipped else ""
        return f"kept ({held} case{'s' if held > 1 else ''}{some})" if cases > 1 else "kept"


Chapters = dict[str, dict[str, Promise]]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Take the name of the page; without it nothing is written."""
    parser.addoption("--reliability", metavar="PAGE", help="write promises and results of the system tests to PAGE")


def pytest_configure(config: pytest.Config) -> None:
    """Begin to listen."""
    config.pluginmanager.register(_Scribe(config), "reliability scribe")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the reports of system tests carry their promise, also from one process to another."""
    for item in items:
        if item.get_closest_marker("system") and isinstance(item, pytest.Function):
            chapter = first_line(item.module.__doc__) or item.module.__name__
            promise = first_line(item.function.__doc__) or sentence(item.originalname)
            item.user_properties.append(("promise", [chapter, promise, item.nodeid.partition("[")[0]]))


class _Scribe:
    """Hears every report once, in the process that gathers them."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._chapters: Chapters = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take down how a case ended; an error before or after it counts as its failure."""
        if report.when != "call" and report.passed:
            return
        for name, value in report.user_properties:
            if name == "promise":
                reason = str(report.longrepr[-1]) if isinstance(report.longrepr, tuple) else ""
                note(self._chapters, value, report.outcome, reason)  # type: ignore[arg-type]

    def pytest_sessionfinish(self) -> None:
        """Write the page, if one is wanted and this is not a worker."""
        target = self._config.getoption("--reliability")
        if target and not hasattr(self._config, "workerinput"):
            Path(target).write_text(page(self._chapters), encoding="utf-8")


def note(chapters: Chapters, told: tuple[str, str, str], outcome: str, reason: str) -> None:
    """Add one outcome to its promise."""
    chapter, text, test = told
    promise = chapters.setdefault(chapter, {}).setdefault(test, Promise(text, test))
    promise.outcomes[outcome] += 1
    if outcome == "skipped":
        promise.reasons.add(first_line(reason.removeprefix("Skipped: ")))


def page(chapters: Mapping[str, Mapping[str, Promise]]) -> str:
    """Return the page, in an order that does not depend on that of the run."""
    parts = [_HEAD]
    for chapter, promises in sorted(chapters.items(), key=lambda each: min(each[1])):
        parts.append(f"\n## {chapter}\n\n{_ROW_HEAD}{''.join(_rows(promises.values()))}")
    return "".join(parts)


def _rows(promises: Iterable[Promise]) -> list[str]:
    ordered = sorted(promises, key=lambda each: each.test)
    return [f"| {_cell(each.text)} | `{each.test}` | {_cell(each.result)} |\n" for each in ordered]


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def first_line(text: str | None) -> str:
    """Return the first line of a docstring, or of anything."""
    return (text or "").strip().partition("\n")[0].strip()


def sentence(name: str) -> str:
    """Return the name of a test as the sentence that it is."""
    words = name.removeprefix("test_").replace("_", " ")
    return f"{words[:1].upper()}{words[1:]}."
