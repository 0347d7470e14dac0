"""The house rules that every test is under: nothing is left behind, and nothing depends on chance."""

from __future__ import annotations

import signal
from collections.abc import Generator, Iterator

import hypothesis
import pytest

from tests import leaks

pytest_plugins = ["tests.world.fixtures", "tests.reliability"]

# The quick profile tries the same examples each time: a test that fails now and then teaches people to press the button
# again. The search for new examples is what `make stress` is for.
hypothesis.settings.register_profile("quick", max_examples=50, derandomize=True, database=None, deadline=None)
hypothesis.settings.register_profile("stress", max_examples=2000, deadline=None, print_blob=True)
hypothesis.settings.load_profile("quick")

_started = pytest.StashKey[leaks.Belongings]()
_failed = pytest.StashKey[bool]()


def pytest_configure() -> None:
    """Hear Ctrl-C, and let the children of tests hear it: a shell has jobs in its background inherit deafness to it."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Look at what exists before any test."""
    leaks.set_aside()
    session.config.stash[_started] = leaks.take_stock()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Remember a failure for the fixture below, which ends after it."""
    report = yield
    if report.failed:
        item.stash[_failed] = True
    return report


@pytest.fixture(autouse=True)
def leaves_nothing_behind(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test after which threads, tasks, sockets or open files remain that were not there before it.

    A test that failed is let off: its traceback keeps alive whatever its frames held.
    """
    before = leaks.take_stock()
    yield
    if request.node.stash.get(_failed, False):
        leaks.forgive()
        return
    found = leaks.left_behind(before, request.config.stash[_started])
    if found:
        pytest.fail("left behind:\n  " + "\n  ".join(found), pytrace=False)
