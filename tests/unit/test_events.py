"""Unit tests of what is told, and of the bus that tells it."""

from __future__ import annotations

import asyncio
import logging
import threading
from dataclasses import FrozenInstanceError

import pytest

from kithara_file.events import EARLY, ByteProgress, EndOfStream, EventBus, FileEvent, Subscription
from tests.world.crash import fork_holding, fork_while_held

SOON = 30.0


def number(at: int) -> ByteProgress:
    return ByteProgress(at, None)


def positions(events: object) -> list[int]:
    return [each.position for each in events]  # type: ignore[attr-defined]


def test_everybody_hears_everything_in_order_from_when_they_listened() -> None:
    bus = EventBus()
    early = bus.subscribe()
    bus.publish(number(1))
    late = bus.subscribe()
    for at in (2, 3):
        bus.publish(number(at))
    bus.close()
    assert (positions(early), positions(late)) == ([1, 2, 3], [2, 3])


def test_a_slow_listener_loses_the_oldest_and_can_see_how_many() -> None:
    bus = EventBus()
    slow, quick = bus.subscribe(capacity=3), bus.subscribe()
    for at in range(10):
        bus.publish(number(at))
    bus.close()
    assert (positions(slow), slow.dropped) == ([7, 8, 9], 7)
    assert (positions(quick), quick.dropped) == (list(range(10)), 0)


def test_what_is_told_while_the_first_subscriber_is_given_the_early_events_is_told_to_it_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bus, offer = EventBus(), Subscription.offer

    def offer_and_tell(subscription: Subscription, event: FileEvent) -> None:
        offer(subscription, event)
        if event == number(1):
            bus.publish(number(2))

    monkeypatch.setattr(Subscription, "offer", offer_and_tell)
    bus.publish(number(1))
    first = bus.subscribe()
    bus.publish(number(3))
    bus.close()
    assert positions(first) == [1, 2, 3]


def test_a_sender_knows_whether_anybody_listens() -> None:
    bus = EventBus()
    heard = [bus.heard]
    with bus.subscribe():
        heard.append(bus.heard)
    heard.append(bus.heard)
    assert heard == [False, True, False]


def test_taking_gives_up_when_nothing_comes() -> None:
    with EventBus().subscribe() as subscription:
        assert subscription.take(0) is None


@pytest.mark.parametrize("end", ["publish", "close the subscription", "close the bus"])
def test_a_listener_that_waits_is_woken(end: str) -> None:
    bus = EventBus()
    subscription = bus.subscribe()
    taken: list[FileEvent | None] = []
    thread = threading.Thread(target=lambda: taken.append(subscription.take(SOON)))
    thread.start()
    if end == "publish":
        bus.publish(number(1))
    else:
        (subscription if end == "close the subscription" else bus).close()
    thread.join(SOON)
    assert taken == [number(1) if end == "publish" else None]
    bus.close()


def test_what_came_before_a_close_is_still_read_and_nothing_after_it() -> None:
    bus = EventBus()
    subscription = bus.subscribe()
    bus.publish(number(1))
    subscription.close()
    subscription.close()
    bus.publish(number(2))
    subscription.offer(number(3))
    assert positions(subscription) == [1]


def test_who_subscribes_to_a_closed_bus_hears_the_end() -> None:
    bus = EventBus()
    bus.close()
    assert positions(bus.subscribe()) == []


def test_a_task_hears_what_another_thread_says() -> None:
    bus = EventBus()

    async def main() -> list[int]:
        subscription = bus.subscribe()
        heard: list[int] = []

        def talk() -> None:
            for at in range(3):
                bus.publish(number(at))
            bus.close()

        talking = asyncio.get_running_loop().run_in_executor(None, talk)
        async for event in subscription:
            assert isinstance(event, ByteProgress)
            heard.append(event.position)
        await talking
        return heard

    assert asyncio.run(main()) == [0, 1, 2]


def test_a_task_that_waits_is_woken_by_the_end() -> None:
    bus = EventBus()

    async def main() -> list[FileEvent]:
        asyncio.get_running_loop().call_soon(bus.close)
        return [event async for event in bus.subscribe()]

    assert asyncio.run(main()) == []


def test_a_listener_whose_loop_has_gone_does_not_hurt_the_sender() -> None:
    bus = EventBus()
    loop = asyncio.new_event_loop()
    listening = aiter(bus.subscribe())

    async def begin() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.001):
                await anext(listening)

    loop.run_until_complete(begin())
    loop.close()
    bus.publish(number(1))
    bus.close()


def test_waiting_in_vain_again_and_again_keeps_nothing() -> None:
    subscription = EventBus().subscribe()

    async def main() -> None:
        for _ in range(5):
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.001):
                    await anext(aiter(subscription))

    asyncio.run(main())
    assert len(subscription._wakers) == 0
    subscription.close()


def test_a_callback_is_called_for_each_event_in_a_thread_of_its_own() -> None:
    bus = EventBus()
    heard: list[tuple[FileEvent, bool]] = []
    done = threading.Event()

    def hear(event: FileEvent) -> None:
        heard.append((event, threading.current_thread() is threading.main_thread()))
        if len(heard) == 2:
            done.set()

    bus.subscribe(hear)
    bus.publish(number(1))
    bus.publish(number(2))
    assert done.wait(SOON)
    bus.close()
    assert heard == [(number(1), False), (number(2), False)]


def test_a_callback_that_raises_is_logged_and_called_again(caplog: pytest.LogCaptureFixture) -> None:
    bus = EventBus()
    heard: list[FileEvent] = []
    done = threading.Event()

    def stumble(event: FileEvent) -> None:
        heard.append(event)
        if len(heard) == 2:
            done.set()
        raise RuntimeError("oops")

    with caplog.at_level(logging.ERROR):
        bus.subscribe(stumble)
        bus.publish(number(1))
        bus.publish(number(2))
        assert done.wait(SOON)
        bus.close()
    assert "a listener failed" in caplog.text


def test_events_are_values() -> None:
    event = number(5)
    assert event == number(5)
    with pytest.raises(FrozenInstanceError):
        event.position = 6  # type: ignore[misc]


def test_a_subscription_says_how_it_stands() -> None:
    bus = EventBus()
    subscription: Subscription = bus.subscribe(capacity=1)
    bus.publish(number(1))
    bus.publish(number(2))
    assert repr(subscription) == "<Subscription 1 waiting · 1 dropped>"
    bus.close()


def test_the_first_subscriber_hears_what_came_before_it_and_no_later_one_does() -> None:
    bus = EventBus()
    bus.publish(EndOfStream(1))
    first = bus.subscribe()
    second = bus.subscribe()
    bus.publish(EndOfStream(2))
    bus.close()
    assert list(first) == [EndOfStream(1), EndOfStream(2)]
    assert list(second) == [EndOfStream(2)]


def test_what_is_kept_for_the_first_subscriber_is_bounded() -> None:
    bus = EventBus()
    for position in range(EARLY + 10):
        bus.publish(EndOfStream(position))
    with bus.subscribe() as first:
        bus.close()
        assert [each.position for each in first if isinstance(each, EndOfStream)] == list(range(10, EARLY + 10))


@pytest.mark.parametrize("held", ["the bus", "the subscription"])
def test_a_child_of_a_fork_tells_and_closes_whatever_a_thread_of_its_parent_was_doing(held: str) -> None:
    bus = EventBus()
    subscription = bus.subscribe()

    def tell_and_close() -> None:
        bus.publish(number(1))
        assert subscription.take(0) == number(1)
        bus.close()

    assert fork_while_held(bus._lock if held == "the bus" else subscription._arrived, tell_and_close) == 0
    bus.close()


def test_a_fork_in_the_midst_of_telling_ends_well_in_both() -> None:
    assert fork_holding(EventBus().subscribe()._arrived) == 0
