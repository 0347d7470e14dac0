"""The words of `kithara cache`: which store, which asset, how much.

Must not know: what a command does with them.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from kithara_file.assets.catalogue import StoredAsset
from kithara_file.assets.keys import ResourceKey
from kithara_file.assets.store import AssetStore
from kithara_file.cli.options import CACHE_DIR, NAME_OF_CACHE_KEY, NAME_OF_NAME, VERBOSE
from kithara_file.cli.show import forget_stdout, log_to
from kithara_file.cli.standard import Screen
from kithara_file.errors import AssetError, InvalidKey

NOBODY_READS = 141
_ID = re.compile(r"[0-9a-f]{4,32}")
_AMOUNT = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([A-Za-z]*)\s*")
_SIZES = {"": 1, "b": 1} | {
    f"{letter}{suffix}": base**power
    for power, letter in enumerate("kmgt", 1)
    for suffix, base in (("", 1000), ("b", 1000), ("ib", 1024))
}
_SPANS = {"s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400, "w": 7 * 86400}


def is_id(word: str) -> bool:
    """Tell whether `word` can be the beginning of an asset's id; no URL is written in hex alone."""
    return _ID.fullmatch(word) is not None


def amount(units: dict[str, int], example: str) -> Callable[[str], float]:
    """Return what reads a number and its unit; raises `click.BadParameter`."""

    def read(text: str) -> float:
        found = _AMOUNT.fullmatch(text)
        if found is None or found[2].lower() not in units:
            raise click.BadParameter(f"{text!r} is not like {example}")
        return float(found[1]) * units[found[2].lower()]

    return read


size = amount(_SIZES, "500MB or 2GiB")
span = amount(_SPANS, "12h or 30d")


@dataclass(frozen=True, slots=True)
class Shelf:
    """The store, and how a word names something in it."""

    store: AssetStore
    console: Console
    """Where it is said what happens."""
    name: str | None = None
    cache_key: str | None = None

    def key(self, url: str) -> ResourceKey:
        """Return the key of a URL. Raises `InvalidKey`."""
        if "://" not in url:
            raise InvalidKey(f"{url} is no URL, and what did not come from one is not in the cache")
        return ResourceKey.of(url, name=self.name, cache_key=self.cache_key)

    def find(self, word: str) -> StoredAsset:
        """Return the asset that a URL, or the beginning of an id, names; raises `AssetError` for none."""
        if not is_id(word):
            if "://" not in word:
                raise AssetError(f"{word} is neither a URL nor the first 4 or more digits of an id, as ls shows them")
            found = self.store.find(self.key(word))
            if found is None:
                raise AssetError(f"Nothing of {self.key(word).url} is stored in {self.store.root}")
            return found
        fitting = [each for each in self.store.assets() if each.asset_id.startswith(word)]
        if len(fitting) != 1:
            raise AssetError(f"{len(fitting) or 'No'} assets in {self.store.root} have an id like {word}")
        return fitting[0]

    def find_all(self, words: Iterable[str]) -> list[StoredAsset]:
        """Return the assets that `words` name, each once."""
        found = {each.asset_id: each for each in map(self.find, words)}
        return list(found.values())


def sure(question: str, *, yes: bool) -> bool:
    """Ask whether to go on, unless that was said already; where nobody can answer it has to be."""
    if yes:
        return True
    if sys.stdin is None or not sys.stdin.isatty():
        raise click.UsageError(f"{question} Say --yes, for nobody is here to ask.")
    return click.confirm(question, err=True)


def with_shelf(*, names: bool = True) -> Callable[[Callable[..., int | None]], Callable[..., int | None]]:
    """Give a command one `shelf` in the place of the options that say which store; with `names` also which resource."""

    def wrap(command: Callable[..., int | None]) -> Callable[..., int | None]:
        @wraps(command)
        def outer(
            *,
            cache_dir: Path | None,
            verbose: int,
            name: str | None = None,
            cache_key: str | None = None,
            **rest: Any,
        ) -> int | None:
            console = Screen(stderr=True)
            log_to(console, verbose)
            try:
                with AssetStore(cache_dir) as store:
                    return command(shelf=Shelf(store, console, name, cache_key), **rest)
            except BrokenPipeError:
                forget_stdout()
                return NOBODY_READS

        for option in (VERBOSE, *((NAME_OF_CACHE_KEY, NAME_OF_NAME) if names else ()), CACHE_DIR):
            outer = option(outer)
        return outer

    return wrap
