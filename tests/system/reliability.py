"""Writes docs/reliability.md from a run of the system tests: what is promised, which test shows it, what came out.

    python -m pytest -p tests.system.reliability --reliability-table docs/reliability.md -m system

A promise is the name of a test, read as the sentence that it is; a chapter is the first line of its module. Must not
know: what any test does.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

HEAD = """# Reliability

What the library promises when the far end, the network or the disk does not, and the test that shows it. Written by
a run of the system tests (`tests/system/reliability.py` says how); not by hand.
"""


@dataclass(slots=True)
class Promise:
    """One test function and the outcomes of all its cases."""

    chapter: str
    module: str
    name: str
    outcomes: list[str] = field(default_factory=list)

    @property
    def sentence(self) -> str:
        """What the name says."""
        words = self.name.removeprefix("test_").replace("_", " ")
        return words[:1].upper() + words[1:]

    @property
    def result(self) -> str:
        """What came out, for people."""
        kinds = {kind: self.outcomes.count(kind) for kind in ("failed", "skipped", "passed")}
        if len(self.outcomes) == 1:
            return self.outcomes[0]
        return ", ".join(f"{count} {kind}" for kind, count in kinds.items() if count)


class Table:
    """Gathers promises while the tests run, and writes them at the end."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._promises: dict[str, Promise] = {}

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Take the promises in the order in which they are written, whatever the order of the run."""
        for item in sorted(session.items, key=_place):
            if item.get_closest_marker("system") and isinstance(item, pytest.Function):
                chapter = (item.module.__doc__ or item.module.__name__).strip().splitlines()[0]
                module = item.path.relative_to(session.config.rootpath).as_posix()
                self._promises.setdefault(_key(item.nodeid), Promise(chapter, module, item.originalname))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take in the outcome of one case: of its call, or of what kept it from being called or spoiled it after."""
        promise = self._promises.get(_key(report.nodeid))
        if promise is not None and (report.when == "call" or not report.passed):
            promise.outcomes.append(report.outcome)

    def pytest_sessionfinish(self) -> None:
        """Write the page."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.write_text("\n".join(_page(self._promises.values())) + "\n", encoding="utf-8")


def _page(promises: Iterable[Promise]) -> Iterator[str]:
    yield HEAD.rstrip()
    chapter = None
    for each in promises:
        if each.chapter != chapter:
            chapter = each.chapter
            yield from ("", f"## {chapter}", "", f"`{each.module}`", "", "| promise | test | result |", "|---|---|---|")
        yield f"| {each.sentence} | `{each.name}` | {each.result or 'not run'} |"


def _key(nodeid: str) -> str:
    return nodeid.partition("[")[0]


def _place(item: pytest.Item) -> tuple[str, int]:
    return str(item.path), item.location[1] or 0


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that names the page."""
    parser.addoption("--reliability-table", type=Path, metavar="FILE", help="write the table of promises to FILE")


def pytest_configure(config: pytest.Config) -> None:
    """Gather when asked to."""
    path = config.getoption("--reliability-table")
    if path is not None:
        config.pluginmanager.register(Table(path), "reliability table")
