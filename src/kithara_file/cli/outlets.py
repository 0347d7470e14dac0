"""Where `kithara play` sends sound: the words of `--sink`, made into a sink.

Must not know: tracks, terminals but for one that would be flooded.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from ctypes import CDLL, CFUNCTYPE, c_char_p, c_int
from dataclasses import replace
from typing import BinaryIO

import click

from kithara_file.audio import DeviceSink, NullSink, RawSink, Sink, TapeSink, WavSink
from kithara_file.cli import standard
from kithara_file.cli.listen import Knobs

_SAY_NOTHING = CFUNCTYPE(None, c_char_p, c_int, c_char_p, c_int, c_char_p)(lambda *_: None)
_HINT = "a sink is device, null, wav:FILE, raw:FILE or raw:-"


@contextmanager
def outlet(text: str, rate: float, knobs: Knobs) -> Iterator[tuple[Sink, Knobs]]:
    """Give the sink that `text` names, at `rate` times the speed, and the knobs for tracks that are to go there.

    Raises `click.UsageError` for what names none, and `OSError` for a file that cannot be written.
    """
    kind, colon, place = text.partition(":")
    if kind == "null" and not colon:
        yield NullSink(rate), knobs
        return
    with ExitStack() as stack:
        sink = _sink(kind, place, stack) if bool(colon) == (kind != "device") else None
        if sink is None:
            raise click.UsageError(f"{text!r} is no sink: {_HINT}")
        yield (sink, knobs) if rate == 1.0 else (TapeSink(sink, rate), _slowed(knobs, rate))


def _sink(kind: str, place: str, stack: ExitStack) -> Sink | None:
    if kind == "device":
        _hush()
        return DeviceSink()
    if kind == "wav" and place not in ("", "-"):
        return WavSink(place)
    return RawSink(stack.enter_context(_raw(place))) if kind == "raw" and place else None


def _hush() -> None:
    """Keep ALSA from writing pages to stderr on a machine without sound: one sentence will be told of that."""
    with suppress(OSError, AttributeError):
        CDLL("libasound.so.2").snd_lib_error_set_handler(_SAY_NOTHING)


def _raw(place: str) -> BinaryIO:
    """Open it without a buffer: a thread that waits in one when the interpreter ends would break it."""
    if place != "-":
        return open(place, "wb", buffering=0)
    if standard.on_terminal():
        raise click.UsageError("standard output is a terminal, which cannot show sound: use a pipe, or raw:FILE")
    return standard.unbuffered_stdout()


def _slowed(knobs: Knobs, rate: float) -> Knobs:
    """Return the knobs with which a sink that is told another rate ends up with the one that was asked for."""
    wanted = knobs.sample_rate
    return knobs if wanted is None else replace(knobs, sample_rate=max(1, round(wanted / rate)))
