"""Runs two things in turn and compares them; must not know what they are."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import median


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured number per round, with its median and spread."""

    values: Sequence[float]
    unit: str = ""

    @property
    def median(self) -> float:
        """The middle value."""
        return median(self.values)

    def __str__(self) -> str:
        low, high = min(self.values), max(self.values)
        return f"{_short(self.median)}{self.unit} ({_short(low)}–{_short(high)})"


def _short(value: float) -> str:
    return f"{value:.2f}" if value < 100 else f"{value:.0f}"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a row found: the figure that has a target, and the plain ones it came from."""

    figure: Figure
    ours: Figure
    theirs: Figure | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table. `reach` is the target for the figure: at least, or (with `at_most`) at most."""

    name: str
    title: str
    against: str
    reach: float
    run: Callable[[], Outcome]
    at_most: bool = False
    unit: str = "×"
    peers: tuple[str, ...] = field(default=())

    def met(self, outcome: Outcome) -> bool:
        """Tell whether the median is where it should be."""
        value = outcome.figure.median
        return value <= self.reach if self.at_most else value >= self.reach

    @property
    def target(self) -> str:
        """The target in words."""
        return f"{'≤' if self.at_most else '≥'} {self.reach:g}{self.unit}"


def timed(work: Callable[[], object]) -> float:
    """Return the seconds that `work` takes."""
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def race(ours: Callable[[], float], theirs: Callable[[], float], rounds: int = 7) -> Outcome:
    """Run both in turn, changing who is first, and return theirs / ours per round: above 1 we are faster."""
    pairs = []
    for number in range(rounds):
        if number % 2:
            their, our = theirs(), ours()
        else:
            our, their = ours(), theirs()
        pairs.append((our, their))
    ratio = Figure([their / our for our, their in pairs], "×")
    return Outcome(ratio, Figure([our for our, _ in pairs], " s"), Figure([their for _, their in pairs], " s"))


def repeat(work: Callable[[], float], unit: str, rounds: int = 7) -> Outcome:
    """Run one thing again and again; its own figure has the target."""
    figure = Figure([work() for _ in range(rounds)], unit)
    return Outcome(figure, figure)
