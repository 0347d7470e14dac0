"""Tells of a stall once when it begins, and once when it is over.

Must not know: rings, decoders.
"""

from __future__ import annotations

import threading

from kithara_file.audio.events import Resumed, Stalled, Underrun
from kithara_file.clock import Clock, SystemClock
from kithara_file.events import EventBus


class Stalls:
    """Whether the listener is without sound, and since when."""

    def __init__(self, events: EventBus, clock: Clock | None = None) -> None:
        self._events = events
        self._clock = clock or SystemClock()
        self._lock = threading.Lock()
        self._since: float | None = None
        self._dry = False
        self.silent = False
        """True while a stall or an underrun lasts, so that there is something to tell when it is over."""

    def stalled(self, position: float) -> None:
        """Hear that nothing is left because the file does not deliver."""
        with self._lock:
            if self._since is not None:
                return
            self._since = self._clock.monotonic()
            self.silent = True
        self._events.publish(Stalled(position))

    def underrun(self, position: float, frames: int) -> None:
        """Hear that a device lacks frames."""
        with self._lock:
            told, self._dry = self._dry, True
            self.silent = True
        if not told:
            self._events.publish(Underrun(position, frames))

    def sounding(self, position: float) -> None:
        """Hear that there is sound."""
        with self._lock:
            since, self._since = self._since, None
            self._dry = self.silent = False
        if since is not None:
            self._events.publish(Resumed(position, self._clock.monotonic() - since))
