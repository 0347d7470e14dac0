"""Where sessions run: what they may rely on, of the process's runtime as of the tests' own background."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator

import pytest

from kithara_file.session.registry import Registry
from kithara_file.session.seams import Background, House
from kithara_file.stream.runtime import Runtime
from tests.world.background import InlineBackground


@pytest.fixture
def runtime() -> Iterator[Runtime]:
    made = Runtime()
    yield made
    made.stop()


def on_inline(work: Callable[[Background], object]) -> object:
    async def main() -> object:
        background = InlineBackground()
        return await work(background)  # type: ignore[misc]

    return asyncio.run(main())


async def hears_in_order(background: Background) -> list[int]:
    heard: asyncio.Queue[int] = asyncio.Queue()
    for each in range(3):
        background.call(heard.put_nowait, each)
    assert heard.empty()  # soon, not now
    return [await heard.get() for _ in range(3)]


async def works_on_disk(background: Background) -> int:
    def fail() -> None:
        raise OSError("disk")

    with pytest.raises(OSError, match="disk"):
        await background.on_disk(fail)
    assert background.alive
    assert background.here
    assert background.loop is asyncio.get_running_loop()
    return await background.on_disk(lambda: 7)


@pytest.mark.parametrize("work, result", [(hears_in_order, [0, 1, 2]), (works_on_disk, 7)])
def test_both_backgrounds_keep_what_the_seam_promises(
    work: Callable[[Background], object], result: object, runtime: Runtime
) -> None:
    assert on_inline(work) == result
    assert runtime.submit(work(runtime)).result(30) == result  # type: ignore[arg-type]


def test_what_is_called_on_a_dead_background_does_not_run(runtime: Runtime) -> None:
    async def main() -> InlineBackground:
        background = InlineBackground()
        background.call(ran.append, 1)
        background.fork()
        background.call(ran.append, 2)
        await asyncio.sleep(0)
        return background

    ran: list[int] = []
    background = asyncio.run(main())
    assert ran == [1]
    assert not background.alive
    runtime.stop()
    runtime.call(ran.append, 3)
    assert (runtime.alive, runtime.here, ran) == (False, False, [1])


def test_the_registry_is_a_house() -> None:
    house: House = Registry()
    assert callable(house.leave)
