"""Whose signature on a certificate counts.

Must not know: TLS. The libcurl of a binary wheel looks where the machine that built it kept its certificates, which is
another place on most others, so the usual ones are tried.
"""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

_BUNDLES = (
    "/etc/ssl/certs/ca-certificates.crt",  # Debian, Ubuntu, Arch, Gentoo, Alpine
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",  # Fedora, RHEL
    "/etc/pki/tls/certs/ca-bundle.crt",  # older RHEL
    "/etc/ssl/ca-bundle.pem",  # SUSE
    "/etc/ssl/cert.pem",  # macOS, BSD
    "/usr/local/share/certs/ca-root-nss.crt",  # FreeBSD
)


@cache
def system_bundle() -> str | None:
    """Return the file with the certificates this machine trusts; None leaves it to libcurl.

    ``SSL_CERT_FILE`` goes before the usual places: it is to OpenSSL what ``https_proxy`` is to libcurl, and whoever
    sits behind a proxy that signs for everybody has set it.
    """
    named = os.environ.get("SSL_CERT_FILE")
    candidates = (named, *_BUNDLES) if named else _BUNDLES
    return next((each for each in candidates if Path(each).is_file()), None)
