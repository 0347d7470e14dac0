"""What a test may ask for by name. `tests/conftest.py` takes all of these in.

origin       an `Origin` on 127.0.0.1, started, empty
tls_origin   the same with TLS; trust `tls_origin.ca_file`
make_origin  starts origins with other options: `make_origin(link=Link(rate=5e6, rtt=0.05))`
nginx        an `Nginx` over `site`; skips with the reason where it is not installed
make_nginx   starts others: `make_nginx(tls=True, http2=True)`
site         the folder that `nginx` serves, empty
store_dir    where a test's cache may live: a path that does not exist yet
clock        a `FakeClock`
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.world.certificates import Certificate
from tests.world.clock import FakeClock
from tests.world.link import Link
from tests.world.nginx import Nginx, find_nginx
from tests.world.origin import Origin

MakeOrigin = Callable[..., Origin]
MakeNginx = Callable[..., Nginx]


@pytest.fixture
def make_origin() -> Iterator[MakeOrigin]:
    """Start origins, and stop them after the test."""
    with ExitStack() as stack:

        def make(*, host: str = "127.0.0.1", link: Link | None = None, tls: bool | Certificate = False) -> Origin:
            return stack.enter_context(Origin(host=host, link=link, tls=tls))

        yield make


@pytest.fixture
def origin(make_origin: MakeOrigin) -> Origin:
    """Start an origin on 127.0.0.1."""
    return make_origin()


@pytest.fixture
def tls_origin(make_origin: MakeOrigin) -> Origin:
    """Start an origin that speaks TLS."""
    return make_origin(tls=True)


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """Make the folder that nginx serves."""
    folder = tmp_path / "site"
    folder.mkdir()
    return folder


@pytest.fixture
def make_nginx(site: Path) -> Iterator[MakeNginx]:
    """Start nginx over `site`, and stop it after the test."""
    if find_nginx() is None:
        pytest.skip("nginx is not installed: apt-get install nginx-light")
    with ExitStack() as stack:

        def make(*, tls: bool = False, http2: bool = False, rate: int | None = None, rate_after: int = 0) -> Nginx:
            nginx = Nginx(site, tls=tls, http2=http2, rate=rate, rate_after=rate_after)
            return stack.enter_context(nginx)

        yield make


@pytest.fixture
def nginx(make_nginx: MakeNginx) -> Nginx:
    """Start nginx over `site`."""
    return make_nginx()


@pytest.fixture
def store_dir(tmp_path: Path) -> Path:
    """Name a folder for a cache, which does not exist yet."""
    return tmp_path / "store"


@pytest.fixture
def clock() -> FakeClock:
    """Make a clock that stands still."""
    return FakeClock()
