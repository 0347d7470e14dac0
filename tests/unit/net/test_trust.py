"""Whom TLS trusts, and with which sentence it refuses the others."""

from __future__ import annotations

import socket
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kithara_file.config import Timeouts
from kithara_file.errors import (
    ConnectFailed,
    NetTimeout,
)
from tests.unit.net.loopback import DATA, fetch, refused
from tests.world.certificates import Certificate
from tests.world.fixtures import MakeOrigin
from tests.world.nginx import Nginx
from tests.world.origin import Origin


def test_tls_is_accepted_with_its_authority_and_refused_without(tls_origin: Origin) -> None:
    url = tls_origin.serve("/a?token=secret", DATA)
    assert fetch(url, ca_file=str(tls_origin.ca_file)) == DATA
    sentence = refused(url, ConnectFailed)
    assert "certificate" in sentence
    assert "secret" not in sentence


def test_a_certificate_of_somebody_else_is_refused(make_origin: MakeOrigin) -> None:
    origin = make_origin(tls=Certificate("elsewhere.example"))
    with pytest.raises(ConnectFailed, match=r"127\.0\.0\.1") as caught:
        fetch(origin.serve("/a", DATA), ca_file=str(origin.ca_file))
    assert not caught.value.recoverable


def test_an_expired_certificate_is_refused(make_origin: MakeOrigin) -> None:
    origin = make_origin(tls=Certificate("127.0.0.1", not_after=datetime.now(UTC) - timedelta(days=1)))
    assert "expired" in refused(origin.serve("/a", DATA), ConnectFailed, ca_file=str(origin.ca_file))


def test_an_authority_that_cannot_be_read_is_told_so(tls_origin: Origin, tmp_path: Path) -> None:
    url = tls_origin.serve("/a", DATA)
    assert "trusted certificates" in refused(url, ConnectFailed, ca_file=str(tmp_path / "none.pem"))


def test_plain_http_where_tls_was_expected_is_refused(nginx: Nginx) -> None:
    with pytest.raises(ConnectFailed) as caught:
        fetch(nginx.url("/a").replace("http://", "https://"))
    assert not caught.value.recoverable


def test_the_library_trusts_what_python_would_trust_by_default() -> None:
    from kithara_file.net.trust import system_bundle  # noqa: PLC0415  # what is under test here only

    bundle = system_bundle()
    assert bundle is None or ssl.create_default_context(cafile=bundle).cert_store_stats()["x509_ca"] > 0


def test_a_host_that_does_not_shake_hands_is_a_timeout_of_the_connection() -> None:
    # Accepted by the kernel and by nobody else: for TLS that is before the connection stands.
    with socket.create_server(("127.0.0.1", 0)) as deaf, pytest.raises(NetTimeout) as caught:
        fetch(f"https://127.0.0.1:{deaf.getsockname()[1]}/", timeouts=Timeouts(connect=0.1))
    assert caught.value.stage == "connect"
