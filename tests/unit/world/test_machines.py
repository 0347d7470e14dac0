"""The rest of the world: nginx, ports that do not answer, sound, children that are killed."""

from __future__ import annotations

import socket
import subprocess
import time
import wave
from pathlib import Path

import pytest

from tests.world.crash import Child, run_child
from tests.world.fixtures import MakeNginx
from tests.world.nginx import Nginx
from tests.world.ports import refusing_port, silent_port
from tests.world.sound import sine_frame, write_wav


def fetch(url: str, *options: str) -> bytes:
    return subprocess.run(["curl", "-sS", "-m", "10", *options, url], capture_output=True, check=True).stdout


def test_nginx_serves_the_folder_and_tells_of_each_request(nginx: Nginx, site: Path) -> None:
    (site / "a.bin").write_bytes(bytes(1000))
    assert fetch(nginx.url("/a.bin"), "-r", "990-", "-H", 'If-Range: "x"') == bytes(1000)
    assert fetch(nginx.url("/a.bin"), "-r", "990-") == bytes(10)
    found = nginx.requests("/a.bin", count=2)
    assert [(one.status, one.range, one.if_range, one.bytes_sent) for one in found] == [
        (200, "bytes=990-", '"x"', 1000),
        (206, "bytes=990-", "", 10),
    ]


def test_nginx_speaks_http2_over_tls(make_nginx: MakeNginx, site: Path) -> None:
    (site / "a.bin").write_bytes(b"hello")
    nginx = make_nginx(tls=True, http2=True)
    assert fetch(nginx.url("/a.bin"), "--cacert", str(nginx.ca_file)) == b"hello"
    assert [one.protocol for one in nginx.requests(count=1)] == ["HTTP/2.0"]


def test_nginx_keeps_to_its_rate(make_nginx: MakeNginx, site: Path) -> None:
    (site / "a.bin").write_bytes(bytes(210_000))
    nginx = make_nginx(rate=100_000)
    began = time.monotonic()
    fetch(nginx.url("/a.bin"))
    assert (
        time.monotonic() - began > 0.05
    )  # it counts in whole seconds, so that what two of them allow may go out at once


def test_nginx_that_cannot_start_says_why(site: Path) -> None:
    with pytest.raises(ConnectionError) as told, Nginx(site, extra="nonsense on;"):
        pass
    assert "unknown directive" in told.value.__notes__[0]


def test_refusing_port_refuses() -> None:
    with refusing_port() as port, pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), 1.0)


def test_silent_port_says_nothing() -> None:
    with silent_port() as port, pytest.raises(TimeoutError):
        socket.create_connection(("127.0.0.1", port), 0.05)


def test_sound_has_its_length_and_its_pitch(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "a.wav", seconds=2.5, frequency=100, sample_rate=8000, channels=2)
    with wave.open(str(path)) as file:
        assert (file.getnframes(), file.getframerate(), file.getnchannels()) == (20_000, 8000, 2)
        file.setpos(8007)
        frame = file.readframes(1)
    left, right = (int.from_bytes(frame[at : at + 2], "little", signed=True) for at in (0, 2))
    assert left == sine_frame(7, frequency=100, sample_rate=8000)
    assert right == sine_frame(7, frequency=100, sample_rate=8000, channel=1)


def test_killed_child_has_said_what_it_said(tmp_path: Path) -> None:
    snippet = """
        import time
        print("hello", argv[0], flush=True)
        time.sleep(60)
        print("never")
    """
    with Child(snippet, tmp_path) as child:
        assert child.wait_line("hello") == f"hello {tmp_path}"
        child.kill()
        assert child.wait() == -9
        assert len(child.lines) == 1


def _double(number: str) -> None:
    print(int(number) * 2)  # noqa: T201 - the child speaks through its stdout


def test_child_runs_a_function_and_gives_its_output() -> None:
    assert run_child(_double, 21) == "42"


def test_child_that_fails_shows_its_stderr() -> None:
    with pytest.raises(AssertionError, match="ZeroDivisionError"):
        run_child("1 / 0")


def test_child_that_ends_without_the_line_does_not_keep_us_waiting() -> None:
    with Child("print('one')") as child, pytest.raises(EOFError):
        child.wait_line("two")
