"""`kithara cache`: look at what is stored, check it, keep it, remove it.

Must not know: where anything lies on the disk, who is evicted; it uses what a user of the library can use.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import click
from rich.console import Console, RenderableType
from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn, TransferSpeedColumn

from kithara_file.assets.catalogue import StoredAsset
from kithara_file.assets.inspection import Finding
from kithara_file.assets.store import AssetStore
from kithara_file.cli import standard, stored, words
from kithara_file.cli.cache_options import Shelf, is_id, size, span, sure, with_shelf
from kithara_file.cli.options import digest as digest_of
from kithara_file.cli.place import Place
from kithara_file.cli.show import say
from kithara_file.clock import SystemClock
from kithara_file.errors import AssetError, KitharaError

DONE, FAILED = 0, 1

_EXAMPLES = """\b
Examples:
  kithara cache ls
  kithara cache pin https://host/song.flac           keeps it, whatever the limits
  kithara cache rm 26220339                          by the id that ls shows, or by the URL
  kithara cache gc --max-bytes 2GB --max-age 30d
  kithara cache verify

What is in use or pinned is never removed. Exit codes are those of kithara; verify ends with 1 if anything was bad."""

_yes = click.option("-y", "--yes", is_flag=True, help="Do not ask.")
_as_json = click.option("--json", "as_json", is_flag=True, help="As JSON; ranges are pairs of first byte and end.")
_targets = click.argument("targets", metavar="[URL|ID]...", nargs=-1)
_target = click.argument("target", metavar="URL|ID")


@click.group(short_help="Look at, check, keep and remove what is stored.", epilog=_EXAMPLES)
def cache() -> None:
    """Look at, check, keep and remove what is stored."""


def _show(what: RenderableType) -> None:
    standard.screen().print(what)


def _now() -> float:
    return SystemClock().wall()


@cache.command("ls", short_help="List what is stored.")
@_as_json
@with_shelf(names=False)
def ls(*, as_json: bool, shelf: Shelf) -> None:
    """List what is stored, last used first: size, which bytes are here, last use, pins, and who uses it."""
    assets = shelf.store.assets()
    if as_json:
        click.echo(json.dumps([stored.to_json(each) for each in assets], indent=2))
        return
    if assets:
        _show(stored.table(assets, _now()))
    say(shelf.console, f"{stored.total(assets)} in {shelf.store.root}")


@cache.command(short_help="Tell all about one asset.")
@_target
@_as_json
@with_shelf()
def info(target: str, *, as_json: bool, shelf: Shelf) -> None:
    """Tell all that is stored of one asset. Nothing is asked of its origin."""
    asset = shelf.find(target)
    if as_json:
        click.echo(json.dumps(stored.to_json(asset), indent=2))
    else:
        _show(stored.details(asset, _now()))


@cache.command(short_help="Print where the bytes are.")
@click.argument("url", metavar="URL")
@with_shelf()
def path(url: str, *, shelf: Shelf) -> int:
    """Print the path of the bytes of a URL, complete or not; exit code 1 when there are none."""
    place = shelf.store.path(shelf.key(url))
    if not place.exists():
        raise AssetError(f"Nothing of {shelf.key(url).url} is stored in {shelf.store.root}")
    click.echo(os.fsencode(place))  # it may have any bytes
    return DONE


# -- removing ----------------------------------------------------------------------------------------------------------


@cache.command(short_help="Remove assets.")
@_targets
@click.option("--all", "everything", is_flag=True, help="Every asset that is neither in use nor pinned.")
@click.option("--pinned", is_flag=True, help="Pinned ones too.")
@_yes
@with_shelf()
def rm(targets: tuple[str, ...], *, everything: bool, pinned: bool, yes: bool, shelf: Shelf) -> int:
    """Remove assets, with all that is stored of them. What is in use is refused, and so is what is pinned."""
    if everything == bool(targets):
        raise click.UsageError("tell which assets, or --all")
    named = shelf.store.assets() if everything else shelf.find_all(targets)
    free = [each for each in named if not each.in_use and (pinned or not each.pins)]
    refused = [] if everything else [each for each in named if each not in free]
    for each in refused:
        say(shelf.console, f"kithara: {stored.label(each)} {_why_it_stays(each)}")
    done = _remove(free, shelf, pinned=pinned, yes=yes)
    return done if not refused else FAILED


def _why_it_stays(asset: StoredAsset) -> str:
    if asset.in_use:
        return f"is in use by {stored.users(asset)}"
    return f"is pinned by {words.plain(', '.join(sorted(asset.pins)))}; --pinned removes it all the same"


def _remove(assets: Sequence[StoredAsset], shelf: Shelf, *, pinned: bool, yes: bool) -> int:
    if not assets:
        say(shelf.console, "nothing is to be removed")
        return DONE
    if not _agreed(assets, shelf, yes=yes):
        return FAILED
    freed: list[StoredAsset] = []
    code = DONE
    for each in assets:
        try:
            shelf.store.remove(each.key, pinned=pinned)
            freed.append(each)
        except (KitharaError, OSError) as error:  # somebody has begun to use it meanwhile
            say(shelf.console, f"kithara: {error}")
            code = FAILED
    say(shelf.console, f"removed {stored.total(freed)}")
    return code


def _agreed(assets: Sequence[StoredAsset], shelf: Shelf, *, yes: bool) -> bool:
    for each in assets:
        say(shelf.console, f"  {words.size(each.bytes):>9}  {stored.label(each)}")
    agreed = sure(f"Remove {stored.total(assets)}?", yes=yes)
    if not agreed:
        say(shelf.console, "nothing was removed")
    return agreed


@cache.command(short_help="Remove what is above limits.")
@click.option("--max-bytes", metavar="SIZE", type=size, help="Keep at most so much, as 2GB or 500MiB.")
@click.option("--max-assets", metavar="N", type=click.IntRange(0), help="Keep at most so many assets.")
@click.option("--max-age", metavar="TIME", type=span, help="Remove what was not used for so long, as 30d or 12h.")
@click.option("--min-free", metavar="SIZE", type=size, help="Leave at least so much free on the disk.")
@_yes
@with_shelf(names=False)
def gc(*, yes: bool, shelf: Shelf, **given: Any) -> int:
    """Remove what is above the limits that are given, least recently used first; never what is in use or pinned."""
    most, free = (None if given[name] is None else int(given[name]) for name in ("max_bytes", "min_free"))
    if not any(each is not None for each in given.values()):
        raise click.UsageError("tell a limit: --max-bytes, --max-assets, --max-age or --min-free")
    root = shelf.store.root
    limits = {"max_age": given["max_age"], "max_assets": given["max_assets"]}
    with closing(AssetStore(root, max_bytes=most, min_free_bytes=free, **limits)) as strict:
        doomed = strict.doomed()
        if not doomed:
            say(shelf.console, "nothing has to go")
            return DONE
        if not _agreed(doomed, shelf, yes=yes):
            return FAILED
        freed = strict.gc()
    say(shelf.console, f"removed {freed.assets} asset{'' if freed.assets == 1 else 's'}, {words.size(freed.bytes)}")
    return DONE


# -- checking ----------------------------------------------------------------------------------------------------------


@cache.command(short_help="Read again and check all that is stored.")
@_targets
@_as_json
@with_shelf()
def verify(targets: tuple[str, ...], *, as_json: bool, shelf: Shelf) -> int:
    """Read again all that is stored, or some of it; what is bad is taken back and fetched when it is next used."""
    if as_json:
        standard.stdout()  # before everything is read for an answer that would be lost
    assets = shelf.find_all(targets) if targets else [None]
    findings: list[Finding] = []
    with _progress(shelf.console) as progress:
        for asset in assets:
            task = progress.add_task("", total=None)
            findings += shelf.store.verify(
                None if asset is None else asset.key,
                lambda done, total, task=task: progress.update(task, completed=done, total=total),  # type: ignore[misc]
            )
    bad = [each for each in findings if not each.good]
    if as_json:
        click.echo(json.dumps([_finding_json(each) for each in findings], indent=2))
    for each in bad:
        say(shelf.console, f"kithara: {each.resource.key.url or each.resource.path}: {_trouble(each)}")
    read = sum(each.resource.coverage.total for each in findings)
    files = "1 file" if len(findings) == 1 else f"{len(findings)} files"
    say(shelf.console, f"{words.size(read)} in {files} read, {len(bad) or 'none'} of them bad")
    return FAILED if bad else DONE


def _progress(console: Console) -> Progress:
    columns = (BarColumn(bar_width=None), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    return Progress(*columns, console=console, transient=True, expand=True, disable=not console.is_terminal)


def _trouble(finding: Finding) -> str:
    if finding.error is not None:
        return f"not looked at: {finding.error}"
    return f"{words.size(finding.bad.total)} were bad and are fetched again when they are next used"


def _finding_json(finding: Finding) -> dict[str, Any]:
    return {
        "url": finding.resource.key.url,
        "path": str(finding.resource.path),
        "bytes": finding.resource.coverage.total,
        "good": finding.good,
        "bad": [[each.start, each.end] for each in finding.bad],
        "error": None if finding.error is None else str(finding.error),
    }


# -- keeping -----------------------------------------------------------------------------------------------------------

_pin_name = click.option("--as", "pin", metavar="NAME", default="user", show_default=True, help="Who wants it to stay.")


@cache.command(short_help="Keep an asset whatever the limits.")
@_target
@_pin_name
@with_shelf()
def pin(target: str, *, pin: str, shelf: Shelf) -> None:
    """Keep an asset, whatever the limits; one that is not stored yet is kept once it is."""
    key = shelf.find(target).key if is_id(target) else shelf.key(target)
    names = shelf.store.pin(key, pin)
    say(shelf.console, f"{key.url} is pinned by {words.plain(', '.join(sorted(names)))}")


@cache.command(short_help="Let an asset go when a limit wants it.")
@_target
@_pin_name
@click.option("--all", "everything", is_flag=True, help="Take every pin off, whoever wanted it.")
@with_shelf()
def unpin(target: str, *, pin: str, everything: bool, shelf: Shelf) -> None:
    """Take a pin off an asset; it stays for as long as others pin it."""
    key = shelf.find(target).key if is_id(target) else shelf.key(target)
    names = shelf.store.unpin(key, None if everything else pin)
    left = f"still pinned by {words.plain(', '.join(sorted(names)))}" if names else "not pinned any more"
    say(shelf.console, f"{key.url} is {left}")


# -- whole files -------------------------------------------------------------------------------------------------------


@cache.command(short_help="Copy a complete file out of the cache.")
@click.argument("url", metavar="URL")
@click.argument("output", metavar="PATH|DIR")
@_yes
@with_shelf()
def export(url: str, output: str, *, yes: bool, shelf: Shelf) -> int:
    """Copy a complete file out of the cache: to this path, or under the URL's name into this directory.

    The disk shares the blocks where it can. Nothing is fetched.
    """
    place = Place.of(output).target(words.file_name(url))
    if place.exists() and not sure(f"{place} is there and would be replaced. Go on?", yes=yes):
        return FAILED
    shelf.store.export(shelf.key(url), place)
    say(shelf.console, f"{words.size(place.stat().st_size)} saved as {place}")
    return DONE


@cache.command("import", short_help="Put a local file into the cache.")
@click.argument("source", metavar="PATH", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("url", metavar="URL")
@click.option("--digest", metavar="sha256:HEX", type=digest_of, help="What the file must be.")
@_yes
@with_shelf()
def import_(source: Path, url: str, *, digest: str | None, yes: bool, shelf: Shelf) -> int:
    """Put a copy of a local file into the cache as the bytes of a URL, in the place of what is stored of it."""
    key = shelf.key(url)
    there = shelf.store.find(key)
    same = [] if there is None else [each for each in there.resources if each.key.resource_hash == key.resource_hash]
    if same and not sure(f"{stored.here(same[0])} of {key.url} would be replaced. Go on?", yes=yes):
        return FAILED
    shelf.store.adopt(source, key, digest=digest)
    say(shelf.console, f"{words.size(source.stat().st_size)} stored as {key.url}")
    return DONE
