"""`kithara get`: whole files, several at a time, resumed after anything, and never half a file under its name."""

from __future__ import annotations

import signal
from itertools import pairwise
from pathlib import Path

import pytest

from tests.offline import run_without_sockets
from tests.system.command import Ran, Running, kithara
from tests.system.kit import SOON
from tests.world import Link, Origin, PatternBody, StallAt
from tests.world.fixtures import MakeOrigin

pytestmark = pytest.mark.system

BODY = PatternBody(2_000_000, seed=31)
OTHER = PatternBody(700_000, seed=32)
FRESH = {"Cache-Control": "max-age=3600"}


def holds(path: Path, body: PatternBody) -> bool:
    """Tell whether a file is this body."""
    return path.read_bytes() == body[0 : body.length]


def test_a_file_is_put_where_the_user_said(origin: Origin, store_dir: Path, tmp_path: Path) -> None:
    ran = kithara(store_dir, "get", origin.serve("/song", BODY), "-o", tmp_path / "copy")
    assert (ran.code, ran.out) == (0, b"")
    assert ran.err.startswith("song: 2.0 MB in ")
    assert ran.err.endswith(f"saved as {tmp_path / 'copy'}\n")
    assert holds(tmp_path / "copy", BODY)


def test_without_output_the_place_in_the_cache_is_printed(origin: Origin, store_dir: Path) -> None:
    ran = kithara(store_dir, "get", "-q", origin.serve("/song", BODY))
    assert (ran.code, ran.err) == (0, "")
    assert holds(Path(ran.out.decode().strip()), BODY)


def test_several_files_go_into_a_folder_and_a_failure_stops_no_other(
    origin: Origin, store_dir: Path, tmp_path: Path
) -> None:
    urls = [origin.serve("/a/index.mp3", BODY), origin.serve("/b/index.mp3", OTHER), origin.url("/absent.mp3")]
    ran = kithara(store_dir, "get", "-o", f"{tmp_path}/out/", *urls)
    assert ran.code == 1
    assert f"kithara: {origin.url('/absent.mp3')} answered with status 404 (not found)\n" in ran.err
    assert holds(tmp_path / "out/index.mp3", BODY)
    assert holds(tmp_path / "out/index-2.mp3", OTHER)
    assert len(list((tmp_path / "out").iterdir())) == 2


def test_several_connections_bring_a_part_each(origin: Origin, store_dir: Path, tmp_path: Path) -> None:
    body = PatternBody(24 << 20, seed=5)
    url = origin.serve("/big.flac", body)
    ran = kithara(store_dir, "get", "-q", "--connections", 3, "-o", tmp_path / "big.flac", url)
    assert ran.code == 0, ran.err
    assert holds(tmp_path / "big.flac", body)
    assert len(origin.requests("/big.flac")) >= 3


@pytest.mark.parametrize("jobs", [1, 2])
def test_no_more_files_come_at_a_time_than_were_allowed(make_origin: MakeOrigin, store_dir: Path, jobs: int) -> None:
    origin = make_origin(link=Link(rtt=0.02))
    urls = [origin.serve(f"/{number}", OTHER) for number in range(4)]
    assert kithara(store_dir, "get", "-q", "--jobs", jobs, *urls).code == 0
    spans = sorted((one.began, one.ended or 0.0) for one in origin.requests())
    assert len(spans) == 4
    for (_, ended), (began, _) in pairwise(spans) if jobs == 1 else zip(spans, spans[2:], strict=False):
        assert ended <= began + 0.001


def interrupted(origin: Origin, store: Path, target: Path, number: signal.Signals) -> Ran:
    """Begin a download, send a signal in its middle, and return what it came to."""
    origin.next("/song", StallAt(1_200_000))
    with Running(store, "get", origin.url("/song"), "-o", target) as running:
        origin.wait_stalled("/song", SOON)
        running.send(number)
        return running.end()


@pytest.mark.parametrize("number,code", [(signal.SIGINT, 130), (signal.SIGKILL, -9)])
def test_an_ended_download_leaves_no_half_file_and_goes_on_when_run_again(
    origin: Origin, store_dir: Path, tmp_path: Path, number: signal.Signals, code: int
) -> None:
    url = origin.serve("/song", BODY)
    ended = interrupted(origin, store_dir, tmp_path / "copy", number)
    assert ended.code == code
    assert [each.name for each in tmp_path.iterdir()] == ["store"]
    again = kithara(store_dir, "get", url, "-o", tmp_path / "copy")
    assert again.code == 0
    assert holds(tmp_path / "copy", BODY)


def test_an_empty_file_is_not_said_to_come_from_the_cache(origin: Origin, store_dir: Path, tmp_path: Path) -> None:
    ran = kithara(store_dir, "get", origin.serve("/song", b""), "-o", tmp_path / "copy")
    assert (ran.code, ran.err) == (0, f"song: 0 B, saved as {tmp_path / 'copy'}\n")
    assert (tmp_path / "copy").read_bytes() == b""


def test_ctrl_c_says_what_is_kept_and_how_to_go_on(origin: Origin, store_dir: Path, tmp_path: Path) -> None:
    origin.serve("/song", BODY)
    told = interrupted(origin, store_dir, tmp_path / "copy", signal.SIGINT).err
    assert told.startswith("kithara: interrupted with ")
    assert "run the same command again" in told
    assert told.count("\n") == 1


def test_offline_a_complete_file_is_saved_without_a_socket(origin: Origin, store_dir: Path, tmp_path: Path) -> None:
    url = origin.serve("/song", BODY)
    assert kithara(store_dir, "get", "-q", url).code == 0
    result = run_without_sockets(
        "-m", "kithara_file.cli", "get", "--offline", "--cache-dir", str(store_dir), url, "-o", str(tmp_path / "copy")
    )
    assert (result.returncode, result.stderr) == (0, f"song: 2.0 MB from the cache, saved as {tmp_path / 'copy'}\n")
    assert holds(tmp_path / "copy", BODY)


def test_offline_a_file_of_which_bytes_are_missing_is_an_error_at_once(
    origin: Origin, store_dir: Path, tmp_path: Path
) -> None:
    url = origin.serve("/song", BODY)
    assert kithara(store_dir, "cat", "--range", "0-99", url).code == 0
    ran = kithara(store_dir, "get", "--offline", url, "-o", tmp_path / "copy")
    assert ran.code == 1
    assert ran.err.startswith("kithara: Offline, and bytes ")
    assert not (tmp_path / "copy").exists()


@pytest.mark.parametrize("path", ["/quiet/song.flac", "/other"])
@pytest.mark.parametrize("command", [["get"], ["cat"], ["info"]])
def test_no_credential_is_ever_shown_or_stored(origin: Origin, store_dir: Path, path: str, command: list[str]) -> None:
    origin.serve(path, b"sound", headers=FRESH)  # of the two only the first is what is asked for: 200 and 404
    secret = origin.url("/quiet/song.flac?token=hush#frag").replace("://", "://user:hush@")
    ran = kithara(store_dir, *command, "-vv", "-H", "Authorization: Bearer hush", secret)
    assert ran.code == (0 if path.startswith("/quiet") else 1)
    assert "> GET" in ran.err
    (asked,) = origin.requests()
    assert asked.header("Authorization") == "Bearer hush"
    assert "token=hush" in asked.target
    assert "hush" not in ran.err + ran.out.decode()
    stored = [each for each in store_dir.rglob("*") if each.is_file()]
    assert not [each for each in stored if b"hush" in each.read_bytes() or "hush" in each.name]
