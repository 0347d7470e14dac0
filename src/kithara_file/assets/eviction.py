"""Who must go: the decision for one asset at a time, those first whose last use is longest ago.

Pure. Must not know: files, sqlite, the clock, whether somebody uses an asset (then it cannot be removed, whatever is
decided here, and the next one is asked about).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from numbers import Integral, Real
from types import NoneType

from kithara_file.config import demand_kind
from kithara_file.errors import ConfigError

_LEAST_STEP, _LARGEST_STEP = 64 * 1024, 8 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a store may take; None is no limit."""

    max_bytes: int | None = None
    max_assets: int | None = None
    max_age: float | None = None
    """Seconds since the last use."""
    min_free_bytes: int | None = None
    """What must stay free on the disk."""

    def __post_init__(self) -> None:
        demand_kind(self, "max_bytes min_free_bytes", (Integral, NoneType), "a number of bytes or None")
        demand_kind(self, "max_assets", (Integral, NoneType), "a whole number or None")
        demand_kind(self, "max_age", (Real, NoneType), "a number of seconds or None")
        for name in self.__slots__:
            value = getattr(self, name)
            if value is not None and not value >= 0:
                raise ConfigError(f"{name} cannot be {value}")

    @property
    def none(self) -> bool:
        """True when there is no limit at all."""
        return self == Limits()

    @property
    def step(self) -> int | None:
        """How many bytes one download may land between two looks at these limits; None when they do not count bytes.

        A share of the quota, so that room for a step of each download can be made ahead without emptying the store.
        """
        if self.max_bytes is None:
            return None if self.min_free_bytes is None else _LARGEST_STEP
        return min(_LARGEST_STEP, max(_LEAST_STEP, self.max_bytes // 32))


@dataclass(frozen=True, slots=True)
class Usage:
    """What a store takes; `free_bytes` None when nobody asked the disk."""

    assets: int
    bytes: int
    free_bytes: int | None = None

    def ahead(self, coming: int) -> Usage:
        """Return what it will be when so many bytes more have come."""
        return Usage(self.assets, self.bytes + coming, None if self.free_bytes is None else self.free_bytes - coming)


@dataclass(frozen=True, slots=True)
class Candidate:
    """One asset, as far as it matters whether it goes."""

    asset_id: str
    bytes: int
    last_used: float
    pinned: bool = False


class Verdict(Enum):
    """What to do with a candidate."""

    EVICT = "evict"
    KEEP = "keep"
    ENOUGH = "enough"
    """Keep this one and all that were used later."""


def excess(usage: Usage, limits: Limits) -> bool:
    """Tell whether anything must go, however lately it was used."""
    return (
        _above(usage.bytes, limits.max_bytes)
        or _above(usage.assets, limits.max_assets)
        or _above(limits.min_free_bytes, usage.free_bytes)
    )


def _above(value: int | None, limit: int | None) -> bool:
    return value is not None and limit is not None and value > limit


def verdict(candidate: Candidate, usage: Usage, limits: Limits, now: float) -> Verdict:
    """Decide on the candidate whose last use is longest ago of those not yet decided on."""
    expired = limits.max_age is not None and now - candidate.last_used > limits.max_age
    if not expired and not excess(usage, limits):
        return Verdict.ENOUGH
    return Verdict.KEEP if candidate.pinned else Verdict.EVICT


def doomed(candidates: Iterable[Candidate], usage: Usage, limits: Limits, now: float) -> Iterator[Candidate]:
    """Yield what goes of `candidates`, which come in the order of their last use, without those that may not go."""
    for each in candidates:
        decided = verdict(each, usage, limits, now)
        if decided is Verdict.ENOUGH:
            return
        if decided is Verdict.EVICT:
            usage = Usage(usage.assets - 1, usage.bytes, usage.free_bytes).ahead(-each.bytes)
            yield each
