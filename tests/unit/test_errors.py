"""Unit tests of the error tree."""

from __future__ import annotations

import pickle
import pkgutil
import re
from collections.abc import Iterator
from errno import ENOSPC
from importlib import import_module

import pytest

import kithara_file
from kithara_file import errors
from kithara_file.errors import (
    AccessDenied,
    AssetError,
    BodyBroken,
    Cancelled,
    ConfigError,
    ConnectFailed,
    CorruptResource,
    DecodeFailed,
    DeviceUnavailable,
    DiskFull,
    InvalidKey,
    InvalidResponse,
    KitharaError,
    LeaseHeld,
    MediaError,
    NetError,
    NetTimeout,
    NotFound,
    OfflineMiss,
    RangeNotSatisfiable,
    ResourceChanged,
    StatusError,
    StorageError,
    StreamClosed,
    Unavailable,
    UnsupportedMedia,
    Woken,
    public_url,
)

URL = "https://user:secret@host/song.flac?token=secret#secret"
SHOWN = "https://host/song.flac"

EVERY: list[KitharaError] = [
    ConnectFailed("refused", url=URL),
    NetTimeout(url=URL, stage="body", seconds=10),
    BodyBroken("reset", url=URL, at=5, expected=9),
    BodyBroken("reset", url=URL, at=5, expected=None),
    InvalidResponse("two lengths", url=URL),
    StatusError(418, url=URL),
    AccessDenied(403, url=URL),
    NotFound(404, url=URL),
    RangeNotSatisfiable(url=URL, length=9),
    RangeNotSatisfiable(url=URL, length=9, wanted="9-"),
    Unavailable(503, url=URL, retry_after=2.0),
    ResourceChanged(url=URL, expected='"a"', found='"b"'),
    OfflineMiss(url=URL, start=0, end=9),
    OfflineMiss(url=URL, start=0, end=None),
    StorageError("Cannot write /a: Input/output error", errno=5, path="/a"),
    DiskFull("Cannot write /a: No space left on device", errno=ENOSPC, path="/a"),
    CorruptResource("/a does not match its checksum", path="/a"),
    AssetError("no"),
    InvalidKey("no"),
    LeaseHeld("no"),
    MediaError("no"),
    UnsupportedMedia("no"),
    DeviceUnavailable("no"),
    DecodeFailed("no"),
    Cancelled(),
    Woken(),
    StreamClosed(),
    ConfigError("no"),
]
every = pytest.mark.parametrize("error", EVERY, ids=lambda error: type(error).__name__)


def test_the_list_above_is_the_whole_tree() -> None:
    tree = {each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, KitharaError)}
    assert tree == {type(each) for each in EVERY} | {KitharaError, NetError}


@every
def test_its_str_is_one_sentence_without_credentials(error: KitharaError) -> None:
    assert str(error)
    assert "\n" not in str(error)
    assert "secret" not in str(error) + repr(error)
    assert "None" not in str(error)


@every
def test_a_copy_for_another_reader_says_and_knows_the_same(error: KitharaError) -> None:
    try:
        raise error from OSError("cause")
    except KitharaError:
        twin = error.again()
    finally:
        cause = error.__cause__
        error.__cause__ = error.__traceback__ = None
    assert twin is not error
    assert twin.__traceback__ is None
    assert twin.__cause__ is cause
    assert facts(twin) == facts(error)


@every
def test_it_crosses_to_another_process_whole(error: KitharaError) -> None:
    assert facts(pickle.loads(pickle.dumps(error))) == facts(error)  # noqa: S301


def facts(error: KitharaError) -> tuple[object, ...]:
    """Return everything that a caller may look at."""
    builtin = [getattr(error, name, None) for name in ("errno", "filename", "strerror")]
    return type(error), str(error), error.args, vars(error), builtin, error.recoverable


@every
def test_what_crosses_the_file_boundary_is_an_error_of_files(error: KitharaError) -> None:
    crossing = (NetError, ResourceChanged, OfflineMiss, StorageError, Cancelled)
    assert isinstance(error, OSError) is isinstance(error, crossing)


def test_the_builtin_names_catch_what_they_should() -> None:
    assert issubclass(NetTimeout, TimeoutError)
    assert issubclass(StreamClosed, ValueError)
    assert issubclass(ConfigError, ValueError)
    assert issubclass(InvalidKey, ValueError)


def test_who_may_try_again() -> None:
    recoverable = {type(each) for each in EVERY if each.recoverable}
    assert recoverable == {ConnectFailed, NetTimeout, BodyBroken, Unavailable, DiskFull, LeaseHeld, Cancelled, Woken}
    assert not ConnectFailed("certificate", url=URL, recoverable=False).recoverable


def test_facts_are_attributes() -> None:
    broken = BodyBroken("reset", url=URL, at=5, expected=9)
    assert (broken.url, broken.stage, broken.at, broken.expected) == (SHOWN, "body", 5, 9)
    busy = Unavailable(503, url=URL, retry_after=2.0)
    assert (busy.status, busy.retry_after, busy.stage) == (503, 2.0, "headers")
    assert RangeNotSatisfiable(url=URL, length=9).length == 9
    full = DiskFull("full", errno=ENOSPC, path="/a")
    assert (full.errno, full.filename) == (ENOSPC, "/a")


@pytest.mark.parametrize(
    "url, shown",
    [
        (URL, SHOWN),
        ("http://host", "http://host"),
        ("http://u:p@host:8080/", "http://host:8080/"),
        ("http://u:p@ss@host/a@b", "http://host/a@b"),
        ("http://host/a?b#c", "http://host/a"),
        ("http://host#a?b", "http://host"),
        ("http://[::1]:80/x", "http://[::1]:80/x"),
        ("song.flac", "song.flac"),
        ("/music/why? #1.flac", "/music/why? #1.flac"),
        ("C:/why?.flac", "C:/why?.flac"),
        ("mailto:me?token=hush", "mailto:me"),
        ("", ""),
    ],
)
def test_a_url_is_shown_without_what_may_be_secret(url: str, shown: str) -> None:
    assert public_url(url) == shown


def test_the_tree_names_every_error_of_the_library() -> None:
    for module in pkgutil.walk_packages(kithara_file.__path__, "kithara_file."):
        if not module.name.startswith("kithara_file.cli"):
            import_module(module.name)
    theirs = {each.__name__ for each in kinds(KitharaError) if re.match(r"kithara_file\.(?!cli)", each.__module__)}
    assert theirs - set(re.findall(r"\w+", errors.__doc__ or "")) == set()


def kinds(root: type[KitharaError]) -> Iterator[type[KitharaError]]:
    """Yield every class under `root`."""
    for each in root.__subclasses__():
        yield each
        yield from kinds(each)
