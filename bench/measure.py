"""What a measurement is, and how several things are measured in turn; must not know what they are."""

from __future__ import annotations

import time
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median

ROUNDS = 7
OURS = "kithara"


class NotThere(Exception):
    """What was to be measured is not to be had here; the text says why."""


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
        spread = f" ({_short(low)}–{_short(high)})" if len(self.values) > 1 else ""
        return f"{_short(self.median)}{self.unit}{spread}"


def _short(value: float) -> str:
    return f"{value:.2f}" if value < 100 else f"{value:.0f}"


@dataclass(frozen=True, slots=True)
class Goal:
    """What one figure of a row shall reach: at least, or (with `at_most`) at most."""

    limit: float
    unit: str = "×"
    at_most: bool = True
    of: str = ""

    def met(self, figure: Figure) -> bool:
        """Tell whether the median is where it should be."""
        return figure.median <= self.limit if self.at_most else figure.median >= self.limit

    def __str__(self) -> str:
        return f"{'≤' if self.at_most else '≥'} {self.limit:g}{self.unit}{' ' + self.of if self.of else ''}"


def at_least(limit: float, of: str = "", unit: str = "×") -> Goal:
    """Return a goal that more is better for."""
    return Goal(limit, unit, at_most=False, of=of)


def at_most(limit: float, unit: str = "×", of: str = "") -> Goal:
    """Return a goal that less is better for."""
    return Goal(limit, unit, of=of)


@dataclass(frozen=True, slots=True)
class Found:
    """What a row found for one of its goals, and the plain figures that came from."""

    figure: Figure
    ours: Figure | None = None
    theirs: Figure | None = None


@dataclass(frozen=True, slots=True)
class Rival:
    """One of those that stood beside us: its figures, or why it has none."""

    name: str
    seconds: Figure | None = None
    mib: Figure | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a row found: one `Found` for each of its goals, in their order."""

    found: tuple[Found, ...]
    notes: tuple[str, ...] = ()
    rivals: tuple[Rival, ...] = ()


SLOW = (
    "A time and no ratio, and what this machine gives changes by a factor of three from hour to hour: opening a cached "
    "file took 0.36 ms in one run and 1.5 ms in another."
)


@dataclass(frozen=True, slots=True)
class Row:
    """One measurement: what is compared with what, what it shall reach, and why it does not where we know."""

    name: str
    title: str
    against: str
    goals: tuple[Goal, ...]
    run: Callable[[], Outcome]
    why: str = ""


@dataclass(frozen=True, slots=True)
class Sample:
    """What one round of one contender took."""

    seconds: float
    cpu: float = 0.0
    mib: float = 0.0


@dataclass(frozen=True, slots=True)
class Contest:
    """The samples of everybody, round by round; those who failed, with the reason."""

    samples: Mapping[str, Sequence[Sample]]
    failed: Mapping[str, str] = field(default_factory=dict)

    def figure(self, who: str, what: str = "seconds", unit: str = " s") -> Figure:
        """Return one quantity of one contender. Raises `NotThere` for one who failed."""
        if not self.samples.get(who):
            raise NotThere(self.failed.get(who, f"{who} did not run"))
        return Figure([getattr(each, what) for each in self.samples[who]], unit)

    def share(self, theirs: str, what: str = "seconds", unit: str = " s") -> Found:
        """Return what we took of what they took, round by round: below 1 is better."""
        ours, other = self.figure(OURS, what, unit), self.figure(theirs, what, unit)
        pairs = zip(ours.values, other.values, strict=False)
        return Found(Figure([mine / their for mine, their in pairs], "×"), ours, other)

    def speed(self, theirs: str, what: str = "seconds", unit: str = " s") -> Found:
        """Return what they took of what we took: above 1 we are better."""
        share = self.share(theirs, what, unit)
        return Found(Figure([1 / each for each in share.figure.values], "×"), share.ours, share.theirs)

    def best(self, what: str = "seconds", but: Container[str] = ()) -> str:
        """Return who of the others took least, of those not in `but`."""
        others = [each for each in self.samples if each != OURS and each not in but and self.samples[each]]
        if not others:
            raise NotThere("; ".join(self.failed.values()) or "nobody to compare with")
        return min(others, key=lambda each: self.figure(each, what).median)

    @property
    def rivals(self) -> tuple[Rival, ...]:
        """Everybody, to stand side by side."""
        ran = [Rival(each, self.figure(each), self._mib(each)) for each, taken in self.samples.items() if taken]
        return (*ran, *(Rival(each, reason=reason) for each, reason in self.failed.items()))

    def _mib(self, who: str) -> Figure | None:
        figure = self.figure(who, "mib", " MiB")
        return figure if figure.median else None


def contest(
    contenders: Mapping[str, Callable[[], Sample]], rounds: int = ROUNDS, fewer: Mapping[str, int] | None = None
) -> Contest:
    """Run everybody in turn, each round beginning with another; `fewer` rounds for those who only stand beside.

    One who fails is left out from then on. Our own failure is the row's.
    """
    samples: dict[str, list[Sample]] = {name: [] for name in contenders}
    failed: dict[str, str] = {}
    names = list(contenders)
    for number in range(rounds):
        turn = number % len(names)
        for name in names[turn:] + names[:turn]:
            if name in failed or number >= (fewer or {}).get(name, rounds):
                continue
            try:
                samples[name].append(contenders[name]())
            except Exception as error:
                if name == OURS:
                    raise
                failed[name] = f"{type(error).__name__}: {error}" if not isinstance(error, NotThere) else str(error)
                samples[name].clear()
    return Contest(samples, failed)


def timed(work: Callable[[], object]) -> float:
    """Return the seconds that `work` takes."""
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def race(ours: Callable[[], float], theirs: Callable[[], float], rounds: int = ROUNDS) -> Contest:
    """Run two in turn that measure themselves; `theirs` is called that."""
    contenders = {OURS: lambda: Sample(ours()), "theirs": lambda: Sample(theirs())}
    return contest(contenders, rounds)


def repeat(work: Callable[[], float], unit: str, rounds: int = ROUNDS) -> Found:
    """Run one thing again and again; its own figure has the goal."""
    return Found(Figure([work() for _ in range(rounds)], unit))
