"""Statuses that are not the bytes: retried as told, or told at once; a signed URL that expires is replaced."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from threading import Lock

import pytest

from kithara_file import (
    AccessDenied,
    File,
    FileConfig,
    NotFound,
    ResourceChanged,
    Retry,
    StatusError,
    Stream,
    Timeouts,
    Unavailable,
)
from tests.system.bad_origin import BREAK, DATA, RETRY, changes, heals, opened, outcome, tells, within
from tests.world import CloseAt, Item, Link, Origin, PatternBody, Request, StallAt, Status, http_date, ranged, when
from tests.world.fixtures import MakeOrigin

pytestmark = pytest.mark.system

OVERLOADED = [500, 502, 503, 504, 429, 408]
REFUSALS = {401: AccessDenied, 403: AccessDenied, 451: AccessDenied, 404: NotFound, 410: NotFound}
MIB = 1 << 20
ASKED_AGAIN = 2
"""A reader that comes to the missing bytes after the error was told is worth another try."""


def refusals() -> pytest.MarkDecorator:
    return pytest.mark.parametrize("status,kind", REFUSALS.items())


# --- later is better


@pytest.mark.parametrize("times", [1, 3])
@pytest.mark.parametrize("status", OVERLOADED)
def test_an_overloaded_origin_is_asked_again(origin: Origin, store_dir: Path, status: int, times: int) -> None:
    heals(origin.serve("/a", DATA, faults=[Status(status)] * times), store_dir)
    assert len(origin.requests("/a")) == times + 1


@pytest.mark.parametrize("status", OVERLOADED)
def test_an_overloaded_origin_is_asked_again_for_the_rest(origin: Origin, store_dir: Path, status: int) -> None:
    heals(origin.serve("/a", DATA, faults=[CloseAt(BREAK), *[Status(status)] * 5]), store_dir)


@pytest.mark.parametrize("status", OVERLOADED)
def test_an_origin_that_stays_overloaded_is_told(origin: Origin, store_dir: Path, status: int) -> None:
    found = outcome(origin.serve("/a", DATA, always=[Status(status)]), store_dir)
    assert isinstance(found.error, Unavailable)
    assert found.error.status == status
    assert len(origin.requests("/a")) == 1 + RETRY.retries


def test_an_origin_that_stays_overloaded_mid_way_is_told_and_what_landed_is_kept(
    origin: Origin, store_dir: Path
) -> None:
    url = origin.serve("/a", DATA, faults=[CloseAt(BREAK)], always=[when(ranged, Status(503))])
    assert tells(Unavailable, url, store_dir).data == DATA[:BREAK]
    assert len(origin.requests("/a")) <= 1 + 2 * ASKED_AGAIN * (1 + RETRY.retries)


@pytest.mark.parametrize("status,where", [(429, "at the open"), (503, "mid-way")])
def test_retry_after_in_seconds_is_waited_for(origin: Origin, store_dir: Path, status: int, where: str) -> None:
    before: list[Item] = [CloseAt(BREAK)] if where == "mid-way" else []
    heals(origin.serve("/a", DATA, faults=[*before, Status(status, retry_after=1)]), store_dir)
    told, asked = origin.requests("/a")[-2:]
    assert asked.began - told.began >= 0.95


def test_retry_after_as_a_date_is_waited_for(origin: Origin, store_dir: Path) -> None:
    def busy(_: Request) -> Item:
        return Status(503, retry_after=http_date(time.time() + 2))

    heals(origin.serve("/a", DATA, faults=[busy]), store_dir)
    told, asked = origin.requests("/a")
    assert asked.began - told.began >= 0.9  # a date has whole seconds: of two, at least one is left


@pytest.mark.parametrize("told", [60, http_date(4_000_000_000)], ids=["seconds", "date"])
def test_retry_after_beyond_the_cap_is_told_at_once(origin: Origin, store_dir: Path, told: int | str) -> None:
    found = outcome(origin.serve("/a", DATA, always=[Status(503, retry_after=told)]), store_dir)
    assert isinstance(found.error, Unavailable)
    assert found.error.retry_after is not None
    assert found.error.retry_after >= 59
    assert len(origin.requests("/a")) == 1


def test_retry_after_beyond_the_cap_mid_way_is_told_at_once_and_what_landed_is_kept(
    origin: Origin, store_dir: Path
) -> None:
    url = origin.serve("/a", DATA, faults=[CloseAt(BREAK)], always=[when(ranged, Status(503, retry_after=60))])
    assert tells(Unavailable, url, store_dir).data == DATA[:BREAK]
    assert len(origin.requests("/a")) <= 1 + ASKED_AGAIN


@pytest.mark.parametrize("told", ["soon", "-5", "", "1e3", "99999999999999999999999"])
def test_retry_after_that_makes_no_sense_does_no_harm(origin: Origin, store_dir: Path, told: str) -> None:
    url = origin.serve("/a", DATA, faults=[Status(503, retry_after=told)])
    found = outcome(url, store_dir)
    assert found.data == DATA or isinstance(found.error, Unavailable)


# --- no is no


@refusals()
def test_a_refusal_is_told_at_once(origin: Origin, store_dir: Path, status: int, kind: type[StatusError]) -> None:
    found = outcome(origin.serve("/a?sig=secret", DATA, always=[Status(status)]), store_dir)
    assert isinstance(found.error, kind)
    assert found.error.status == status
    assert not found.error.recoverable
    assert "secret" not in str(found.error)
    assert len(origin.requests("/a")) == 1


@refusals()
def test_a_refusal_mid_way_is_told_at_once_and_what_landed_is_kept(
    origin: Origin, store_dir: Path, status: int, kind: type[StatusError]
) -> None:
    url = origin.serve("/a", DATA, faults=[CloseAt(BREAK)], always=[when(ranged, Status(status))])
    assert tells(kind, url, store_dir).data == DATA[:BREAK]
    assert len(origin.requests("/a")) <= 1 + ASKED_AGAIN


@pytest.mark.parametrize("status", [400, 402, 405, 406, 418, 431])
def test_any_other_refusal_is_told_at_once_too(origin: Origin, store_dir: Path, status: int) -> None:
    found = outcome(origin.serve("/a", DATA, always=[Status(status)]), store_dir)
    assert isinstance(found.error, StatusError)
    assert len(origin.requests("/a")) == 1


# --- signed URLs


def expiring(origin: Origin, *, status: int = 403) -> str:
    """Serve a URL whose signature is good for one request, beside one that is good for ever."""
    origin.serve("/a?sig=new", DATA)
    return origin.serve("/a?sig=old", DATA, faults=[CloseAt(BREAK)], always=[when(ranged, Status(status))])


class Signer:
    """Gives out URLs, and counts."""

    def __init__(self, sign: Callable[[], str]) -> None:
        self._sign = sign
        self._lock = Lock()
        self.asked = 0

    def __call__(self) -> str:
        with self._lock:
            self.asked += 1
        return self._sign()


@pytest.mark.parametrize("status", [401, 403, 404, 410])
@pytest.mark.parametrize("first_delay", [0.0, 0.01])
def test_a_signed_url_that_expires_mid_way_is_replaced(
    origin: Origin, store_dir: Path, status: int, first_delay: float
) -> None:
    url, signer = expiring(origin, status=status), Signer(lambda: origin.url("/a?sig=new"))
    heals(url, store_dir, refresh_url=signer, retry=Retry(first_delay=first_delay, jitter=0.0))
    assert signer.asked == 1
    assert origin.bytes_sent("/a?sig=new") == len(DATA) - BREAK


def test_a_signed_url_that_expires_without_another_is_told_and_what_landed_is_kept(
    origin: Origin, store_dir: Path
) -> None:
    assert tells(AccessDenied, expiring(origin), store_dir).data == DATA[:BREAK]


def test_a_signed_url_that_expires_again_and_again_is_replaced_again_and_again(origin: Origin, store_dir: Path) -> None:
    def good_for_one_request(number: int) -> str:
        return origin.serve(f"/a?sig={number}", DATA, faults=[CloseAt(BREAK), *[Status(403)] * 9])

    urls = [good_for_one_request(number) for number in range(4)]
    signer = Signer(lambda: urls[signer.asked])
    heals(urls[0], store_dir, refresh_url=signer)


def test_a_new_url_that_is_refused_too_is_told(origin: Origin, store_dir: Path) -> None:
    url = expiring(origin)
    signer = Signer(lambda: url)
    assert tells(AccessDenied, url, store_dir, refresh_url=signer).data == DATA[:BREAK]
    assert signer.asked == 1


def test_a_signer_that_fails_is_told_with_its_reason(origin: Origin, store_dir: Path) -> None:
    def fail() -> str:
        raise RuntimeError("the key is lost")

    found = tells(AccessDenied, expiring(origin), store_dir, refresh_url=fail)
    assert found.error is not None
    assert any("the key is lost" in note for note in found.error.__notes__)


@pytest.mark.parametrize(
    "given", [None, 7, b"http://host/", "", "/etc/passwd", "ftp://host/a", "http://[", SystemExit(3)]
)
def test_a_signer_that_gives_nonsense_is_told_with_its_reason(origin: Origin, store_dir: Path, given: object) -> None:
    def sign() -> str:
        if isinstance(given, BaseException):
            raise given
        return given  # type: ignore[return-value]

    found = tells(AccessDenied, expiring(origin), store_dir, refresh_url=sign)
    assert found.error is not None
    assert any("refresh_url failed" in note for note in found.error.__notes__)


def test_a_signer_that_hangs_keeps_nobody_else_waiting(origin: Origin, store_dir: Path) -> None:
    release, asked = threading.Event(), threading.Event()
    fresh = origin.serve("/fresh", DATA)

    def sign() -> str:
        asked.set()
        assert release.wait(30)
        return fresh

    def work() -> None:
        assert asked.wait(30)
        heals(origin.serve("/other", DATA), store_dir)  # which is stored, closed and opened again on the way
        release.set()

    other = threading.Thread(target=work)
    other.start()
    heals(expiring(origin), store_dir, refresh_url=sign)
    other.join()


def test_a_new_url_of_other_bytes_is_not_mixed_in(origin: Origin, store_dir: Path) -> None:
    url = origin.serve("/a", DATA, faults=[StallAt(BREAK), *[Status(403)] * 9])
    new = origin.serve("/b", DATA[::-1], etag='"v2"')
    changes(ResourceChanged, origin, url, store_dir, refresh_url=lambda: new)


def test_two_fetches_refused_at_once_ask_for_one_new_url(origin: Origin, store_dir: Path) -> None:
    body = PatternBody(4 * MIB, seed=5)
    origin.serve("/a?sig=new", body)
    refuse = when(ranged, Status(403))
    url = origin.serve("/a?sig=old", body, faults=[StallAt(MIB)], always=[refuse])
    signer = Signer(lambda: origin.url("/a?sig=new"))
    with opened(url, store_dir, refresh_url=signer, timeouts=Timeouts(idle=0.5)) as stream:

        def work() -> None:
            stream.seek(3 * MIB)
            assert stream.read(1000) == body[3 * MIB : 3 * MIB + 1000]
            stream.seek(0)
            assert stream.read() == body[:]

        within(work)
    assert signer.asked <= 2


def test_a_range_that_is_refused_is_not_asked_for_again_with_every_chunk_of_another(
    make_origin: MakeOrigin, store_dir: Path
) -> None:
    origin, body = make_origin(link=Link(send_buffer=64 * 1024)), PatternBody(64 << 20, seed=3)
    url = origin.serve("/song", body, always=[when(ranged, Status(403))])
    config = FileConfig(url, store=store_dir, look_ahead_bytes=8 << 20)
    with Stream.open(File, config) as near, Stream.open(File, config) as far:
        assert near.read(1000) == body[:1000]
        far.seek(48 << 20)
        with pytest.raises(AccessDenied):
            far.read(1000)
        assert near.read(32 << 20) == body[1000 : (32 << 20) + 1000]
        assert len(origin.requests("/song")) <= 3
