"""`kithara waveform`: the shape of a file's sound, as a picture or as numbers.

Must not know: how peaks are found, how a PNG is built.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from kithara_file.audio import Column, Peaks
from kithara_file.cli import standard
from kithara_file.cli.listen import Knobs, Part
from kithara_file.cli.options import Source
from kithara_file.cli.part import blocks, opened
from kithara_file.cli.png import png
from kithara_file.cli.save import replacing
from kithara_file.cli.show import say
from kithara_file.cli.sound import Sound

PALETTE = ((255, 255, 255), (205, 205, 205), (150, 186, 224), (38, 96, 164))
"""Nothing, the middle, the peaks, the RMS."""
_NOTHING, _MIDDLE, _PEAK, _LOUD = range(4)
_DIGITS = 5


def waveform(
    url: str,
    output: str,
    kind: str,
    part: Part,
    *,
    width: int,
    height: int,
    source: Source,
    console: Console,
    quiet: bool,
) -> None:
    """Write the shape of `part` of `url` to `output`. Raises the typed errors; then nothing is there."""
    out = standard.binary_stdout() if output == "-" else None
    peaks = Peaks(width)
    with opened(url, source, Knobs(), part) as sound:
        for block in blocks(sound, part, console, quiet=quiet):
            peaks.feed(block)
        data = picture(peaks.columns(), height) if kind == "png" else numbers(sound, part, peaks)
    if out is not None:
        out.write(data)
        out.flush()
        return
    with replacing(Path(output)) as file:
        file.write(data)
    if not quiet:
        say(console, f"{sound.title}: {width} columns, saved as {output}")


def numbers(sound: Sound, part: Part, peaks: Peaks) -> bytes:
    """Return the columns as JSON; 1.0 is full scale."""
    columns, spec = peaks.columns(), sound.audio.spec
    told: dict[str, Any] = {
        "title": sound.title,
        "start": part.start,
        "duration": round(spec.seconds(peaks.frames), 6),
        "sample_rate": spec.sample_rate,
        "channels": spec.channels,
        "frames": peaks.frames,
        "width": len(columns),
        "min": [round(each.low, _DIGITS) for each in columns],
        "max": [round(each.high, _DIGITS) for each in columns],
        "rms": [round(each.rms, _DIGITS) for each in columns],
    }
    return json.dumps(told).encode() + b"\n"


def picture(columns: Sequence[Column], height: int) -> bytes:
    """Return the columns as PNG: peaks with the RMS in them, around a line in the middle."""
    drawn = b"".join(_drawn(each, height) for each in columns)
    rows = (drawn[y::height] for y in range(height))  # it was drawn column by column
    return png(len(columns), rows, PALETTE)


def _drawn(column: Column, height: int) -> bytes:
    pixels = bytearray(height)
    pixels[height // 2] = _MIDDLE
    for colour, low, high in ((_PEAK, column.low, column.high), (_LOUD, -column.rms, column.rms)):
        top, end = _y(high, height), _y(low, height) + 1
        if high > low and end - top > 1:
            pixels[top:end] = bytes([colour]) * (end - top)
    return bytes(pixels)


def _y(value: float, height: int) -> int:
    """Return the row of a sample: +1.0 is the first."""
    return min(height - 1, max(0, round((1.0 - value) * (height - 1) / 2)))
