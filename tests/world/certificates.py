"""Whom does a TLS client trust: certificates for loopback, from an authority made for this process.

Must not know: servers, clients.
"""

from __future__ import annotations

import atexit
import shutil
import ssl
from datetime import datetime
from functools import cached_property, lru_cache
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import trustme

LOOPBACK = ("127.0.0.1", "::1", "localhost")


class Certificate:
    """A server's certificate, on disk as PEM files until the process ends.

    `Certificate("elsewhere.example")` is one for the wrong host; `not_after` in the past makes an expired one; whoever
    does not load `ca_file` meets an unknown authority.
    """

    def __init__(self, *names: str, not_after: datetime | None = None) -> None:
        self.names = names
        self._folder = _folder()
        issued = _authority().issue_cert(*names, not_after=not_after)
        stem = "-".join(names).replace(":", "_") + ("" if not_after is None else "-expires")
        self.chain_file = self._folder / f"{stem}.pem"
        self.key_file = self._folder / f"{stem}.key"
        issued.private_key_pem.write_to_path(str(self.key_file))
        self.chain_file.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))

    @staticmethod
    @lru_cache(maxsize=1)
    def for_loopback() -> Certificate:
        """Return the certificate that is right for loopback; one per process, for making it takes milliseconds."""
        return Certificate(*LOOPBACK)

    @property
    def ca_file(self) -> Path:
        """What a client has to trust."""
        return self._folder / "ca.pem"

    @cached_property
    def context(self) -> ssl.SSLContext:
        """The context of a server that shows this certificate."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.chain_file, self.key_file)
        return context

    def __repr__(self) -> str:
        return f"<Certificate {' '.join(self.names)}>"


@lru_cache(maxsize=1)
def _authority() -> trustme.CA:
    import trustme  # noqa: PLC0415 - the demo runs where only the library is installed, and needs no TLS

    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(_folder() / "ca.pem"))
    return authority


@lru_cache(maxsize=1)
def _folder() -> Path:
    folder = Path(mkdtemp(prefix="kithara-world-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
