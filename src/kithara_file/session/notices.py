"""Tells the session's listeners what happened, at a rate that a person can follow.

Must not know: how the session works.
"""

from __future__ import annotations

from kithara_file.events import ByteProgress, DownloadProgress, EventBus, Phase, PhaseChanged

EVERY_SECONDS = 0.1


class Notices:
    """Progress at most ten times a second of each kind; phases when they change; everything else at once."""

    def __init__(self, bus: EventBus) -> None:
        self.bus = bus
        self._landed_at = float("-inf")
        self._read_at = float("-inf")
        self._phase: Phase | None = None

    def landed(self, present: int, length: int | None, now: float, *, last: bool = False) -> None:
        """Tell how much is present."""
        if self.bus.heard and (last or now - self._landed_at >= EVERY_SECONDS):
            self._landed_at = now
            self.bus.publish(DownloadProgress(present, length))

    def read(self, position: int, length: int | None, now: float) -> None:
        """Tell where a reader is."""
        if self.bus.heard and now - self._read_at >= EVERY_SECONDS:
            self._read_at = now
            self.bus.publish(ByteProgress(position, length))

    def phase(self, phase: Phase) -> None:
        """Tell the phase when it is a new one."""
        if phase is not self._phase:
            self._phase = phase
            self.bus.publish(PhaseChanged(phase))
