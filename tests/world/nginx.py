"""A real origin: Debian's nginx on a free port of loopback, with its own folder, configuration and log.

    with Nginx(folder) as nginx:
        url = nginx.url("/song.flac")
        ...
        assert [one.range for one in nginx.requests("/song.flac")] == ["", "bytes=65536-"]

Must not know: what is fetched from it.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Condition, Thread
from types import TracebackType
from typing import IO, Self

from tests.world.certificates import Certificate

PATIENCE = 30.0
_HOST = "127.0.0.1"
_PLACES = "/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin"
_FIELDS = ("method", "target", "status", "range", "if_range", "if_none_match", "bytes_sent", "connection", "protocol")

# With `master_process off` nginx 1.22 crashes on a socket that it is given.
_CONFIGURATION = """\
daemon off;
worker_processes 1;
{user}
pid {run}/pid;
error_log {run}/error.log warn;
worker_rlimit_nofile 4096;
events {{ worker_connections 2048; }}
http {{
    log_format facts escape=json '{{"method":"$request_method","target":"$request_uri","status":"$status",'
        '"range":"$http_range","if_range":"$http_if_range","if_none_match":"$http_if_none_match",'
        '"bytes_sent":"$body_bytes_sent","connection":"$connection","protocol":"$server_protocol"}}';
    access_log /dev/stdout facts;
    client_body_temp_path {run}/body; proxy_temp_path {run}/proxy; fastcgi_temp_path {run}/fastcgi;
    uwsgi_temp_path {run}/uwsgi; scgi_temp_path {run}/scgi;
    types {{ audio/flac flac; audio/mpeg mp3; audio/wav wav; }}
    default_type application/octet-stream;
    sendfile on; tcp_nopush on; keepalive_requests 100000;
    {options}
    server {{
        listen {host}:{port}{listen};
        {tls}
        root {folder};
    }}
}}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class NginxRequest:
    """One line of the access log. A header that was not sent is an empty text."""

    method: str
    target: str
    status: int
    range: str
    if_range: str
    if_none_match: str
    bytes_sent: int
    """Bytes of the body that nginx gave to the kernel."""
    connection: int
    protocol: str


def find_nginx() -> str | None:
    """Return the path of the program, None where it is not installed."""
    return shutil.which("nginx") or shutil.which("nginx", path=_PLACES)


class Nginx:
    """An nginx that serves a folder; `rate` is its `limit_rate`, bytes/s per connection after the first `rate_after`.

    (It counts in whole seconds, so that the first second's worth goes out at once.)

    Its socket is ours, given to it listening already: no port to lose, and no moment at which a client is too early.
    Entering starts it and returns when it answers; leaving stops it within 10 s.
    """

    def __init__(
        self,
        folder: Path,
        *,
        tls: bool = False,
        http2: bool = False,
        rate: int | None = None,
        rate_after: int = 0,
        extra: str = "",
    ) -> None:
        self.folder = folder
        self.port = 0
        self._certificate = Certificate.for_loopback() if tls else None
        self._listen = (" ssl" if tls else "") + (" http2" if http2 else "")
        limits = f"limit_rate {rate}; limit_rate_after {rate_after};" if rate else ""
        self._options = f"{limits} {extra}"
        self._log = _Log()
        self._stack = ExitStack()

    @property
    def ca_file(self) -> Path:
        """What a client of a TLS nginx has to trust."""
        if self._certificate is None:
            raise ValueError("this nginx speaks no TLS")
        return self._certificate.ca_file

    def url(self, path: str) -> str:
        """Return the URL of a file below the folder."""
        return f"{'https' if self._certificate else 'http'}://{_HOST}:{self.port}{path}"

    def requests(self, path: str | None = None, *, count: int = 0, timeout: float = PATIENCE) -> list[NginxRequest]:
        """Return the finished requests of a path, or all, once there are at least `count`.

        nginx tells of a request when its reply has ended, a moment after the client had the last byte: a test that
        counts says how many it waits for, and meets TimeoutError if they do not come.
        """
        return self._log.wait(path, count, timeout)

    def start(self) -> Self:
        """Start it and wait until it answers."""
        program = find_nginx()
        if program is None:
            raise FileNotFoundError("nginx is not installed (apt-get install nginx-light)")
        run = Path(self._stack.enter_context(TemporaryDirectory(prefix="kithara-nginx-")))
        with socket.create_server((_HOST, 0), backlog=511) as listener:
            self.port = listener.getsockname()[1]
            (run / "nginx.conf").write_text(self._configuration(run))
            process = subprocess.Popen(
                [program, "-p", str(run), "-c", "nginx.conf", "-e", "error.log"],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                pass_fds=[listener.fileno()],
                env={**os.environ, "NGINX": f"{listener.fileno()};"},
            )
        self._stack.callback(_end, process)
        assert process.stdout is not None
        self._stack.enter_context(self._log.following(process.stdout))
        self._stack.callback(process.terminate)
        self._greet(run)
        return self

    def stop(self) -> None:
        """Stop it at once and remove what it wrote; its log can still be read."""
        self._stack.close()

    def __enter__(self) -> Self:
        try:
            return self.start()
        except BaseException:
            self.stop()
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def __repr__(self) -> str:
        return f"<Nginx {_HOST}:{self.port} {self.folder}>"

    def _configuration(self, run: Path) -> str:
        tls = ""
        if self._certificate:
            tls = f"ssl_certificate {self._certificate.chain_file}; ssl_certificate_key {self._certificate.key_file};"
        return _CONFIGURATION.format(
            run=run,
            user="user root;" if os.geteuid() == 0 else "",
            options=self._options,
            host=_HOST,
            port=self.port,
            listen=self._listen,
            tls=tls,
            folder=self.folder,
        )

    def _greet(self, run: Path) -> None:
        """Come and go without a word: nginx closes too once it runs, and logs nothing; a dead one resets."""
        try:
            with socket.create_connection((_HOST, self.port), PATIENCE) as probe:
                probe.shutdown(socket.SHUT_WR)
                probe.recv(1)
        except OSError as error:
            log = run / "error.log"
            error.add_note(f"nginx says: {log.read_text() if log.exists() else 'nothing'}")
            raise


class _Log:
    """What nginx tells on its stdout, one line of JSON per finished request."""

    def __init__(self) -> None:
        self._requests: list[NginxRequest] = []
        self._news = Condition()

    @contextmanager
    def following(self, pipe: IO[bytes]) -> Iterator[None]:
        """Read in a thread until nginx has ended."""
        reader = Thread(target=self._read, args=(pipe,), name="nginx log", daemon=True)
        reader.start()
        yield
        reader.join(PATIENCE)

    def wait(self, path: str | None, count: int, timeout: float) -> list[NginxRequest]:
        with self._news:
            if not self._news.wait_for(lambda: len(self._of(path)) >= count, timeout):
                raise TimeoutError(f"not {count} requests of {path} within {timeout} s: {self._requests}")
            return self._of(path)

    def _of(self, path: str | None) -> list[NginxRequest]:
        return [one for one in self._requests if path in {None, one.target, one.target.partition("?")[0]}]

    def _read(self, pipe: IO[bytes]) -> None:
        with pipe:
            for line in pipe:
                request = _request_of(json.loads(line))
                with self._news:
                    self._requests.append(request)
                    self._news.notify_all()


def _end(process: subprocess.Popen[bytes]) -> None:
    """Wait for the end of a process that was told to end; do not wait for ever."""
    try:
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(PATIENCE)


def _request_of(facts: dict[str, str]) -> NginxRequest:
    numbers = {name: int(facts[name]) for name in ("status", "bytes_sent", "connection")}
    return NginxRequest(**{name: facts[name] for name in _FIELDS} | numbers)  # type: ignore[arg-type]
