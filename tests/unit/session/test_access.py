"""What is refused on the way is asked for in another way, in bounded time: at a fresh URL, or as another asks."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from kithara_file.config import FileConfig
from kithara_file.errors import AccessDenied
from kithara_file.events import DownloadError
from kithara_file.net.client import Client
from kithara_file.session.access import REFRESH_SECONDS
from tests.unit.session.faulty import BODY, RETRY, all_of, denied, tell
from tests.unit.session.hall import URL, Hall
from tests.world.clock import run_virtual
from tests.world.remote import KIB, BreakAt, Raise, ScriptedRemote, Version

FRESH_URL = "http://elsewhere.test/fresh"


class Signed(ScriptedRemote):
    """Denies every URL but the present one, once the first body is under way."""

    def __init__(self, valid: str = FRESH_URL) -> None:
        super().__init__(Version(BODY), latency=0.1)
        self.valid = valid
        self.then(BreakAt(300 * KIB))

    async def open(self, url: str, *asked: Any) -> Any:
        if self.log and url != self.valid:
            self.then(Raise(denied))
        return await super().open(url, *asked)


def test_an_expired_url_is_replaced_once_however_many_fetches_were_refused() -> None:
    calls: list[int] = []

    async def story(hall: Hall) -> None:
        await hall.opened()
        streams = [hall.stream() for _ in range(3)]
        for at, stream in enumerate(streams):
            await stream.seek(at * 250 * KIB)
        parts = await asyncio.gather(*(hall.within(each.read(100 * KIB)) for each in streams))
        assert parts == [BODY[at * 250 * KIB :][: 100 * KIB] for at in range(3)]
        assert (len(calls), hall.session.url) == (1, FRESH_URL)
        assert hall.front.shown_url == URL

    def refresh() -> str:
        calls.append(1)
        return FRESH_URL

    tell(Signed(), story, refresh_url=refresh, look_ahead_bytes=20 * KIB, max_fetches=3)


def test_a_url_that_is_refused_again_is_told() -> None:
    async def story(hall: Hall) -> None:
        await hall.opened()
        with pytest.raises(AccessDenied):
            await hall.within(hall.stream().read())
        assert len(calls) == 1

    calls: list[int] = []

    def refresh() -> str:
        calls.append(1)
        return "http://elsewhere.test/wrong"

    tell(Signed(), story, refresh_url=refresh)


def test_a_url_can_expire_again_once_bytes_have_landed() -> None:
    async def story(hall: Hall) -> None:
        assert await all_of(hall) == BODY
        assert len(calls) == 2

    calls: list[str] = []

    def refresh() -> str:
        far.valid = f"http://elsewhere.test/{len(calls)}"
        calls.append(far.valid)
        far.then(BreakAt(400 * KIB))
        return far.valid

    class Twice(Signed):
        async def open(self, url: str, *asked: Any) -> Any:
            if len(calls) == 1 and self.log[-1].answer == "206":
                self.valid = "nothing"
            return await super().open(url, *asked)

    far = Twice()
    tell(far, story, refresh_url=refresh)


def test_a_refresh_that_fails_is_noted_on_the_error() -> None:
    async def story(hall: Hall) -> None:
        await hall.opened()
        with pytest.raises(AccessDenied) as caught:
            await hall.within(hall.stream().read())
        assert "the signer is out" in str(caught.value.__notes__)

    def refresh() -> str:
        raise RuntimeError("the signer is out")

    tell(Signed(), story, refresh_url=refresh)


def test_whoever_reads_only_after_a_refresh_has_failed_is_told_why_too() -> None:
    async def story(hall: Hall) -> None:
        await hall.opened()
        await asyncio.sleep(100)
        assert hall.events(DownloadError)
        with pytest.raises(AccessDenied) as caught:
            await hall.within(hall.stream().read())
        assert "the signer is out" in str(caught.value.__notes__)
        with pytest.raises(AccessDenied):
            await hall.read(290 * KIB, 20 * KIB)
        assert len(calls) == 3  # once for the download, and once for each who asked

    calls: list[int] = []

    def refresh() -> str:
        calls.append(1)
        raise RuntimeError("the signer is out")

    tell(Signed(), story, refresh_url=refresh)


@pytest.mark.parametrize("closed_meanwhile", [False, True])
def test_a_refresh_that_takes_for_ever_ends_in_time(closed_meanwhile: bool) -> None:
    async def main() -> None:
        async with Hall(Signed(), disk_seconds=1e6, refresh_url=lambda: FRESH_URL, retry=RETRY) as hall:
            await hall.opened()
            reading = asyncio.ensure_future(hall.within(hall.stream().read()))
            await asyncio.sleep(1.0)
            hall.background.disk_seconds = 0.0
            if not closed_meanwhile:
                with pytest.raises(AccessDenied):
                    await asyncio.wait_for(reading, REFRESH_SECONDS)
        await asyncio.gather(reading, return_exceptions=True)
        assert reading.exception() is not None

    run_virtual(main())


def test_at_the_first_open_there_is_nothing_to_refresh() -> None:
    async def story(hall: Hall) -> None:
        with pytest.raises(AccessDenied):
            await hall.opened()

    def refresh() -> str:
        raise AssertionError

    tell(ScriptedRemote(BODY).always(Raise(denied)), story, refresh_url=refresh)


def test_what_is_refused_is_asked_for_as_another_would_who_has_joined() -> None:
    async def story(hall: Hall) -> None:
        await hall.opened()
        hall.session.access.join(FileConfig(URL, headers={"Authorization": "old"}), lambda _: far)
        hall.session.access.join(FileConfig(FRESH_URL), lambda _: far)
        assert await all_of(hall) == BODY
        assert hall.session.url == FRESH_URL

    far = Signed()
    tell(far, story)


def test_each_way_to_ask_is_tried_once_and_only_another_one() -> None:
    made: list[FileConfig] = []

    async def story(hall: Hall) -> None:
        await hall.opened()

        def client(config: FileConfig) -> Client:
            made.append(config)
            return far

        for token in ("a", "b", "a", "b"):
            hall.session.access.join(FileConfig(URL, headers={"Authorization": token}), client)
        hall.session.access.join(FileConfig(URL), client)
        assert [each.headers["Authorization"] for each in made] == ["a", "b"]
        with pytest.raises(AccessDenied):
            await hall.within(hall.stream().read())
        assert [each.answer for each in far.log] == ["200", *3 * ["AccessDenied"]]

    far = Signed()
    tell(far, story)
