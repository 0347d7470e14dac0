"""Each error that the heart can raise comes from a real cause, crosses as an `OSError`, and says it in one sentence."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pytest

from kithara_file import (
    AccessDenied,
    AssetStore,
    BodyBroken,
    ConfigError,
    ConnectFailed,
    DownloadError,
    File,
    FileConfig,
    InvalidKey,
    InvalidResponse,
    KitharaError,
    LeaseHeld,
    NetTimeout,
    NotFound,
    RangeNotSatisfiable,
    StorageError,
    Stream,
    StreamClosed,
    Timeouts,
    Unavailable,
    open_file,
)
from kithara_file.assets.keys import ResourceKey
from tests.system.kit import AT_ONCE, TWICE, first
from tests.world import (
    CloseAt,
    Header,
    NeverAnswer,
    Origin,
    PatternBody,
    RefuseRange,
    StallAt,
    Status,
    digest,
    plain,
    ranged,
    when,
)
from tests.world.crash import run_child
from tests.world.ports import refusing_port, silent_port

pytestmark = pytest.mark.system

BODY = PatternBody(2_000_000, seed=41)


def raised(kind: type[KitharaError], sentence: str, url: str, store: Path, **options: Any) -> KitharaError:
    """Open `url` and read all of it; return the error, which is of `kind`, says `sentence` and survives a pickle."""
    options = {"store": store, "retry": AT_ONCE, **options}
    with pytest.raises(kind, match=sentence) as caught, open_file(url, **options) as file:
        file.read()
    error = caught.value
    assert isinstance(error, OSError)
    assert "\n" not in str(error)
    again = pickle.loads(pickle.dumps(error))  # noqa: S301 - we pickled it
    assert (type(again), str(again)) == (type(error), str(error))
    return error


def test_nobody_listens(store_dir: Path) -> None:
    with refusing_port() as port:
        error = raised(
            ConnectFailed, f"^Cannot connect to http://127.0.0.1:{port}/a: ", f"http://127.0.0.1:{port}/a", store_dir
        )
    assert error.recoverable
    assert isinstance(error, ConnectFailed)
    assert error.stage == "connect"


def test_no_such_host(store_dir: Path) -> None:
    raised(ConnectFailed, "^Cannot connect to http://nowhere.invalid/a: ", "http://nowhere.invalid/a", store_dir)


def test_nobody_takes_the_connection(store_dir: Path) -> None:
    with silent_port() as port:
        error = raised(
            NetTimeout,
            f"^Waited 0.2 s in vain for a connection from http://127.0.0.1:{port}/a$",
            f"http://127.0.0.1:{port}/a",
            store_dir,
            timeouts=Timeouts(connect=0.2),
        )
    assert issubclass(NetTimeout, TimeoutError)
    assert isinstance(error, NetTimeout)
    assert error.stage == "connect"


def test_nobody_answers(origin: Origin, store_dir: Path) -> None:
    url = origin.serve("/song", BODY, always=[NeverAnswer()])
    error = raised(
        NetTimeout, "^Waited 0.2 s in vain for an answer from http://", url, store_dir, timeouts=Timeouts(headers=0.2)
    )
    assert isinstance(error, NetTimeout)
    assert error.stage == "headers"


def test_the_body_stops_coming(origin: Origin, store_dir: Path) -> None:
    url = origin.serve("/song", BODY, always=[StallAt(0)])
    error = raised(
        NetTimeout, "^Waited 0.2 s in vain for another byte from http://", url, store_dir, timeouts=Timeouts(idle=0.2)
    )
    assert isinstance(error, NetTimeout)
    assert (error.stage, error.seconds, error.recoverable) == ("body", 0.2, True)


def test_a_read_takes_too_long(origin: Origin, store_dir: Path) -> None:
    url = origin.serve("/song", BODY, always=[StallAt(1000)])
    error = raised(NetTimeout, "^Waited 0.2 s in vain for another byte from http://", url, store_dir, read_timeout=0.2)
    assert isinstance(error, TimeoutError)


def test_the_body_breaks_off_each_time(origin: Origin, store_dir: Path) -> None:
    url = origin.serve("/song", BODY, always=[when(plain, CloseAt(300_000)), when(ranged, CloseAt(0))])
    sentence = "^The body of http://.*/song broke off at byte 300000 before byte "
    error = raised(BodyBroken, sentence, url, store_dir, retry=TWICE)
    assert isinstance(error, BodyBroken)
    assert (error.at, error.stage, error.recoverable) == (300_000, "body", True)


@pytest.mark.parametrize(
    "status, kind, words",
    [
        (401, AccessDenied, "access denied"),
        (403, AccessDenied, "access denied"),
        (451, AccessDenied, "access denied"),
        (404, NotFound, "not found"),
        (410, NotFound, "not found"),
        (429, Unavailable, "unavailable"),
        (500, Unavailable, "unavailable"),
        (503, Unavailable, "unavailable"),
    ],
)
def test_the_origin_says_no(origin: Origin, store_dir: Path, status: int, kind: type[KitharaError], words: str) -> None:
    url = origin.serve("/song", BODY, always=[Status(status)])
    error = raised(kind, rf"^http://.*/song answered with status {status} \({words}\)$", url, store_dir)
    assert isinstance(error, (AccessDenied, NotFound, Unavailable))
    assert error.status == status
    assert error.recoverable is (kind is Unavailable)
    assert len(origin.requests()) == 1


def test_the_origin_says_when_to_come_back(origin: Origin, store_dir: Path) -> None:
    url = origin.serve("/song", BODY, always=[Status(503, retry_after=3600)])
    error = raised(Unavailable, "status 503", url, store_dir, retry=TWICE)
    assert isinstance(error, Unavailable)
    assert error.retry_after == 3600


def test_the_origin_refuses_every_range(origin: Origin, store_dir: Path) -> None:
    url = origin.serve("/song", BODY, always=[RefuseRange()])
    error = raised(RangeNotSatisfiable, r"status 416 \(range not satisfiable\)$", url, store_dir)
    assert isinstance(error, RangeNotSatisfiable)
    assert (error.status, error.length) == (416, BODY.length)


@pytest.mark.parametrize(
    "fault", [Header("Content-Length", "5", "7"), Header("Content-Length", "-1"), Header("Content-Length", "x")]
)
def test_the_answer_makes_no_sense(origin: Origin, store_dir: Path, fault: Header) -> None:
    url = origin.serve("/song", BODY, always=[fault])
    error = raised(InvalidResponse, "^The answer of http://.*/song cannot be used: ", url, store_dir)
    assert not error.recoverable


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        open_file(tmp_path / "none.wav")
    with pytest.raises(IsADirectoryError):
        open_file(tmp_path)


@pytest.mark.parametrize("url", ["ftp://host/a", "gopher://host", "file://elsewhere/a", "data:,x"])
def test_a_scheme_that_nobody_speaks(url: str) -> None:
    with pytest.raises(ConfigError, match="cannot"):
        open_file(url)


@pytest.mark.parametrize("url", ["http://", "http:///path", "http://host:port/", "http://host:99999/"])
def test_a_url_that_names_nothing(url: str, store_dir: Path) -> None:
    with pytest.raises((InvalidKey, ConfigError)) as error:
        open_file(url, store=store_dir)
    assert isinstance(error.value, ValueError)


@pytest.mark.parametrize(
    "options",
    [
        {"look_ahead_bytes": 0},
        {"max_fetches": 0},
        {"read_timeout": 0},
        {"revalidate": "sometimes"},
        {"headers": {"a b": "c"}},
        {"headers": {"a": "b\r\nc: d"}},
    ],
)
def test_a_knob_turned_too_far(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        open_file("http://127.0.0.1/", **options)


def test_a_closed_stream(origin: Origin, store_dir: Path) -> None:
    stream = Stream.open(File, FileConfig(origin.serve("/song", BODY), store=store_dir))
    stream.close()
    with pytest.raises(StreamClosed, match=r"^I/O operation on closed stream$"):
        stream.read(1)


def test_an_asset_in_use_is_not_removed(origin: Origin, store_dir: Path) -> None:
    url = origin.serve("/song", BODY)
    with AssetStore(store_dir) as store:
        with open_file(url, store=store) as file:
            file.read(1)
            with pytest.raises(LeaseHeld, match=r"is in use, so that it cannot be removed$"):
                store.remove(ResourceKey.of(url))
        store.remove(ResourceKey.of(url))


def test_a_store_that_cannot_be_one(origin: Origin, tmp_path: Path) -> None:
    place = tmp_path / "file"
    place.write_text("not a folder")
    with pytest.raises(StorageError) as error:
        open_file(origin.serve("/song", BODY), store=place)
    assert error.value.filename is not None
    assert str(place) in str(error.value)


def test_a_full_disk_is_read_past(origin: Origin, store_dir: Path) -> None:
    """A limit on the size of files stands for the full disk: the kernel refuses the write."""
    url = origin.serve("/song", BODY)
    program = """
        import resource, signal
        from hashlib import sha256
        from kithara_file import CacheBypassed, File, FileConfig
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, 500_000))
        with File.open(FileConfig(argv[0], store=argv[1])) as session:
            events = session.events.subscribe()
            with session.stream() as stream:
                whole = stream.read()
                stream.seek(1000)
                assert stream.read(100) == whole[1000:1100]
        print(sha256(whole).hexdigest())
        print(*{type(each.error).__name__ for each in events if isinstance(each, CacheBypassed)})
    """
    said = run_child(program, url, store_dir).splitlines()
    assert said[0] == digest(BODY)
    assert said[1] in ("DiskFull", "StorageError")
    with open_file(url, store=store_dir) as file:
        assert file.read() == BODY[:]


def test_damage_on_the_disk_is_found_and_fetched_again(origin: Origin, store_dir: Path) -> None:
    """The journal has lost its last record, and the file the bytes of others."""
    url = origin.serve("/song", BODY, faults=[StallAt(600_000)])
    with open_file(url, store=store_dir) as file:
        assert file.read(600_000) == BODY[:600_000]
    (data,) = store_dir.rglob("*.data")
    (journal,) = store_dir.rglob("*.journal")
    journal.write_bytes(journal.read_bytes()[:-7])  # a torn last record
    with data.open("r+b") as out:
        out.truncate(100_000)  # file size proves nothing, but bytes beyond it are not there
    with open_file(url, store=store_dir) as file:
        assert file.read() == BODY[:]


def test_the_error_that_ended_a_download_is_told_as_an_event(origin: Origin, store_dir: Path) -> None:
    url = origin.serve("/song", BODY, faults=[StallAt(1000)], always=[when(ranged, Status(403))])
    with File.open(FileConfig(url, store=store_dir, retry=AT_ONCE)) as session, session.stream() as stream:
        stream.seek(1_500_000)

        def reading() -> None:
            with pytest.raises(AccessDenied):
                stream.read(1)

        assert isinstance(first(session, DownloadError, reading).error, AccessDenied)
        assert stream.error is not None
        origin.always("/song")
        stream.seek(1_500_000)
        assert stream.read(10) == BODY[1_500_000:1_500_010]
