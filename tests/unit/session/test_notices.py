"""What listeners hear of a session: everything that matters, and progress not more often than a person can follow."""

from __future__ import annotations

from kithara_file.events import ByteProgress, DownloadProgress, EventBus, FileEvent, Phase, PhaseChanged, Subscription
from kithara_file.session.notices import EVERY_SECONDS, Notices


def heard(subscription: Subscription) -> list[FileEvent]:
    found = []
    while (event := subscription.take(0)) is not None:
        found.append(event)
    return found


def test_progress_is_told_at_most_ten_times_a_second_of_each_kind() -> None:
    bus = EventBus()
    notices, ear = Notices(bus), bus.subscribe()
    for step in range(100):
        now = 5.0 + step * 0.01
        notices.landed(step, 1000, now)
        notices.read(step, 1000, now)
    found = heard(ear)
    assert 10 <= sum(isinstance(each, DownloadProgress) for each in found) <= 11
    assert 10 <= sum(isinstance(each, ByteProgress) for each in found) <= 11
    assert found[:2] == [DownloadProgress(0, 1000), ByteProgress(0, 1000)]


def test_the_last_progress_is_always_told() -> None:
    bus = EventBus()
    notices, ear = Notices(bus), bus.subscribe()
    notices.landed(1, 1000, 5.0)
    notices.landed(1000, 1000, 5.0 + EVERY_SECONDS / 2, last=True)
    assert heard(ear) == [DownloadProgress(1, 1000), DownloadProgress(1000, 1000)]


def test_who_begins_to_listen_hears_the_next_progress_at_once() -> None:
    bus = EventBus()
    notices = Notices(bus)
    notices.landed(1, 1000, 5.0)
    notices.read(1, 1000, 5.0)
    ear = bus.subscribe()
    notices.landed(2, 1000, 5.01)
    notices.read(2, 1000, 5.01)
    assert heard(ear) == [DownloadProgress(2, 1000), ByteProgress(2, 1000)]


def test_a_phase_is_told_when_it_is_a_new_one() -> None:
    bus = EventBus()
    notices, ear = Notices(bus), bus.subscribe()
    for phase in (Phase.SEQUENTIAL, Phase.SEQUENTIAL, Phase.GAP_FILLING, Phase.COMPLETE, Phase.COMPLETE):
        notices.phase(phase)
    assert heard(ear) == [PhaseChanged(each) for each in (Phase.SEQUENTIAL, Phase.GAP_FILLING, Phase.COMPLETE)]
