"""TLS that proves nothing is refused with a clear sentence; what the caller trusts is taken."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from kithara_file import ConnectFailed, NetError, Timeouts
from tests.system.bad_origin import BREAK, DATA, heals, outcome
from tests.world import Certificate, CloseAt, Origin, Raw
from tests.world.fixtures import MakeOrigin

pytestmark = pytest.mark.system

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def refused(url: str, store_dir: Path, *words: str, ca_file: Path | None = None) -> None:
    found = outcome(url, store_dir, ca_file=None if ca_file is None else str(ca_file))
    assert isinstance(found.error, ConnectFailed)
    assert not found.error.recoverable
    sentence = str(found.error)
    assert "Cannot connect to https://" in sentence
    assert "secret" not in sentence
    assert any(word in sentence.lower() for word in words), sentence


def test_a_certificate_of_the_callers_authority_is_taken(tls_origin: Origin, store_dir: Path) -> None:
    url = tls_origin.serve("/a", DATA, faults=[CloseAt(BREAK)])
    heals(url, store_dir, ca_file=str(tls_origin.ca_file))


def test_a_certificate_of_an_unknown_authority_is_refused(tls_origin: Origin, store_dir: Path) -> None:
    refused(tls_origin.serve("/a?token=secret", DATA), store_dir, "certificate")
    assert tls_origin.requests() == ()


def test_a_certificate_for_another_host_is_refused(make_origin: MakeOrigin, store_dir: Path) -> None:
    origin = make_origin(tls=Certificate("elsewhere.example"))
    refused(origin.serve("/a?token=secret", DATA), store_dir, "name", "host", "altname", ca_file=origin.ca_file)
    assert origin.requests() == ()


def test_a_certificate_that_has_expired_is_refused(make_origin: MakeOrigin, store_dir: Path) -> None:
    origin = make_origin(tls=Certificate("127.0.0.1", "localhost", not_after=LONG_AGO))
    refused(origin.serve("/a", DATA), store_dir, "expired", ca_file=origin.ca_file)
    assert origin.requests() == ()


def test_a_refused_certificate_is_refused_at_once(tls_origin: Origin, store_dir: Path) -> None:
    refused(tls_origin.serve("/a", DATA), store_dir, "certificate")
    assert tls_origin.connections == 1


def test_a_file_of_authorities_that_cannot_be_read_is_told(tls_origin: Origin, store_dir: Path) -> None:
    missing = store_dir / "no-such.pem"
    refused(tls_origin.serve("/a", DATA), store_dir, "certificate", ca_file=missing)


def test_a_file_of_authorities_that_is_none_is_told(tls_origin: Origin, store_dir: Path, tmp_path: Path) -> None:
    garbage = tmp_path / "garbage.pem"
    garbage.write_bytes(b"not a certificate\n")
    refused(tls_origin.serve("/a", DATA), store_dir, "certificate", ca_file=garbage)


def test_plain_http_behind_an_https_url_is_refused(origin: Origin, store_dir: Path) -> None:
    url = origin.serve("/a", DATA).replace("http://", "https://")
    error = outcome(url, store_dir, timeouts=Timeouts(connect=0.2)).error
    assert isinstance(error, NetError)
    assert error.stage == "connect"


def test_tls_behind_an_http_url_is_told(tls_origin: Origin, store_dir: Path) -> None:
    url = tls_origin.serve("/a", DATA).replace("https://", "http://")
    found = outcome(url, store_dir)
    assert found.error is not None
    assert found.data == b""


def test_a_redirect_to_an_unproven_host_is_refused(origin: Origin, tls_origin: Origin, store_dir: Path) -> None:
    url = origin.redirect("/a", tls_origin.serve("/b", DATA))
    refused(url, store_dir, "certificate")


def test_breaks_heal_over_tls_too(tls_origin: Origin, store_dir: Path) -> None:
    url = tls_origin.serve("/a", DATA, always=[CloseAt(BREAK)])
    heals(url, store_dir, ca_file=str(tls_origin.ca_file))


def test_a_close_delimited_body_without_a_goodbye_is_no_end(tls_origin: Origin, store_dir: Path) -> None:
    """RFC 9112, 9.8: only a closure alert ends such a body; a bare FIN may be anybody's."""
    head = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"
    url = tls_origin.serve("/a", DATA, always=[Raw(head + DATA[:BREAK], then="reset")])
    found = outcome(url, store_dir, ca_file=str(tls_origin.ca_file))
    assert found.error is not None
    assert DATA.startswith(found.data)
