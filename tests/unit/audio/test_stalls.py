"""A stall is told once."""

from __future__ import annotations

from kithara_file.audio.events import Resumed, Stalled, Underrun
from kithara_file.audio.stalls import Stalls
from kithara_file.events import EventBus
from tests.world.clock import FakeClock


def test_a_stall_is_told_when_it_begins_and_when_it_is_over() -> None:
    bus, clock = EventBus(), FakeClock()
    heard = bus.subscribe()
    stalls = Stalls(bus, clock)
    stalls.sounding(0.0)
    stalls.stalled(1.0)
    stalls.stalled(1.0)
    during = stalls.silent
    clock.advance(2.5)
    stalls.sounding(1.0)
    stalls.sounding(1.1)
    assert (during, stalls.silent) == (True, False)
    bus.close()
    assert list(heard) == [Stalled(1.0), Resumed(1.0, 2.5)]


def test_an_underrun_is_told_once_until_there_is_sound_again() -> None:
    bus = EventBus()
    heard = bus.subscribe()
    stalls = Stalls(bus, FakeClock())
    for position in (1.0, 1.0):
        stalls.underrun(position, 64)
    stalls.sounding(1.0)
    stalls.underrun(2.0, 32)
    bus.close()
    assert list(heard) == [Underrun(1.0, 64), Underrun(2.0, 32)]
