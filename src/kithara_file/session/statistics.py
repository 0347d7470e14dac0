"""A snapshot of a session, for people and tests.

Must not know: how it is taken.
"""

from __future__ import annotations

from dataclasses import dataclass

from kithara_file.events import Phase


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistics:
    """What a session has and does. Bytes that came from the store are never counted as network bytes."""

    phase: Phase
    length: int | None
    present_bytes: int
    network_bytes: int = 0
    fetches_started: int = 0
    fetches_flying: int = 0
    fetches_resting: int = 0
    readers_waiting: int = 0
    failures: int = 0
    """Failed fetches since a byte last landed."""
    round_trip_seconds: float = 0.0
    """The least time from a request to its headers lately; 0.0 until known."""
    bytes_per_second: float = 0.0
    """The rate of the link while its sockets are read; 0.0 until known."""
