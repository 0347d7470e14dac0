"""The commands: words in, exit codes out.

Must not know: how a command does its work; each stands in a module of its own.
"""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from types import FrameType

import click

import kithara_file
from kithara_file.cli import standard, words
from kithara_file.cli.cache import cache as cache_group
from kithara_file.cli.cat import cat as cat_to
from kithara_file.cli.command import DONE, FAILED, INTERRUPTED, stderr, with_source
from kithara_file.cli.download import Download, download_all
from kithara_file.cli.info import gather
from kithara_file.cli.listen import decode, play, waveform
from kithara_file.cli.options import Source
from kithara_file.cli.options import span as read_span
from kithara_file.cli.place import Place
from kithara_file.cli.save import stored_at
from kithara_file.cli.show import say, watching
from kithara_file.cli.span import Span
from kithara_file.clock import CancelToken
from kithara_file.errors import Cancelled, KitharaError

_EXAMPLES = """\b
Examples:
  kithara get https://host/song.flac                 into the cache; tells where
  kithara get -o music/ https://host/a https://host/b
  kithara cat https://host/song.flac | ffplay -      plays while it downloads
  kithara cat --range -128 https://host/song.mp3     the last 128 bytes
  kithara info --json https://host/song.flac
  kithara play https://host/a.mp3 https://host/b.mp3

What has landed is kept, also when a command is interrupted or killed: run the same again and it goes on. Where a URL
can stand a path can, but for kithara cache: only what came from a URL is in it."""


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code; whatever ends it is told in one sentence on stderr."""
    try:
        code = kithara.main(arguments, prog_name="kithara", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except (KitharaError, OSError) as error:
        say(stderr(), f"kithara: {standard.complaint(error)}")
        return FAILED
    return code if isinstance(code, int) else DONE


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}, epilog=_EXAMPLES)
@click.version_option(kithara_file.__version__, prog_name="kithara")
def kithara() -> None:
    """Fetch media by URL: what is wanted first comes first, and what has landed is never fetched again."""


kithara.add_command(cache_group)
for each in (play, decode, waveform):
    kithara.add_command(each)


@kithara.command(short_help="Download whole files.")
@click.argument("urls", metavar="URL...", nargs=-1, required=True)
@click.option(
    "-o",
    "--output",
    metavar="PATH|DIR",
    help="Put the file there, or under the URL's name into this directory [default: it stays in the cache].",
)
@click.option("-j", "--jobs", type=click.IntRange(1, 64), default=4, show_default=True, help="Files at a time.")
@click.option(
    "--connections",
    type=click.IntRange(1, 16),
    default=1,
    show_default=True,
    help="Connections for each file, for origins that limit the rate of one.",
)
@click.option("-q", "--quiet", is_flag=True, help="Tell errors only.")
@with_source
def get(urls: tuple[str, ...], output: str | None, jobs: int, *, connections: int, quiet: bool, source: Source) -> int:
    """Download whole files through the cache; without -o print where each is kept.

    Interrupted or failed, it goes on where it was when it is run again.
    """
    if output is None:
        standard.stdout()  # before anything is fetched for an answer that would be lost
    cancel = CancelToken()
    console = stderr()
    downloads = _downloads(urls, output, replace(source, connections=connections), cancel)
    with _interrupts(cancel), watching(console, quiet=quiet) as watcher:
        download_all(downloads, jobs, watcher, cancel)
    for each in downloads:
        if each.done and each.target is None:
            click.echo(os.fsencode(stored_at(each.config)))  # a path may have any bytes
    if all(each.done for each in downloads):
        return DONE
    if not cancel.cancelled:
        return FAILED
    say(console, _how_to_go_on(downloads))
    return INTERRUPTED


def _downloads(urls: Sequence[str], output: str | None, source: Source, cancel: CancelToken) -> list[Download]:
    wanted = list(dict.fromkeys(urls))
    names = list(words.distinct(words.file_name(each) for each in wanted))
    place = None if output is None else Place.of(output, len(wanted))
    return [
        Download(
            name,
            source.config(url, look_ahead_bytes=None, cancel=cancel),
            None if place is None else place.target(name),
            cancel,
        )
        for url, name in zip(wanted, names, strict=True)
    ]


def _how_to_go_on(downloads: Sequence[Download]) -> str:
    begun = [each for each in downloads if each.present and not each.done]
    kept = ", ".join(f"{words.progress(each.present, each.length)} of {each.label}" for each in begun)
    return f"kithara: interrupted with {kept or 'what has landed'} kept; run the same command again to go on"


@contextmanager
def _interrupts(cancel: CancelToken) -> Iterator[None]:
    """Let the first Ctrl-C end the downloads in good order; a second one ends everything at once."""

    def interrupted(_number: int, _frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        cancel.cancel(Cancelled("Interrupted"))

    before = signal.getsignal(signal.SIGINT)
    if before is signal.SIG_IGN:  # a shell has put us into the background: Ctrl-C is meant for others
        yield
        return
    signal.signal(signal.SIGINT, interrupted)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@kithara.command(short_help="Write a file, or a part of it, to standard output.")
@click.argument("url", metavar="URL")
@click.option("--range", "span", type=read_span, metavar="A-B|A-|-N", default="0-", help="Bytes A to B, both included.")
@with_source
def cat(url: str, span: Span, *, source: Source) -> None:
    """Write a file, or a part of it, to standard output while it downloads.

    Only what is read is fetched; when nobody reads any more, the download ends.
    """
    cat_to(url, span, source, standard.binary_stdout())


@kithara.command(short_help="Tell what is known of a file, and what is cached.")
@click.argument("url", metavar="URL")
@click.option("--json", "as_json", is_flag=True, help="As JSON; ranges are pairs of first byte and end (exclusive).")
@with_source
def info(url: str, *, as_json: bool, source: Source) -> None:
    """Tell length, type, validators and freshness of a file, what of it is cached, and what it says of its sound."""
    screen = standard.screen()
    facts = gather(url, source)
    if as_json:
        click.echo(json.dumps(facts.to_json(), indent=2))
    else:
        screen.print(facts.to_rich())
