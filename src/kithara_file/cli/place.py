"""Where a user wants whole files: in a directory under names of their own, or at one path.

Must not know: how anything comes there.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import click


@dataclass(frozen=True, slots=True)
class Place:
    """A path for one file, or with `many` a directory for any number."""

    path: Path
    many: bool

    @classmethod
    def of(cls, output: str, count: int = 1) -> Self:
        """Return the place for `count` files that `output` names; a directory that ends in a slash is made if missing.

        Raises `click.UsageError` for what can be no place for them.
        """
        path = Path(output)
        if output.endswith(os.sep) or path.is_dir():
            path.mkdir(parents=True, exist_ok=True)
            return cls(path, many=True)
        if output == "-":
            raise click.UsageError("to write to standard output there is kithara cat")
        if count > 1:
            raise click.UsageError(f"several files need a directory: -o {output}{os.sep}")
        if not path.parent.is_dir():
            raise click.UsageError(f"there is no directory {path.parent}")
        return cls(path, many=False)

    def target(self, name: str) -> Path:
        """Return where a file goes whose URL calls it `name`."""
        return self.path / name if self.many else self.path
