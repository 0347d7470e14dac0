"""Bytes of two versions never mix: nothing read, the new one is served; something read, it is an error."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from kithara_file import File, FileConfig, RemoteChanged, ResourceChanged, Stream, open_file
from tests.system.kit import SOON, TWICE, heard
from tests.world import CloseAt, IgnoreIfRange, Origin, PatternBody, StallAt, Version, flapping, plain, when

pytestmark = pytest.mark.system

OLD, NEW = PatternBody(1_000_000, seed=21), PatternBody(1_200_000, seed=22)
TWIN = PatternBody(1_000_000, seed=23)
"""Another body of the same length."""


def stored(origin: Origin, store: Path, size: int = 400_000, **how: object) -> str:
    """Store the first bytes of the old version."""
    url = origin.serve("/song", OLD, faults=[StallAt(size)], **how)  # type: ignore[arg-type]
    with open_file(url, store=store) as file:
        assert file.read(size) == OLD[:size]
    return url


@pytest.mark.parametrize("deaf", [False, True])
@pytest.mark.parametrize("newer", [NEW, TWIN])
def test_who_has_read_nothing_gets_the_new_version(
    origin: Origin, store_dir: Path, newer: PatternBody, deaf: bool
) -> None:
    url = stored(origin, store_dir)
    origin.replace("/song", newer, etag='"v2"')
    if deaf:
        origin.always("/song", IgnoreIfRange())
    with open_file(url, store=store_dir) as file:
        assert file.read() == newer[:]


def test_who_has_read_of_the_old_version_is_told(origin: Origin, store_dir: Path) -> None:
    url = origin.serve("/song", OLD, faults=[StallAt(400_000)])
    with File.open(FileConfig(url, store=store_dir)) as session, session.stream() as stream, heard(session) as told:
        assert stream.read(400_000) == OLD[:400_000]
        origin.replace("/song", NEW, etag='"v2"')
        stream.seek(900_000)
        with pytest.raises(
            ResourceChanged, match=r'changed while it was read: expected .*"v1".* found .*"v2"'
        ) as error:
            stream.read(10)
        assert isinstance(error.value, OSError)
        assert not error.value.recoverable
    assert any(isinstance(each, RemoteChanged) and not each.restarted for each in told)
    with open_file(url, store=store_dir) as file:
        assert file.read() == NEW[:]


def test_what_was_present_of_the_old_version_can_still_be_read(origin: Origin, store_dir: Path) -> None:
    url = origin.serve("/song", OLD, faults=[StallAt(400_000)])
    with Stream.open(File, FileConfig(url, store=store_dir)) as stream:
        assert stream.read(400_000) == OLD[:400_000]
        origin.replace("/song", NEW, etag='"v2"')
        stream.seek(900_000)
        with pytest.raises(ResourceChanged):
            stream.read(10)
        stream.seek(0)
        assert stream.read(400_000) == OLD[:400_000]
        with open_file(url, store=store_dir) as newer:
            assert newer.read(1000) == NEW[:1000]
        stream.seek(0)
        assert stream.read(400_000) == OLD[:400_000]


def test_an_open_stream_that_has_read_nothing_follows_to_the_new_version(origin: Origin, store_dir: Path) -> None:
    url = origin.serve("/song", OLD, faults=[StallAt(100_000)])
    with File.open(FileConfig(url, store=store_dir)) as session, session.stream() as stream, heard(session) as told:
        origin.wait_stalled("/song")
        origin.replace("/song", NEW, etag='"v2"')
        stream.seek(900_000)
        assert stream.read() == NEW[900_000:]
        stream.seek(0)
        assert stream.read(1000) == NEW[:1000]
        assert session.length == NEW.length
        assert stream.seek(0, 2) == NEW.length
    assert any(isinstance(each, RemoteChanged) and each.restarted for each in told)


def test_who_has_read_nothing_gets_the_new_version_though_another_keeps_the_old(
    origin: Origin, store_dir: Path
) -> None:
    url = origin.serve("/song", OLD, faults=[StallAt(400_000)])
    config = FileConfig(url, store=store_dir)
    with File.open(config) as session, session.stream() as old, session.stream() as fresh, session.stream() as other:
        assert old.read(400_000) == OLD[:400_000]
        origin.replace("/song", NEW, etag='"v2"')
        old.seek(900_000)
        with pytest.raises(ResourceChanged):
            old.read(10)
        assert fresh.read() == NEW[:]
        assert other.seek(-10, 2) == NEW.length - 10
        assert other.read() == NEW[NEW.length - 10 :]
        old.seek(0)
        assert old.read(400_000) == OLD[:400_000]


def read_by(file: Stream | io.BufferedReader, how: str, size: int) -> bytes:
    """Read by the method `how`."""
    if how == "read":
        return file.read(size)
    buffer = bytearray(size)
    return bytes(buffer[: file.readinto(buffer)])


@pytest.mark.parametrize("how", ["read", "readinto"])
@pytest.mark.parametrize("opening", [open_file, lambda url, **how: Stream.open(File, FileConfig(url, **how))])
def test_a_complete_file_that_loses_bytes_is_not_healed_with_those_of_another_version(
    origin: Origin, store_dir: Path, opening: Callable[..., Stream | io.BufferedReader], how: str
) -> None:
    url = origin.serve("/song", OLD, headers={"Cache-Control": "max-age=1000"})
    with File.open(FileConfig(url, store=store_dir)) as session:
        session.wait_complete(SOON)
    with opening(url, store=store_dir) as file:
        assert read_by(file, how, 50_000) == OLD[:50_000]
        origin.replace("/song", TWIN, etag='"v2"')
        (data,) = store_dir.glob("assets/*/*.data")
        os.truncate(data, 500)
        file.seek(200_000)
        with pytest.raises(ResourceChanged):
            read_by(file, how, 100_000)


def test_without_validators_a_resume_compares_what_it_holds(origin: Origin, store_dir: Path) -> None:
    url = stored(origin, store_dir, etag=None)
    origin.replace("/song", TWIN, etag=None)
    with Stream.open(File, FileConfig(url, store=store_dir)) as stream:
        try:
            found = stream.read()
        except ResourceChanged:
            pass
        else:
            assert found == TWIN[:]
    with Stream.open(File, FileConfig(url, store=store_dir)) as stream:
        assert stream.read() == TWIN[:]


def test_without_validators_an_unchanged_file_is_resumed(origin: Origin, store_dir: Path) -> None:
    url = stored(origin, store_dir, etag=None)
    with open_file(url, store=store_dir) as file:
        assert file.read() == OLD[:]
    assert origin.bytes_sent("/song") <= OLD.length + 8192


def test_two_mirrors_that_flap_never_mix(origin: Origin, store_dir: Path) -> None:
    versions = Version(body=OLD, etag='"a"'), Version(body=TWIN, etag='"b"')
    url = origin.serve("/song", OLD, always=[flapping(*versions), CloseAt(150_000)])
    try:
        with open_file(url, store=store_dir, retry=TWICE) as file:
            found = file.read()
    except ResourceChanged:
        return
    assert found in (OLD[:], TWIN[:])


def test_a_version_that_changes_at_each_break_never_mixes(origin: Origin, store_dir: Path) -> None:
    bodies = [PatternBody(500_000, seed=seed) for seed in range(30, 34)]
    url = origin.serve("/song", bodies[0], etag='"0"', always=[when(plain, CloseAt(200_000))])
    found = [b""]
    for number, body in enumerate(bodies):
        origin.replace("/song", body, etag=f'"{number}"')
        with File.open(FileConfig(url, store=store_dir, retry=TWICE)) as session, session.stream() as stream:
            origin.replace("/song", bodies[(number + 1) % 4], etag=f'"{(number + 1) % 4}"')
            try:
                found.append(stream.read())
            except ResourceChanged:
                continue
    assert all(each in [body[:] for body in bodies] for each in found[1:])
    with open_file(url, store=store_dir) as file:
        assert file.read() == bodies[0][:]
