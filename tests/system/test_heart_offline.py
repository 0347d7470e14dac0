"""Offline means offline; what is present is served whatever the origin does; and a cache hit costs no request."""

from __future__ import annotations

from pathlib import Path

import pytest

from kithara_file import (
    ConnectFailed,
    File,
    FileConfig,
    FileSession,
    NetError,
    OfflineMiss,
    ServedStale,
    Stream,
    open_file,
)
from tests.offline import run_without_sockets
from tests.system.kit import AT_ONCE, SOON, TWICE, heard, ranges
from tests.world import NeverAnswer, Origin, PatternBody, StallAt, digest, http_date

pytestmark = pytest.mark.system

BODY = PatternBody(2_000_000, seed=4)
FRESH = {"Cache-Control": "max-age=3600"}
STALE = {"Cache-Control": "max-age=0"}


def complete(origin: Origin, store: Path, **how: object) -> str:
    """Put a body into the store, whole."""
    url = origin.serve("/song", BODY, **how)  # type: ignore[arg-type]
    with File.open(FileConfig(url, store=store)) as session:
        session.wait_complete(SOON)
    origin.wait_ended("/song")
    return url


def partial(origin: Origin, store: Path, size: int, **how: object) -> str:
    """Put the first `size` bytes of a body into the store."""
    url = origin.serve("/song", BODY, faults=[StallAt(size)], **how)  # type: ignore[arg-type]
    with open_file(url, store=store) as file:
        assert len(file.read(size)) == size
    return url


# -- cached and online ------------------------------------------------------------------------------------------------


def test_a_complete_and_fresh_file_opens_with_no_request(origin: Origin, store_dir: Path) -> None:
    url = complete(origin, store_dir, headers=FRESH)
    with open_file(url, store=store_dir) as file:
        assert file.read() == BODY[:]
    assert len(origin.requests()) == 1


def test_a_complete_and_stale_file_opens_with_one_conditional_request(origin: Origin, store_dir: Path) -> None:
    url = complete(origin, store_dir, headers=STALE)
    with File.open(FileConfig(url, store=store_dir)) as session, session.stream() as stream:
        assert stream.read() == BODY[:]
        assert session.statistics().network_bytes == 0
    _, second = origin.requests()
    assert (second.if_none_match, second.range, second.status, second.bytes_sent) == ('"v1"', None, 304, 0)


def test_a_304_makes_the_stored_file_fresh_again(origin: Origin, store_dir: Path) -> None:
    url = complete(origin, store_dir, headers=STALE)
    origin.serve("/song", BODY, headers=FRESH)
    for _ in range(3):
        with open_file(url, store=store_dir) as file:
            assert file.read(10) == BODY[:10]
    assert [each.status for each in origin.requests()] == [200, 304]


def test_a_date_alone_is_enough_for_a_conditional_request(origin: Origin, store_dir: Path) -> None:
    date = http_date(1_600_000_000)
    url = complete(origin, store_dir, etag=None, last_modified=date, headers=STALE)
    with open_file(url, store=store_dir) as file:
        assert file.read() == BODY[:]
    second = origin.requests()[1]
    assert (second.header("If-Modified-Since"), second.status) == (date, 304)


@pytest.mark.parametrize("revalidate, requests", [("never", 1), ("auto", 1), ("always", 2)])
def test_revalidation_can_be_forbidden_and_forced(
    origin: Origin, store_dir: Path, revalidate: str, requests: int
) -> None:
    url = complete(origin, store_dir, headers=STALE if revalidate == "never" else FRESH)
    with open_file(url, store=store_dir, revalidate=revalidate) as file:
        assert file.read() == BODY[:]
    assert len(origin.requests()) == requests


def test_a_changed_file_takes_the_place_of_the_stored_one(origin: Origin, store_dir: Path) -> None:
    url, newer = complete(origin, store_dir, headers=STALE), PatternBody(1_500_000, seed=5)
    origin.replace("/song", newer, etag='"v2"')
    for _ in range(2):
        with open_file(url, store=store_dir) as file:
            assert file.read() == newer[:]


def test_cached_reads_are_right_in_any_size(origin: Origin, store_dir: Path) -> None:
    url = complete(origin, store_dir, headers=FRESH)
    with Stream.open(File, FileConfig(url, store=store_dir)) as stream:
        assert b"".join(iter(lambda: stream.read(65_536), b"")) == BODY[:]
        stream.seek(1234)
        assert stream.read(1) == BODY[1234:1235]
        assert stream.read() == BODY[1235:]


# -- the origin is down -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("headers", [FRESH, STALE])
def test_a_complete_file_is_read_while_the_origin_is_down(
    origin: Origin, store_dir: Path, headers: dict[str, str]
) -> None:
    url = complete(origin, store_dir, headers=headers)
    origin.go_down()
    with File.open(FileConfig(url, store=store_dir, retry=AT_ONCE)) as session, session.stream() as stream:
        assert stream.read() == BODY[:]


def test_serving_stale_bytes_is_told(origin: Origin, store_dir: Path) -> None:
    url = complete(origin, store_dir, headers=STALE)
    origin.always("/song", NeverAnswer())
    session = FileSession(FileConfig(url, store=store_dir, retry=AT_ONCE))
    with session, heard(session) as told:
        origin.wait_stalled("/song")
        origin.go_down()
        session.await_opening().result(SOON)
        with session.stream() as stream:
            assert stream.read(5) == BODY[:5]
    (stale,) = (each for each in told if isinstance(each, ServedStale))
    assert isinstance(stale.error, NetError)


def test_a_partial_file_is_read_as_far_as_it_goes_while_the_origin_is_down(origin: Origin, store_dir: Path) -> None:
    url = partial(origin, store_dir, 500_000)
    origin.go_down()
    with Stream.open(File, FileConfig(url, store=store_dir, retry=TWICE)) as stream:
        assert stream.read(500_000) == BODY[:500_000]
        with pytest.raises(ConnectFailed, match=r"^Cannot connect to http://127.0.0.1"):
            stream.read(1)
        with pytest.raises(ConnectFailed):
            stream.read(1)
        assert isinstance(stream.error, NetError)
        assert stream.tell() == 500_000
        origin.come_back()
        stream.retry()
        assert stream.read() == BODY[500_000:]


def test_an_origin_that_goes_down_mid_way_costs_no_byte_that_landed(origin: Origin, store_dir: Path) -> None:
    url = origin.serve("/song", BODY, faults=[StallAt(600_000)])
    with Stream.open(File, FileConfig(url, store=store_dir, retry=TWICE)) as stream:
        assert stream.read(600_000) == BODY[:600_000]
        origin.go_down()
        with pytest.raises(NetError):
            stream.read(1)
        stream.seek(0)
        assert stream.read(600_000) == BODY[:600_000]


# -- offline ----------------------------------------------------------------------------------------------------------


def test_offline_a_complete_file_is_read_without_a_socket(origin: Origin, store_dir: Path) -> None:
    url = complete(origin, store_dir, headers=STALE)
    program = (
        "import sys, hashlib; from kithara_file import open_file\n"
        "with open_file(sys.argv[1], store=sys.argv[2], offline_mode=True) as f:\n"
        "    print(hashlib.sha256(f.read()).hexdigest())"
    )
    result = run_without_sockets("-c", program, url, str(store_dir))
    assert (result.stdout.strip(), result.stderr) == (digest(BODY), "")
    assert len(origin.requests()) == 1


def test_offline_what_is_missing_is_told_at_once_without_a_socket(origin: Origin, store_dir: Path) -> None:
    url = partial(origin, store_dir, 500_000)
    program = (
        "import sys; from kithara_file import *\n"
        "url, store, nothing = sys.argv[1:]\n"
        "with open_file(url, store=store, offline_mode=True) as f:\n"
        "    print(len(f.read(500_000)))\n"
        "    try: f.read(10)\n"
        "    except OfflineMiss as error: print(error, error.start)\n"
        "    f.seek(100); print(len(f.read(1000)))\n"
        "try: open_file(url, store=nothing, offline_mode=True)\n"
        "except OSError as error: print(type(error).__name__)"
    )
    result = run_without_sockets("-c", program, url, str(store_dir), str(store_dir.parent / "none"))
    bare = url.partition("?")[0]
    assert result.stdout.splitlines()[0] == "500000", result.stderr
    assert result.stdout.splitlines()[1].startswith("Offline, and bytes 500000 to ")
    assert f"of {bare} are not in the store" in result.stdout
    assert result.stdout.splitlines()[2:] == ["1000", "OfflineMiss"]


def test_offline_a_miss_is_an_oserror_with_its_facts(origin: Origin, store_dir: Path) -> None:
    url = partial(origin, store_dir, 500_000)
    asked = len(origin.requests())
    with Stream.open(File, FileConfig(url, store=store_dir, offline_mode=True)) as stream:
        stream.seek(700_000)
        with pytest.raises(OfflineMiss) as miss:
            stream.read(1000)
        assert isinstance(miss.value, OSError)
        assert miss.value.start == 700_000
        assert not miss.value.recoverable
        stream.seek(499_999)
        assert stream.read(1) == BODY[499_999:500_000]
    with pytest.raises(OfflineMiss):
        open_file(url + "?other", store=store_dir, offline_mode=True)
    assert len(origin.requests()) == asked
    assert ranges(origin.requests())[:1] == [None]


def test_offline_and_online_sessions_of_one_file_do_not_mix(origin: Origin, store_dir: Path) -> None:
    url = partial(origin, store_dir, 500_000)
    with open_file(url, store=store_dir, offline_mode=True) as offline:
        with open_file(url, store=store_dir) as online:
            assert online.read() == BODY[:]
        assert offline.read(500_000) == BODY[:500_000]
