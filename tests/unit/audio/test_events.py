"""Events of sound."""

from __future__ import annotations

from kithara_file.audio import events
from kithara_file.events import EventBus, FileEvent


def test_events_of_sound_go_over_the_bus_of_files() -> None:
    bus = EventBus()
    heard = bus.subscribe()
    told: list[FileEvent] = [events.Stalled(1.5), events.Resumed(1.5, 0.2), events.SeekComplete(3, 1.5, exact=True)]
    for event in told:
        bus.publish(event)
    bus.close()
    assert list(heard) == told
