"""The commands that make a file heard or seen: play, decode, waveform. Their words; their work stands elsewhere.

What decodes is an extra, which is loaded when one of them is run. Must not know: decoders, sinks, terminals.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any

import click

from kithara_file.cli import standard
from kithara_file.cli.command import stderr, with_source
from kithara_file.cli.options import NumberRange, Source, moment
from kithara_file.errors import KitharaError

HOW_TO_INSTALL = 'this needs packages for sound: pip install "kithara-file[audio]"'
_EXTRA = frozenset({"av", "miniaudio", "numpy", "soxr"})
_QUALITIES = ("fast", "normal", "good", "high", "maximum")

_SINKS = """\b
Sinks:
  device     the machine's own (the default)
  null       nothing is heard, in the time that it takes
  wav:FILE   a WAV file of 16 bits, as fast as it comes
  raw:-      to standard output, or raw:FILE: 32-bit floats, little
             endian, channels interleaved; whoever takes it has to
             be told the rate and the channels

\b
Keys, on a terminal:
  space                 pause, and go on
  left, right           5 seconds back, on        home   from the start
  down, up              30 seconds back, on       m      mute
  page down, page up    10 minutes back, on       + -    louder, softer (also 0 9)
  n p (also > <)        the next track, the one before
  q                     quit

\b
Examples:
  kithara play --start 1:30 https://host/song.flac
  kithara play --sink raw:- --sample-rate 48000 --channels 2 https://host/song.mp3 | aplay -f FLOAT_LE -r 48000 -c 2
  kithara play --sink raw:- --sample-rate 48000 --channels 2 https://host/song.mp3 |
    ffplay -f f32le -sample_rate 48000 -ch_layout stereo -"""


class ExtraMissing(KitharaError):
    """The packages that this command needs are not installed."""


@contextmanager
def audio_extra() -> Iterator[None]:
    """Turn the absence of the extra into an error in one sentence. Raises `ExtraMissing`."""
    try:
        yield
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in _EXTRA:
            raise
        raise ExtraMissing(HOW_TO_INSTALL) from error


@dataclass(frozen=True, slots=True)
class Knobs:
    """How sound is to come out of the decoder; None: as it is in the file."""

    sample_rate: int | None = None
    channels: int | None = None
    quality: Any = "high"


@dataclass(frozen=True, slots=True)
class Part:
    """The part of a track, in seconds."""

    start: float = 0.0
    duration: float | None = None


def _with_knobs(command: Callable[..., int | None]) -> Callable[..., int | None]:
    """Give `command` one `knobs` in the place of the options that say how sound comes out."""

    @click.option("--sample-rate", metavar="HZ", type=click.IntRange(1000, 768_000), help="[default: the file's]")
    @click.option("--channels", metavar="N", type=click.IntRange(1, 8), help="Mix up or down [default: the file's].")
    @click.option("--quality", type=click.Choice(_QUALITIES), default="high", show_default=True, help="Of resampling.")
    @wraps(command)
    def outer(*, sample_rate: int | None, channels: int | None, quality: str, **rest: Any) -> int | None:
        return command(knobs=Knobs(sample_rate, channels, quality), **rest)

    return outer


_START = click.option("--start", metavar="TIME", type=moment, default="0", help="Begin there: seconds or [hh:]mm:ss.")
_DURATION = click.option("--duration", metavar="TIME", type=moment, help="Of so much only.")
_QUIET = click.option("-q", "--quiet", is_flag=True, help="Tell errors only.")


@click.command(short_help="Play files.", epilog=_SINKS)
@click.argument("urls", metavar="URL|PATH...", nargs=-1, required=True)
@click.option("--sink", metavar="SINK", default="device", help="Where sound goes, see below [default: device].")
@click.option("--start", metavar="TIME", type=moment, default="0", help="Where to begin in the first: seconds, mm:ss.")
@click.option(
    "--rate",
    metavar="X",
    type=NumberRange(0.01, 1000.0),
    default=1.0,
    help="So many times as fast, and as high, as on a tape; into null only faster.",
)
@click.option("--volume", metavar="PERCENT", type=click.IntRange(0, 130), default=100, help="[default: 100]")
@_with_knobs
@_QUIET
@with_source
def play(urls: tuple[str, ...], *, sink: str, start: float, rate: float, source: Source, **how: Any) -> int:
    """Play files one after the other, without a gap, while they download.

    What fails is told, and left out: then the exit code is 1.
    """
    with audio_extra():
        from kithara_file.cli.concert import Concert  # noqa: PLC0415 - the extra may be missing
        from kithara_file.cli.outlets import outlet  # noqa: PLC0415
    knobs = how.pop("knobs")
    with outlet(sink, rate, knobs) as (into, told_knobs):
        return Concert(urls, source, told_knobs, stderr()).play(into, start, **how)


@click.command(short_help="Decode a file to WAV or FLAC.")
@click.argument("url", metavar="URL|PATH")
@click.option("-o", "--output", metavar="FILE", required=True, help="out.wav or out.flac; - is WAV to standard output.")
@click.option("--bits", type=click.Choice(["16", "24", "32"]), default="16", show_default=True, help="32: floats, WAV.")
@_START
@_DURATION
@_with_knobs
@_QUIET
@with_source
def decode(url: str, *, output: str, bits: str, start: float, duration: float | None, **how: Any) -> None:
    """Decode a file, or a part of it, to WAV or FLAC while it downloads.

    The output is there whole, or not at all. Of a part only what it needs is fetched.
    """
    kind = "wav" if output == "-" else _kind(output, ("wav", "flac"))
    if kind == "flac" and bits == "32":
        raise click.UsageError("FLAC has 16 or 24 bits here; 32 are for WAV")
    if output == "-" and standard.on_terminal():
        raise click.UsageError("standard output is a terminal, which cannot show sound: use a pipe, or -o FILE")
    with audio_extra():
        from kithara_file.cli.decode import decode as decode_to  # noqa: PLC0415 - the extra may be missing
    decode_to(url, output, kind, int(bits), Part(start, duration), console=stderr(), **how)


@click.command(short_help="Draw the shape of a file's sound.")
@click.argument("url", metavar="URL|PATH")
@click.option(
    "-o", "--output", metavar="FILE", required=True, help="out.png or out.json; - is JSON to standard output."
)
@click.option("--width", metavar="N", type=click.IntRange(1, 20_000), default=1800, show_default=True, help="Columns.")
@click.option("--height", metavar="N", type=click.IntRange(1, 4000), default=280, show_default=True, help="Of a PNG.")
@_START
@_DURATION
@_QUIET
@with_source
def waveform(url: str, *, output: str, start: float, duration: float | None, **how: Any) -> None:
    """Draw the shape of a file's sound as PNG, or write it as JSON: for each column lowest, highest and RMS."""
    kind = "json" if output == "-" else _kind(output, ("png", "json"))
    with audio_extra():
        from kithara_file.cli.waveform import waveform as draw  # noqa: PLC0415 - the extra may be missing
    draw(url, output, kind, Part(start, duration), console=stderr(), **how)


def _kind(output: str, known: tuple[str, ...]) -> str:
    """Return the kind of file that a name asks for."""
    path = Path(output)
    kind = path.suffix.lower().removeprefix(".")
    if kind not in known:
        raise click.UsageError(f"the name of the output ends in {' or '.join(f'.{each}' for each in known)}: {output}")
    if not path.parent.is_dir():
        raise click.UsageError(f"there is no directory {path.parent}{os.sep}")
    return kind
