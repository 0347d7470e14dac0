"""The situations that a download gets into, and the words to say them in."""

from __future__ import annotations

from kithara_file.config import KIB, MIB, Policy
from kithara_file.ranges import ByteRange, Coverage
from kithara_file.session.plan import decide
from kithara_file.session.view import Fetch, Plan, Start, View
from tests.unit.session import laws

LENGTH = 200 * MIB
AHEAD = 16 * MIB
SEEK = 256 * KIB
IDLE = Policy().idle_seconds
ONE_SLOT = Policy(max_fetches=1)
FOUR = Policy(look_ahead_bytes=None, max_fetches=4, connections=4)
FOUR_AHEAD = Policy(max_fetches=4, connections=4)
UNLIMITED = Policy(look_ahead_bytes=None)
PLAIN_GET = Start(0, None, sequential=True)


def present(*spans: tuple[int, int]) -> Coverage:
    return Coverage(ByteRange(start, end) for start, end in spans)


def body(number: int, begun: int, position: int, end: int | None = None, *, since: float | None = None) -> Fetch:
    """Return a fetch in flight; an open-ended one is the sequential download."""
    return Fetch(number, begun, position, end, sequential=end is None, resting_since=since)


BASE = View(length=LENGTH, coverage=Coverage(), divisible=True, now=100.0)


def planned(view: View) -> Plan:
    """Decide, and hold every law as well."""
    plan = decide(view)
    laws.hold(view, plan)
    return plan


SEQUENTIAL = body(1, 0, 2 * MIB)
HEAD = present((0, 2 * MIB))
FAR = 100 * MIB
FAR_RUN = present((0, 2 * MIB), (FAR, FAR + SEEK))
