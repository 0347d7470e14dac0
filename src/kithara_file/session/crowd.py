"""How many requests at once the origin bears, as far as it has shown.

Some serve one connection after the other, or refuse what is too many. Pure: it is told the time. Must not know: what is
asked for, how a refusal came.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from kithara_file.config import Policy
from kithara_file.session.view import Fetch

CAREFUL_SECONDS = 60.0
"""For how long a refusal is remembered: what was full may have room again."""


class Crowd:
    """Limits the fetches of a session to as many as were answered while another one was not."""

    def __init__(self) -> None:
        self._most = 0
        self._until = 0.0

    def refused(self, flying: Iterable[Fetch], now: float) -> bool:
        """Take in that a request got no answer of use beside `flying`; tell whether that may have been the reason."""
        answered = sum(each.asked_since is None for each in flying)
        if answered:
            self._most, self._until = answered, now + CAREFUL_SECONDS
        return answered > 0

    def bounded(self, policy: Policy, flying: tuple[Fetch, ...], now: float) -> Policy:
        """Return `policy` with as many fetches as the origin bears."""
        if any(each.asked_since is not None and now >= each.asked_since + policy.answer_seconds for each in flying):
            self.refused(flying, now)
        return replace(policy, max_fetches=min(self._most, policy.max_fetches)) if now < self._until else policy

    def __repr__(self) -> str:
        return f"<Crowd of {self._most or 'any number'}>"
