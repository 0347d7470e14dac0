"""What a command is: its options in, its work, an exit code out.

Must not know: any one command.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, wraps
from pathlib import Path
from typing import Any

from rich.console import Console

from kithara_file.cli.options import Source, source_options
from kithara_file.cli.show import forget_stdout, log_to, say
from kithara_file.cli.standard import Screen

DONE, FAILED, INTERRUPTED, NOBODY_READS = 0, 1, 130, 141
"""Exit codes; 2 is click's for wrong usage, and the last two are those of a shell for SIGINT and SIGPIPE."""


@cache
def stderr() -> Console:
    """Return the one console for all that is said: a line must know of the bars that are drawn."""
    return Screen(stderr=True)


def with_source(command: Callable[..., int | None]) -> Callable[..., int | None]:
    """Give `command` one `source` in the place of the options that all commands have."""

    @source_options
    @wraps(command)
    def outer(
        *,
        cache_dir: Path | None,
        headers: tuple[tuple[str, str], ...],
        offline: bool,
        name: str | None,
        cache_key: str | None,
        ca_file: Path | None,
        verbose: int,
        **rest: Any,
    ) -> int | None:
        log_to(stderr(), verbose)
        source = Source(cache_dir, headers, offline, name, cache_key, ca_file)
        try:
            return command(source=source, **rest)
        except BrokenPipeError:  # these two are caught here, for click has ways of its own with them
            forget_stdout()
            return NOBODY_READS
        except KeyboardInterrupt:
            console = stderr()
            if console.is_terminal:
                console.print()  # the terminal has written ^C on this line
            say(console, "kithara: interrupted with what has landed kept")
            return INTERRUPTED

    return outer
