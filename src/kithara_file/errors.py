"""What went wrong, whose fault it was, and whether trying again can help.

Must not know: how any of it happened. Every other room raises these; this room imports nothing.

::

    KitharaError
    ├ NetError(OSError)            url, stage (connect | headers | body)
    │  ├ ConnectFailed · NetTimeout(TimeoutError) · BodyBroken (at, expected) · InvalidResponse
    │  └ StatusError (status, retry_after): AccessDenied · NotFound · RangeNotSatisfiable · Unavailable
    ├ ResourceChanged(OSError)     expected, found
    ├ OfflineMiss(OSError)         start, end
    ├ StorageError(OSError)        errno, filename
    │  ├ DiskFull · CorruptResource: WrongDigest
    │  └ FileMissing(FileNotFoundError) · FileRefused(PermissionError) · NotAFile(IsADirectoryError)
    ├ AssetError: InvalidKey(ValueError) · LeaseHeld
    ├ MediaError: UnsupportedMedia · DecodeFailed · DeviceUnavailable
    ├ Cancelled(OSError): Woken
    ├ StreamClosed(ValueError) · ConfigError(ValueError)

`WrongDigest` is in ``storage.digest`` and the line below it in ``storage.faults``: nobody needs them to catch them.
Errors that cross the file boundary are ``OSError``s, so that ``except OSError`` works in code that never heard of us.
``str`` of each is one sentence, and no URL in it carries user info, a query or a fragment.
"""

from __future__ import annotations

import re
from copy import copy
from typing import Any, Literal, Self

Stage = Literal["connect", "headers", "body"]

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:")  # that of one letter is a drive's
_OS_FACTS = ("errno", "strerror", "filename")


def public_url(url: str) -> str:
    """Return `url` as it may be shown: without user info, query and fragment (they carry credentials).

    What has no scheme is a path, and shown as it is.
    """
    if _SCHEME.match(url) is None:
        return url
    bare = url.split("#", 1)[0].split("?", 1)[0]
    scheme, mark, rest = bare.partition("://")
    if not mark:
        return bare
    authority, slash, path = rest.partition("/")
    return f"{scheme}://{authority.rpartition('@')[2]}{slash}{path}"


def reason_of(error: BaseException) -> str:
    """Return what a foreign `error` says, to end a sentence with; its kind where it says nothing (`MemoryError`)."""
    return str(error) or type(error).__name__


class KitharaError(Exception):
    """The root of every error this library raises on its own account."""

    recoverable: bool = False
    """True when the same call may succeed later without anything else being changed."""

    def again(self) -> Self:
        """Return a copy to raise in another reader, so that two threads never share one traceback."""
        twin = copy(self)
        twin.__cause__ = self.__cause__
        return twin

    def __str__(self) -> str:
        # `OSError` would put "[Errno 28] None" in the place of the sentence of an error that has an errno.
        return str(self.args[0]) if self.args else ""

    def __reduce__(self) -> tuple[Any, ...]:
        # The constructors take keywords, which the default (class, args) would lose on its way to another process;
        # and `OSError` keeps its facts beside the dictionary.
        builtin = {name: value for name in _OS_FACTS if (value := getattr(self, name, None)) is not None}
        return _rebuild, (type(self), self.args, builtin | self.__dict__)


def _rebuild(kind: type[KitharaError], args: tuple[Any, ...], facts: dict[str, Any]) -> KitharaError:
    error = kind.__new__(kind, *args)
    error.args = args
    for name, value in facts.items():
        setattr(error, name, value)
    return error


class NetError(KitharaError, OSError):
    """The far end, or the way there, did not deliver."""

    recoverable = True

    def __init__(self, message: str, *, url: str, stage: Stage) -> None:
        super().__init__(message)
        self.url = public_url(url)
        self.stage: Stage = stage


class ConnectFailed(NetError):
    """No connection: name not found, refused, unreachable, or TLS turned down (then not recoverable)."""

    def __init__(self, reason: str, *, url: str, recoverable: bool = True) -> None:
        super().__init__(f"Cannot connect to {public_url(url)}: {reason}", url=url, stage="connect")
        self.recoverable = recoverable


class NetTimeout(NetError, TimeoutError):
    """Nothing came for longer than the configured limit of that stage."""

    def __init__(self, *, url: str, stage: Stage, seconds: float) -> None:
        wanted = {"connect": "a connection", "headers": "an answer", "body": "another byte"}[stage]
        super().__init__(f"Waited {seconds:g} s in vain for {wanted} from {public_url(url)}", url=url, stage=stage)
        self.seconds = seconds


class BodyBroken(NetError):
    """A body ended before its promised end; what came before is kept."""

    def __init__(self, reason: str, *, url: str, at: int, expected: int | None) -> None:
        goal = "its end was told" if expected is None else f"byte {expected}"
        super().__init__(
            f"The body of {public_url(url)} broke off at byte {at} before {goal}: {reason}", url=url, stage="body"
        )
        self.at = at
        self.expected = expected


class InvalidResponse(NetError):
    """The answer contradicts itself, the request or HTTP; nothing of it was used."""

    recoverable = False

    def __init__(self, reason: str, *, url: str, stage: Stage = "headers") -> None:
        super().__init__(f"The answer of {public_url(url)} cannot be used: {reason}", url=url, stage=stage)


class StatusError(NetError):
    """The origin answered with a status that is not the bytes."""

    recoverable = False

    def __init__(self, status: int, *, url: str, retry_after: float | None = None) -> None:
        super().__init__(f"{public_url(url)} answered with status {status} ({self.meaning})", url=url, stage="headers")
        self.status = status
        self.retry_after = retry_after

    meaning = "not usable"


class AccessDenied(StatusError):
    """401, 403, 407 or 451: asking again as the same person will not help."""

    meaning = "access denied"


class NotFound(StatusError):
    """404 or 410."""

    meaning = "not found"


class RangeNotSatisfiable(StatusError):
    """416; `length` is what ``Content-Range: bytes */length`` said, None when it said nothing.

    Also raised where no origin needs to be asked, since the length is known; then `wanted` says for what, and the
    sentence does not speak of an answer.
    """

    meaning = "range not satisfiable"

    def __init__(self, status: int = 416, *, url: str, length: int | None = None, wanted: str | None = None) -> None:
        super().__init__(status, url=url)
        self.length = length
        if wanted is not None:
            self.args = (f"{self.url} has {length} bytes, none of them in the range {wanted}",)


class Unavailable(StatusError):
    """408, 425, 429 or 5xx: later may be better; `retry_after` in seconds when the origin said when."""

    recoverable = True
    meaning = "unavailable"


class ResourceChanged(KitharaError, OSError):
    """The remote is no longer the version whose bytes this reader has begun to read."""

    def __init__(self, *, url: str, expected: str, found: str) -> None:
        super().__init__(f"{public_url(url)} changed while it was read: expected {expected}, found {found}")
        self.url = public_url(url)
        self.expected = expected
        self.found = found


class OfflineMiss(KitharaError, OSError):
    """Offline, and bytes `start`..`end` (exclusive) are not in the store."""

    def __init__(self, *, url: str, start: int, end: int | None) -> None:
        last = "the end" if end is None else str(end - 1)
        super().__init__(f"Offline, and bytes {start} to {last} of {public_url(url)} are not in the store")
        self.url = public_url(url)
        self.start = start
        self.end = end


class StorageError(KitharaError, OSError):
    """The disk failed us. `errno` and `filename` are the operating system's where it gave them."""

    def __init__(self, message: str, *, errno: int | None = None, path: str | None = None) -> None:
        super().__init__(message)
        self.errno = errno
        self.strerror = message
        self.filename = path


class DiskFull(StorageError):
    """No space left; what is stored stays right, what follows is read past the cache."""

    recoverable = True


class CorruptResource(StorageError):
    """Stored bytes do not match their checksum or the expected digest."""


class AssetError(KitharaError):
    """The store cannot do that with this asset."""


class InvalidKey(AssetError, ValueError):
    """A key that names nothing storable."""


class LeaseHeld(AssetError):
    """Somebody uses the asset, so that it cannot be removed or replaced."""

    recoverable = True


class MediaError(KitharaError):
    """The bytes arrived but cannot be made heard."""


class UnsupportedMedia(MediaError):
    """Not audio, or a codec nobody here speaks."""


class DecodeFailed(MediaError):
    """Audio, but too damaged to go on."""


class DeviceUnavailable(MediaError):
    """The machine has no device to play on, or none that can be had now."""


class Cancelled(KitharaError, OSError):
    """The wait was given up by a `CancelToken`, by a closing session or by the end of the interpreter."""

    recoverable = True

    def __init__(self, message: str = "The operation was cancelled") -> None:
        super().__init__(message)


class Woken(Cancelled):
    """One read was given up because something else is to be read, see `Stream.wake`; the next may go on."""

    def __init__(self, message: str = "The read was given up for another one") -> None:
        super().__init__(message)


class StreamClosed(KitharaError, ValueError):
    """An operation on a stream or session that was closed, also by another thread meanwhile."""

    def __init__(self, message: str = "I/O operation on closed stream") -> None:
        super().__init__(message)


class ConfigError(KitharaError, ValueError):
    """A knob was set to a value it cannot have."""
