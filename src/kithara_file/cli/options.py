"""What every command understands: how its words become a `FileConfig`.

Must not know: what a command does with it. A message of this module never repeats the value of a header.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from math import isnan
from pathlib import Path
from typing import Any, TypeVar

import click

from kithara_file.cli.span import Span
from kithara_file.clock import CancelToken
from kithara_file.config import FileConfig, normal_digest
from kithara_file.errors import ConfigError

F = TypeVar("F", bound=Callable[..., Any])

MIB = 1024 * 1024

_MOMENT = re.compile(r"(?:\d{1,9}|\d{1,4}:[0-5]?\d|\d{1,4}:[0-5]?\d:[0-5]?\d)(?:\.\d*)?", re.ASCII)


def header(text: str) -> tuple[str, str]:
    """Read ``Name: value``, as in HTTP."""
    name, colon, value = text.partition(":")
    name, value = name.strip(), value.strip()
    fits = name.isascii() and name.isprintable() and " " not in name
    if not (colon and name and fits) or "\r" in value or "\n" in value:
        raise click.BadParameter("a header is written Name:value, on one line")
    return name, value


def moment(text: str) -> float:
    """Read a time: seconds (``93.5``), ``mm:ss`` or ``hh:mm:ss``."""
    if _MOMENT.fullmatch(text) is None:
        raise click.BadParameter(f"{text!r} is no time: write seconds, mm:ss or hh:mm:ss")
    seconds = 0.0
    for part in text.split(":"):
        seconds = 60 * seconds + float(part)
    return seconds


class NumberRange(click.FloatRange):
    """Numbers between two ends; ``nan``, which is none, is neither below nor above them."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Read one, or refuse it."""
        number: float = super().convert(value, param, ctx)
        if isnan(number):
            self.fail(f"{value!r} is not a number", param, ctx)
        return number


def span(text: str) -> Span:
    """Read ``A-B``, ``A-`` or ``-N``."""
    try:
        return Span.parse(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


def digest(text: str) -> str:
    """Read ``sha256:HEX`` or another of the digests that are known."""
    try:
        return normal_digest(text)
    except ConfigError as error:
        raise click.BadParameter(str(error)) from error


def joined(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return one value for each name: a repeated field is a list (RFC 9110, 5.3), and cookies have their own comma."""
    found: dict[str, tuple[str, str]] = {}
    for name, value in headers:
        key = name.lower()
        if key in found:
            first, before = found[key]
            found[key] = first, f"{before}{'; ' if key == 'cookie' else ', '}{value}"
        else:
            found[key] = name, value
    return dict(found.values())


@dataclass(frozen=True, slots=True)
class Source:
    """Where bytes come from, as told on the command line."""

    cache_dir: Path | None = None
    headers: tuple[tuple[str, str], ...] = ()
    offline: bool = False
    name: str | None = None
    cache_key: str | None = None
    ca_file: Path | None = None
    connections: int = 1

    def config(self, url: str, *, look_ahead_bytes: int | None, cancel: CancelToken | None = None) -> FileConfig:
        """Return the configuration for one URL. Raises `ConfigError`."""
        return FileConfig(
            url,
            name=self.name,
            cache_key=self.cache_key,
            store=self.cache_dir,
            headers=joined(self.headers),
            look_ahead_bytes=look_ahead_bytes,
            offline_mode=self.offline,
            ca_file=None if self.ca_file is None else str(self.ca_file),
            connections=self.connections,
            cancel=cancel,
        )


CACHE_DIR = click.option(
    "--cache-dir",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    envvar="KITHARA_CACHE_DIR",
    show_envvar=True,
    help="Where landed bytes are kept [default: the user's cache directory].",
)
NAME_OF_NAME = click.option("--name", metavar="NAME", help="Tell apart files of one URL, such as qualities.")
NAME_OF_CACHE_KEY = click.option(
    "--cache-key", metavar="KEY", help="Identity in the cache instead of the URL; for signed URLs."
)
VERBOSE = click.option(
    "-v", "--verbose", count=True, help="Tell on stderr what is asked and answered; -vv: everything."
)

_OPTIONS = (
    CACHE_DIR,
    click.option(
        "-H",
        "--header",
        "headers",
        metavar="NAME:VALUE",
        multiple=True,
        type=header,
        help="Send this to the origin of the URL, and to nobody it redirects to. May be repeated.",
    ),
    click.option("--offline", is_flag=True, help="Open no socket: only what is in the cache, or an error."),
    NAME_OF_NAME,
    NAME_OF_CACHE_KEY,
    click.option(
        "--ca-file",
        metavar="PEM",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help="Certificates to trust instead of the system's.",
    ),
    VERBOSE,
)


def source_options(command: F) -> F:
    """Give `command` the options that `take_source` understands."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command
