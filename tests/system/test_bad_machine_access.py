"""A cache directory that cannot be used, or not any more: a typed error in one sentence, or reading past it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from kithara_file import AssetStore, File, StorageError, open_file
from tests.system.bad_machine import (
    BODY,
    DATA,
    claims,
    config,
    fill,
    look,
    reads_right,
    refetched,
    serve,
    session_of,
    stored,
)
from tests.world import Origin
from tests.world.crash import Child, run_child
from tests.world.disk import nobody, read_only, vanish

pytestmark = pytest.mark.system

HALF = BODY.length // 2


@pytest.fixture
def url(origin: Origin) -> str:
    return serve(origin)


# -- read-only -------------------------------------------------------------------------------------------------------


def test_a_read_only_cache_serves_what_is_complete(origin: Origin, url: str, store_dir: Path) -> None:
    fill(url, store_dir)
    with read_only(store_dir):
        assert refetched(origin, url, store_dir) == 0
        assert claims(url, store_dir) == BODY.length


def test_a_read_only_cache_serves_what_is_partial_and_the_rest_is_read_past_it(
    origin: Origin, url: str, store_dir: Path
) -> None:
    fill(url, store_dir, HALF)
    held = claims(url, store_dir)
    with read_only(store_dir):
        before = origin.bytes_sent("/song")
        seen = look(url, store_dir)
        assert seen.data == DATA
        assert isinstance(seen.completion, StorageError)
        assert "Read-only" in str(seen.completion)
        assert seen.bypassed
        assert origin.bytes_sent("/song") - before <= BODY.length - held
    assert refetched(origin, url, store_dir) == BODY.length - held


def test_a_new_version_is_read_past_a_read_only_cache(origin: Origin, url: str, store_dir: Path) -> None:
    fill(url, store_dir)
    origin.replace("/song", DATA[::-1], etag='"v2"')
    with read_only(store_dir):
        seen = look(url, store_dir)
        assert seen.data == DATA[::-1]
        assert seen.bypassed
    origin.replace("/song", BODY, etag='"v1"')
    assert refetched(origin, url, store_dir) == 0


def test_a_new_file_is_one_typed_error_where_the_named_cache_is_read_only(
    origin: Origin, url: str, store_dir: Path
) -> None:
    fill(url, store_dir)
    with read_only(store_dir), pytest.raises(StorageError) as caught:
        open_file(origin.serve("/other", BODY), store=store_dir)
    assert str(caught.value).startswith(f"Cannot use the cache directory {store_dir}: ")
    assert "\n" not in str(caught.value)


# -- deleted under us ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("upto", [None, HALF], ids=["complete", "partial"])
def test_a_cache_deleted_while_it_is_read_is_read_on(url: str, store_dir: Path, upto: int | None) -> None:
    fill(url, store_dir, upto)
    with session_of(url, store_dir) as session, session.stream() as stream:
        assert stream.read(1000) == DATA[:1000]
        vanish(store_dir)
        assert stream.read() == DATA[1000:]
        stream.seek(0)
        assert stream.read() == DATA
    reads_right(url, store_dir)


def test_a_cache_deleted_before_the_first_answer_is_made_again(origin: Origin, url: str, store_dir: Path) -> None:
    with AssetStore(store_dir) as store:
        fill(url, store_dir)
        vanish(store_dir)
        with File.open(replace(config(url, None), store=store)) as session, session.stream() as stream:
            vanish(store_dir)
            assert stream.read() == DATA
        reads_right(origin.serve("/other", BODY), store_dir)


@pytest.mark.parametrize("suffix", [".data", ".journal", ".json"])
def test_a_file_deleted_while_it_is_read_costs_at_most_a_fetch(url: str, store_dir: Path, suffix: str) -> None:
    fill(url, store_dir, HALF)
    with session_of(url, store_dir) as session, session.stream() as stream:
        stored(store_dir, suffix).unlink()
        assert stream.read() == DATA
    reads_right(url, store_dir)


# -- not a directory, not allowed ------------------------------------------------------------------------------------


def a_file(place: Path) -> None:
    place.write_text("mine")


def below_a_file(place: Path) -> None:
    place.parent.rmdir()
    place.parent.write_text("mine")


def a_loop_of_links(place: Path) -> None:
    place.symlink_to(place)


def a_file_where_assets_belong(place: Path) -> None:
    place.mkdir()
    (place / "assets").write_text("mine")


@pytest.mark.parametrize("spoil", [a_file, below_a_file, a_loop_of_links, a_file_where_assets_belong])
def test_a_named_cache_that_cannot_be_one_is_a_typed_error_in_one_sentence(
    origin: Origin, url: str, tmp_path: Path, spoil: Callable[[Path], None]
) -> None:
    place = tmp_path / "above" / "store"
    place.parent.mkdir()
    spoil(place)
    with pytest.raises(StorageError) as caught:
        open_file(url, store=place)
    assert str(caught.value).startswith(f"Cannot use the cache directory {place}: ")
    assert "\n" not in str(caught.value)
    assert caught.value.errno is not None
    assert origin.requests() == ()


def a_directory_in_the_place_of_the_asset(asset: Path) -> None:
    for name in ("lease", "lock"):
        (asset / name).unlink(missing_ok=True)
        (asset / name).mkdir()


def a_file_in_the_place_of_the_asset(asset: Path) -> None:
    shutil.rmtree(asset)
    asset.write_text("mine")


@pytest.mark.parametrize("spoil", [a_directory_in_the_place_of_the_asset, a_file_in_the_place_of_the_asset])
def test_an_asset_that_is_something_else_is_a_typed_error_and_hinders_no_other(
    origin: Origin, url: str, store_dir: Path, spoil: Callable[[Path], None]
) -> None:
    fill(url, store_dir)
    spoil(stored(store_dir, ".data").parent)
    with pytest.raises(StorageError):
        open_file(url, store=store_dir)
    reads_right(origin.serve("/other", BODY), store_dir)


ANOTHER_USER = """
    import os, sys
    from pathlib import Path
    from kithara_file import StorageError
    from tests.system.bad_machine import DATA, look, serve
    url, store, uid = argv
    look(url, Path(store) / "warm")        # whatever is imported late must be so before the user changes
    os.setgroups([])
    os.setgid(int(uid))
    os.setuid(int(uid))
    try:
        seen = look(url, Path(store) / "forbidden")
        print("read", seen.data == DATA)
    except StorageError as error:
        print(type(error).__name__, isinstance(error, PermissionError), error)
"""


def test_a_named_cache_that_may_not_be_written_is_a_permission_error_in_one_sentence(url: str, tmp_path: Path) -> None:
    root = tmp_path / "roots"
    root.mkdir(mode=0o755)
    with nobody() as uid:
        said = run_child(ANOTHER_USER, url, root, uid)
    assert said == f"FileRefused True Cannot use the cache directory {root}/forbidden: Permission denied"


# -- nothing outside -------------------------------------------------------------------------------------------------


PLACES = ["assets", "assets/*", "assets/*/lease", "assets/*/lock", "assets/*/*.data", "assets/*/*.journal"]
PLACES += ["assets/*/*.json", "index.sqlite3", "index.lock", "assets/CACHEDIR.TAG"]


def planted(store: Path, at: str, outside: Path) -> None:
    """Put a link to `outside` in the place `at` of the store, `*` being whatever asset there is."""
    (place,) = store.glob(at)
    if place.is_dir():
        shutil.rmtree(place)
    else:
        place.unlink()
    place.symlink_to(outside)


@pytest.mark.parametrize("at", PLACES)
@pytest.mark.parametrize("upto", [None, HALF], ids=["complete", "partial"])
@pytest.mark.parametrize("target", ["folder", "file", "nothing"])
def test_a_planted_link_leads_no_byte_out_of_the_cache(
    url: str, store_dir: Path, tmp_path: Path, at: str, upto: int | None, target: str
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "folder").mkdir()
    (outside / "file").write_bytes(b"precious")
    fill(url, store_dir, upto)
    if at == "assets/*":
        at = f"assets/{stored(store_dir, '.data').parent.name}"
    planted(store_dir, at, outside / target)
    with suppress(StorageError):
        assert look(url, store_dir).data == DATA
    assert sorted(each.name for each in outside.rglob("*")) == ["file", "folder"]
    assert (outside / "file").read_bytes() == b"precious"


# -- the user's own cache --------------------------------------------------------------------------------------------

DEFAULT = """
    import logging, os
    from tests.system.bad_machine import DATA, look, serve
    logging.basicConfig(format="%(levelname)s %(message)s")
    os.environ["XDG_CACHE_HOME"], os.environ["TMPDIR"] = argv[1:3]
    for _ in range(2):
        seen = look(argv[0], None)
        print(seen.data == DATA, seen.completion, len(os.listdir(argv[2])))
"""


def test_a_default_cache_that_cannot_be_used_is_replaced_for_this_process_and_a_warning_says_so(
    origin: Origin, url: str, tmp_path: Path
) -> None:
    home, temporary = tmp_path / "home", tmp_path / "temporary"
    home.write_text("no folder")
    temporary.mkdir()
    with Child(DEFAULT, url, home, temporary) as child:
        assert child.output() == "True None 1\nTrue None 1"
        assert [each for each in child.errors if str(home) in each and "WARNING" in each]
        assert len(child.errors) == 1
    assert len(origin.requests("/song")) <= 3  # the second time it is served from there
    assert list(temporary.iterdir()) == []  # and gone with the process


def test_where_nothing_at_all_can_be_written_the_default_cache_is_one_typed_error(url: str, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.write_text("no folder")
    program = """
        import os, tempfile
        from kithara_file import StorageError, open_file
        os.environ["XDG_CACHE_HOME"] = tempfile.tempdir = argv[1]
        try:
            open_file(argv[0])
        except StorageError as error:
            print(error)
    """
    assert run_child(program, url, home).startswith(f"Cannot use the cache directory {home}/kithara-file: ")
