"""Origins that bear one connection at a time: a far seek takes the download's place rather than wait for its end."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer, ThreadingHTTPServer
from pathlib import Path

import pytest

from kithara_file import File, FileConfig, open_file
from kithara_file.config import Policy
from tests.system.bad_origin import PATIENT, RETRY

pytestmark = pytest.mark.system

DATA = random.Random(11).randbytes(24 << 20)
"""So much that no socket takes it all, and the first GET stays open."""


class OnlyOne(BaseHTTPRequestHandler):
    """Serves ranges of `DATA`; where several are served at once, refuses all but one."""

    protocol_version = "HTTP/1.1"
    turn = threading.Semaphore(1)

    def do_GET(self) -> None:
        with self.turn_taken() as mine:
            if mine:
                self.answer()
            else:
                self.send_response(503)
                self.send_header("Content-Length", "0")
                self.end_headers()

    @contextmanager
    def turn_taken(self) -> Iterator[bool]:
        mine = self.turn.acquire(blocking=False)
        try:
            yield mine
        finally:
            if mine:
                self.turn.release()

    def answer(self) -> None:
        first, _, last = self.headers.get("Range", "bytes=0-").removeprefix("bytes=").partition("-")
        start, end = int(first), min(int(last or len(DATA)) + 1, len(DATA))
        self.send_response(206 if "Range" in self.headers else 200)
        self.send_header("Content-Range", f"bytes {start}-{end - 1}/{len(DATA)}")
        self.send_header("Content-Length", str(end - start))
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("ETag", '"one"')
        self.end_headers()
        try:
            self.wfile.write(DATA[start:end])
        except OSError:
            self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class Quiet:
    """Hangs up without a word on whoever has hung up."""

    def handle_error(self, *_: object) -> None:
        """Say nothing."""


class OneAfterTheOther(Quiet, HTTPServer):
    """Has no ear for a connection while another one lives."""


class OneOrNone(Quiet, ThreadingHTTPServer):
    """Answers every connection, most with a refusal."""


@pytest.fixture(params=[OneAfterTheOther, OneOrNone])
def url(request: pytest.FixtureRequest) -> Iterator[str]:
    """Serve."""
    with request.param(("127.0.0.1", 0), OnlyOne) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/song.wav"
        server.shutdown()
        thread.join()


def test_where_one_connection_is_served_at_a_time_a_far_seek_gets_it(url: str, store_dir: Path) -> None:
    with open_file(url, store=store_dir, retry=RETRY, timeouts=PATIENT) as file:
        assert file.read(1000) == DATA[:1000]

        def seconds(start: int) -> float:
            begun = time.monotonic()
            file.seek(start)
            assert file.read(1000) == DATA[start : start + 1000]
            return time.monotonic() - begun

        assert seconds(len(DATA) - 1000) < PATIENT.headers
        assert min(seconds(len(DATA) * part // 4) for part in (2, 3)) < Policy().answer_seconds, "it is remembered"


def test_where_one_connection_is_served_at_a_time_a_download_over_several_arrives(url: str, store_dir: Path) -> None:
    config = FileConfig(url, store=store_dir, retry=RETRY, connections=4, look_ahead_bytes=None)
    with File.open(config) as session:
        session.wait_complete(30)
        assert session.stream().read() == DATA
