"""The fetches in flight.

Must not know: why they fly. Called on the loop; `views` and `started` may be read from anywhere.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from kithara_file.ranges import Coverage
from kithara_file.session.fetcher import Fetcher
from kithara_file.session.sharing import Sharing
from kithara_file.session.view import Fetch, Plan, Start


class Flights:
    """Starts, rests, hurries and stops fetchers."""

    def __init__(self, launch: Callable[[Fetcher], None], sharing: Sharing) -> None:
        self._launch = launch
        self._sharing = sharing
        self._flying: dict[int, Fetcher] = {}
        self.started = 0
        """How many fetches there have been."""

    @property
    def views(self) -> tuple[Fetch, ...]:
        """What is flying, as the planner sees it."""
        return tuple(each.view for each in list(self._flying.values()))

    def obey(self, plan: Plan, make: Callable[[int, Start], Fetcher], now: float, *, hurry: bool) -> bool:
        """Carry `plan` out; `hurry` when somebody waits for what flows.

        Return False when a fetch that the plan counted on was taken over by another process: plan again then.
        """
        obeyed = True
        for number in plan.stop:
            self.stop(self._flying[number])
        for start in plan.start:
            self.add(make(self.started + 1, start))
        for each in list(self._flying.values()):
            resting = each.id in plan.rest
            if resting:
                self._sharing.rest(each, now)
            elif each.resting and not self._sharing.resume(each):
                self.stop(each)  # while it rested, another process has taken over
                obeyed = False
            each.rest(resting, now)
            each.hurry(hurry or resting)  # who is to rest does so as soon as the chunk he waits for is there
        return obeyed

    def add(self, fetcher: Fetcher) -> None:
        """Set one fetch off."""
        self.started += 1
        self._flying[fetcher.id] = fetcher
        self._sharing.launch(fetcher)
        self._launch(fetcher)

    def stop(self, fetcher: Fetcher) -> asyncio.Task[None] | None:
        """Give one fetch up; return its task if that still has to end."""
        self.forget(fetcher)
        return fetcher.stop()

    def accepted(self, fetcher: Fetcher) -> None:
        """Claim what an answer turned out to bring; it is given up when another process was first."""
        if fetcher.id in self._flying and not self._sharing.hold(fetcher):
            self.stop(fetcher)

    def flush(self) -> None:
        """Journal what has landed, so that a crash or another process misses little."""
        self._sharing.flush(self._flying.values())

    def forget(self, fetcher: Fetcher) -> None:
        """Take in that a fetch has ended."""
        self._sharing.let_go(fetcher)
        self._flying.pop(fetcher.id, None)

    def bring(self, offset: int, within: float, present: Coverage) -> bool:
        """Tell whether a fetch, at most `within` bytes short of `offset`, will come to it over nothing `present`."""
        near = (each for each in self._flying.values() if 0 <= offset - each.position <= within)
        ends = ((each.end, present.next_present(each.position)) for each in near)
        return any(all(end is None or offset < end for end in both) for both in ends)

    def drop(self, *, but: Fetcher | None = None) -> list[asyncio.Task[None]]:
        """Stop every fetch but one; return the tasks which still have to end."""
        dropped = [each for each in self._flying.values() if each is not but]
        return [task for each in dropped if (task := self.stop(each)) is not None]

    def __repr__(self) -> str:
        return f"<Flights {len(self._flying)} flying of {self.started}>"
