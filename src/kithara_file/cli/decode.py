"""`kithara decode`: the sound of a file, as WAV or FLAC.

Must not know: how sound is decoded, how it is written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import BinaryIO

from rich.console import Console

from kithara_file.audio import FlacWriter, Spec, WavWriter
from kithara_file.audio.writers import Writer
from kithara_file.cli import standard, words
from kithara_file.cli.listen import Knobs, Part
from kithara_file.cli.options import Source
from kithara_file.cli.part import blocks, opened
from kithara_file.cli.save import replacing
from kithara_file.cli.show import say

_WRITERS: dict[str, Callable[[BinaryIO, Spec, int], Writer]] = {"wav": WavWriter, "flac": FlacWriter}


def decode(
    url: str,
    output: str,
    kind: str,
    bits: int,
    part: Part,
    *,
    source: Source,
    knobs: Knobs,
    console: Console,
    quiet: bool,
) -> None:
    """Write the sound of `part` of `url` to `output`. Raises the typed errors; then nothing is there."""
    with opened(url, source, knobs, part) as sound, _out(output) as file:
        spec, frames = sound.audio.spec, 0
        with closing(_WRITERS[kind](file, spec, bits)) as writer:
            for block in blocks(sound, part, console, quiet=quiet):
                writer.write(block)
                frames += len(block)
    if output != "-" and not quiet:
        say(console, f"{sound.title}: {words.seconds(spec.seconds(frames))} of sound, saved as {output}")


@contextmanager
def _out(output: str) -> Iterator[BinaryIO]:
    if output == "-":
        with standard.unbuffered_stdout() as pipe:
            yield pipe
    else:
        with replacing(Path(output)) as file:
            yield file
