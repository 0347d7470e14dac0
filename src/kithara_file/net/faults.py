"""What libcurl's error codes mean, translated once and here.

Must not know: how the transfer was made. libcurl's own words are used where they say more than ours would, and only
without anything of the URL that may be secret.
"""

from __future__ import annotations

import re

import pycurl

from kithara_file.errors import (
    AccessDenied,
    BodyBroken,
    Cancelled,
    ConnectFailed,
    InvalidResponse,
    KitharaError,
    NetTimeout,
)
from kithara_file.net.reply import Accepted
from kithara_file.net.transfer import Outcome

_TOO_LARGE = 100  # CURLE_TOO_LARGE, which pycurl has no name for: a header field, or the number of them
_ALL_TOO_LARGE = "Too large response headers"  # of all of them together, which is not told by the code

_SENTENCES = {
    0: "it closed the connection before its headers were complete",
    pycurl.E_COULDNT_RESOLVE_HOST: "its name cannot be resolved",
    pycurl.E_COULDNT_RESOLVE_PROXY: "the name of its proxy cannot be resolved",
    pycurl.E_GOT_NOTHING: "it closed the connection without an answer",
    pycurl.E_URL_MALFORMAT: "the URL is malformed",
    pycurl.E_SSL_CACERT_BADFILE: "the file of trusted certificates cannot be read",
    pycurl.E_PARTIAL_FILE: "the connection was closed",
    pycurl.E_UNSUPPORTED_PROTOCOL: "it does not speak HTTP",
    pycurl.E_WRITE_ERROR: "its encoding is broken",
    _TOO_LARGE: "its headers are too large",
}

_FOR_GOOD = frozenset(
    {
        pycurl.E_PEER_FAILED_VERIFICATION,
        pycurl.E_SSL_CACERT_BADFILE,
        pycurl.E_SSL_CERTPROBLEM,
        pycurl.E_SSL_CIPHER,
        pycurl.E_SSL_ISSUER_ERROR,
        pycurl.E_SSL_INVALIDCERTSTATUS,
        pycurl.E_URL_MALFORMAT,
    }
)
"""Trying to connect again would end the same way."""

_NOT_HTTP = frozenset(
    {
        pycurl.E_UNSUPPORTED_PROTOCOL,
        pycurl.E_FTP_WEIRD_SERVER_REPLY,
        pycurl.E_BAD_CONTENT_ENCODING,
        pycurl.E_FILESIZE_EXCEEDED,
        _TOO_LARGE,
        pycurl.E_WRITE_ERROR,
    }
)
"""The answer breaks HTTP."""


def before_headers(outcome: Outcome, url: str, connect_seconds: float) -> KitharaError:
    """Return the error for a transfer that ended without headers."""
    code = _TOO_LARGE if outcome.message.startswith(_ALL_TOO_LARGE) else outcome.code
    if code == pycurl.E_ABORTED_BY_CALLBACK:
        return Cancelled()
    if code == pycurl.E_OPERATION_TIMEDOUT:
        return NetTimeout(url=url, stage="connect", seconds=connect_seconds)
    if outcome.proxy_status == 407:
        return AccessDenied(407, url=url)
    if outcome.proxy_status >= 300:
        return ConnectFailed(f"its proxy answered with status {outcome.proxy_status}", url=url)
    if code in _NOT_HTTP:
        return InvalidResponse(_words(outcome, url), url=url)
    handshake = code == pycurl.E_SSL_CONNECT_ERROR and "SSL routines" in outcome.message
    return ConnectFailed(_words(outcome, url), url=url, recoverable=code not in _FOR_GOOD and not handshake)


def within_body(outcome: Outcome, url: str, accepted: Accepted, at: int) -> KitharaError:
    """Return the error for a body that broke off before byte `at`; libcurl takes the codings off that it has."""
    if outcome.code == pycurl.E_ABORTED_BY_CALLBACK:
        return Cancelled()
    if outcome.code == _TOO_LARGE:  # what libcurl has unpacked and nobody has taken, else fields in the last chunk
        reason = "it unpacks to too much at once" if accepted.codings else "the fields behind it are too large"
        return InvalidResponse(reason, url=url, stage="body")
    coding = outcome.code in {pycurl.E_BAD_CONTENT_ENCODING, pycurl.E_WRITE_ERROR}
    if coding and accepted.codings:
        return InvalidResponse(_words(outcome, url), url=url, stage="body")
    return BodyBroken(_words(outcome, url), url=url, at=at, expected=accepted.end)


def _words(outcome: Outcome, url: str) -> str:
    told = _SENTENCES.get(outcome.code) or outcome.message or f"libcurl error {outcome.code}"
    return _scrubbed(told, url)


def _scrubbed(text: str, url: str) -> str:
    """Return one line of `text` without the query and user info of `url`, and without any other URL's."""
    query = url.partition("#")[0].partition("?")[2]
    if query:
        text = re.sub(rf"(?<!\w){re.escape(query)}(?!\w)", "…", text)  # a query of one letter is in many words
    return re.sub(r"(\w+://)[^\s/@]*@|(\?[^\s'\"]*)", _keep_scheme, " ".join(text.split()))


def _keep_scheme(match: re.Match[str]) -> str:
    return match[1] or ""
