"""From one number of channels to another, as a table of gains.

The order of channels is FFmpeg's. What has no loudspeaker of its own goes to left and right with the gains of ITU-R
BS.775; the result is scaled so that it cannot clip. Pure. Must not know: rates.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kithara_file.audio.media import Samples

_ROLES = {
    1: ("centre",),
    2: ("left", "right"),
    3: ("left", "right", "centre"),
    4: ("left", "right", "left back", "right back"),
    5: ("left", "right", "centre", "left back", "right back"),
    6: ("left", "right", "centre", "bass", "left back", "right back"),
    7: ("left", "right", "centre", "bass", "back", "left back", "right back"),
    8: ("left", "right", "centre", "bass", "left back", "right back", "left side", "right side"),
}

_HALF_POWER = 0.5**0.5

_FOLDED = {
    "left": (1.0, 0.0),
    "right": (0.0, 1.0),
    "centre": (_HALF_POWER, _HALF_POWER),
    "bass": (0.0, 0.0),
    "back": (0.5, 0.5),
    "left back": (_HALF_POWER, 0.0),
    "right back": (0.0, _HALF_POWER),
    "left side": (_HALF_POWER, 0.0),
    "right side": (0.0, _HALF_POWER),
}
"""What each loudspeaker gives to left and right when it is not there."""


def gains(source: int, target: int) -> NDArray[np.float32]:
    """Return the gains of shape (source, target) by which frames are multiplied."""
    roles, wanted = _roles(source), _roles(target)
    table = np.zeros((source, target), np.float32)
    if source == 1:
        table[0, :2] = 1.0  # what was mono is heard from both sides as loud as it was
        return table
    for index, role in enumerate(roles):
        if role in wanted and target > 1:
            table[index, wanted.index(role)] = 1.0
        elif target == 1:
            table[index, 0] = sum(_FOLDED.get(role, (0.0, 0.0))) / 2
        else:
            table[index, :2] = _FOLDED.get(role, (0.0, 0.0))
    loudest = float(table.sum(axis=0).max())
    return table / np.float32(loudest) if loudest > 1 else table


def _roles(channels: int) -> tuple[str, ...]:
    known = _ROLES.get(channels)
    return known or (*_ROLES[8], *(f"channel {number}" for number in range(8, channels)))


class Mixer:
    """Changes the number of channels."""

    def __init__(self, source: int, target: int) -> None:
        self._gains = None if source == target else gains(source, target)

    def __call__(self, samples: Samples) -> Samples:
        """Return `samples` with the other number of channels; themselves when it is the same."""
        return samples if self._gains is None else samples @ self._gains

    def __repr__(self) -> str:
        return "<Mixer that changes nothing>" if self._gains is None else f"<Mixer {self._gains.shape}>"
