"""PCM into files and pipes: WAV, FLAC, or as it is.

A pipe is written in order and once; in a file the head is corrected at the end. Must not know: tracks, decoders, who
listens, where the file is.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from fractions import Fraction
from typing import Any, BinaryIO, Protocol

import av
import numpy as np
from numpy.typing import NDArray

from kithara_file.audio.media import Samples, Spec
from kithara_file.errors import ConfigError

_UNTOLD = 0xFFFF_FFFF
"""The length of what is written into a pipe, or longer than the head of a WAV file can tell: readers go to the end."""
_PCM, _FLOAT = 1, 3
_HEAD = struct.Struct("<4sI4s4sIHHIIHH4sI")
_FLAC_FRAMES = 4096
_LAYOUTS = {1: "mono", 2: "stereo", 3: "3.0", 4: "quad", 5: "5.0", 6: "5.1", 7: "6.1", 8: "7.1"}


class Writer(Protocol):
    """What takes sound to keep it; the file stays the caller's."""

    def write(self, samples: Samples) -> None:
        """Write all of them."""

    def close(self) -> None:
        """Complete what was written."""


class RawWriter:
    """Writes float32 PCM, little endian and interleaved."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def write(self, samples: Samples) -> None:
        """Write all of them; returns when the file has taken them."""
        write_all(self._file, as_float32(samples))

    def close(self) -> None:
        """Leave the file open, with all that was written in it."""
        self._file.flush()


class WavWriter:
    """Writes WAV of 16 or 24 bits, or of 32 as floats."""

    def __init__(self, file: BinaryIO, spec: Spec, bits: int = 16) -> None:
        self._file = file
        self._spec = spec
        self._bits = bits
        self._pack = _packer(bits, PACKERS)
        self._bytes = 0
        write_all(file, self._head(_UNTOLD))

    def write(self, samples: Samples) -> None:
        """Write all of them. Raises `ConfigError` when they are not of the shape (frames, channels)."""
        _check_shape(samples, self._spec)
        data = self._pack(samples)
        self._bytes += len(data)
        write_all(self._file, data)

    def close(self) -> None:
        """Tell the length in the head, if the file can go back there; leave the file open."""
        if self._bytes % 2:
            write_all(self._file, b"\0")
        if self._file.seekable():
            self._file.seek(0)
            write_all(self._file, self._head(self._bytes))
            self._file.seek(0, 2)
        self._file.flush()

    def _head(self, length: int) -> bytes:
        spec, width = self._spec, self._bits // 8 * self._spec.channels
        whole = min(_UNTOLD, length + length % 2 + _HEAD.size - 8)
        kind = (_FLOAT if self._bits == 32 else _PCM, spec.channels, spec.sample_rate, spec.sample_rate * width)
        form = (b"fmt ", 16, *kind, width, self._bits)
        return _HEAD.pack(b"RIFF", whole, b"WAVE", *form, b"data", min(_UNTOLD, length))


class FlacWriter:
    """Writes FLAC of 16 or 24 bits."""

    def __init__(self, file: BinaryIO, spec: Spec, bits: int = 16) -> None:
        if spec.channels not in _LAYOUTS:
            msg = f"FLAC has no more than {max(_LAYOUTS)} channels, and this sound has {spec.channels}"
            raise ConfigError(msg)
        self._spec = spec
        self._form = "s16" if bits == 16 else "s32"
        self._pack = _packer(bits, {16: as_int16, 24: as_high_int32})
        self._frames = 0
        self._container: Any = av.open(file, "w", format="flac")
        self._stream = self._container.add_stream("flac", rate=spec.sample_rate, layout=_LAYOUTS[spec.channels])
        self._stream.codec_context.format = self._form

    def write(self, samples: Samples) -> None:
        """Write all of them. Raises `ConfigError` when they are not of the shape (frames, channels)."""
        _check_shape(samples, self._spec)
        for start in range(0, len(samples), _FLAC_FRAMES):
            whole = self._pack(samples[start : start + _FLAC_FRAMES])
            frame = av.AudioFrame.from_ndarray(
                np.ascontiguousarray(whole).reshape(1, -1), format=self._form, layout=_LAYOUTS[self._spec.channels]
            )
            frame.sample_rate, frame.pts = self._spec.sample_rate, self._frames
            frame.time_base = Fraction(1, self._spec.sample_rate)
            self._frames += frame.samples
            self._container.mux(self._stream.encode(frame))

    def close(self) -> None:
        """Write what the encoder still has, and the head; leave the file open."""
        try:
            self._container.mux(self._stream.encode(None))
        finally:
            self._container.close()


def _check_shape(samples: Samples, spec: Spec) -> None:
    """Refuse what would be written as frames that it has not."""
    if samples.ndim != 2 or samples.shape[1] != spec.channels:
        msg = f"Sound of the shape {samples.shape} cannot be written as (frames, {spec.channels})"
        raise ConfigError(msg)


def write_all(file: BinaryIO, data: bytes) -> None:
    """Write `data` into a file that may be unbuffered, and so take less at a time."""
    view = memoryview(data)
    while view:
        view = view[file.write(view) :]


def as_int16(samples: Samples) -> NDArray[np.int16]:
    """Return `samples` as 16 bits, little endian: full scale is 32768, so that 16 bits come out as they went in."""
    whole: NDArray[np.int16] = np.clip(np.rint(samples * 32768.0), -32768, 32767).astype("<i2")
    return whole


def as_int24(samples: Samples) -> bytes:
    """Return `samples` as 24 bits, little endian, in three bytes each."""
    whole = as_high_int32(samples)
    return whole.reshape(-1, 1).view(np.uint8)[:, 1:].tobytes()


def as_high_int32(samples: Samples) -> NDArray[np.int32]:
    """Return `samples` as 24 bits, in the upper ones of 32."""
    scaled = np.clip(np.rint(samples.astype(np.float64) * 2**23), -(2**23), 2**23 - 1)
    whole: NDArray[np.int32] = np.ascontiguousarray(scaled.astype("<i4") << 8)
    return whole


def as_float32(samples: Samples) -> bytes:
    """Return `samples` as they are, little endian."""
    return samples.astype("<f4", copy=False).tobytes()


PACKERS: dict[int, Callable[[Samples], bytes]] = {
    16: lambda samples: as_int16(samples).tobytes(),
    24: as_int24,
    32: as_float32,
}
"""How samples of so many bits are laid out in a WAV file."""


def _packer(bits: int, packers: dict[int, Callable[[Samples], Any]]) -> Callable[[Samples], Any]:
    if bits not in packers:
        msg = f"bits cannot be {bits}, only {' or '.join(map(str, packers))}"
        raise ConfigError(msg)
    return packers[bits]
