"""libcurl's codes as our errors, and no secret in any of their sentences."""

from __future__ import annotations

import pycurl
import pytest

from kithara_file.errors import (
    AccessDenied,
    BodyBroken,
    Cancelled,
    ConnectFailed,
    InvalidResponse,
    KitharaError,
    NetTimeout,
)
from kithara_file.net.faults import before_headers, within_body
from kithara_file.net.remote import Remote
from kithara_file.net.reply import Accepted
from kithara_file.net.transfer import Outcome

TOO_LARGE = 100  # CURLE_TOO_LARGE
URL = "http://me:pw@host/a?token=secret#part"


@pytest.mark.parametrize(
    "outcome,kind,recoverable",
    [
        (Outcome(0), ConnectFailed, True),
        (Outcome(pycurl.E_COULDNT_RESOLVE_HOST), ConnectFailed, True),
        (Outcome(pycurl.E_COULDNT_CONNECT, "refused"), ConnectFailed, True),
        (Outcome(pycurl.E_OPERATION_TIMEDOUT), NetTimeout, True),
        (Outcome(pycurl.E_GOT_NOTHING), ConnectFailed, True),
        (Outcome(pycurl.E_RECV_ERROR, "reset"), ConnectFailed, True),
        (Outcome(pycurl.E_HTTP2, "stream 1"), ConnectFailed, True),
        (Outcome(12345), ConnectFailed, True),
        (Outcome(pycurl.E_PEER_FAILED_VERIFICATION, "self-signed certificate"), ConnectFailed, False),
        (Outcome(pycurl.E_SSL_CACERT_BADFILE), ConnectFailed, False),
        (Outcome(pycurl.E_SSL_CONNECT_ERROR, "OpenSSL/3: error:0A00010B:SSL routines::wrong"), ConnectFailed, False),
        (Outcome(pycurl.E_SSL_CONNECT_ERROR, "Recv failure: Connection reset by peer"), ConnectFailed, True),
        (Outcome(pycurl.E_UNSUPPORTED_PROTOCOL), InvalidResponse, False),
        (Outcome(pycurl.E_FTP_WEIRD_SERVER_REPLY, "Invalid Content-Length: value"), InvalidResponse, False),
        (Outcome(TOO_LARGE), InvalidResponse, False),
        (Outcome(pycurl.E_RECV_ERROR, "Too large response headers: 307652 > 307200"), InvalidResponse, False),
        (Outcome(pycurl.E_RECV_ERROR, "CONNECT tunnel failed", 407), AccessDenied, False),
        (Outcome(pycurl.E_RECV_ERROR, "CONNECT tunnel failed", 502), ConnectFailed, True),
        (Outcome(pycurl.E_ABORTED_BY_CALLBACK), Cancelled, True),
    ],
)
def test_an_end_before_the_headers_has_its_error(outcome: Outcome, kind: type[KitharaError], recoverable: bool) -> None:
    error = before_headers(outcome, URL, 10.0)
    assert type(error) is kind
    assert error.recoverable is recoverable


@pytest.mark.parametrize(
    "code,codings,kind",
    [
        (pycurl.E_PARTIAL_FILE, (), BodyBroken),
        (pycurl.E_RECV_ERROR, (), BodyBroken),
        (pycurl.E_HTTP2, (), BodyBroken),
        (pycurl.E_WRITE_ERROR, (), BodyBroken),
        (pycurl.E_WRITE_ERROR, ("br",), InvalidResponse),
        (pycurl.E_BAD_CONTENT_ENCODING, ("br",), InvalidResponse),
        (TOO_LARGE, (), InvalidResponse),
        (TOO_LARGE, ("br",), InvalidResponse),
        (pycurl.E_ABORTED_BY_CALLBACK, (), Cancelled),
    ],
)
def test_an_end_within_the_body_has_its_error(code: int, codings: tuple[str, ...], kind: type[KitharaError]) -> None:
    error = within_body(Outcome(code), URL, Accepted(Remote(), 5, 10, codings), 7)
    assert type(error) is kind
    if isinstance(error, BodyBroken):
        assert (error.at, error.expected) == (7, 10)


@pytest.mark.parametrize(
    "codings,sentence", [((), "the fields behind it are too large"), (("br",), "it unpacks to too much at once")]
)
def test_what_is_too_large_within_a_body_is_not_its_headers(codings: tuple[str, ...], sentence: str) -> None:
    error = within_body(Outcome(TOO_LARGE), URL, Accepted(Remote(), 0, None, codings), 7)
    assert sentence in str(error)
    assert not error.recoverable


@pytest.mark.parametrize(
    "message",
    [
        "cannot fetch http://me:pw@host/a?token=secret",
        "bad token=secret here",
        "proxy http://me:pw@proxy:3128 said no",
        "two\nlines?token=secret",
    ],
)
def test_no_sentence_tells_a_secret(message: str) -> None:
    for error in (
        before_headers(Outcome(pycurl.E_RECV_ERROR, message), URL, 1.0),
        within_body(Outcome(pycurl.E_RECV_ERROR, message), URL, Accepted(Remote(), 0, None), 0),
    ):
        assert not any(word in str(error) for word in ("secret", "pw", "\n"))


def test_a_query_of_one_letter_is_not_taken_out_of_words() -> None:
    error = before_headers(Outcome(pycurl.E_COULDNT_CONNECT, "no proxy at p, or 127.0.0.1"), "http://host/a?p", 10.0)
    assert "no proxy at …, or 127.0.0.1" in str(error)
