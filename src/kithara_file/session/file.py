"""One file at the end of a URL, as people hold it: `File` opens it, `FileSession` is the handle.

Must not know: how bytes come. Everything here may be called from any thread.
"""

from __future__ import annotations

import asyncio
import os
import re
import weakref
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, Self
from urllib.parse import unquote, urlsplit

from kithara_file.clock import CancelToken
from kithara_file.config import FileConfig
from kithara_file.errors import ConfigError, KitharaError, StreamClosed
from kithara_file.events import EventBus, Phase
from kithara_file.ranges import Coverage
from kithara_file.session.front import Front
from kithara_file.session.local import LocalSession
from kithara_file.session.promise import Promise, finish
from kithara_file.session.reader import Reader
from kithara_file.session.registry import registry
from kithara_file.session.statistics import Statistics
from kithara_file.stream.aio import AsyncStream
from kithara_file.stream.committed import stream_of
from kithara_file.stream.runtime import DiskHand
from kithara_file.stream.stream import Stream

if TYPE_CHECKING:
    from kithara_file.net.remote import Remote

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):")
"""RFC 3986, 3.1; of two letters at least, for drive letters are none."""


class File:
    """The `StreamType` of single files over http, https, file and plain paths."""

    @classmethod
    def open(cls, config: FileConfig, /) -> FileSession:
        """Return a handle once the first answer is in: the length and version are known, or why not is raised."""
        session = FileSession(config)
        try:
            session.await_opening().result()
        except BaseException:
            session.close()
            raise
        return session

    @classmethod
    async def aopen(cls, config: FileConfig, /) -> FileSession:
        """Do what `open` does without blocking the running loop; cancelling gives the open up."""
        # To look whether a whole file has its digest takes seconds, for which others must not wait.
        hand = registry.opener if config.promised is None else DiskHand()
        session = await asyncio.wrap_future(hand.submit(partial(FileSession, config)))
        try:
            await asyncio.wrap_future(session.await_opening())
        except BaseException:
            session.close(wait=False)
            raise
        return session


def local_path(url: str) -> str | None:
    """Return the path that a plain path or ``file:`` URL (RFC 8089) names, None for http and https.

    Raises `ConfigError` for every other scheme, and for what is malformed.
    """
    scheme = _SCHEME.match(url)
    if scheme is None:
        return _possible(url)
    kind = scheme[1].lower()
    if kind in ("http", "https"):
        return None
    if kind != "file":
        if Path(url).exists():  # a path may have a colon in it
            return url
        msg = f"cannot open {scheme[1]}: URLs, only http, https and file"
        raise ConfigError(msg)
    try:
        parts = urlsplit(url)
    except ValueError as error:
        msg = f"a file URL cannot name such a host ({error})"
        raise ConfigError(msg) from error
    if parts.netloc not in ("", "localhost"):
        msg = f"a file URL cannot name another host ({parts.netloc})"
        raise ConfigError(msg)
    return _possible(unquote(parts.path, errors="surrogateescape"))  # a name may have any bytes


def _possible(path: str) -> str:
    """Return `path`. Raises `ConfigError` for what the system would refuse by a bare `ValueError`."""
    with suppress(UnicodeEncodeError):
        if b"\0" not in os.fsencode(path):
            return path
    msg = f"there are no paths with such characters: {path!r}"
    raise ConfigError(msg)


class FileSession:
    """A handle on the running life of one resource; several handles and streams share what is fetched.

    While one is open the download goes on as its readers want it; when the last handle or stream of a resource closes,
    it stops (unless `detach`), and what has landed is kept.
    """

    def __init__(self, config: FileConfig) -> None:
        """Join or begin the session; `File.open` also waits for the first answer. Blocks on the disk."""
        self._config = config
        self._cancel = CancelToken()
        self._closed = False
        self._token = object()
        self._whole: tuple[Future[None], Future[None]] | None = None
        path = local_path(os.fspath(config.url))
        self._session: Front | LocalSession = (
            registry.join(config, self._token) if path is None else LocalSession(path, config.promised)
        )
        self._unlink: Callable[[], None] = lambda: None
        if config.cancel is not None:
            self._unlink = self._link(config.cancel)

    def _link(self, token: CancelToken) -> Callable[[], None]:
        weakly = weakref.ref(self)  # a token may outlive us, and must not keep us

        def give_up() -> None:
            handle = weakly()
            if handle is not None:
                handle.give_up()

        return token.on_cancel(give_up)

    def await_opening(self) -> Future[None]:
        """Return a future that is done when the first answer is in, or this handle was cancelled."""
        return self._gate_to(self._session.opened)

    def _gate(self) -> Future[None]:
        """Return a future that ends at the latest when this handle does."""
        gate = Promise()
        cancel = self._cancel  # the handle itself would be kept by what it waits for, and outlive its last reference
        cancel.on_cancel(lambda: finish(gate, cancel.reason))
        return gate

    # -- readers -----------------------------------------------------------------------------------------------------

    def stream(self) -> Stream:
        """Return a new, independent file object at position 0."""
        cancel = CancelToken()
        reader = self.source(cancel)
        try:
            return stream_of(reader, cancel)
        except BaseException:  # Ctrl-C may be heard in here, and nobody else knows of this reader
            reader.close(wait=False)
            raise

    def async_stream(self) -> AsyncStream:
        """Return a new, independent file object for asyncio at position 0."""
        cancel = CancelToken()
        return AsyncStream(self.source(cancel), cancel)

    def source(self, cancel: CancelToken) -> Reader:
        """Return a new reader; `cancel` also fires when the configuration's token does."""
        self._check()
        return self._session.reader(self._config, cancel)

    # -- facts -------------------------------------------------------------------------------------------------------

    @property
    def name(self) -> str:
        """The URL without user info, query and fragment, or the path."""
        return self._session.shown_url

    @property
    def length(self) -> int | None:
        """Bytes in all; None while nobody has told."""
        return self._session.resource.length

    @property
    def coverage(self) -> Coverage:
        """A copy of what is present."""
        return self._session.resource.snapshot()

    @property
    def remote(self) -> Remote | None:
        """What the origin told of the version held; None for a local file."""
        return self._session.remote

    @property
    def media_type(self) -> str | None:
        """The type the origin told, such as ``audio/mpeg``."""
        return self._session.remote.media_type if self._session.remote is not None else None

    @property
    def phase(self) -> Phase:
        """Where the download stands."""
        return self._session.phase

    @property
    def events(self) -> EventBus:
        """What happens to this resource, for all its readers."""
        return self._session.events

    @property
    def closed(self) -> bool:
        """True after `close`."""
        return self._closed

    def statistics(self) -> Statistics:
        """Return a snapshot of what is going on."""
        return self._session.statistics()

    # -- the whole ---------------------------------------------------------------------------------------------------

    def wait_complete(self, timeout: float | None = None) -> None:
        """Download everything, whatever the readers' look-ahead, and return once it is committed.

        Raises the typed error that ended the download, `TimeoutError` after `timeout` seconds (the download goes on),
        and `StreamClosed` or the token's reason when this handle is closed or cancelled meanwhile.
        """
        try:
            self._completion().result(timeout)
        except TimeoutError as error:
            if isinstance(error, KitharaError):  # of the download
                raise
            raise TimeoutError(f"Waited {timeout:g} s in vain for all of {self.name}") from None

    async def await_complete(self) -> None:
        """Do what `wait_complete` does, in a task of any event loop."""
        self._check()
        # A gate of its own, which is cancelled with the task; others may wait at theirs.
        await asyncio.wrap_future(self._gate_to(self._session.want_everything(self._token)))

    def _completion(self) -> Future[None]:
        self._check()
        promise = self._session.want_everything(self._token)
        if self._whole is None or self._whole[0] is not promise:  # else who waits a little, and again, leaves one each
            self._whole = promise, self._gate_to(promise)
        return self._whole[1]

    def _gate_to(self, promise: Future[None]) -> Future[None]:
        gate = self._gate()
        promise.add_done_callback(lambda done: finish(gate, done.exception()))
        return gate

    # -- the end -----------------------------------------------------------------------------------------------------

    def close(self, *, wait: bool = True) -> None:
        """Let go; the streams that were given stay open. Idempotent.

        With `wait` nothing of the last handle or stream runs any more, within 2 s; but what is complete and larger than
        64 MiB is left to the disk in the background, and stays in use until it is committed.
        """
        if not self._closed:
            self._unlink()
            self._cancel.cancel(StreamClosed("The session is closed"))
            self._session.leave(self._token, wait=wait)
            self._closed = True  # last: who was interrupted comes here again

    def give_up(self) -> None:
        """End every wait of this handle, and a detached download, with the configuration's token's reason."""
        if self._config.cancel is not None:
            self._cancel.cancel(self._config.cancel.reason)
        self.close(wait=False)

    def _check(self) -> None:
        self._cancel.check()

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        """Refuse to be copied or pickled: the end of a copy would be ours."""
        msg = f"cannot pickle {type(self).__name__!r} object"
        raise TypeError(msg)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close(wait=False)

    def __del__(self) -> None:
        if hasattr(self, "_unlink"):
            self.close(wait=False)
        elif hasattr(self, "_token"):  # Ctrl-C was heard before we knew what we hold
            registry.abandon(self._token)

    def __repr__(self) -> str:
        if self._closed:
            return f"<FileSession {self.name} closed>"
        facts = self.statistics()
        share = f"{100 * facts.present_bytes // facts.length} %" if facts.length else f"{facts.present_bytes} bytes"
        return f"<FileSession {self.name} {share} · {facts.fetches_flying} fetching · {facts.readers_waiting} waiting>"
