"""The decoder of Brotli (RFC 7932) that libcurl brings along, asked by us for as much as we want.

libcurl decodes all that it has read in one go and holds what nobody takes, megabytes for each kilobyte, until there are
64 MiB of it and it gives up. The decoder itself gives a piece at a time and holds its window, 16 MiB at most. It is
found among the libraries that pycurl is linked with; where it is part of another one, or there is none, it is not.

Must not know: where the bytes come from. Imported late, since hardly anybody needs it.
"""

from __future__ import annotations

import ctypes
import sys
import weakref
from functools import cache
from types import SimpleNamespace

import pycurl

_ERROR, _MORE_OUTPUT = 0, 3  # of BrotliDecoderResult

_SIZE = ctypes.POINTER(ctypes.c_size_t)
_PLACE = ctypes.POINTER(ctypes.c_void_p)
_STATE = ctypes.c_void_p
_BRIEF: dict[str, tuple[object, tuple[object, ...]]] = {
    "CreateInstance": (_STATE, (ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p)),
    "DestroyInstance": (None, (_STATE,)),
    "HasMoreOutput": (ctypes.c_int, (_STATE,)),
    "TakeOutput": (ctypes.c_void_p, (_STATE, _SIZE)),
    "IsFinished": (ctypes.c_int, (_STATE,)),
    "GetErrorCode": (ctypes.c_int, (_STATE,)),
    "ErrorString": (ctypes.c_char_p, (ctypes.c_int,)),
}
"""What does next to nothing. It keeps the interpreter's lock, since who gives that away may wait for it."""
_LONG: dict[str, tuple[object, tuple[object, ...]]] = {
    "DecompressStream": (ctypes.c_int, (_STATE, _SIZE, _PLACE, _SIZE, _PLACE, _SIZE)),
}


def _linked(path: str) -> SimpleNamespace | None:
    """Return the decoder's functions among the libraries that the one at `path` is linked with."""
    calls = SimpleNamespace()
    try:
        for library, signatures in ((ctypes.PyDLL(path), _BRIEF), (ctypes.CDLL(path), _LONG)):
            for name, (result, arguments) in signatures.items():
                call = getattr(library, f"BrotliDecoder{name}")
                call.restype, call.argtypes = result, arguments
                setattr(calls, name, call)
    except (AttributeError, OSError):
        return None
    return calls


@cache
def _calls() -> SimpleNamespace | None:
    module = sys.modules.get("pycurl._pycurl", pycurl)  # pycurl is a package now, and was one module
    return _linked(module.__file__) if module.__file__ else None


def found() -> bool:
    """Tell whether there is a decoder."""
    return _calls() is not None


class Brotli:
    """One stream of Brotli; only where the decoder is `found`."""

    def __init__(self, taken: int, given: int) -> None:
        """Begin a stream which takes and gives no more than so many bytes in a step."""
        calls = _calls()
        if calls is None:
            raise LookupError("there is no decoder of Brotli")
        self._calls = calls
        self._taken, self._given = taken, given
        self._state = calls.CreateInstance(None, None, None)
        if not self._state:
            raise MemoryError
        self._free = weakref.finalize(self, calls.DestroyInstance, self._state)
        self.full = False
        """True when it holds more than it gave."""

    @property
    def eof(self) -> bool:
        """True when it has come to its end, and all of it was given."""
        return bool(self._calls.IsFinished(self._state))

    def step(self, data: bytes, at: int) -> tuple[bytes, int]:
        """Return a piece of what `data` from `at` on decodes to, and how many bytes of it were used.

        Raises `ValueError` when it is no Brotli.
        """
        used = 0 if self._calls.HasMoreOutput(self._state) else self._push(data, at)
        size = ctypes.c_size_t(self._given)
        place = self._calls.TakeOutput(self._state, ctypes.byref(size))
        piece = ctypes.string_at(place, size.value) if size.value else b""
        return piece, used

    def _push(self, data: bytes, at: int) -> int:
        size = min(self._taken, len(data) - at)
        left, no_room = ctypes.c_size_t(size), ctypes.c_size_t(0)
        begin = ctypes.cast(ctypes.c_char_p(data), ctypes.c_void_p).value or 0
        place = ctypes.c_void_p(begin + at)
        code = self._calls.DecompressStream(
            self._state, ctypes.byref(left), ctypes.byref(place), ctypes.byref(no_room), None, None
        )
        if code == _ERROR:
            told = self._calls.ErrorString(self._calls.GetErrorCode(self._state)).decode("ascii")
            raise ValueError(told.removeprefix("_ERROR_").replace("_", " ").lower())
        self.full = code == _MORE_OUTPUT
        return size - left.value

    def __repr__(self) -> str:
        return f"<Brotli {'ended' if self.eof else 'full' if self.full else 'hungry'}>"
