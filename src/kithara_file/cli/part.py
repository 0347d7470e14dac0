"""A part of a track read to its end, block by block, with a bar that tells how far it is.

Must not know: what is made of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from kithara_file.audio.media import Samples
from kithara_file.cli import words
from kithara_file.cli.listen import Knobs, Part
from kithara_file.cli.options import Source
from kithara_file.cli.show import say
from kithara_file.cli.sound import Damage, Sound, open_sound, sentence
from kithara_file.cli.standard import cursor_while_stopped
from kithara_file.errors import MediaError

_BLOCK = 16_384


class NothingThere(MediaError):
    """The part begins where the sound has ended."""


def nothing_from(start: float, sound: Sound) -> NothingThere:
    """Return what to say of `sound` that was read to its end from `start` on, and gave nothing."""
    end = sound.audio.duration
    known = "" if end is None else f": it ends at {words.clock(end)}"
    return NothingThere(f"There is no sound from {words.clock(start)} on{known}")


@contextmanager
def opened(url: str, source: Source, knobs: Knobs, part: Part) -> Iterator[Sound]:
    """Give the sound of `url`, which stands at the beginning of `part`. Errors of the decoder tell the name."""
    sound = open_sound(url, source, knobs)
    with sound.audio:
        try:
            if part.start:
                sound.audio.seek(part.start)
            yield sound
        except MediaError as error:
            raise type(error)(sentence(sound.name, error)) from error


def blocks(sound: Sound, part: Part, console: Console, *, quiet: bool) -> Iterator[Samples]:
    """Yield the sound of `part`, whose beginning is where `sound` stands; draw how far it is, and tell of damage.

    Raises `NothingThere` when the sound ends before `part` begins.
    """
    some = not part.start or part.duration == 0  # of what is empty by itself none is missed
    with cursor_while_stopped(console), _bar(console, quiet=quiet) as progress, _telling(sound, console) as tell:
        task = progress.add_task(words.plain(sound.title), total=_seconds(sound, part), place="")
        for block in _read(sound, part):
            some = True
            yield block
            tell()
            done, whole = sound.audio.position - part.start, _seconds(sound, part)
            place = words.clock(done) if whole is None else f"{words.clock(done)}/{words.clock(whole)}"
            progress.update(task, completed=done, total=whole, place=place)
    if not some:
        raise nothing_from(part.start, sound)


def _read(sound: Sound, part: Part) -> Iterator[Samples]:
    left = None if part.duration is None else sound.audio.spec.frames(part.duration)
    while left is None or left > 0:
        block = sound.audio.read(_BLOCK if left is None else min(_BLOCK, left))
        if not len(block):
            return
        left = None if left is None else left - len(block)
        yield block


@contextmanager
def _telling(sound: Sound, console: Console) -> Iterator[Callable[[], None]]:
    """Give what tells of the damage that was met since it was last called; in the end the rest is told."""
    damage = Damage(sound.title)

    def tell() -> None:
        while (event := events.take(0)) is not None:
            say_if(damage.note(event))

    def say_if(text: str | None) -> None:
        if text is not None:
            say(console, f"kithara: {text}")

    with sound.audio.events.subscribe() as events:
        yield tell
        tell()
    say_if(damage.rest())


def _seconds(sound: Sound, part: Part) -> float | None:
    whole = sound.audio.duration
    rest = None if whole is None else max(0.0, whole - part.start)
    return min((each for each in (rest, part.duration) if each is not None), default=None)


def _bar(console: Console, *, quiet: bool) -> Progress:
    name = TextColumn("{task.description}", markup=False)
    place = TextColumn("{task.fields[place]}")
    shown = console.is_terminal and not quiet
    return Progress(
        name,
        BarColumn(bar_width=None),
        place,
        TimeRemainingColumn(compact=True),
        console=console,
        expand=True,
        transient=True,
        disable=not shown,
        redirect_stdout=False,
    )
