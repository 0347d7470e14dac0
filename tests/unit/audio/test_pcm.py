"""Decoded frames as float32."""

from __future__ import annotations

from typing import Any

import av
import numpy as np
import pytest

from kithara_file.audio.pcm import as_samples

KINDS: dict[str, tuple[str, list[float], list[float]]] = {
    "u8": ("u1", [0, 128, 255], [-1.0, 0.0, 127 / 128]),
    "s16": ("i2", [-32768, 0, 32767], [-1.0, 0.0, 32767 / 32768]),
    "s32": ("i4", [-(2**31), 0, (2**23 - 1) << 8], [-1.0, 0.0, (2**23 - 1) / 2**23]),
    "flt": ("f4", [-1.5, 0.0, 0.25], [-1.5, 0.0, 0.25]),
    "dbl": ("f8", [-1.5, 0.0, 0.25], [-1.5, 0.0, 0.25]),
}


def frame(name: str, kind: str, values: list[float]) -> Any:
    """Return a frame whose right channel is the left one backwards."""
    both = np.array([values, values[::-1]], kind)
    data = both if name.endswith("p") else np.ascontiguousarray(both.T).reshape(1, -1)
    return av.AudioFrame.from_ndarray(data, format=name, layout="stereo")


@pytest.mark.parametrize("planar", ["", "p"])
@pytest.mark.parametrize("name", KINDS)
def test_every_sample_format_becomes_float32_without_loss(name: str, planar: str) -> None:
    kind, values, expected = KINDS[name]
    got = as_samples(frame(name + planar, kind, values))
    assert got.dtype == np.float32
    assert got[:, 0].tolist() == expected
    assert got[:, 1].tolist() == expected[::-1]
