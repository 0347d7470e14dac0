"""Decoded frames as float32 of shape (frames, channels).

Integers are divided by 2 to the power of their bits less one, so that what was lossless stays exact: 24 bits fit a
float32. Must not know: where frames come from, or where they go.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from kithara_file.audio.media import Samples
from kithara_file.errors import UnsupportedMedia

_KINDS: dict[str, tuple[str, float, float]] = {
    "u8": ("u1", 128.0, 1 / 128),
    "s16": ("i2", 0.0, 1 / 2**15),
    "s32": ("i4", 0.0, 1 / 2**31),
    "s64": ("i8", 0.0, 1 / 2**63),
    "flt": ("f4", 0.0, 1.0),
    "dbl": ("f8", 0.0, 1.0),
}
"""By FFmpeg's name of a sample format: numpy's type, what is taken away from a sample, what it is multiplied by."""


def as_samples(frame: Any) -> Samples:
    """Return the sound of a decoded `av.AudioFrame`: the only copy."""
    kind, middle, scale = _kind(frame.format.name)
    channels, count, planes = frame.layout.nb_channels, frame.samples, frame.planes
    if frame.format.is_planar:
        out = np.empty((count, channels), np.float32)
        for channel in range(channels):
            out[:, channel] = np.frombuffer(planes[channel], kind, count)
    else:
        out = np.frombuffer(planes[0], kind, count * channels).reshape(count, channels).astype(np.float32)
    if middle:
        out -= np.float32(middle)
    if scale != 1.0:
        out *= np.float32(scale)
    return out


def _kind(name: str) -> tuple[str, float, float]:
    try:
        return _KINDS[name.removesuffix("p")]
    except KeyError:
        raise UnsupportedMedia(f"Samples of the format {name} are not understood") from None
