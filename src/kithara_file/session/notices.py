"""Tells the session's listeners what happened, at a rate that a person can follow.

Must not know: how the session works.
"""

from __future__ import annotations

from kithara_file.clock import Clock
from kithara_file.events import ByteProgress, DownloadProgress, EventBus, FileEvent, Phase, PhaseChanged
from kithara_file.session.seams import Background
from kithara_file.storage import platform

EVERY_SECONDS = 0.1


class Notices:
    """Progress at most ten times a second of each kind; phases when they change; everything else at once."""

    def __init__(self, bus: EventBus, background: Background, clock: Clock) -> None:
        self.bus = bus
        self._landed = Pace(bus, background, clock)
        self._read = Pace(bus, background, clock)
        self._phase: Phase | None = None

    def landed(self, present: int, length: int | None, now: float, *, last: bool = False) -> None:
        """Tell how much is present."""
        if self.bus.heard:
            self._landed.tell(DownloadProgress(present, length), now, at_once=last)

    def read(self, position: int, length: int | None, now: float) -> None:
        """Tell where a reader is."""
        if self.bus.heard:
            self._read.tell(ByteProgress(position, length), now)

    def phase(self, phase: Phase) -> None:
        """Tell the phase when it is a new one."""
        if phase is not self._phase:
            self._phase = phase
            self.bus.publish(PhaseChanged(phase))


class Pace:
    """Tells one kind of progress: what comes too early waits, and of what waits the latest is told in its time.

    The timer that sees to it is set only behind something that was told, and on the loop, wherever that was.
    """

    def __init__(self, bus: EventBus, background: Background, clock: Clock) -> None:
        self._bus = bus
        self._background = background
        self._clock = clock
        self._lock = platform.lock_of_forks()
        self._waiting: FileEvent | None = None
        self._not_before = float("-inf")

    def tell(self, event: FileEvent, now: float, *, at_once: bool = False) -> None:
        """Tell `event` as soon as may be, and nothing any more that came before it."""
        with self._lock:
            self._waiting = event
            if at_once:
                self._not_before = now
        if self._release(now):
            self._background.call(self._rest)

    def _release(self, now: float) -> bool:
        with self._lock:
            event = self._waiting
            if event is None or now < self._not_before:
                return False
            self._waiting, self._not_before = None, now + EVERY_SECONDS
        self._bus.publish(event)
        return True

    def _rest(self) -> None:
        self._background.loop.call_later(EVERY_SECONDS, self._go_on)

    def _go_on(self) -> None:
        if self._release(self._clock.monotonic()) or self._waiting is not None:  # a timer may be early by a little
            self._rest()
